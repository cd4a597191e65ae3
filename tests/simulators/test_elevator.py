from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND
from simulators.faults import Fault, FaultKind
from tests.simulators.listening import START, Heard, events, listen, snapshots, values
from tests.simulators.sites import the_house

seeds = st.integers(0, 2**32)
hours = st.integers(0, 23).map(lambda hour: START + hour * HOUR)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, start=hours)
def test_a_healthy_car_obeys_physics(seed: int, start: int) -> None:
    heard = listen(the_house(), "lift-1", HOUR, seed=seed, start=start)
    for _, known in snapshots(heard):
        assert not (known["moving"] and known["door"] != "closed")
        assert -1 <= known["floor"] <= 6
        assert abs(known["speed"]) <= 2.5
        assert known["moving"] or known["speed"] == 0
        assert (known["direction"] == "stopped") is not known["moving"]
        assert 0 <= known["load"] <= 100
        assert abs(known["levelling_error"]) <= 10
        assert known["vibration_vertical"] < 0.3
        assert known["vibration_horizontal"] < 0.2
        assert 20 < known["motor_temp"] < 80
        assert 20 < known["drive_temp"] < 80
        assert 5 < known["machine_room_temp"] < 40
        assert 354 < known["supply_voltage"] < 406
        assert known["fault"] == "none"


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_counters_rise_by_one_and_temperatures_change_slowly(seed: int) -> None:
    heard = listen(the_house(), "lift-1", HOUR, seed=seed)
    for point in ("trips", "door_cycles"):
        counts = [count for _, count in values(heard, point)]
        assert all(later - earlier in (0, 1) for earlier, later in pairwise(counts))
    for point, slope in (("motor_temp", 0.1), ("drive_temp", 0.2), ("machine_room_temp", 0.1)):
        for (left, cooler), (right, warmer) in pairwise(values(heard, point)):
            assert abs(warmer - cooler) <= slope * (right - left) / SECOND + 0.11


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_a_car_moves_one_storey_at_a_time_and_never_jumps(seed: int) -> None:
    heard = listen(the_house(), "lift-1", HOUR, seed=seed)
    for (left, one), (right, other) in pairwise(values(heard, "floor")):
        assert abs(other - one) <= 2.5 * (right - left) / SECOND / 3.4 + 1


def test_a_door_opens_and_closes_through_its_states(house: SitePlan) -> None:
    steps = {
        "closed": {"opening"},
        "opening": {"open"},
        "open": {"closing"},
        "closing": {"closed", "opening"},
    }
    words = [word for _, word in values(listen(house, "lift-1", HOUR), "door")]
    changes = [(one, other) for one, other in pairwise(words) if one != other]
    assert len(changes) > 40
    assert all(other in steps[one] for one, other in changes)


def test_people_ride_and_the_motor_warms_up_by_work(house: SitePlan) -> None:
    heard = listen(house, "lift-1", 2 * HOUR)
    loads = [load for _, load in values(heard, "load")]
    trips = [trips for _, trips in values(heard, "trips")]
    temperatures = [temperature for _, temperature in values(heard, "motor_temp")]
    assert max(loads) > 5
    assert min(loads) == 0
    assert trips[-1] - trips[0] > 50
    assert max(temperatures) - min(temperatures) > 1


def test_the_machine_room_follows_the_day(house: SitePlan) -> None:
    day = values(listen(house, "lift-1", DAY), "machine_room_temp")
    temperatures = [temperature for _, temperature in day]
    assert 5 < max(temperatures) - min(temperatures) < 12


def test_the_emergency_telephone_tests_itself_daily(house: SitePlan) -> None:
    tests = values(listen(house, "lift-1", 3 * DAY), "emergency_call_test")
    assert len(tests) == 3
    assert {word for _, word in tests} <= {"passed", "failed"}


def fault(kind: FaultKind, start: int = 5 * MINUTE, duration: int = 4 * MINUTE) -> Fault:
    return Fault("lift-1", kind, start, duration)


def known_at(heard: list[Heard], moment: int) -> dict[str, Any]:
    return [known for at, known in snapshots(heard) if at <= moment][-1]


@settings(max_examples=25, deadline=None)
@given(seed=seeds, start=st.integers(MINUTE, 6 * MINUTE))
def test_an_entrapment_holds_people_behind_closed_doors(seed: int, start: int) -> None:
    heard = listen(the_house(), "lift-1", 15 * MINUTE, fault(FaultKind.ENTRAPMENT, start), seed=seed)
    alarm = events(heard, "passenger_alarm")[0]
    assert start < alarm.at <= start + 10 * SECOND
    assert alarm.body["test"] is False
    for at, known in snapshots(heard):
        if start + 5 * SECOND <= at < start + 4 * MINUTE:
            assert known["occupied"]
            assert not known["moving"]
            assert known["door"] == "closed"
    (released,) = events(heard, "passengers_released")
    assert released.at == start + 4 * MINUTE
    free = [at for at, known in snapshots(heard) if at > released.at and known["door"] == "open"]
    assert free
    assert free[0] < released.at + 20 * SECOND
    assert known_at(heard, 15 * MINUTE)["fault"] == "none"


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_an_overheating_motor_passes_the_limit_soon_and_cools_down_after(seed: int) -> None:
    heard = listen(the_house(), "lift-1", HOUR, fault(FaultKind.MOTOR_OVERHEAT), seed=seed)
    hot = [at for at, temperature in values(heard, "motor_temp") if temperature > 100]
    assert hot[0] <= 5 * MINUTE + 40 * SECOND
    assert hot[-1] <= 11 * MINUTE
    assert all(temperature < 200 for _, temperature in values(heard, "motor_temp"))
    assert values(heard, "motor_temp")[-1][1] < 75


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_blocked_door_stays_open_until_the_fault_ends(seed: int) -> None:
    heard = listen(the_house(), "lift-1", 15 * MINUTE, fault(FaultKind.DOOR_HELD_OPEN), seed=seed)
    held = {known["door"] for at, known in snapshots(heard) if 6 * MINUTE < at < 9 * MINUTE}
    assert held == {"open"}
    assert "closed" in {known["door"] for at, known in snapshots(heard) if 9 * MINUTE < at < 10 * MINUTE}


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_moving_with_the_door_open_is_seen_within_a_minute(seed: int) -> None:
    heard = listen(the_house(), "lift-1", 15 * MINUTE, fault(FaultKind.MOVING_WITH_DOOR_OPEN), seed=seed)
    seen = [at for at, known in snapshots(heard) if known["moving"] and known["door"] == "open"]
    assert 5 * MINUTE <= seen[0] <= 6 * MINUTE
    assert seen[-1] < 9 * MINUTE


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_car_that_levels_badly_says_so_and_is_put_right(seed: int) -> None:
    heard = listen(the_house(), "lift-1", 15 * MINUTE, fault(FaultKind.LEVELLING), seed=seed)
    off = [at for at, known in snapshots(heard) if abs(known["levelling_error"]) > 10]
    assert off[0] <= 6 * MINUTE
    assert abs(known_at(heard, 15 * MINUTE)["levelling_error"]) <= 6
