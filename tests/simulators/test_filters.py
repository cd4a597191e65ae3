from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from gateway.codecs.decoder import Decoder
from gateway.core.plan import SitePlan
from simulators.errors import SimulationError
from simulators.filters import distinct, site_filters
from tests.simulators.sites import the_house, the_riverside


@pytest.mark.parametrize("plan", [the_house, the_riverside])
def test_a_sites_filters_are_its_gateways(plan: Callable[[], SitePlan]) -> None:
    assert site_filters(plan()) == Decoder(plan()).filters


@pytest.mark.parametrize("wrong", ["a#", "a/#/b", "a+/b", "", "a\0", "##"])
def test_a_wrong_filter_is_refused(wrong: str) -> None:
    with pytest.raises(SimulationError, match="is no topic filter"):
        distinct(["a/b", wrong])


LEVEL = st.sampled_from(["a", "b", "+"])
FILTER = st.builds(
    lambda levels, all_below: "/".join([*levels, *(["#"] if all_below else [])]),
    st.lists(LEVEL, min_size=1, max_size=3),
    st.booleans(),
)


@given(
    st.lists(FILTER, min_size=1, max_size=5), st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4)
)
def test_filters_without_those_covered_hear_the_same(filters: list[str], levels: list[str]) -> None:
    kept, topic = distinct(filters), "/".join(levels)
    assert any(topic_matches_sub(one, topic) for one in kept) == any(
        topic_matches_sub(one, topic) for one in filters
    )
    assert set(kept) <= set(filters)


def test_a_filter_that_another_covers_is_left_out() -> None:
    given = [
        "facility/#",
        "facility/house/+/event",
        "zigbee2mqtt/+",
        "zigbee2mqtt/a",
        "facility",
        "facility/#",
    ]
    assert distinct(given) == ("facility/#", "zigbee2mqtt/+")
