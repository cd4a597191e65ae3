"""The payloads in docs/mqtt.md do what the page says."""

import re

import pytest

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Rejection
from gateway.core.values import Message
from gateway.site.plan_builder import load_site
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/mqtt.md").read_text()
NOW = 1_790_000_000_000
REFUSED = re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` `(.*)` \|$", TEXT, re.MULTILINE)
TAKEN = re.findall(r"^`(facility/\S+)`\n\n```json\n(.*?)\n```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(load_site(ROOT / "simulators/sites/riverside/site.yaml"))


@pytest.mark.parametrize(("reason", "channel", "payload"), REFUSED)
def test_an_example_is_refused_for_its_reason(
    decoder: Decoder, reason: str, channel: str, payload: str
) -> None:
    facts = decoder.decode(Message(f"facility/riverside/t1-lift-1/{channel}", payload.encode()), NOW)
    assert [fact.reason for fact in facts if isinstance(fact, Rejection)] == [reason]


@pytest.mark.parametrize(("topic", "payload"), TAKEN)
def test_an_example_is_taken_whole(decoder: Decoder, topic: str, payload: str) -> None:
    (fact,) = decoder.decode(Message(topic, payload.encode()), NOW)
    assert not isinstance(fact, Rejection), fact


def test_there_are_examples() -> None:
    assert len(REFUSED) > 15
    assert len(TAKEN) == 3
