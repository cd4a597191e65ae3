"""Figures of alert quality: what is added up equals what a look at the whole log gives."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core import quality_figures as figures
from gateway.core.effects import Outcome
from gateway.core.quality import COUNTS, SLOT, Elder, Folded, Key, Spell, fold
from gateway.core.quality_figures import Period, Times, Verdict
from gateway.core.values import DAY, HOUR, MINUTE, Millis
from tests.core import quality_by_hand as by_hand
from tests.core.quality_by_hand import DEVICES, LOGS, RULES, START, STEP, Happened, written
from tests.core.stories import STORIES, Ask, Given, play

OFFSETS = st.sampled_from([0, 8 * HOUR, 345 * MINUTE, -210 * MINUTE])
"""UTC, Shanghai, Kathmandu, Newfoundland."""

UNSEEN_FROM_EARLIER = [
    Happened(1, "gateway.unobserved", "d1", "hot", "info", "anna", announced=False, number=number)
    for number in (0, 1)
]
"""Unseen from one moment on, and then as it turns out since an earlier one."""
RISEN_UNSEEN = [
    Given(0, ("telemetry", "d1", 0, {"mode": "high"}, False)),
    Given(10_000, ("tick",)),
    Given(0, Ask("alert.ack", 0, "anna", {}, None)),
]
"""An alert that nobody has answered gets worse, and asks anew by that."""


def added(*parts: Folded) -> Folded:
    counts: dict[Key, dict[str, int]] = {}
    for part in parts:
        for key, found in part.counts.items():
            total = counts.setdefault(key, {})
            for name, value in found.items():
                total[name] = total.get(name, 0) + value
    return Folded(counts, [change for part in parts for change in part.changes])


def spells(folded: Folded) -> list[Times]:
    found: list[Times] = []
    standing: dict[tuple[Spell, str, str], tuple[int, Millis]] = {}
    for change in folded.changes:
        key = change.spell, change.device, change.rule
        if key in standing:
            place, _ = standing.pop(key)
            found[place] = found[place]._replace(ended=change.at)
        if change.begins:
            standing[key] = len(found), change.at
            found.append(Times(*key, change.at, None))
    return found


def announced(folded: Folded) -> dict[Millis, int]:
    slots: dict[Millis, int] = {}
    for key, counts in folded.counts.items():
        if counts.get("announced"):
            slots[key.slot] = slots.get(key.slot, 0) + counts["announced"]
    return slots


@given(LOGS, st.integers(0, 80))
def test_parts_add_up_to_the_whole(log: Sequence[Happened], cut: int) -> None:
    outcomes = written(log)
    assert added(fold(outcomes[:cut]), fold(outcomes[cut:])) == fold(outcomes)


@settings(max_examples=40, deadline=None)
@given(LOGS, OFFSETS)
@example(UNSEEN_FROM_EARLIER, 0)
def test_rate_and_floods_are_those_of_the_log(log: Sequence[Happened], offset: Millis) -> None:
    outcomes = written(log)
    folded = fold(outcomes)
    whole = Period(START, (outcomes[-1].at if outcomes else START) + HOUR)
    period = figures.aligned(whole, lambda _: offset)
    gaps = [one for one in spells(folded) if one.spell is Spell.UNOBSERVED]
    seen = figures.observed(period, START, gaps)
    rate = figures.rate(announced(folded), seen, lambda _: offset)

    unseen = by_hand.last_said(outcomes, by_hand.unobserved)
    looked = [moment for moment in range(START, period.end, STEP) if not unseen(moment)]
    windows = by_hand.windows(outcomes, period.start, period.end, offset)
    flooded = {begin for begin, count in windows.items() if count > 10}
    assert rate.announced == sum(windows.values())
    assert rate.observed == len(looked) * STEP
    if looked:
        assert rate.mean == pytest.approx(sum(windows.values()) / (len(looked) * STEP / (10 * MINUTE)))
        assert rate.peak == max(windows.values(), default=0)
        inside = [moment for moment in looked if any(0 <= moment - one < 10 * MINUTE for one in flooded)]
        assert rate.flood_share == len(inside) / len(looked)
    else:
        assert (rate.mean, rate.peak, rate.flood_share) == (None, None, None)
    assert sum(one.end - one.start for one in rate.floods) == len(flooded) * 10 * MINUTE
    assert {one.start for one in rate.floods} == {one for one in flooded if one - 10 * MINUTE not in flooded}
    assert max((one.peak for one in rate.floods), default=0) == max(
        (windows[one] for one in flooded), default=0
    )


@settings(max_examples=40, deadline=None)
@given(LOGS, st.integers(0, 100), st.integers(1, 300))
def test_what_lasts_lasts_as_long_as_in_the_log(log: Sequence[Happened], skip: int, length: int) -> None:
    outcomes = written(log)
    period = Period(START + skip * STEP, START + (skip + length) * STEP)
    found = spells(fold(outcomes))
    for kind in ("shelved", "out_of_service", "chattering", "stale"):
        for device in DEVICES:
            for rule in RULES:
                lasts = by_hand.last_said(outcomes, by_hand.lasting(kind, device, rule))
                mine = [one for one in found if (one.spell, one.device, one.rule) == (kind, device, rule)]
                took = sum(one.within(period) for one in mine)
                assert took == by_hand.steps_of(lasts, *period) * STEP, (kind, device, rule)


@given(LOGS)
def test_every_count_is_that_of_the_log(log: Sequence[Happened]) -> None:
    outcomes = written(log)
    total = dict.fromkeys(COUNTS, 0)
    for counts in fold(outcomes).counts.values():
        for name, value in counts.items():
            total[name] += value
    expected = dict.fromkeys(COUNTS, 0)
    for one in outcomes:
        expected["announced"] += one.detail.get("announced", False)
        expected["quiet"] += one.kind in ("alert.raised", "alert.raised_again") and "suppressed" in one.detail
        for kind in (
            "raised",
            "raised_again",
            "risen",
            "ended",
            "chattering",
            "stale",
            "shelved",
            "assigned",
        ):
            expected[kind] += one.kind == f"alert.{kind}"
        for kind in ("acknowledged", "cleared", "reset", "out_of_service"):
            expected[kind] += one.kind == f"alert.{kind}"
        expected["acknowledge_ms"] += one.detail["after"] if one.kind == "alert.acknowledged" else 0
        expected["clear_ms"] += one.detail["after"] if one.kind == "alert.cleared" else 0
        expected["hidden"] += one.detail.get("hidden", 0)
    assert total == expected


@given(LOGS)
def test_only_acts_of_people_have_an_actor(log: Sequence[Happened]) -> None:
    acts = {"acknowledged", "acknowledge_ms", "shelved", "assigned", "reset", "out_of_service"}
    for key, counts in fold(written(log)).counts.items():
        assert counts.keys() <= acts if key.actor else not counts.keys() & acts
        assert key.slot % SLOT == 0


@settings(max_examples=30, deadline=None)
@given(STORIES)
def test_a_run_of_the_engine_adds_up(story: list[Given]) -> None:
    outcomes = play(story).outcomes
    folded = fold(outcomes)
    wanted = [one for one in outcomes if one.detail.get("announced") is True]
    assert sum(announced(folded).values()) == len(wanted)
    for level in ("info", "warning", "critical"):
        of_level = [counts.get("announced", 0) for key, counts in folded.counts.items() if key.level == level]
        assert sum(of_level) == sum(one.level == level for one in wanted)
    acknowledged = [one for one in outcomes if one.kind == "alert.acknowledged"]
    took = sum(counts.get("acknowledge_ms", 0) for counts in folded.counts.values())
    assert took == sum(one.detail["after"] for one in acknowledged)
    gaps = [one for one in spells(folded) if one.spell is Spell.UNOBSERVED]
    told = [(one.detail["since"], one.detail["until"]) for one in outcomes if one.kind == "gateway.observing"]
    assert [(one.began, one.ended) for one in gaps if one.ended is not None] == told


@settings(max_examples=30, deadline=None)
@given(STORIES, st.integers(0, 40))
@example(RISEN_UNSEEN, 0)
def test_a_log_from_before_is_read_as_it_would_be_written_today(story: list[Given], cut: int) -> None:
    outcomes = [one for one in play(story).outcomes if not one.detail.get("suppressed")]
    plain = [_as_before(one) for one in outcomes]
    elder = Elder()
    read = [*elder.renew(plain[:cut]), *elder.renew(plain[cut:])]
    chattered = {one.subject for one in outcomes if one.kind == "alert.chattering"}
    for old, new in zip(read, outcomes, strict=True):
        if new.subject in chattered:
            continue  # nothing was held up then
        if new.kind in ("alert.raised", "alert.raised_again", "alert.risen"):
            assert old.detail.get("announced") is True
        if new.kind == "alert.acknowledged":
            assert old.detail["after"] == new.detail["after"]
        if new.kind == "alert.cleared":
            assert old.detail["after"] == new.detail["after"]


def _as_before(outcome: Outcome) -> Outcome:
    detail = {name: value for name, value in outcome.detail.items() if name not in ("announced", "after")}
    return msgspec.structs.replace(outcome, detail=detail)


@given(LOGS)
def test_a_log_of_today_is_read_as_it_is(log: Sequence[Happened]) -> None:
    first = Outcome(START, "alert.raised", "d1", "al", "hot", "info", detail={"announced": True})
    outcomes = [first, *written(log)]
    assert list(Elder().renew(outcomes)) == outcomes


def test_nothing_observed_is_no_data_and_not_good() -> None:
    day = Period(START, START + DAY)
    for since, gap in ((None, None), (START - DAY, Times(Spell.UNOBSERVED, "", "", START - HOUR, None))):
        seen = figures.observed(day, since, [] if gap is None else [gap])
        rate = figures.rate({}, seen, lambda _: 0)
        assert (rate.observed, rate.mean, rate.peak, rate.flood_share) == (0, None, None, None)
        assert figures.judge_rate(rate.mean) is Verdict.NO_DATA
        assert figures.judge_below(rate.flood_share, figures.FLOOD_SHARE_MOST) is Verdict.NO_DATA
    assert figures.judge_mix(0, 0, 0) is Verdict.NO_DATA
    assert figures.share(0, 0) is None
    assert figures.mean(0, 0) is None


def test_time_before_the_first_sight_and_in_gaps_is_left_out() -> None:
    gaps = [
        Times(Spell.UNOBSERVED, "", "", START + 3 * HOUR, START + 5 * HOUR),
        Times(Spell.UNOBSERVED, "", "", START + 4 * HOUR, START + 6 * HOUR),
    ]
    seen = figures.observed(Period(START, START + 10 * HOUR), START + HOUR, gaps)
    assert seen == [Period(START + HOUR, START + 3 * HOUR), Period(START + 6 * HOUR, START + 10 * HOUR)]
    rate = figures.rate({START + 7 * HOUR: 12}, seen, lambda _: 0)
    assert rate.mean == 12 / 36  # six hours were seen, not ten
    assert rate.flood_share == 10 / 360


def test_the_verdicts_follow_the_limits_of_the_standard() -> None:
    assert [figures.judge_rate(value) for value in (0.0, 1.0, 1.01, 2.0, 2.01)] == [
        Verdict.GOOD,
        Verdict.GOOD,
        Verdict.MANAGEABLE,
        Verdict.MANAGEABLE,
        Verdict.OVER,
    ]
    assert figures.judge_below(0.0099, figures.FLOOD_SHARE_MOST) is Verdict.GOOD
    assert figures.judge_below(0.01, figures.FLOOD_SHARE_MOST) is Verdict.OVER
    assert figures.judge_none(0) is Verdict.GOOD
    assert figures.judge_none(1) is Verdict.OVER
    assert figures.judge_mix(5, 15, 100) is Verdict.GOOD
    assert figures.judge_mix(6, 10, 100) is Verdict.OVER
    assert figures.judge_mix(0, 21, 100) is Verdict.OVER


def test_eleven_in_ten_minutes_are_a_flood_and_ten_are_not() -> None:
    seen = [Period(START, START + HOUR)]
    assert figures.rate({START: 10}, seen, lambda _: 0).floods == []
    halves = {START: 6, START + SLOT: 5}
    (flood,) = figures.rate(halves, seen, lambda _: 0).floods
    assert flood == (START, START + 10 * MINUTE, 11, 11)
    across = {START: 11, START + 2 * SLOT: 12, START + 6 * SLOT: 13}
    floods = figures.rate(across, seen, lambda _: 0).floods
    assert [(one.start - START, one.end - START, one.announced, one.peak) for one in floods] == [
        (0, 20 * MINUTE, 23, 12),
        (30 * MINUTE, 40 * MINUTE, 13, 13),
    ]


def test_the_ten_most_frequent_are_ranked_and_bounded() -> None:
    counts = {f"r{number:02d}": number for number in range(14)} | {"a": 13}
    found = figures.most(counts, str)
    assert found[:2] == [("a", 13), ("r13", 13)]
    assert len(found) == 10
    assert figures.most({"silent": 0}, str) == []
