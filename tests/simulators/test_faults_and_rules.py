"""Each fault raises the alert it is made for, judged by the gateway's own engine, and most alerts return."""

import pytest

from gateway.codecs.decoder import Decoder
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Started, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import MINUTE, Message
from simulators.faults import WIRE_FAULTS, Fault, FaultKind
from simulators.fleet import MODELS, Fleet
from tests.simulators.listening import START

BEGIN = 5 * MINUTE

RAISES = [
    # device, fault, how long, the rule that must raise
    ("lift-1", FaultKind.MOTOR_OVERHEAT, 4 * MINUTE, "motor_overheat"),
    ("lift-1", FaultKind.ENTRAPMENT, 4 * MINUTE, "entrapment"),
    ("lift-1", FaultKind.DOOR_HELD_OPEN, 4 * MINUTE, "door_held_open"),
    ("lift-1", FaultKind.MOVING_WITH_DOOR_OPEN, 2 * MINUTE, "moving_door_open"),
    ("lift-1", FaultKind.LEVELLING, 2 * MINUTE, "levelling"),
    ("fire-1", FaultKind.FIRE_ALARM, 2 * MINUTE, "fire"),
    ("fire-1", FaultKind.MAINS_LOSS, 2 * MINUTE, "mains_lost"),
    ("fire-1", FaultKind.TROUBLE, 2 * MINUTE, "trouble"),
    ("fire-1", FaultKind.TROUBLE, 2 * MINUTE, "earth_fault"),
    ("gate-1", FaultKind.FORCED_OPEN, MINUTE, "forced_open"),
    ("gate-1", FaultKind.DENIED_BURST, MINUTE, "denied_burst"),
    ("gate-1", FaultKind.HELD_OPEN, MINUTE, "held_open"),
    ("gate-1", FaultKind.DURESS, MINUTE, "duress"),
    ("reader-1", FaultKind.BATTERY_LOW, 5 * MINUTE, "battery"),
    ("reader-1", FaultKind.CLOCK_WRONG, 5 * MINUTE, "clock"),
    ("reader-1", FaultKind.SOS, MINUTE, "sos"),
    ("lift-1", FaultKind.SILENT, 5 * MINUTE, "silent"),
    ("fire-1", FaultKind.SILENT, 5 * MINUTE, "silent"),
    ("gate-1", FaultKind.OFFLINE, 5 * MINUTE, "offline"),
]

LATCHED = {"entrapment", "moving_door_open", "fire", "forced_open", "duress", "sos"}


def judge(plan: SitePlan, fault: Fault, minutes: int) -> list[Outcome]:
    fleet = Fleet(plan, seed=3, start=START, faults=[fault])
    engine, decoder = Engine(plan, State()), Decoder(plan)
    outcomes = list(engine.step([Started(START, None), LinkUp(START)]).outcomes)
    for sent in fleet.advance(START + minutes * MINUTE):
        outcomes += engine.step(
            decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
        ).outcomes
    outcomes += engine.step([Tick(START + minutes * MINUTE)]).outcomes
    return [one for one in outcomes if one.device == fault.device]


@pytest.mark.parametrize(("device", "kind", "duration", "rule"), RAISES)
def test_a_fault_raises_its_alert_and_the_alert_returns(
    house: SitePlan, device: str, kind: FaultKind, duration: int, rule: str
) -> None:
    outcomes = judge(house, Fault(device, kind, BEGIN, duration), minutes=40)
    raised = [one for one in outcomes if one.kind == "alert.raised" and one.rule == rule]
    cleared = [one for one in outcomes if one.kind == "alert.cleared" and one.rule == rule]
    assert len(raised) == 1
    assert START + BEGIN <= raised[0].at < START + BEGIN + duration + MINUTE
    assert len(cleared) == (0 if rule in LATCHED else 1)


def test_every_fault_of_every_model_is_covered_here() -> None:
    own = {kind for model in MODELS.values() for kind in model.own_faults}
    assert {kind for _, kind, _, _ in RAISES} - WIRE_FAULTS == own
