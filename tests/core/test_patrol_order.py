"""What comes of a round depends on its taps and not on when, in which order and how often they were uploaded."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.patrol.memory import StopOutcome
from gateway.core.values import HOUR, MINUTE, SECOND, Millis
from tests.core.patrol_site import BEGIN, Made, Told, Upload, inputs, nights, restarted, tell

CI = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
END = BEGIN + 3 * HOUR + 5 * MINUTE
"""Rounds have begun that are not over; those before are judged, and some closed."""


def in_time(tap: Made) -> Millis:
    """The last moment before the grace is over of any round it may belong to."""
    hourly = (tap.at - (BEGIN - 5 * MINUTE)) // HOUR
    two_hourly = (tap.at - (BEGIN - 10 * MINUTE)) // (2 * HOUR)
    ends = (BEGIN + hourly * HOUR + 50 * MINUTE, BEGIN + two_hourly * 2 * HOUR + 70 * MINUTE)
    return min(end for end in ends if end > tap.at) - SECOND


@st.composite
def delayed(draw: st.DrawFn, taps: list[Made]) -> list[Upload]:
    """Every tap at some time between its making and the end of the grace."""
    found = []
    for tap in taps:
        last = max(tap.at, min(in_time(tap), END - SECOND))
        found.append(Upload(draw(st.integers(tap.at // SECOND, last // SECOND)) * SECOND, tap))
    shuffled = draw(st.permutations(found))
    return sorted(shuffled, key=lambda one: one.at)


def judged(told: Told) -> dict[str, Any]:
    """All that must not depend on the order: of rounds and of taps."""
    rounds = {
        name: (
            one.result,
            [_without_grade(outcome) for outcome in one.outcomes],
            msgspec.to_builtins(one.oddities),
        )
        for name, one in told.rounds.items()
    }
    taps = {
        key: (record.counted, record.flags, record.ts, record.rounds) for key, record in told.taps.items()
    }
    return {"rounds": rounds, "taps": taps}


def _without_grade(outcome: StopOutcome) -> dict[str, Any]:
    return {key: value for key, value in msgspec.to_builtins(outcome).items() if key != "grade"}


@st.composite
def two_ways(draw: st.DrawFn) -> tuple[list[Made], list[Upload]]:
    taps = draw(nights())
    return taps, draw(delayed(taps))


@CI
@given(two_ways())
def test_delay_and_order_inside_the_grace_change_nothing(case: tuple[list[Made], list[Upload]]) -> None:
    taps, uploads = case
    at_once = tell(inputs([Upload(tap.at, tap) for tap in taps]), END)
    later = tell(inputs(uploads), END)
    assert judged(later) == judged(at_once)


@CI
@given(two_ways(), st.data())
def test_uploads_that_come_again_are_the_same_taps(
    case: tuple[list[Made], list[Upload]], data: st.DataObject
) -> None:
    _, uploads = case
    again = [
        Upload(min(one.at + data.draw(st.integers(0, 600)) * SECOND, END - SECOND), one.tap)
        for one in uploads
        for _ in range(2)
    ]
    once = inputs(uploads)
    thrice = sorted([*once, *inputs(again)], key=lambda tap: tap.at)
    first = judged(tell(once, END))
    assert judged(tell(thrice, END)) == first


@CI
@given(two_ways(), st.integers(1, 4))
def test_ticks_change_nothing(case: tuple[list[Made], list[Upload]], ticks: int) -> None:
    taps = inputs(case[1])
    assert tell(taps, END, ticks=ticks) == tell(taps, END)


@CI
@given(two_ways())
def test_a_restart_before_any_input_leaves_no_trace(case: tuple[list[Made], list[Upload]]) -> None:
    taps = inputs(case[1])
    assert tell(taps, END, between=restarted) == tell(taps, END)
