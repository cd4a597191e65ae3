"""The few MQTT 3.1.1 packets a publisher needs, as bytes: every broker speaks it, and a message costs microseconds.

CONNECT, PUBLISH with QoS 0 and 1, PINGREQ and DISCONNECT go out; CONNACK, PUBACK and PINGRESP come in.
"""

from collections.abc import Iterator
from struct import pack
from typing import NamedTuple

from simulators.publication import Publication

PING = b"\xc0\x00"
GOOD_BYE = b"\xe0\x00"
CONNACK, PUBACK, PINGRESP = 2, 4, 13
"""Packet types, the upper half of the first byte."""
REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not take our client id",
    3: "it is not available",
    4: "user or password is wrong",
    5: "we are not authorised",
}
"""What a CONNACK says, by its return code."""
LONGEST = 268_435_455
"""Bytes that can follow the fixed header."""
_MORE = 0x80


class Answer(NamedTuple):
    """One packet of the broker."""

    kind: int
    body: bytes

    @property
    def number(self) -> int:
        """The packet identifier of a PUBACK."""
        return int.from_bytes(self.body[:2])


def connect(
    name: str, keep_alive: int, username: str | None, password: str | None, will: Publication | None
) -> bytes:
    """CONNECT with a clean session; ``keep_alive`` in seconds."""
    flags = 0x02
    payload = _text(name)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += _text(will.topic) + pack(">H", len(will.payload)) + will.payload
    if username is not None:
        flags |= 0x80
        payload += _text(username)
        if password is not None:
            flags |= 0x40
            payload += _text(password)
    body = _text("MQTT") + bytes((4, flags)) + pack(">H", keep_alive) + payload
    return b"\x10" + _length(len(body)) + body


def publish(one: Publication, number: int) -> bytes:
    """PUBLISH; ``number`` is its packet identifier, which QoS 0 has none of."""
    topic = one.topic.encode()
    head = 0x30 | one.qos << 1 | one.retain
    mark = pack(">H", number) if one.qos else b""
    size = 2 + len(topic) + len(mark) + len(one.payload)
    return b"".join((bytes((head,)), _length(size), pack(">H", len(topic)), topic, mark, one.payload))


class Inbox:
    """Takes the broker's bytes apart, however they come."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Answer]:
        """The packets that are complete now."""
        buffer = self._rest + data
        place = 0
        while (found := _header(buffer, place)) is not None:
            begin, size = found
            if len(buffer) < begin + size:
                break
            yield Answer(buffer[place] >> 4, buffer[begin : begin + size])
            place = begin + size
        self._rest = buffer[place:]


def _header(buffer: bytes, place: int) -> tuple[int, int] | None:
    """Where the body of the packet at a place begins and how long it is; None while that is not known."""
    size = 0
    for digit in range(4):
        at = place + 1 + digit
        if at >= len(buffer):
            return None
        size |= (buffer[at] & ~_MORE) << 7 * digit
        if buffer[at] < _MORE:
            return at + 1, size
    raise ConnectionError("the broker sends something that is no MQTT")


def _length(size: int) -> bytes:
    if size > LONGEST:
        raise ValueError(f"{size} bytes are too many for one MQTT packet")
    digits = bytearray()
    while size >= _MORE:
        digits.append(size & ~_MORE & 0xFF | _MORE)
        size >>= 7
    digits.append(size)
    return bytes(digits)


def _text(text: str) -> bytes:
    data = text.encode()
    return pack(">H", len(data)) + data
