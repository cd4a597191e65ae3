"""One MQTT connection of a simulation: sends in order, keeps what was not acknowledged, connects again."""

import asyncio
import itertools
import logging
import random
import socket
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiomqtt

from simulators.errors import SimulationError
from simulators.publication import Publication

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between attempts to connect, doubling in between."""
CONNECT_WITHIN = 10.0
ACKNOWLEDGED_WITHIN = 60.0
"""Seconds after which a broker that does not acknowledge is taken for dead."""
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
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise SimulationError(f"broker address {url!r}: {error}") from error
        if parts.scheme not in PORTS or not parts.hostname:
            raise SimulationError(f"broker address {url!r}: expected mqtt://host:port or mqtts://host:port")
        user, password = (
            None if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        return cls(parts.hostname, port or PORTS[parts.scheme], user, password, parts.scheme == "mqtts")

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Client(aiomqtt.Client):
    """A client that can lose its connection the way a device does: without saying good-bye."""

    def cut(self) -> None:
        """Close the socket under the connection, so that the broker sends the last will."""
        wire = self._client.socket()
        if isinstance(wire, socket.socket):
            wire.shutdown(socket.SHUT_RDWR)


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
        self._unacknowledged: dict[int, Publication] = {}
        self._numbers = itertools.count()
        self._jitter = random.Random(name)
        self._connected = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._client: Client | None = None
        self._waiting = 0
        self.sent = 0
        """Publications the broker has acknowledged."""
        self.reconnects = 0

    async def run(self) -> None:
        """Connect, stay connected and send until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._open() as client:
                    pause = FIRST_PAUSE
                    await self._serve(client)
            except* aiomqtt.MqttError as group:
                log.info("%s: connection to %s lost: %s", self._name, self._address, group.exceptions[0])
            finally:
                self._connected.clear()
                self._client = None
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
        if self._client is not None:
            self._client.cut()

    def _open(self) -> Client:
        will = self._will
        return Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._name,
            timeout=CONNECT_WITHIN,
            max_inflight_messages=self._window,
            tls_context=ssl.create_default_context() if self._address.tls else None,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            # Without this, small messages wait for the broker's delayed TCP acknowledgement, 40 ms each.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _serve(self, client: Client) -> None:
        """Send again what the last connection left unacknowledged, then whatever comes."""
        client.pending_calls_threshold = self._window + 1
        self._client = client
        self._connected.set()
        slots = asyncio.Semaphore(self._window)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(client), name=f"{self._name} watch")
            for number in sorted(self._unacknowledged):
                await slots.acquire()
                tasks.create_task(self._publish(client, number, slots), name=f"{self._name} {number}")
            while True:
                await slots.acquire()
                publication = await self._queue.get()
                number = next(self._numbers)
                self._unacknowledged[number] = publication
                tasks.create_task(self._publish(client, number, slots), name=f"{self._name} {number}")

    async def _publish(self, client: Client, number: int, slots: asyncio.Semaphore) -> None:
        message = self._unacknowledged[number]
        await client.publish(
            message.topic, message.payload, message.qos, message.retain, timeout=ACKNOWLEDGED_WITHIN
        )
        del self._unacknowledged[number]
        slots.release()
        self.sent += 1
        self._waiting -= 1
        if not self._waiting:
            self._idle.set()

    async def _watch(self, client: Client) -> None:
        """Notice a lost connection also while there is nothing to send."""
        async for _ in client.messages:
            pass
