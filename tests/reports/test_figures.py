"""The figures of a small October, counted by hand."""

import pytest

from gateway.core.values import DAY, HOUR, MINUTE
from gateway.reports.gaps import Gap, Span
from gateway.reports.patrol_figures import Evidence, PatrolFigures, Proof, month_span, patrol_figures
from gateway.reports.rounds import Tally
from tests.reports.made import OCTOBER, ZONE, became, day, evidence, site, tap, walk


@pytest.fixture(scope="module")
def october() -> PatrolFigures:
    return patrol_figures(site(), OCTOBER, OCTOBER.end + DAY, evidence())


def test_rounds_and_stops_are_counted_by_what_became_of_them(october: PatrolFigures) -> None:
    assert dict(october.total.rounds) == {
        "complete": 2,
        "incomplete": 1,
        "doubtful": 1,
        "unknown": 1,
        "cancelled": 1,
        "pending": 1,
    }
    assert dict(october.total.stops) == {
        "on_time": 2,
        "early": 1,
        "late": 1,
        "missed": 1,
        "late_upload": 1,
        "skipped": 1,
        "unknown": 1,
        "made_up": 1,
        "cancelled": 2,
        "pending": 2,
    }
    assert (october.total.rounds_due, october.total.stops_due) == (6, 11)


def test_completion_counts_visits_of_what_was_due_less_skipped_and_cancelled(october: PatrolFigures) -> None:
    assert (october.total.visited, october.total.expected) == (5, 8)
    assert october.total.completion == 5 / 8


def test_unknown_and_made_up_are_not_kept() -> None:
    tally = Tally()
    tally.stops.update(["unknown", "made_up", "on_time"])
    assert tally.completion == 1 / 3


def test_where_nothing_was_expected_there_is_no_completion() -> None:
    tally = Tally()
    tally.stops.update(["skipped", "cancelled", "pending"])
    assert tally.completion is None


def test_each_route_is_told_even_without_a_round_and_when_the_site_has_it_no_more(
    october: PatrolFigures,
) -> None:
    assert list(october.routes) == ["night", "day", "gone"]
    assert october.routes["day"] == Tally()
    assert october.routes["night"].stops["missed"] == 1
    assert october.routes["gone"].completion == 1


def test_checkpoints_have_visits_misses_and_their_largest_gap(october: PatrolFigures) -> None:
    gate, pump, roof = october.checkpoints
    assert (gate.checkpoint, gate.visits, gate.missed) == ("gate", 3, 0)
    assert gate.longest == Gap(day(1, 11), OCTOBER.end)
    assert (pump.checkpoint, pump.visits, pump.missed) == ("pump", 1, 1)
    assert pump.longest == Gap(day(3), OCTOBER.end)
    assert (roof.checkpoint, roof.visits, roof.longest) == ("roof", 0, Gap(*OCTOBER, 2 * HOUR))


def test_coverage_counts_how_long_the_limit_was_exceeded(october: PatrolFigures) -> None:
    (rule,) = october.checkpoints[0].coverage
    # 05:00 to 11:00 is 2 h over, 11:00 on the 1st to the end 4 h less than all of it
    assert rule.over == 2 * HOUR + (OCTOBER.end - day(1, 15))
    assert rule.over_unobserved == 0
    assert not october.checkpoints[1].coverage


def test_what_is_over_while_not_observed_is_told_apart() -> None:
    gaps = Evidence(proofs=[Proof("gate", day(1), day(1), "A", True)], unobserved=[(day(1, 5), day(1, 7))])
    figures = patrol_figures(site(), OCTOBER, day(1, 8), gaps)
    assert figures.checkpoints[0].coverage[0].over == 4 * HOUR
    assert figures.checkpoints[0].coverage[0].over_unobserved == 2 * HOUR


def test_evidence_is_counted_by_grade_and_by_when_it_came(october: PatrolFigures) -> None:
    assert (october.taps, october.late_sync) == (4, 1)
    assert dict(october.grades) == {"A": 1, "B": 2, "D": 1}


def test_exceptions_are_listed_in_order_with_what_is_known_of_them(october: PatrolFigures) -> None:
    told = [(one.date, one.kind, one.checkpoint, one.took) for one in october.findings]
    assert told == [
        ("2026-10-01", "early", "pump", MINUTE),
        ("2026-10-02", "missed", "pump", None),
        ("2026-10-02", "late", "gate", 7 * MINUTE),
        ("2026-10-02", "late_upload", "gate", 2 * HOUR),
        ("2026-10-02", "too_fast", "pump", 4_000),
        ("2026-10-02", "skipped", "pump", None),
        ("2026-10-04", "made_up", "pump", None),
        ("2026-10-04", "unknown", "gate", None),
        ("2026-10-05", "cancelled", None, None),
    ]
    assert [one.kind for one in october.findings if one.provisional] == ["missed"]


def test_taps_that_do_not_count_are_counted_under_the_first_reason_against_them(
    october: PatrolFigures,
) -> None:
    assert dict(october.uncounted) == {"forged": 1, "no_reason": 1}


def test_taps_of_the_period_that_wait_for_a_review_are_listed(october: PatrolFigures) -> None:
    assert [(one.id, one.flags) for one in october.pending] == [("x2", ("late_upload",))]


def test_a_tap_with_an_impossible_time_belongs_where_it_was_received() -> None:
    wrong = tap("x", 0, "time_impossible")
    wrong.received = day(9)
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence(taps=[wrong]))
    assert dict(figures.uncounted) == {"time_impossible": 1}


def test_a_round_belongs_to_its_shift_also_past_midnight() -> None:
    past = walk(OCTOBER.end + HOUR, "complete", became("gate", "on_time"), date="2026-10-31")
    before = walk(OCTOBER.start + HOUR, "complete", became("gate", "on_time"), date="2026-09-30")
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence(rounds=[past, before]))
    assert figures.total.rounds.total() == 1
    assert [one.date for one in (past, before) if one.date >= "2026-10-01"] == ["2026-10-31"]


def test_a_stop_of_which_nothing_is_said_is_unknown_once_its_round_is_judged() -> None:
    silent = walk(day(1), "incomplete", became("gate", "on_time"), became("pump", "on_time"))
    silent.outcomes = silent.outcomes[:1]
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence(rounds=[silent]))
    assert dict(figures.total.stops) == {"on_time": 1, "unknown": 1}


def test_in_a_running_month_gaps_end_now_and_later_proofs_are_not_known() -> None:
    proofs = [Proof("gate", ts, ts, "A", True) for ts in (day(1), day(3))]
    figures = patrol_figures(
        site(), OCTOBER, day(2), Evidence(proofs=proofs, unobserved=[(day(1, 23), day(9))])
    )
    assert figures.until == day(2)
    assert figures.checkpoints[0].longest == Gap(day(1), day(2), HOUR)
    assert (figures.taps, figures.unobserved) == (1, (Span(day(1, 23), day(2)),))


def test_before_the_month_nothing_is_known() -> None:
    figures = patrol_figures(site(), OCTOBER, OCTOBER.start - 1, Evidence())
    assert [one.longest for one in figures.checkpoints] == [None] * 3


@pytest.mark.parametrize("order", [["gate", "pump", "gate"], ["gate", "gate"]])
def test_proofs_out_of_order_are_refused(order: list[str]) -> None:
    proofs = [Proof(name, day(9) - place, 0, "A", True) for place, name in enumerate(order)]
    with pytest.raises(ValueError, match="they go by"):
        patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence(proofs=proofs))


def test_the_digest_tells_evidence_apart_and_not_the_time_of_making(october: PatrolFigures) -> None:
    again = patrol_figures(site(), OCTOBER, OCTOBER.end + 9 * DAY, evidence())
    assert again.digest == october.digest
    other = patrol_figures(site(digest="d2"), OCTOBER, OCTOBER.end + DAY, evidence())
    fewer = patrol_figures(site(), OCTOBER, OCTOBER.end + DAY, Evidence(rounds=evidence().rounds))
    assert len({october.digest, other.digest, fewer.digest}) == 3


def test_a_month_is_one_of_local_time() -> None:
    assert month_span("2026-12", ZONE) == (1_796_054_400_000, 1_798_732_800_000)
    spring = month_span("2026-03", "Europe/Berlin")
    assert spring.end - spring.start == 31 * DAY - HOUR


@pytest.mark.parametrize("text", ["2026-13", "2026", "october", "9999-12"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a month is written as 2026-10"):
        month_span(text, ZONE)
