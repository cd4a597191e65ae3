import itertools
from collections import Counter

import pytest

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Rejection, Telemetry
from gateway.core.plan import SitePlan
from gateway.core.values import Message
from simulators.errors import SimulationError
from simulators.fleet import Fleet
from simulators.scale import Traffic, blow_up
from tests.simulators.listening import START


def test_a_blown_up_site_has_so_many_devices_of_the_same_kinds(house: SitePlan) -> None:
    large = blow_up(house, 1_003)
    made = large.equipment
    assert len(made) == 1_003
    assert all(name == device.id for name, device in large.devices.items())
    assert len({id(device.kind) for device in made.values()}) == 4
    profiles = Counter(device.kind.profile for device in made.values())
    assert profiles == {"elevator": 402, "fire_panel": 201, "access_gate": 200, "patrol_reader": 200}
    assert len({device.series for device in made.values()}) == 1_003


def test_what_stands_for_the_patrol_is_there_once_however_large_the_site(house: SitePlan) -> None:
    virtual = [name for name, device in house.devices.items() if device.virtual]
    for devices in (1, 1_003):
        large = blow_up(house, devices)
        assert [name for name, device in large.devices.items() if device.virtual] == virtual


def test_a_site_can_be_made_smaller(house: SitePlan) -> None:
    assert list(blow_up(house, 2).equipment) == ["lift-1", "lift-2"]


def test_ids_of_a_large_site_are_valid_topics(house: SitePlan) -> None:
    decoder = Decoder(large := blow_up(house, 500))
    for sent in Fleet(large, seed=1, start=START).advance(START + 2_000):
        facts = decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at)
        assert not any(isinstance(fact, Rejection) for fact in facts)


@pytest.mark.parametrize("devices", [0, -1, 1_000_001])
def test_an_impossible_size_is_refused(house: SitePlan, devices: int) -> None:
    with pytest.raises(SimulationError, match=f"{devices} devices are not possible; between 1 and 1000000"):
        blow_up(house, devices)


def test_traffic_is_taken_by_the_gateway_and_never_repeats(house: SitePlan) -> None:
    decoder = Decoder(house)
    sent = list(itertools.islice(Traffic(house, seed=1).messages(START, every=5), 5 * 40))
    facts = [fact for one in sent for fact in decoder.decode(Message(one.topic, one.payload), one.at)]
    assert all(isinstance(fact, Telemetry) and fact.values for fact in facts)
    assert len({(one.topic, one.at) for one in sent}) == len(sent)
    assert {len(fact.values) for fact in facts if isinstance(fact, Telemetry)} == {5}


def test_traffic_is_the_same_for_the_same_seed(house: SitePlan) -> None:
    one, same, other = (
        list(itertools.islice(Traffic(house, seed=seed, points=None).messages(START), 100))
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other
