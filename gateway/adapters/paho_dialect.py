"""MQTT 3.1.1 on the asyncio loop by paho-mqtt, for brokers that do not speak MQTT 5.

paho reads and writes only when told to (``loop_read``, ``loop_write``, ``loop_misc``); acknowledging is left to us
(``manual_ack``). Its connect blocks, and so runs in a thread.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mqtt5 import DisconnectReasonCode
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.adapters import mqtt_endings as endings
from gateway.adapters.mqtt_endings import Ending
from gateway.adapters.mqtt_inbox import MALFORMED_TOPIC, NO_RECEIPT, Inbox
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_subscriptions import Grant, Subscriptions
from gateway.core.values import Message
from gateway.ports import Link

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # exists for type checkers only

ANSWER_TIME: Final = 10.0
"""Seconds a broker may take to accept a connection, and again to answer CONNECT and SUBSCRIBE."""
READ_AT_ONCE: Final = 500
"""Packets read before other tasks get their turn."""
_QOS2: Final = 1 << 16
"""A receipt is the packet id, with this bit set when the message came at QoS 2."""
_TICK: Final = 1.0
"""Seconds between looks at the keep-alive; paho asks for about one."""


class PahoDialect:
    """Makes one MQTT 3.1.1 connection after another.

    The broker alone decides how many unacknowledged messages may be under way, and how large a packet may be.

    Args:
        settings: the broker and what to ask of it.
        inbox: where everything goes.
        subscriptions: what to receive, over all connections.
        context: for TLS, else None.
    """

    name = "MQTT 3.1.1"

    def __init__(
        self,
        settings: MqttSettings,
        inbox: Inbox,
        subscriptions: Subscriptions,
        context: ssl.SSLContext | None,
    ) -> None:
        self._settings, self._inbox, self._context = settings, inbox, context
        self._subscriptions = subscriptions
        self._wire: PahoWire | None = None

    @property
    def caveats(self) -> str:
        """What the broker did not grant."""
        return "; ".join(self._subscriptions.caveats)

    async def converse(self) -> Ending:
        """Connect, subscribe and receive until it is over; when cancelled, leave cleanly."""
        client = _make_client(self._settings, self._context)
        wire = PahoWire(self._settings, self._inbox, self._subscriptions, client)
        self._wire = wire
        try:
            await wire.connect()
            return await wire.watch()
        except (OSError, UnicodeError) as error:  # the latter for a host name that cannot be encoded
            return endings.unreachable(self._settings, error)
        finally:
            self._wire = None
            wire.leave()

    def subscribe(self) -> None:
        """Have the broker send what is wanted now; without a connection the next one does it."""
        if self._wire:
            self._wire.ask()

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge these messages in this order."""
        if self._wire:
            self._wire.acknowledge(receipts)

    def drop(self, ending: Ending) -> None:
        """Break the connection off and hand over nothing more of it."""
        if self._wire:
            self._wire.end(ending)

    def resume(self) -> None:
        """Read on after the inbox was crowded."""
        if self._wire:
            self._wire.resume()


class PahoWire:
    """One connection. paho calls back from within ``loop_*``; its client is closed only outside of those."""

    def __init__(
        self, settings: MqttSettings, inbox: Inbox, subscriptions: Subscriptions, client: Client
    ) -> None:
        self._settings, self._inbox, self._subscriptions = settings, inbox, subscriptions
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ending] = self._loop.create_future()
        self._accepted = False
        self._subscribed = False
        self._deadline = self._loop.time() + ANSWER_TIME
        self._reading = False
        self._arrived = self._arrived_bytes = 0
        self._client = client
        client.on_connect = self._on_connect
        client.on_subscribe = client.on_unsubscribe = self._on_granted
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    # --- called by the dialect -------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the socket, do the TLS handshake and send CONNECT; raises OSError when that fails."""
        attempt = self._loop.run_in_executor(
            None, self._client.connect, self._settings.host, self._settings.port, self._settings.keep_alive
        )
        try:
            await asyncio.shield(attempt)
        except asyncio.CancelledError:
            # The thread cannot be interrupted; its socket would stay open.
            await asyncio.wait([attempt])
            if not attempt.cancelled():
                attempt.exception()
            raise
        self._start_reading()

    async def watch(self) -> Ending:
        """Keep the connection alive until it is over."""
        self._deadline = self._loop.time() + ANSWER_TIME
        while not self._ended.done():
            await asyncio.wait([self._ended], timeout=min(_TICK, self._settings.keep_alive / 2))
            if not self._ended.done():
                self._check(self._loop.time())
        return self._ended.result()

    def _check(self, now: float) -> None:
        """Ping; give up a broker that does not answer; ask again for what it refused a while ago."""
        self._client.loop_misc()
        if self._subscribed and self._subscriptions.asked is None:
            self.ask()
        elif self._accepted and not self._reading:
            self._deadline = now + ANSWER_TIME  # the answer may be among what is not read yet
        elif now > self._deadline:
            self.end(endings.late(self._settings, ANSWER_TIME, accepted=self._accepted))

    def ask(self) -> None:
        """Subscribe and unsubscribe as is wanted now; one question at a time."""
        connected = self._accepted and not self._ended.done()
        if connected and (asked := self._subscriptions.next(self._loop.time())) is not None:
            self._deadline = self._loop.time() + ANSWER_TIME
            if asked.subscribe:
                self._client.subscribe([(text, 1) for text in asked.filters])
            else:
                self._client.unsubscribe(list(asked.filters))

    def end(self, ending: Ending) -> None:
        """It is over; the first reason counts, and nothing more is handed over."""
        if not self._ended.done():
            self._ended.set_result(ending)

    def leave(self) -> None:
        """Send DISCONNECT if there is a connection, and close the socket; the broker keeps the session."""
        self.end(endings.closed(self._settings))
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:
            # The DISCONNECT could not be written at once: paho closes when it finds the socket shut.
            _shut(sock)
            self._client.loop_write()
            self._client.loop_read()

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Queue a PUBACK for each message, in this order, and write them."""
        for receipt in receipts:
            self._client.ack(receipt & 0xFFFF, 2 if receipt & _QOS2 else 1)
        self._client.loop_write()

    def resume(self) -> None:
        """Read on after the inbox was crowded."""
        if not self._ended.done() and not self._reading:
            self._start_reading()

    # --- socket ----------------------------------------------------------------------------------------------

    def _start_reading(self) -> None:
        sock = self._client.socket()
        if sock is not None:
            self._reading = True
            self._loop.add_reader(sock.fileno(), self._on_readable)
            # TLS may hold decrypted bytes that the socket does not tell of any more.
            self._loop.call_soon(self._on_readable)

    def _stop_reading(self, sock: "SocketLike") -> None:
        self._reading = False
        self._loop.remove_reader(sock.fileno())

    def _on_readable(self) -> None:
        sock = self._client.socket()
        for _ in range(READ_AT_ONCE):
            before = self._arrived
            if sock is None or self._ended.done() or not self._reading:
                break
            try:
                self._client.loop_read()
            except Exception:  # noqa: BLE001  # whatever paho trips over in hostile bytes ends this connection only
                self._inbox.malformed += 1
                self.end(endings.unreadable(self._settings))
            sock = self._client.socket()
            if self._arrived == before and not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                break
        else:
            self._loop.call_soon(self._on_readable)
        self._post()
        if self._inbox.crowded and self._reading and sock is not None:
            self._stop_reading(sock)

    def _post(self) -> None:
        if self._arrived:
            self._inbox.post(self._arrived, self._arrived_bytes)
            self._arrived = self._arrived_bytes = 0

    def _on_register_write(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        # CONNECT is queued in the thread that connects.
        self._loop.call_soon_threadsafe(self._start_writing, sock)

    def _start_writing(self, sock: "SocketLike") -> None:
        if self._client.socket() is sock and self._client.want_write():
            self._loop.add_writer(sock.fileno(), self._client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_writer(sock.fileno())

    def _on_socket_close(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_writer(sock.fileno())
        self._stop_reading(sock)

    # --- called by paho --------------------------------------------------------------------------------------

    def _on_connect(self, _c: Client, _d: object, flags: ConnectFlags, code: ReasonCode, _: object) -> None:
        if self._ended.done():
            return
        if code.is_failure:
            self.end(endings.refused(self._settings, code.value))
            return
        self._accepted = True
        self._inbox.open()
        self._subscriptions.opened(kept=flags.session_present)
        self.ask()

    def _on_granted(self, _c: Client, _d: object, _id: int, codes: list[ReasonCode], _: object) -> None:
        asked = self._subscriptions.asked
        if self._ended.done() or asked is None:
            return
        # An UNSUBACK of MQTT 3.1.1 carries no codes: it always succeeds.
        grants = [Grant(code.value, "not allowed") for code in codes] if asked.subscribe else []
        ending = self._subscriptions.answered(grants, self._loop.time())
        if ending is not None:
            self.end(ending)
            return
        self._subscribed = True
        self._post()
        self._inbox.say(Link(up=True))
        self.ask()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._ended.done():
            return
        try:
            arrived = Message(message.topic, bytes(message.payload), message.retain)
        except UnicodeDecodeError:
            self._inbox.malformed += 1
            arrived = Message(MALFORMED_TOPIC, bytes(message.payload), message.retain)
        self._inbox.items.append(arrived)
        self._inbox.receipts.append((NO_RECEIPT, message.mid, message.mid | _QOS2)[message.qos])
        self._arrived += 1
        self._arrived_bytes += len(arrived.payload) + len(arrived.topic)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _: object
    ) -> None:
        if code.value == DisconnectReasonCode.PROTOCOL_ERROR.value and not self._ended.done():
            self._inbox.malformed += 1
        self.end(_disconnected(self._settings, code.value, accepted=self._accepted))


def _disconnected(settings: MqttSettings, code: int, *, accepted: bool) -> Ending:
    """What paho's reason for a disconnect means."""
    if code == DisconnectReasonCode.KEEP_ALIVE_TIMEOUT.value:
        return endings.silent(settings)
    if code == DisconnectReasonCode.PROTOCOL_ERROR.value:
        return endings.unreadable(settings) if accepted else endings.other_version(settings)
    return endings.closed(settings) if accepted else endings.unanswered(settings)


def _make_client(settings: MqttSettings, context: ssl.SSLContext | None) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        settings.client_id,
        clean_session=False,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = ANSWER_TIME
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    if context:
        context.sslsocket_class = _ClosingSocket
        client.tls_set_context(context)
    return client


class _ClosingSocket(ssl.SSLSocket):
    """paho forgets the socket when the TLS handshake fails, so it closes itself."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _shut(sock: "SocketLike") -> None:
    if isinstance(sock, socket.socket):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is shut already
