"""The reader takes bytes apart; how the network cuts them must not matter, nor what a hostile peer sends."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from mqtt5 import (
    ConnAckPacket,
    DisconnectReasonCode,
    Packet,
    PingRespPacket,
    PublishPacket,
    QoS,
)

from gateway.adapters.mqtt5_frames import PUBACK, PUBREC
from gateway.adapters.mqtt5_reader import BUFFER, KEPT_OF_OVERSIZE, Mqtt5Reader, Suspicion
from gateway.adapters.mqtt_inbox import Inbox
from gateway.core.values import Message
from gateway.ports import Link

# At text that is not UTF-8 the codec panics, and leaves a second exception behind that nobody can catch.
panics = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LARGEST = 2 * BUFFER
NOT_TEXT = bytes.fromhex("320a 0002 fffe 0007 00 706179")
"""A PUBLISH at QoS 1 with packet id 7 whose topic is not UTF-8."""
BAD_PROPERTY = bytes.fromhex("320b 0001 61 0008 02 7f01 706179")
"""The same with packet id 8 and a property that MQTT does not know."""


class Reading:
    """A reader whose CONNACK has come, and what it gave away."""

    def __init__(
        self, suspicion: Suspicion | None = None, largest: int = LARGEST, *, accepted: bool = True
    ) -> None:
        self.inbox = Inbox()
        self.packets: list[Packet] = []
        self.rejected: list[DisconnectReasonCode] = []
        self.reader = Mqtt5Reader(
            self.inbox, largest, suspicion or Suspicion(), self.packets.append, self._reject
        )
        self.reader.accepted = accepted

    def _reject(self, code: DisconnectReasonCode, start: bytes) -> None:
        assert len(start) <= 32
        self.rejected.append(code)

    def feed(self, data: bytes, size: int = BUFFER) -> "Reading":
        for start in range(0, len(data), size):
            self.feed_chunk(data[start : start + size])
        return self

    def feed_chunk(self, chunk: bytes) -> None:
        while chunk:
            space = self.reader.space()
            count = min(len(space), len(chunk))
            space[:count] = chunk[:count]
            self.reader.feed(count)
            chunk = chunk[count:]

    @property
    def messages(self) -> list[Message]:
        return [item for item in self.inbox.items if isinstance(item, Message)]

    @property
    def receipts(self) -> list[int]:
        places = range(len(self.inbox.items))
        return [
            self.inbox.receipts[place] for place in places if isinstance(self.inbox.items[place], Message)
        ]


topics = st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=20)
publishes = st.builds(
    lambda topic, payload, quality, retain, packet_id: PublishPacket(
        topic,
        payload,
        qos=quality,
        retain=retain,
        packet_id=packet_id if quality is not QoS.AT_MOST_ONCE else None,
    ),
    topics,
    st.binary(max_size=300),
    st.sampled_from([QoS.AT_MOST_ONCE, QoS.AT_LEAST_ONCE, QoS.EXACTLY_ONCE]),
    st.booleans(),
    st.integers(1, 65_535),
)


@given(
    st.lists(st.one_of(publishes, st.just(PingRespPacket())), max_size=30),
    st.lists(st.integers(1, 400), min_size=1),
)
def test_the_same_messages_come_out_however_the_bytes_are_cut(packets: list[Packet], cuts: list[int]) -> None:
    stream = b"".join(packet.write() for packet in packets)
    reading, start, turn = Reading(), 0, 0
    while start < len(stream):
        size = cuts[turn % len(cuts)]
        reading.feed_chunk(stream[start : start + size])
        start, turn = start + size, turn + 1
    sent = [packet for packet in packets if isinstance(packet, PublishPacket)]
    answers = {0: 0, 1: PUBACK, 2: PUBREC}
    assert reading.messages == [Message(packet.topic, packet.payload, packet.retain) for packet in sent]
    assert reading.receipts == [answers[packet.qos.value] | (packet.packet_id or 0) for packet in sent]
    assert len(reading.packets) == len(packets) - len(sent)
    assert reading.rejected == []


@panics
@given(st.binary(max_size=2_000), st.integers(1, 100), st.booleans())
@settings(max_examples=300)
def test_arbitrary_bytes_are_read_or_rejected_but_never_raise(data: bytes, size: int, accepted: bool) -> None:
    reading = Reading(accepted=accepted).feed(data, size)
    assert len(reading.rejected) <= 1
    assert reading.reader.over == bool(reading.rejected)


def test_a_packet_larger_than_the_buffer_is_read() -> None:
    packet = PublishPacket("facility/x", bytes(BUFFER + 1000), qos=QoS.AT_LEAST_ONCE, packet_id=3)
    reading = Reading().feed(packet.write() * 2, 10_000)
    assert [len(message.payload) for message in reading.messages] == [BUFFER + 1000] * 2


def test_the_link_comes_up_in_front_of_the_first_message() -> None:
    reading = Reading().feed(PublishPacket("a", b"1").write() + PublishPacket("a", b"2").write())
    assert reading.inbox.items == [Link(up=True), Message("a", b"1"), Message("a", b"2")]


@panics
def test_the_first_packet_that_cannot_be_read_ends_the_connection() -> None:
    reading = Reading().feed(PublishPacket("a", b"1").write() + NOT_TEXT + PublishPacket("a", b"2").write())
    assert reading.messages == [Message("a", b"1")]
    assert reading.rejected == [DisconnectReasonCode.MALFORMED_PACKET]
    assert reading.inbox.malformed == 1


@panics
def test_one_that_is_sent_again_is_skipped_and_kept_as_it_came() -> None:
    suspicion = Suspicion()
    Reading(suspicion).feed(NOT_TEXT)
    again = bytes([NOT_TEXT[0] | 0x08]) + NOT_TEXT[1:]
    reading = Reading(suspicion).feed(again + BAD_PROPERTY + PublishPacket("a", b"1").write(), size=3)
    assert reading.messages == [
        Message("$malformed", again),
        Message("$malformed", BAD_PROPERTY),
        Message("a", b"1"),
    ]
    assert reading.receipts == [PUBACK | 7, PUBACK | 8, 0]
    assert reading.rejected == []


@panics
def test_a_different_one_is_not_taken_for_the_same() -> None:
    suspicion = Suspicion()
    Reading(suspicion).feed(NOT_TEXT)
    assert Reading(suspicion).feed(BAD_PROPERTY).rejected == [DisconnectReasonCode.MALFORMED_PACKET]


def test_a_packet_larger_than_allowed_ends_the_connection_and_is_skipped_the_second_time() -> None:
    suspicion = Suspicion()
    large = PublishPacket("facility/x", bytes(200_000), qos=QoS.AT_LEAST_ONCE, packet_id=9).write()
    stream = large + PublishPacket("a", b"1").write()
    first = Reading(suspicion, largest=100_000).feed(stream, 7_000)
    assert first.rejected == [DisconnectReasonCode.PACKET_TOO_LARGE]
    second = Reading(suspicion, largest=100_000).feed(stream, 7_000)
    assert second.messages == [Message("$malformed", large[:KEPT_OF_OVERSIZE]), Message("a", b"1")]
    assert second.receipts == [PUBACK | 9, 0]
    whole = Reading(suspicion, largest=100_000).feed(stream)
    assert whole.messages == second.messages


def test_a_length_of_more_than_four_bytes_is_malformed() -> None:
    assert Reading().feed(b"\x32\xff\xff\xff\xff\x01").rejected == [DisconnectReasonCode.MALFORMED_PACKET]


def test_a_message_before_connack_is_a_protocol_error() -> None:
    early = Reading(accepted=False).feed(PublishPacket("a", b"1").write())
    assert (early.rejected, early.messages) == ([DisconnectReasonCode.PROTOCOL_ERROR], [])


def test_what_is_not_mqtt_is_recognised_by_its_first_bytes() -> None:
    assert Reading(accepted=False).feed(b"HTTP/1.1 400 Bad Request\r\n").rejected == [
        DisconnectReasonCode.PROTOCOL_ERROR
    ]
    assert len(Reading(accepted=False).feed(ConnAckPacket().write(), size=1).packets) == 1
