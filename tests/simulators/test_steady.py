import itertools
import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Rejection, Started, Telemetry, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import HOUR, MINUTE, SECOND, Message
from simulators.errors import SimulationError
from simulators.scale import blow_up
from simulators.steady import SteadyFleet
from tests.simulators.listening import START
from tests.simulators.sites import the_house
from tests.simulators.test_any_device import pump


def test_a_rate_is_met_to_the_message_and_devices_take_turns(house: SitePlan) -> None:
    plan = blow_up(house, 30)
    fleet = SteadyFleet(plan, seed=1, start=START, rate=Fraction(100))
    fleet.advance(START + MINUTE - 1)
    sent = fleet.advance(START + 2 * MINUTE - 1)
    assert len(sent) == 6_000
    assert {later.at - earlier.at for earlier, later in itertools.pairwise(sent)} == {10}
    assert set(Counter(one.topic for one in sent).values()) == {200}


@pytest.mark.parametrize("rate", [Fraction(7, 3), Fraction(1, 100), Fraction(123_456, 10)])
def test_a_rate_that_is_no_whole_number_of_milliseconds_is_met_in_the_long_run(
    house: SitePlan, rate: Fraction
) -> None:
    length = max(5, int(20_000 / rate))  # seconds
    sent = SteadyFleet(house, seed=1, start=START, rate=rate).advance(START + length * SECOND)
    reports = [one for one in sent if one.topic.endswith("/telemetry")]
    assert len(reports) == math.ceil((length * SECOND + 1) * rate / SECOND)
    assert [one.at for one in sent] == sorted(one.at for one in sent)


def test_without_a_rate_each_device_reports_as_its_profile_says(house: SitePlan) -> None:
    sent = SteadyFleet(house, seed=1, start=START).advance(START + HOUR - 1)
    for name, device in house.equipment.items():
        times = [one.at for one in sent if one.topic == f"facility/house/{name}/telemetry"]
        assert {b - a for a, b in itertools.pairwise(times)} == {device.kind.report_every}
        assert [one.payload for one in sent if one.topic == f"facility/house/{name}/status"] == [b"online"]


@pytest.mark.parametrize("site", [the_house(), pump(the_house())], ids=["house", "pump"])
def test_everything_is_taken_and_nothing_is_alarmed(site: SitePlan) -> None:
    engine, decoder = Engine(site, State()), Decoder(site)
    outcomes = list(engine.step([Started(START, None), LinkUp(START)]).outcomes)
    for sent in SteadyFleet(site, seed=1, start=START).advance(START + HOUR):
        facts = decoder.decode(Message(sent.topic, sent.payload), sent.at)
        assert not [fact for fact in facts if isinstance(fact, Rejection)]
        outcomes += engine.step(facts).outcomes
    outcomes += engine.step([Tick(START + HOUR)]).outcomes
    raised = [one for one in outcomes if one.kind == "alert.raised" and one.device in site.equipment]
    assert raised == []


def test_counters_stand_still_and_other_numbers_do_not(house: SitePlan) -> None:
    decoder = Decoder(house)
    seen: dict[str, set[object]] = {"trips": set(), "supply_voltage": set()}
    for sent in SteadyFleet(house, seed=1, start=START, only=["lift-1"]).advance(START + HOUR):
        for fact in decoder.decode(Message(sent.topic, sent.payload), sent.at):
            for name, values in seen.items():
                values.update({fact.values[name]} if isinstance(fact, Telemetry) else ())
    assert len(seen["trips"]) == 1
    assert len(seen["supply_voltage"]) > 10


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 2 * MINUTE), max_size=20), seed=st.integers(0, 5), rated=st.booleans())
def test_how_often_it_is_advanced_changes_nothing(cuts: list[int], seed: int, rated: bool) -> None:
    def fleet() -> SteadyFleet:
        return SteadyFleet(the_house(), seed=seed, start=START, rate=Fraction(3) if rated else None)

    whole = fleet().advance(START + 2 * MINUTE)
    cut = fleet()
    assert [one for at in [*sorted(cuts), 2 * MINUTE] for one in cut.advance(START + at)] == whole


def test_another_seed_gives_another_order_and_other_values(house: SitePlan) -> None:
    one, other = (SteadyFleet(house, seed=seed, start=START).advance(START + MINUTE) for seed in (1, 2))
    assert [sent.topic for sent in one] != [sent.topic for sent in other]
    assert {sent.payload for sent in one} != {sent.payload for sent in other}


def test_a_device_that_is_not_there_is_refused(house: SitePlan) -> None:
    with pytest.raises(SimulationError, match="asked to simulate a device 'x' that is not there"):
        SteadyFleet(house, seed=1, start=START, only=["x"])
