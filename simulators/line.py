"""One MQTT connection of a simulation: sends in order, keeps what was not acknowledged, connects again."""

import asyncio
import contextlib
import logging
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulators.errors import SimulationError
from simulators.publication import Publication
from simulators.wire import ClosingSocket, Wire

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between attempts to connect, doubling in between."""
CONNECT_WITHIN = 10.0
"""Seconds a broker may take to accept a connection, and again to answer CONNECT."""
PORTS = {"mqtt": 1883, "mqtts": 8883}


class Address(NamedTuple):
    """Where a broker is and who we are there."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take ``mqtt://[user:password@]host[:port]`` apart; ``mqtts`` means TLS.

        Raises:
            SimulationError: it is not such a URL.
        """
        shown = f"…@{url.rpartition('@')[2]}" if "@" in url else url
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            words = "" if "@" in url else f": {error}"  # the error may quote a password with a / in it
            raise SimulationError(f"broker address {shown!r} cannot be read{words}") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise SimulationError(f"broker address {shown!r}: expected mqtt://host:port or mqtts://host:port")
        user, password = (
            None if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        return cls(parts.hostname, port or PORTS[parts.scheme], user, password, parts.scheme == "mqtts")

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Line:
    """A connection with a bounded queue. Publications leave in the order they were given, also after a reconnect.

    Args:
        address: the broker.
        name: the client id.
        window: how many publications may be on their way unacknowledged; as many again may wait in the queue.
        will: the last will, if the connection is to have one.
    """

    def __init__(
        self, address: Address, name: str, *, window: int = 200, will: Publication | None = None
    ) -> None:
        self._address = address
        self._name = name
        self._window = window
        self._will = will
        self._queue: asyncio.Queue[Publication] = asyncio.Queue(window)
        self._flying: dict[int, Publication] = {}
        self._jitter = random.Random(name)
        self._connected = asyncio.Event()
        self._freed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._wire: Wire | None = None
        self._waiting = 0
        self.sent = 0
        """Publications the broker has acknowledged."""
        self.reconnects = 0
        self.trouble = ""
        """Why there was no connection the last time; empty when there always was."""

    async def run(self) -> None:
        """Connect, stay connected and send until cancelled.

        Raises:
            SimulationError: a publication is none that MQTT can carry; as the only one in groups of exceptions.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._open() as wire:
                    pause = FIRST_PAUSE
                    await self._serve(wire)
            except* OSError as group:
                self.trouble = _words(first(group))
                log.info("%s: connection to %s lost: %s", self._name, self._address, self.trouble)
            finally:
                self._connected.clear()
                self._wire = None
            self.reconnects += 1
            await asyncio.sleep(pause * self._jitter.uniform(0.5, 1.0))
            pause = min(LONGEST_PAUSE, pause * 2)

    async def connected(self) -> None:
        """Return once the broker has accepted the connection."""
        await self._connected.wait()

    async def send(self, publication: Publication) -> None:
        """Queue a publication; waits while the queue is full, which is how a slow broker slows the simulation."""
        self._waiting += 1
        self._idle.clear()
        await self._queue.put(publication)

    async def drained(self) -> None:
        """Return once everything queued has been acknowledged."""
        await self._idle.wait()

    async def cut(self) -> None:
        """Lose the connection without good-bye once everything before has been acknowledged."""
        await self.drained()
        if self._wire is not None:
            self._wire.cut()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[Wire]:
        """A connection the broker has accepted; it is told when we go of our own will."""
        wire = Wire(_client(self._address, self._name, self._will), self._taken)
        await wire.open(self._address.host, self._address.port, CONNECT_WITHIN)
        try:
            yield wire
        finally:
            wire.close()

    async def _serve(self, wire: Wire) -> None:
        """Send again what the last connection left unacknowledged, then whatever comes."""
        again = deque(self._flying.values())
        self._flying.clear()
        self._wire = wire
        self._connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wire.watch(), name=f"{self._name} signs of life")
            await self._pump(wire, again)

    async def _pump(self, wire: Wire, again: deque[Publication]) -> None:
        while True:
            while len(self._flying) >= self._window:
                self._freed.clear()
                await self._freed.wait()
            # From here to the entry in `_flying` nothing may wait: a publication is always in one of them.
            one = again.popleft() if again else await self._queue.get()
            try:
                number = wire.publish(one)
            except ValueError as error:
                raise SimulationError(f"no broker takes a message for {one.topic[:80]!r}: {error}") from error
            self._flying[number] = one

    def _taken(self, number: int) -> None:
        """The broker has acknowledged a publication."""
        del self._flying[number]
        self.sent += 1
        self._waiting -= 1
        self._freed.set()
        if not self._waiting:
            self._idle.set()


def _client(address: Address, name: str, will: Publication | None) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        name,
        clean_session=True,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages = 0  # without a limit: the window is ours
    client.username_pw_set(address.username, address.password)
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    if address.tls:
        context = ssl.create_default_context()
        context.sslsocket_class = ClosingSocket
        client.tls_set_context(context)
    return client


def first(error: BaseException) -> BaseException:
    """What went wrong first, out of the groups around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _words(error: BaseException) -> str:
    return f"no answer within {CONNECT_WITHIN:g} s" if isinstance(error, TimeoutError) else str(error)
