"""The bytes of a publisher, as a broker and another client's library read them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.errors import SimulationError
from simulators.frames import PUBACK, Answer, Inbox, publish
from simulators.line import Address, Line
from simulators.publication import Publication
from simulators.publisher import publisher
from tests.servers.mosquitto import Mosquitto
from tests.simulators.ear import listening
from tests.simulators.sites import the_house

TOPIC = "facility/house/lift-1/telemetry"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


async def test_payloads_of_every_length_arrive_whole(mosquitto: Mosquitto) -> None:
    """Also those at which the length takes one more byte, and topics that are no ASCII."""
    head = len(publish(Publication(TOPIC, b""), 1)) - 2
    edges = [edge + step - head for edge in (128, 16_384, 2_097_152) for step in (-1, 0, 1)]
    payloads = [b"", *(b"x" * size for size in edges)]
    async with listening(mosquitto.url) as ear, publisher(mosquitto.url, the_house()) as line:
        for payload in payloads:
            await line.send(Publication(TOPIC, payload))
        await line.send(Publication("facility/house/电梯/telemetry", b"1", qos=1))
        await line.drained()
        await ear.until(lambda: ear.count == len(payloads) + 1)
    assert ear.heard[TOPIC] == payloads
    assert ear.heard["facility/house/电梯/telemetry"] == [b"1"]


@given(
    numbers=st.lists(st.integers(1, 65_535)),
    cuts=st.lists(st.integers(0, 400)),
)
def test_acknowledgements_are_found_however_their_bytes_come(numbers: list[int], cuts: list[int]) -> None:
    stream = b"".join(b"\x40\x02" + number.to_bytes(2) for number in numbers)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    inbox = Inbox()
    heard: list[Answer] = []
    for begin, end in itertools.pairwise(places):
        heard += inbox.feed(stream[begin:end])
    assert [(one.kind, one.number) for one in heard] == [(PUBACK, number) for number in numbers]


@given(st.binary(max_size=200))
def test_any_bytes_are_packets_or_no_mqtt(data: bytes) -> None:
    inbox = Inbox()
    try:
        found = list(inbox.feed(data))
    except ConnectionError as error:
        assert "no MQTT" in str(error)  # noqa: PT017  both are right
        return
    assert sum(2 + len(one.body) for one in found) <= len(data)


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [("anna", "wrong", "wrong|not authorised"), (None, None, "not authorised")],
)
async def test_a_broker_that_refuses_us_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str | None, password: str | None, words: str
) -> None:
    monkeypatch.setattr("simulators.publisher.ANSWER_WITHIN", 2)
    with Mosquitto(tmp_path / "closed", {"allow_anonymous": "false"}) as server:
        login = f"{user}:{password}@" if user else ""
        url = f"mqtt://{login}127.0.0.1:{server.port}"
        with pytest.raises(SimulationError, match=f"the broker refuses us: .*({words})"):
            async with publisher(url, the_house()):
                pass


def test_a_line_starts_with_nothing_sent_and_no_trouble() -> None:
    line = Line(Address.parse("mqtt://127.0.0.1:1"), "x")
    assert (line.sent, line.reconnects, line.trouble) == (0, 0, "")
