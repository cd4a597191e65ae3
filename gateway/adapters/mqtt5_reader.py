"""Bytes to messages, without I/O: the hottest path of the program. Numbers in brackets are sections of MQTT 5.0."""

from collections.abc import Callable
from typing import Final

from mqtt5 import DisconnectReasonCode, Packet, PublishPacket, QoS, read

from gateway.adapters.mqtt5_frames import CONNACK_BYTE, NO_RECEIPT, PUBACK, PUBREC, frame_of, unread_publish
from gateway.adapters.mqtt_inbox import MALFORMED_TOPIC, Inbox
from gateway.core.values import Message

BUFFER: Final = 256 * 1024
"""Bytes read at once; a larger packet makes its connection's buffer grow."""
KEPT_OF_OVERSIZE: Final = 64 * 1024
"""Bytes of a packet larger than we allow that go to the quarantine."""
AT_MOST_ONCE, AT_LEAST_ONCE = QoS.AT_MOST_ONCE, QoS.AT_LEAST_ONCE


class Suspicion:
    """What is remembered of unreadable messages from one connection to the next.

    The first one ends the connection, as the standard demands. If the broker then sends the very same one again it
    will do so for ever, and this one message would stop the stream: from then on such messages are skipped, one by
    one, and go to the quarantine.
    """

    def __init__(self) -> None:
        self._certain = False
        self._suspect: bytes | None = None

    def recurs(self, mark: bytes) -> bool:
        """Note this message; True when it, or another before it, was met twice."""
        self._certain = self._certain or mark == self._suspect
        self._suspect = mark
        return self._certain


class Mqtt5Reader:
    """Puts messages into the inbox and gives every other packet to ``handle``.

    Args:
        inbox: where messages go.
        largest: bytes, of a packet that we take.
        suspicion: shared by all connections of one session.
        handle: gets each packet that is not a PUBLISH.
        reject: gets what the broker did wrong, when the connection cannot go on; nothing is read after that.
    """

    def __init__(
        self,
        inbox: Inbox,
        largest: int,
        suspicion: Suspicion,
        handle: Callable[[Packet], None],
        reject: Callable[[DisconnectReasonCode, bytes], None],
    ) -> None:
        self.accepted = False
        """Whether CONNACK has come; no message may come before it [3.1.4]."""
        self.over = False
        """Set to stop reading."""
        self._inbox, self._largest, self._suspicion = inbox, largest, suspicion
        self._handle, self._reject = handle, reject
        self._buffer = memoryview(bytearray(BUFFER))
        self._filled = 0
        self._needed = 1
        self._skip = 0

    def space(self) -> memoryview:
        """Where to put the next bytes; never empty."""
        return self._buffer[self._filled :]

    def feed(self, count: int) -> None:
        """Read every packet that is complete, now that ``count`` bytes were put into :meth:`space`."""
        end = self._filled + count
        if self.over:
            return
        if end < self._needed:
            self._filled = end
            return
        self._needed = 1
        start = min(self._skip, end)
        self._skip -= start
        while end - start >= self._needed and not self.over:
            start = self._read_run(start, end)
        self._filled = end - start
        if self._needed > len(self._buffer):
            old, self._buffer = self._buffer, memoryview(bytearray(self._needed))
            self._buffer[: self._filled] = old[start:end]
        elif start:
            self._buffer[: self._filled] = self._buffer[start:end]

    def _read_run(self, start: int, end: int) -> int:
        """Read messages up to the end or to another kind of packet, and that one too; returns how far it came."""
        view, first = self._buffer, start
        items, receipts = self._inbox.items, self._inbox.receipts
        waiting = len(items)
        largest = self._largest if self.accepted else 0
        other: Packet | None = None
        while start < end:
            try:
                packet, size = read(view[start:end])
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # noqa: BLE001  # the codec panics, which is no Exception, at text that is not UTF-8
                packet, size = None, self._stumble(start, end)
            if type(packet) is PublishPacket and size <= largest:
                quality = packet.qos
                if quality is AT_LEAST_ONCE:
                    receipts.append(PUBACK | packet.packet_id)  # type: ignore[operator]  # set at QoS 1
                else:
                    receipts.append(NO_RECEIPT if quality is AT_MOST_ONCE else PUBREC | packet.packet_id)  # type: ignore[operator]  # set at QoS 2
                items.append(Message(packet.topic, packet.payload, packet.retain))
            elif type(packet) is PublishPacket:
                size = self._stumble(start, end)
            elif packet is not None:
                other, start = packet, start + size
                break
            if not size:
                break
            start += size
        if len(items) > waiting:
            self._inbox.post(len(items) - waiting, start - first)
        if other is not None:
            self._handle(other)
        return start

    def _stumble(self, start: int, end: int) -> int:
        """Look at a packet that was not read; returns the bytes to pass over, 0 to wait for more or to stop."""
        view = self._buffer[start:end]
        if not self.accepted and view[0] != CONNACK_BYTE:
            return self._give_up(DisconnectReasonCode.PROTOCOL_ERROR, view)
        try:
            frame = frame_of(view)
        except ValueError:
            return self._give_up(DisconnectReasonCode.MALFORMED_PACKET, view)
        if frame is None:
            self._needed = len(view) + 1
            return 0
        header, size = frame
        oversize = size > self._largest
        kept = min(size, KEPT_OF_OVERSIZE) if oversize else size
        if len(view) < kept:
            self._needed = kept
            return 0
        message = unread_publish(bytes(view[:kept]), header)
        if not self.accepted or message is None or not self._suspicion.recurs(message.mark):
            code = (
                DisconnectReasonCode.PACKET_TOO_LARGE if oversize else DisconnectReasonCode.MALFORMED_PACKET
            )
            return self._give_up(code, view)
        self._inbox.malformed += 1
        self._inbox.items.append(Message(MALFORMED_TOPIC, message.raw))
        self._inbox.receipts.append(message.receipt)
        self._skip = max(0, size - len(view))
        return min(size, len(view))

    def _give_up(self, code: DisconnectReasonCode, view: memoryview) -> int:
        self._inbox.malformed += 1
        self.over = True
        self._reject(code, bytes(view[:32]))
        return 0
