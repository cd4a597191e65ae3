"""A backtest says of a recorded month what judging the same data by hand says."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.backtest import Backtest
from gateway.backtest.pairing import began_in
from gateway.core.values import DAY
from tests.backtest import by_hand
from tests.backtest.by_hand import Limits, Span
from tests.backtest.courses import of_files, plans, span_of
from tests.backtest.month import MINUTE, SITE, START, Reading, Sight, month, record

NOW = {"ch-1": Limits(), "ch-2": Limits(), "ch-3": Limits(low=18)}
NEW = {
    "ch-1": Limits(78.5, 86, 21, 2 * MINUTE),
    "ch-2": Limits(78.5, 86, high_for=2 * MINUTE),
    "ch-3": Limits(82, 86, 18, 2 * MINUTE),
}
SET = (
    "chiller.temp_high=78.5",
    "ch-3.temp_high=82",
    "chiller.temp_critical=86",
    "ch-1.flow_low=21",
    "chiller.high_for=2m",
)


@pytest.fixture(scope="module")
def things() -> list[Reading | Sight]:
    return month(30, seed=7)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, things: list[Reading | Sight]) -> Path:
    return record(tmp_path_factory.mktemp("month") / "month.jsonl.zst", things)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Backtest:
    return of_files(plans(tmp_path_factory.mktemp("site"), *SET, site=SITE), recording)


@pytest.fixture(scope="module")
def judged(things: list[Reading | Sight]) -> tuple[list[Span], list[Span]]:
    return by_hand.spans(things, NOW), by_hand.spans(things, NEW)


def test_a_backtest_of_a_month_shows_exactly_the_alerts_that_judging_it_by_hand_gives(
    whole: Backtest, judged: tuple[list[Span], list[Span]]
) -> None:
    now, new = judged
    assert [span_of(one) for one in sorted(whole.now.episodes, key=_place)] == sorted(now, key=_by_hand)
    assert [span_of(one) for one in sorted(whole.candidate.episodes, key=_place)] == sorted(new, key=_by_hand)

    expected = set(by_hand.pairs(now, new))
    found = {(span_of(pair.now), span_of(pair.candidate)) for pair in whole.pairs}
    assert found == expected
    assert len(whole.pairs) == len(expected)


def test_what_is_added_removed_moved_or_of_another_level_is_what_it_is_by_hand(
    whole: Backtest, judged: tuple[list[Span], list[Span]]
) -> None:
    expected = list(by_hand.pairs(*judged))
    both = [(a, b) for a, b in expected if a and b]
    kinds: dict[str, set[Any]] = {
        "added": {b for a, b in expected if not a},
        "removed": {a for a, b in expected if not b},
        "moved": {(a, b) for a, b in both if a.begin != b.begin},
        "level_changed": {(a, b) for a, b in both if a.worst != b.worst},
        "same": {(a, b) for a, b in both if (a.begin, a.worst) == (b.begin, b.worst)},
    }
    for kind, wanted in kinds.items():
        chosen = [pair for pair in whole.pairs if getattr(pair, kind)]
        sides = [(span_of(pair.now), span_of(pair.candidate)) for pair in chosen]
        alone = {"added": 1, "removed": 0}.get(kind)
        assert {one if alone is None else one[alone] for one in sides} == wanted, kind
        assert wanted, f"the month shows nothing that is {kind}"
    shifts = {pair.shift for pair in whole.pairs if pair.moved}
    assert shifts == {b.begin - a.begin for a, b in kinds["moved"]}


def test_every_alert_is_accounted_for(whole: Backtest) -> None:
    for rule in ("hot", "flow", "silent"):
        pairs = [pair for pair in whole.pairs if pair.either.rule == rule]
        paired = [pair for pair in pairs if not pair.added and not pair.removed]
        for side, gone in (("now", "removed"), ("candidate", "added")):
            episodes = [one for one in getattr(whole, side).episodes if one.rule == rule]
            began = sum(began_in(getattr(pair, side), whole.window) for pair in paired)
            assert len(episodes) == began + sum(getattr(pair, gone) for pair in pairs)
        changed = [pair for pair in paired if pair.moved or pair.level_changed or pair.hushed or pair.voiced]
        assert len(paired) == len(changed) + sum(pair.same for pair in pairs)


def test_the_last_days_after_a_warm_up_are_judged_as_within_the_whole_month(
    whole: Backtest, recording: Path
) -> None:
    pair = whole.now.plan, whole.candidate.plan
    some = of_files(pair, recording, days=9)
    assert not some.begins_cold
    assert some.window.end - some.window.start - 9 * DAY in range(5 * MINUTE)
    assert some.fed_from in range(some.window.start - 2 * DAY, some.window.start - 2 * DAY + 2 * MINUTE)

    def within(one: Backtest) -> set[tuple[Span | None, Span | None]]:
        begins = partial(began_in, window=some.window)
        chosen = (found for found in one.pairs if begins(found.now) or begins(found.candidate))
        return {(span_of(found.now), span_of(found.candidate)) for found in chosen}

    assert within(some) == within(whole)
    assert len(some.pairs) == len(within(whole)) > 100


def test_time_nobody_observed_is_listed_and_left_out(whole: Backtest, things: list[Reading | Sight]) -> None:
    sights = [one for one in things if isinstance(one, Sight)]
    lost = [one.at if one.last is None else one.last for one in sights if not one.sees]
    back = [one.at for one in sights if one.sees]
    start = (
        whole.window.start,
        things[0].at,
    )  # the window begins on a whole five minutes, the lines a little later
    assert [tuple(one) for one in whole.unobserved] == [start, *zip(lost, back, strict=True)]
    total = whole.window.end - whole.window.start
    assert whole.observed_time == total - sum(end - begin for begin, end in whole.unobserved)
    assert things[0].at // 1_000_000 == START // 1_000_000


def _place(one: object) -> tuple[object, ...]:
    span = span_of(one)  # type: ignore[arg-type]
    assert span is not None
    return _by_hand(span)


def _by_hand(span: Span) -> tuple[object, ...]:
    return span.begin, span.device, span.rule, span.worst
