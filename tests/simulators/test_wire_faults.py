import re
from typing import Any

import pytest

from gateway.core.plan import SitePlan
from gateway.core.values import HOUR, MINUTE
from simulators.errors import SimulationError
from simulators.faults import Fault, FaultKind
from simulators.fleet import Fleet
from tests.simulators.listening import START, hear, listen, values

DEVICES = ["lift-1", "fire-1", "gate-1", "reader-1"]


def fault(device: str, kind: FaultKind) -> Fault:
    return Fault(device, kind, 10 * MINUTE, 20 * MINUTE)


@pytest.mark.parametrize("device", DEVICES)
def test_a_silent_device_says_nothing_and_comes_back_without_a_word(house: SitePlan, device: str) -> None:
    heard = listen(house, device, HOUR, fault(device, FaultKind.SILENT))
    assert [one for one in heard if 10 * MINUTE <= one.at < 30 * MINUTE] == []
    assert [one.body for one in heard if one.channel == "status"] == ["online"]
    assert [one for one in heard if one.at > 30 * MINUTE]


@pytest.mark.parametrize("device", DEVICES)
def test_an_offline_device_leaves_its_last_will_and_is_born_again(house: SitePlan, device: str) -> None:
    heard = listen(house, device, HOUR, fault(device, FaultKind.OFFLINE))
    status = [(one.at // MINUTE, one.body) for one in heard if one.channel == "status"]
    assert status == [(0, "online"), (10, "offline"), (30, "online")]
    assert [one.channel for one in heard if 10 * MINUTE <= one.at < 30 * MINUTE] == ["status"]


def test_a_stored_tap_survives_a_broken_connection(house: SitePlan) -> None:
    def taps(*faults: Fault) -> list[dict[str, Any]]:
        heard = listen(house, "reader-1", 3 * HOUR, *faults)
        bodies = [one.body for one in heard if one.channel == "tap"]
        return [tap for body in bodies for tap in (body if isinstance(body, list) else [body])]

    held, undisturbed = taps(fault("reader-1", FaultKind.OFFLINE)), taps()
    assert [{**tap, "sent": None} for tap in held] == [{**tap, "sent": None} for tap in undisturbed]
    assert max(tap["sent"] - tap["ts"] for tap in held) > MINUTE


def test_a_stuck_device_reports_on_time_and_never_changes(house: SitePlan) -> None:
    heard = listen(house, "lift-1", HOUR, fault("lift-1", FaultKind.STUCK))
    for point in ("floor", "motor_temp", "door", "supply_voltage"):
        during = [value for at, value in values(heard, point) if 10 * MINUTE < at < 30 * MINUTE]
        assert len(during) >= 120
        assert len(set(during)) == 1
    assert len({value for at, value in values(heard, "supply_voltage") if at > 30 * MINUTE}) > 10


def test_a_malformed_report_is_cut_off(house: SitePlan) -> None:
    heard = listen(house, "gate-1", HOUR, fault("gate-1", FaultKind.MALFORMED))
    broken = [one for one in heard if one.channel == "telemetry" and isinstance(one.body, str)]
    assert broken
    assert all(10 * MINUTE <= one.at <= 30 * MINUTE for one in broken)


def test_a_stuttering_device_says_everything_twice(house: SitePlan) -> None:
    once = listen(house, "fire-1", HOUR)
    twice = listen(house, "fire-1", HOUR, fault("fire-1", FaultKind.DUPLICATE))
    expected = [one for one in once for _ in range(2 if 10 * MINUTE <= one.at < 30 * MINUTE else 1)]
    assert twice == expected


def test_a_slow_clock_stamps_everything_an_hour_early(house: SitePlan) -> None:
    heard = listen(house, "lift-1", HOUR, fault("lift-1", FaultKind.CLOCK_SKEW))
    lags = {
        (10 * MINUTE <= one.at < 30 * MINUTE, START + one.at - one.body["ts"])
        for one in heard
        if one.channel == "telemetry"
    }
    assert lags == {(False, 0), (True, HOUR)}


def test_overlapping_faults_of_one_kind_last_until_the_last_one_ends(house: SitePlan) -> None:
    faults = [
        Fault("lift-1", FaultKind.SILENT, 10 * MINUTE, 5 * MINUTE),
        Fault("lift-1", FaultKind.SILENT, 12 * MINUTE, 10 * MINUTE),
    ]
    heard = listen(house, "lift-1", HOUR, *faults)
    assert [one for one in heard if 10 * MINUTE <= one.at < 22 * MINUTE] == []
    assert [one for one in heard if 22 * MINUTE <= one.at < 23 * MINUTE]


def test_a_fault_can_be_injected_while_the_fleet_lives(house: SitePlan) -> None:
    fleet = Fleet(house, seed=1, start=START)
    fleet.advance(START + 10 * MINUTE)
    injected = fleet.inject("fire-1", FaultKind.FIRE_ALARM, MINUTE)
    heard = [hear(one) for one in fleet.advance(START + 20 * MINUTE)]
    alarms = [one for one in heard if one.channel == "event" and one.body["type"] == "fire_alarm"]
    assert injected == Fault("fire-1", FaultKind.FIRE_ALARM, 10 * MINUTE + 1, MINUTE)
    assert injected.start <= alarms[0].at <= injected.start + 3_000


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            Fault("lift-9", FaultKind.SILENT, 0, 1),
            "device 'lift-9' that is not there; there are 5: fire-1, gate-1",
        ),
        (
            Fault("lift-1", FaultKind.FIRE_ALARM, 0, 1),
            "lift-1 (elevator) has no fault fire_alarm; it takes clock_skew",
        ),
        (Fault("lift-1", FaultKind.SILENT, 0, 0), "lasts 0 ms"),
        (Fault("lift-1", FaultKind.SILENT, -1, 5), "starts -1 ms after the start"),
    ],
)
def test_an_impossible_fault_is_refused_in_plain_words(house: SitePlan, bad: Fault, words: str) -> None:
    with pytest.raises(SimulationError, match=re.escape(words)):
        Fleet(house, seed=1, start=START, faults=[bad])


def test_a_device_that_is_not_there_cannot_be_simulated_or_hurt(house: SitePlan) -> None:
    with pytest.raises(SimulationError, match="asked to simulate a device 'x' that is not there"):
        Fleet(house, seed=1, start=START, only=["lift-1", "x"])
    with pytest.raises(SimulationError, match="device 'x' that is not there"):
        Fleet(house, seed=1, start=START).inject("x", FaultKind.SILENT, 1)
