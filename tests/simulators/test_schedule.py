"""The demo's faults, judged by the gateway's own engine."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Started, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import HOUR, MINUTE, SECOND, Message, Millis
from simulators.errors import SimulationError
from simulators.fleet import MODELS, Fleet
from simulators.schedule import demo_schedule
from tests.simulators.listening import START
from tests.simulators.sites import the_riverside


def judge(plan: SitePlan, seed: int, length: Millis, *, start: Millis = START) -> list[Outcome]:
    """What a gateway makes of the demo."""
    fleet = Fleet(plan, seed=seed, start=start, faults=demo_schedule(plan, seed))
    engine, decoder = Engine(plan, State()), Decoder(plan)
    outcomes = list(engine.step([Started(start, None), LinkUp(start)]).outcomes)
    for sent in fleet.advance(start + length):
        facts = decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
        outcomes += engine.step(facts).outcomes
    return outcomes + engine.step([Tick(start + length)]).outcomes


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), hour=st.integers(0, 23))
def test_within_45_seconds_every_kind_has_an_alert_and_there_is_a_work_order(seed: int, hour: int) -> None:
    outcomes = judge(the_riverside(), seed, 45 * SECOND, start=START + hour * HOUR)
    raised = {
        the_riverside().devices[one.device].kind.profile
        for one in outcomes
        if one.kind == "alert.raised" and one.device is not None
    }
    assert raised == set(MODELS)
    assert [one for one in outcomes if one.kind == "work_order.opened"]


def test_alerts_return_and_new_ones_follow(riverside: SitePlan) -> None:
    outcomes = judge(riverside, 1, 2 * HOUR)
    by_kind = defaultdict(list)
    for one in outcomes:
        by_kind[one.kind].append(one)
    assert len(by_kind["alert.cleared"]) > 10
    quarters = {(one.at - START) // (30 * MINUTE) for one in by_kind["alert.raised"]}
    assert quarters == {0, 1, 2, 3}


def test_healthy_devices_raise_hardly_any_alert(riverside: SitePlan) -> None:
    fleet = Fleet(riverside, seed=1, start=START)
    engine, decoder = Engine(riverside, State()), Decoder(riverside)
    engine.step([Started(START, None), LinkUp(START)])
    raised = [
        outcome
        for sent in fleet.advance(START + HOUR)
        for outcome in engine.step(
            decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
        ).outcomes
        if outcome.kind == "alert.raised" and outcome.device in riverside.equipment
    ]
    assert len(raised) < 10


def test_a_schedule_fits_its_site_and_is_in_order(riverside: SitePlan) -> None:
    faults = demo_schedule(riverside, 1)
    Fleet(riverside, seed=1, start=START, faults=faults)
    assert [fault.start for fault in faults] == sorted(fault.start for fault in faults)
    assert faults[-1].start > 11 * HOUR
    assert {fault.kind for fault in faults} >= {
        kind for model in MODELS.values() for kind in model.own_faults
    }


def test_the_same_seed_gives_the_same_schedule(riverside: SitePlan) -> None:
    assert demo_schedule(riverside, 5) == demo_schedule(riverside, 5)
    assert demo_schedule(riverside, 5) != demo_schedule(riverside, 6)


def test_a_small_house_gets_a_schedule_too(house: SitePlan) -> None:
    raised = {one.device for one in judge(house, 1, 45 * SECOND) if one.kind == "alert.raised"}
    assert {"fire-1", "gate-1", "reader-1"} < raised


def test_a_site_without_any_known_device_has_no_demo(house: SitePlan) -> None:
    with pytest.raises(SimulationError, match="none of the devices a demo needs: elevator, fire_panel"):
        demo_schedule(replace(house, devices={}), 1)
