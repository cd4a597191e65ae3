"""One MQTT connection of a publisher: paho-mqtt on the asyncio loop.

paho reads and writes only when told to (``loop_read``, ``loop_write``, ``loop_misc``). Its connect blocks, and so runs
in a thread.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.reasoncodes import ReasonCode

from simulators.publication import Publication

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # exists for type checkers only

KEEP_ALIVE = 30
"""Seconds without a word after which the broker is asked for one; after as many again it is taken for dead."""
TICK = 1.0
"""Seconds between looks at the keep-alive."""
REFUSALS = {
    133: "it does not take our client id",
    134: "user or password is wrong",
    135: "we are not authorised",
    136: "it is not available",
}
"""What a CONNACK says, by paho's reason code."""
HUNG_UP = "what answers there closes the connection"
PROTOCOL_ERROR, TIMEOUT = 130, 141
"""paho's reason codes for what is no MQTT and for a broker that does not answer a ping."""


class Wire:
    """One connection, made once and used until it is lost.

    Args:
        client: with user, last will and TLS set, and never connected.
        taken: called with the number of each publication as the broker acknowledges it; at QoS 0 as it is written.
    """

    def __init__(self, client: Client, taken: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[OSError | None] = self._loop.create_future()
        self._ended: asyncio.Future[OSError] = self._loop.create_future()
        self._client = client
        client.on_publish = lambda _client, _data, number, _code, _properties: taken(number)

    async def open(self, host: str, port: int, within: float) -> None:
        """Connect.

        Args:
            host: name or address of the broker.
            port: where it listens.
            within: seconds it may take to accept the connection, and again to answer CONNECT.

        Raises:
            OSError: there is no broker, it refuses us, or it does not answer in time.
        """
        self._client.connect_timeout = within
        async with asyncio.timeout(within):
            await self._dial(host, port)
        try:
            self._attend()
            await self._accepted(within)
        except BaseException:
            self.close()
            raise

    def publish(self, one: Publication) -> int:
        """Hand a publication over to be written; its number, which ``taken`` will be called with.

        Raises:
            ValueError: MQTT has no such topic, or the payload is too long.
        """
        return self._client.publish(one.topic, one.payload, one.qos, one.retain).mid

    async def watch(self) -> None:
        """Keep the connection alive; raises OSError when it is lost, which is the only way it ends."""
        while not self._ended.done():
            await asyncio.wait([self._ended], timeout=TICK)
            self._client.loop_misc()
        raise self._ended.result()

    def cut(self) -> None:
        """Lose the connection without good-bye."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # it is lost already
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Say good-bye if there is a connection, and close it."""
        self._client.disconnect()
        self._client.loop_write()
        if self._client.socket() is not None:
            # The good-bye could not be written at once; paho closes a socket when it finds it shut.
            self.cut()
            self._client.loop_write()
            self._client.loop_read()

    # --- socket ----------------------------------------------------------------------------------------------

    async def _dial(self, host: str, port: int) -> None:
        """Have paho connect and send CONNECT, in a thread of its own, which nobody waits for when we are cancelled."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="dial")
        dialled = pool.submit(self._client.connect, host, port, KEEP_ALIVE)
        pool.shutdown(wait=False)
        try:
            await asyncio.wrap_future(dialled)
        except UnicodeError as error:
            raise OSError(f"{host} can be no name of a machine") from error
        except asyncio.CancelledError:
            dialled.add_done_callback(lambda _: self._client.disconnect())
            raise

    async def _accepted(self, within: float) -> None:
        async with asyncio.timeout(within):
            trouble = await self._answered
        if trouble is not None:
            raise trouble

    def _attend(self) -> None:
        """From here on paho calls back, and does so on the loop."""
        sock = self._client.socket()
        if sock is None:
            raise ConnectionError(HUNG_UP)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_register_write
        self._client.on_socket_unregister_write = self._on_unregister_write
        self._loop.add_reader(sock.fileno(), self._read)
        if self._client.want_write():
            self._loop.add_writer(sock.fileno(), self._client.loop_write)

    def _read(self) -> None:
        self._client.loop_read()
        # TLS may hold decrypted bytes that the socket does not tell of any more.
        while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
            self._client.loop_read()

    def _on_register_write(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        self._loop.add_writer(sock.fileno(), self._client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_writer(sock.fileno())

    def _on_socket_close(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        self._loop.remove_writer(sock.fileno())
        self._loop.remove_reader(sock.fileno())

    # --- called by paho --------------------------------------------------------------------------------------

    def _on_connect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _: object
    ) -> None:
        if code.is_failure:
            self._end(f"the broker refuses us: {REFUSALS.get(code.value, f'code {code.value}')}")
        elif not self._answered.done():
            self._answered.set_result(None)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: object, code: ReasonCode, _: object
    ) -> None:
        if code.value == PROTOCOL_ERROR:
            self._end("what answers there does not speak MQTT 3.1.1")
        elif code.value == TIMEOUT:
            self._end(f"the broker has said nothing for {2 * KEEP_ALIVE} s")
        elif self._answered.done():
            self._end("the broker closed the connection")
        else:
            self._end(HUNG_UP)

    def _end(self, words: str) -> None:
        """It is over; the first reason counts."""
        trouble = ConnectionError(words)
        if not self._answered.done():
            self._answered.set_result(trouble)
        if not self._ended.done():
            self._ended.set_result(trouble)


class ClosingSocket(ssl.SSLSocket):
    """paho forgets the socket when the TLS handshake fails, so it closes itself."""

    def do_handshake(self, block: bool = False) -> None:
        """As everywhere; raises OSError when it fails."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
