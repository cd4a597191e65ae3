"""Whatever a simulated device says, the gateway's own decoder takes it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Event, Rejection, Status, Tap, Telemetry
from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, Message
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fleet import MODELS, Fleet
from tests.simulators.listening import START
from tests.simulators.sites import the_house

HARMLESS = COMMON_FAULTS - {FaultKind.MALFORMED}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), shift=st.integers(0, 364))
def test_every_publication_is_taken_in_health_and_in_every_fault(seed: int, shift: int) -> None:
    start = START + shift * DAY
    faults = [
        Fault(device.id, kind, number * 90_000, 80_000)
        for device in the_house().equipment.values()
        for number, kind in enumerate(sorted(MODELS[device.kind.profile].own_faults | HARMLESS))
    ]
    decoder = Decoder(the_house())
    for sent in Fleet(the_house(), seed=seed, start=start, faults=faults).advance(start + HOUR):
        facts = decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
        assert facts
        assert [fact for fact in facts if isinstance(fact, Rejection)] == []


@pytest.mark.parametrize("device", ["lift-1", "fire-1", "gate-1", "reader-1"])
def test_a_device_reports_every_point_of_its_profile(house: SitePlan, device: str) -> None:
    decoder = Decoder(house)
    reported: set[str] = set()
    for sent in Fleet(house, seed=1, start=START, only={device}).advance(START + HOUR):
        for fact in decoder.decode(Message(sent.topic, sent.payload), sent.at):
            reported |= fact.values.keys() if isinstance(fact, Telemetry) else set()
    assert reported == house.devices[device].kind.points.keys()


def test_a_malformed_report_is_refused(house: SitePlan) -> None:
    fault = Fault("lift-1", FaultKind.MALFORMED, 10_000, 60_000)
    decoder = Decoder(house)
    refused = [
        fact
        for sent in Fleet(house, seed=1, start=START, faults=[fault], only={"lift-1"}).advance(START + 60_000)
        for fact in decoder.decode(Message(sent.topic, sent.payload), sent.at)
        if isinstance(fact, Rejection)
    ]
    assert len(refused) >= 5


def test_a_fleet_says_everything_a_gateway_knows(house: SitePlan) -> None:
    decoder = Decoder(house)
    facts = {
        type(fact)
        for sent in Fleet(house, seed=1, start=START).advance(START + HOUR)
        for fact in decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
    }
    assert facts == {Telemetry, Event, Status, Tap}
