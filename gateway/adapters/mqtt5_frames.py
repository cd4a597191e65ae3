"""Where an MQTT packet ends and what it is, also when its inside cannot be read. Numbers in brackets: MQTT 5.0."""

from typing import Final, NamedTuple

CONNACK_BYTE: Final = 0x20
PUBLISH: Final = 3
# A receipt is the packet that acknowledges the message, four bytes, as a number [3.4, 3.5].
NO_RECEIPT: Final = 0
PUBACK: Final = 0x4002_0000
PUBREC: Final = 0x5002_0000
_DUPLICATE: Final = 0x08
_LONGEST_LENGTH: Final = 4


class Frame(NamedTuple):
    """The outside of a packet: bytes in front of its variable header, and bytes in all."""

    header: int
    size: int


def frame_of(data: memoryview) -> Frame | None:
    """The frame that starts here; None when more bytes are needed to tell.

    Raises:
        ValueError: the remaining length is not one [1.5.5].
    """
    size = 0
    for place, byte in enumerate(data[1 : 1 + _LONGEST_LENGTH]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004  # the highest bit says that another byte follows
            return Frame(2 + place, 2 + place + size)
    if len(data) > _LONGEST_LENGTH:
        raise ValueError("the remaining length is longer than four bytes")
    return None


class UnreadPublish(NamedTuple):
    """A PUBLISH packet that could not be read, or the beginning of one that is too large."""

    raw: bytes
    receipt: int
    """What acknowledges it; 0 when nothing does, or its packet id cannot be found."""

    @property
    def mark(self) -> bytes:
        """The same for the packet when it is delivered again, then with the DUP flag set [3.3.1.1]."""
        return bytes([self.raw[0] & ~_DUPLICATE]) + self.raw[1:]


def unread_publish(raw: bytes, header: int) -> UnreadPublish | None:
    """What can be told of a PUBLISH by the place of its fields alone [3.3.2]; None when it is another packet."""
    if raw[0] >> 4 != PUBLISH:
        return None
    answer = (NO_RECEIPT, PUBACK, PUBREC, NO_RECEIPT)[(raw[0] >> 1) & 3]
    after_topic = header + 2 + int.from_bytes(raw[header : header + 2], "big")
    packet_id = (
        int.from_bytes(raw[after_topic : after_topic + 2], "big") if after_topic + 2 <= len(raw) else 0
    )
    return UnreadPublish(raw, answer | packet_id if answer and packet_id else NO_RECEIPT)
