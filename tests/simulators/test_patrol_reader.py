from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND
from simulators.faults import Fault, FaultKind
from tests.simulators.listening import START, Heard, events, listen, values
from tests.simulators.sites import the_house

seeds = st.integers(0, 2**32)


def fault(kind: FaultKind, duration: int = 4 * MINUTE) -> Fault:
    return Fault("reader-1", kind, 5 * MINUTE, duration)


def uploads(heard: list[Heard]) -> list[tuple[int, list[dict[str, Any]]]]:
    taps = [one for one in heard if one.channel == "tap"]
    return [(one.at, one.body if isinstance(one.body, list) else [one.body]) for one in taps]


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_guard_taps_the_route_in_order(seed: int) -> None:
    taps = [
        tap for _, batch in uploads(listen(the_house(), "reader-1", 6 * HOUR, seed=seed)) for tap in batch
    ]
    route = ["04A22B1C3D5E80", "04A22B1C3D5E81", "04A22B1C3D5E82"]
    assert len(taps) > 10
    assert [tap["tag"] for tap in taps] == [route[number % 3] for number in range(len(taps))]
    assert len({UUID(tap["id"]) for tap in taps}) == len(taps)
    assert len({tap["guard"] for tap in taps}) == 1
    assert all(later["ts"] - earlier["ts"] >= 40 * SECOND for earlier, later in pairwise(taps))


def test_taps_without_signal_are_stored_and_uploaded_late_as_a_list(house: SitePlan) -> None:
    batches = uploads(listen(house, "reader-1", 2 * DAY))
    late = [(at, batch) for at, batch in batches if len(batch) > 1]
    assert late
    for at, batch in late:
        assert START + at - batch[0]["ts"] > 30 * SECOND
        assert all(one["ts"] < other["ts"] for one, other in pairwise(batch))
    assert max(stored for _, stored in values(listen(house, "reader-1", 2 * DAY), "stored_taps")) > 0


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_battery_drains_slowly_and_is_charged_in_time(seed: int) -> None:
    levels = values(listen(the_house(), "reader-1", DAY, seed=seed), "battery")
    assert all(15 < level <= 100 for _, level in levels)
    for (left, one), (right, other) in pairwise(levels):
        assert -6.5 * (right - left) / HOUR - 0.11 <= other - one <= 61 * (right - left) / HOUR + 0.11


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_taps_are_counted(seed: int) -> None:
    heard = listen(the_house(), "reader-1", 6 * HOUR, seed=seed)
    made = [tap["ts"] - START for _, batch in uploads(heard) for tap in batch]
    (_, first), *reports = values(heard, "taps")
    # A tap of the last minutes may still be stored.
    for at, count in reports:
        if at < 5 * HOUR:
            assert count - first == sum(moment <= at for moment in made)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_collapsed_battery_stays_critical_until_it_is_changed(seed: int) -> None:
    levels = values(
        listen(the_house(), "reader-1", 15 * MINUTE, fault(FaultKind.BATTERY_LOW), seed=seed), "battery"
    )
    during = [level for at, level in levels if 5 * MINUTE <= at < 9 * MINUTE]
    assert during
    assert all(0 < level < 10 for level in during)
    assert all(level > 90 for at, level in levels if at >= 9 * MINUTE)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_wrong_clock_shows_in_the_offset_and_in_the_stamps(seed: int) -> None:
    heard = listen(the_house(), "reader-1", 15 * MINUTE, fault(FaultKind.CLOCK_WRONG), seed=seed)
    offsets = values(heard, "clock_offset")
    assert all(85 < offset < 95 for at, offset in offsets if 5 * MINUTE <= at < 9 * MINUTE)
    assert 5 * MINUTE in {at for at, _ in offsets}
    stamped = [one for one in heard if one.channel == "telemetry" and 5 * MINUTE <= one.at < 9 * MINUTE]
    assert all(one.body["ts"] == START + one.at + 90 * SECOND for one in stamped)
    (put_right,) = events(heard, "clock_set")
    assert put_right.at == 9 * MINUTE
    assert all(abs(offset) < 5 for at, offset in offsets if at >= 9 * MINUTE)


def test_a_call_for_help_names_the_guard(house: SitePlan) -> None:
    (sos,) = events(listen(house, "reader-1", 15 * MINUTE, fault(FaultKind.SOS)), "sos")
    assert sos.at == 5 * MINUTE
    assert sos.body["guard"].startswith("g-")
    assert sos.body["test"] is False
