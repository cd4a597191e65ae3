"""Every fault that any device takes shows on every kind of device, and is over when it is over."""

from collections import Counter
from functools import cache

import pytest

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Rejection
from gateway.core.plan import SitePlan
from gateway.core.values import HOUR, MINUTE, SECOND, Message, Millis
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fleet import Fleet
from simulators.malformed import Shape
from simulators.publication import Publication
from tests.simulators.listening import START, hear, listen, values
from tests.simulators.sites import the_house
from tests.simulators.test_any_device import pump

DEVICES = ("lift-1", "fire-1", "gate-1", "reader-1", "pump-1")
BEGIN, END = 10 * MINUTE, 30 * MINUTE
SHAPES = {
    Shape.CUT_OFF: "not_json",
    Shape.NOT_UTF8: "not_utf8",
    Shape.WRONG_TYPE: "wrong_type",
    Shape.NOT_FINITE: "not_finite",
    Shape.UNKNOWN_POINT: "unknown_point",
    Shape.ANOTHER_DEVICE: "device_mismatch",
}


def site_of(device: str) -> SitePlan:
    return pump(the_house()) if device == "pump-1" else the_house()


@cache
def sent(device: str, kind: FaultKind | None = None, seed: int = 7) -> tuple[Publication, ...]:
    """What a device sends in an hour, with a fault from the tenth to the thirtieth minute."""
    faults = [] if kind is None else [Fault(device, kind, BEGIN, END - BEGIN)]
    plan = site_of(device)
    return tuple(Fleet(plan, seed=seed, start=START, faults=faults, only={device}).advance(START + HOUR))


def within(publications: tuple[Publication, ...], begin: Millis, end: Millis) -> list[Publication]:
    return [one for one in publications if START + begin <= one.at < START + end]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", sorted(COMMON_FAULTS))
def test_a_fault_shows_while_it_lasts_and_not_before(device: str, kind: FaultKind) -> None:
    healthy, ill = sent(device), sent(device, kind)
    assert within(ill, 0, BEGIN) == within(healthy, 0, BEGIN)
    assert within(ill, BEGIN, END) != within(healthy, BEGIN, END)


@pytest.mark.parametrize("device", DEVICES)
def test_malformed_payloads_come_in_every_shape_and_each_is_refused_for_its_reason(device: str) -> None:
    plan = site_of(device)
    decoder = Decoder(plan)
    fault = Fault(device, FaultKind.MALFORMED, 0, 4 * HOUR)
    fleet = Fleet(plan, seed=7, start=START, faults=[fault], only={device})
    during = [one for one in fleet.advance(START + 3 * HOUR) if one.topic.endswith("/telemetry")]
    reasons: Counter[str] = Counter()
    for one in during:
        facts = decoder.decode(Message(one.topic, one.payload), one.at)
        refused = [fact.reason for fact in facts if isinstance(fact, Rejection)]
        assert len(refused) == 1
        reasons.update(refused)
    assert reasons.keys() == set(SHAPES.values())
    assert max(reasons.values()) - min(reasons.values()) <= 1


@pytest.mark.parametrize("device", DEVICES)
def test_another_seed_breaks_payloads_in_another_order(device: str) -> None:
    def shapes(seed: int) -> list[str]:
        decoder = Decoder(site_of(device))
        return [
            fact.reason
            for one in within(sent(device, FaultKind.MALFORMED, seed), BEGIN, END)
            for fact in decoder.decode(Message(one.topic, one.payload), one.at)
            if isinstance(fact, Rejection)
        ]

    assert shapes(1)[:18] != shapes(2)[:18]


@pytest.mark.parametrize("device", DEVICES)
def test_in_a_reconnect_storm_the_device_dies_and_is_born_again_and_again(device: str) -> None:
    heard = [hear(one) for one in sent(device, FaultKind.RECONNECT_STORM)]
    status = [one for one in heard if one.channel == "status" and one.at >= BEGIN]
    assert [one.body for one in status] == ["offline", "online"] * (len(status) // 2)
    assert len(status) > 2 * (END - BEGIN) // (10 * SECOND)
    assert status[0].at == BEGIN
    assert status[-1].at <= END
    retained = {
        one.retain for one in sent(device, FaultKind.RECONNECT_STORM) if one.topic.endswith("/status")
    }
    assert retained == {True}


@pytest.mark.parametrize("device", DEVICES)
def test_at_each_return_the_last_report_comes_once_more(device: str) -> None:
    during = within(sent(device, FaultKind.RECONNECT_STORM), 0, END)
    last = None
    returns = 0
    for number, one in enumerate(during):
        if not one.topic.endswith("/status"):
            last = one
        elif one.payload == b"online" and last is not None:
            again = during[number + 1]
            assert (again.topic, again.payload) == (last.topic, last.payload)
            returns += 1
    assert returns > 100


@pytest.mark.parametrize("other", [FaultKind.OFFLINE, FaultKind.SILENT, FaultKind.RECONNECT_STORM])
def test_a_storm_within_another_broken_connection_ends_well(other: FaultKind) -> None:
    storm = Fault("lift-1", FaultKind.RECONNECT_STORM, BEGIN, 10 * MINUTE)
    for start in range(BEGIN - 5 * SECOND, BEGIN + 12 * MINUTE, 37 * SECOND):
        heard = listen(the_house(), "lift-1", HOUR, storm, Fault("lift-1", other, start, 3 * MINUTE))
        status = [one.body for one in heard if one.channel == "status"]
        assert status[-1] == "online"
        assert [one for one in heard if one.at > HOUR - MINUTE and one.channel == "telemetry"]


def test_a_sensor_drifts_all_the_way_within_a_short_fault_and_is_well_afterwards() -> None:
    heard = [hear(one) for one in sent("pump-1", FaultKind.DRIFT)]
    late = [value for at, value in values(heard, "current") if END - MINUTE < at < END]
    after = [value for at, value in values(heard, "current") if at >= END]
    assert min(late) > 20 >= max(after)


def test_a_counter_or_a_whole_number_stays_one_under_noise() -> None:
    heard = [hear(one) for one in sent("pump-1", FaultKind.NOISE)]
    assert {type(value) for _, value in values(heard, "starts")} == {int}
