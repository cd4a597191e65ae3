from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND
from simulators.faults import Fault, FaultKind
from tests.simulators.listening import events, listen, snapshots, values
from tests.simulators.sites import the_house

seeds = st.integers(0, 2**32)


def fault(kind: FaultKind, duration: int = 2 * MINUTE) -> Fault:
    return Fault("gate-1", kind, 5 * MINUTE, duration)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_healthy_door_closes_soon_and_is_never_forced(seed: int) -> None:
    heard = listen(the_house(), "gate-1", 3 * HOUR, seed=seed)
    opened = None
    for at, known in snapshots(heard):
        opened = (opened or at) if known["door"] == "open" else None
        assert opened is None or at - opened <= 15 * SECOND
        assert known["alarm_state"] == "normal"
        assert 12 < known["supply_voltage"] < 14
    assert events(heard, "forced_open") == []


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_passages_and_denials_are_counted(seed: int) -> None:
    heard = listen(the_house(), "gate-1", 3 * HOUR, seed=seed)
    for point, names in (("passages", ("granted", "tailgating")), ("denials", ("denied",))):
        counts = values(heard, point)
        happened = sum(len(events(heard, name)) for name in names if events(heard, name))
        assert 0 <= happened - (counts[-1][1] - counts[0][1]) <= 5
        assert all(later >= earlier for (_, earlier), (_, later) in pairwise(counts))


def test_every_passage_names_a_person_of_the_house(house: SitePlan) -> None:
    granted = events(listen(house, "gate-1", DAY), "granted")
    assert all(one.body["credential"] and one.body["name"] for one in granted)
    assert {one.body["direction"] for one in granted} == {"in", "out"}
    assert len({one.body["credential"] for one in granted}) > 20


def test_more_people_come_by_day_than_by_night(house: SitePlan) -> None:
    granted = [one.at for one in events(listen(house, "gate-1", 7 * DAY), "granted")]
    busiest = max(sum(hour <= at % DAY // HOUR < hour + 3 for at in granted) for hour in range(22))
    quietest = min(sum(hour <= at % DAY // HOUR < hour + 3 for at in granted) for hour in range(22))
    assert busiest > 2 * quietest


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_forced_door_is_told_at_once_and_stays_until_the_fault_ends(seed: int) -> None:
    heard = listen(the_house(), "gate-1", 10 * MINUTE, fault(FaultKind.FORCED_OPEN), seed=seed)
    (forced,) = events(heard, "forced_open")
    assert (forced.at, forced.body["test"]) == (5 * MINUTE, False)
    during = [k for at, k in snapshots(heard) if 5 * MINUTE < at < 7 * MINUTE]
    assert {(known["door"], known["alarm_state"]) for known in during} == {("open", "forced_open")}
    after = [k for at, k in snapshots(heard) if at >= 7 * MINUTE]
    assert {known["alarm_state"] for known in after} == {"normal"}
    assert after[0]["door"] == "closed"


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_burst_of_refusals_comes_within_seconds(seed: int) -> None:
    heard = listen(the_house(), "gate-1", 10 * MINUTE, fault(FaultKind.DENIED_BURST, 15 * SECOND), seed=seed)
    burst = [one.at for one in events(heard, "denied") if 5 * MINUTE <= one.at <= 5 * MINUTE + 15 * SECOND]
    assert len(burst) >= 5
    assert len([at for at in (one.at for one in events(heard, "denied")) if at > 6 * MINUTE]) < 5


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_wedged_door_stays_open_and_the_gate_says_so(seed: int) -> None:
    heard = listen(the_house(), "gate-1", 10 * MINUTE, fault(FaultKind.HELD_OPEN), seed=seed)
    during = [(at, k) for at, k in snapshots(heard) if 5 * MINUTE + 2 * SECOND < at < 7 * MINUTE]
    assert {known["door"] for _, known in during} == {"open"}
    assert during[-1][1]["alarm_state"] == "door_open_too_long"
    assert {k["alarm_state"] for at, k in snapshots(heard) if at > 7 * MINUTE} == {"normal"}


def test_rare_things_happen_in_the_long_run(house: SitePlan) -> None:
    heard = listen(house, "gate-1", 14 * DAY)
    for name in ("tailgating", "passback_detected", "request_to_exit"):
        assert events(heard, name)
    assert {word for _, word in values(heard, "reader_online")} == {True, False}


def test_duress_looks_like_an_entry_and_says_what_it_is(house: SitePlan) -> None:
    heard = listen(house, "gate-1", 10 * MINUTE, fault(FaultKind.DURESS))
    (duress,) = events(heard, "duress")
    assert (duress.at, duress.body["test"]) == (5 * MINUTE, False)
    assert duress.body["credential"]
    assert {word for _, word in values(heard, "alarm_state")} == {"normal"}
    assert "open" in {
        known["door"] for at, known in snapshots(heard) if duress.at < at < duress.at + 5 * SECOND
    }
