"""One MQTT 5 connection as an asyncio protocol: joins the reader, the session and the socket."""

import asyncio
import struct
from collections.abc import Sequence
from typing import cast

from mqtt5 import DisconnectPacket, DisconnectReasonCode, Packet

from gateway.adapters import mqtt_endings as endings
from gateway.adapters.mqtt5_frames import CONNACK_BYTE
from gateway.adapters.mqtt5_reader import Mqtt5Reader, Suspicion
from gateway.adapters.mqtt5_session import Mqtt5Session
from gateway.adapters.mqtt_endings import Ending
from gateway.adapters.mqtt_inbox import Inbox
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_subscriptions import Subscriptions


class Mqtt5Wire(asyncio.BufferedProtocol):
    """``ended`` gets the reason why the connection is over; ``gone`` is done when its socket is closed."""

    def __init__(
        self, settings: MqttSettings, inbox: Inbox, subscriptions: Subscriptions, suspicion: Suspicion
    ) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ending] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.session = Mqtt5Session(settings, inbox, subscriptions, self, loop.time)
        self._reader = Mqtt5Reader(inbox, settings.max_packet, suspicion, self._handle, self._reject)
        self._settings, self._inbox = settings, inbox
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._said_goodbye = False

    # --- called by asyncio -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast(asyncio.Transport, transport)
        self.session.connect()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the buffer has its own size
        """Where to put what arrives."""
        return self._reader.space()

    def buffer_updated(self, nbytes: int) -> None:
        """Read it; pause when too much is waiting."""
        self.session.heard = True
        self._reader.feed(nbytes)
        if self._inbox.crowded and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        if not self.gone.done():
            self.gone.set_result(None)
        if exc is not None and not isinstance(exc, ConnectionError):
            self.end(endings.unreachable(self._settings, exc))
        elif self.session.accepted:
            self.end(endings.closed(self._settings))
        else:
            self.end(endings.unanswered(self._settings))

    # --- called by the reader and the session ----------------------------------------------------------------

    def _handle(self, packet: Packet) -> None:
        self.session.handle(packet)
        self._reader.accepted = self.session.accepted

    def _reject(self, code: DisconnectReasonCode, start: bytes) -> None:
        if self.session.accepted:
            self.break_off(
                code,
                endings.unreadable(self._settings, oversize=code is DisconnectReasonCode.PACKET_TOO_LARGE),
            )
        elif start[0] == CONNACK_BYTE:
            # A CONNACK without the properties of MQTT 5 comes from a broker that speaks 3.1.1.
            self.end(endings.other_version(self._settings))
        else:
            self.end(endings.no_broker(self._settings, start))

    def write(self, data: bytes) -> None:
        """Send bytes, unless the socket is closed."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def end(self, ending: Ending) -> None:
        """It is over; the first reason counts, and nothing more is handed over."""
        self._reader.over = True
        if not self.ended.done():
            self.ended.set_result(ending)

    def break_off(self, code: DisconnectReasonCode, ending: Ending) -> None:
        """End it because of what the broker did wrong, and tell it so (MQTT 5.0, section 4.13)."""
        self.write(DisconnectPacket(reason_code=code).write())
        self._said_goodbye = True
        self.end(ending)

    # --- called by the dialect -------------------------------------------------------------------------------

    async def watch(self) -> Ending:
        """Keep the connection alive until it is over."""
        while not self.ended.done():
            await asyncio.wait([self.ended], timeout=self.session.patience)
            if not self.ended.done():
                self.session.check(deaf=self._paused)
        return self.ended.result()

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge messages in this order, in one write."""
        self.write(struct.pack(f">{len(receipts)}I", *receipts))

    def resume(self) -> None:
        """Read on after the inbox was crowded."""
        if self._paused and self._transport:
            self._paused = False
            self._transport.resume_reading()

    def leave(self) -> None:
        """Close the socket, in good order if the broker still listens; it keeps the session."""
        if self.session.accepted and not self._said_goodbye:
            self.write(DisconnectPacket().write())
        if self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Close the socket at once."""
        if self._transport:
            self._transport.abort()
