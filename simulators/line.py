"""One MQTT connection of a simulation: sends in order, keeps what was not acknowledged, connects again."""

import asyncio
import contextlib
import itertools
import logging
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from simulators.errors import SimulationError
from simulators.frames import CONNACK, GOOD_BYE, PING, PUBACK, REFUSALS, Inbox, connect, publish
from simulators.publication import Publication

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between attempts to connect, doubling in between."""
CONNECT_WITHIN = 10.0
KEEP_ALIVE = 20
"""Seconds between two signs of life."""
HEARD_WITHIN = 60.0
"""Seconds after which a broker that says nothing at all is taken for dead."""
CHUNK = 128
"""Publications written at once."""
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
        self._numbers = itertools.cycle(range(1, 65_536))
        self._jitter = random.Random(name)
        self._connected = asyncio.Event()
        self._freed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer: asyncio.StreamWriter | None = None
        self._heard = 0.0
        self._waiting = 0
        self.sent = 0
        """Publications the broker has acknowledged."""
        self.reconnects = 0
        self.trouble = ""
        """Why there was no connection the last time; empty when there always was."""

    async def run(self) -> None:
        """Connect, stay connected and send until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._open() as (reader, writer):
                    pause = FIRST_PAUSE
                    await self._serve(reader, writer)
            except* (OSError, EOFError) as group:
                self.trouble = _words(group)
                log.info("%s: connection to %s lost: %s", self._name, self._address, self.trouble)
            finally:
                self._connected.clear()
                self._writer = None
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
        if self._writer is not None:
            self._writer.transport.abort()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection the broker has accepted; it is told when we go of our own will."""
        where = self._address
        tls = ssl.create_default_context() if where.tls else None
        async with asyncio.timeout(CONNECT_WITHIN):
            reader, writer = await asyncio.open_connection(where.host, where.port, ssl=tls)
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                writer.write(connect(self._name, 2 * KEEP_ALIVE, where.username, where.password, self._will))
                kind, code = (await reader.readexactly(4))[::3]
            if kind >> 4 != CONNACK:
                raise ConnectionError("what answers there does not speak MQTT")
            if code:
                raise ConnectionError(f"the broker refuses us: {REFUSALS.get(code, f'code {code}')}")
            yield reader, writer
        except asyncio.CancelledError:
            writer.write(GOOD_BYE)
            raise
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send again what the last connection left unacknowledged, then whatever comes."""
        again = deque(self._flying.values())
        self._flying.clear()
        self._writer = writer
        self._heard = asyncio.get_running_loop().time()
        self._connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(reader), name=f"{self._name} acknowledgements")
            tasks.create_task(self._stay_alive(writer), name=f"{self._name} signs of life")
            await self._pump(writer, again)

    async def _pump(self, writer: asyncio.StreamWriter, again: deque[Publication]) -> None:
        queue = self._queue
        while True:
            room = min(CHUNK, self._window - len(self._flying))
            if room <= 0:
                self._freed.clear()
                await self._freed.wait()
                continue
            # From here to the entry in `_flying` nothing may wait: a publication is always in one of them.
            batch = [again.popleft()] if again else [await queue.get()]
            while len(batch) < room and (again or not queue.empty()):
                batch.append(again.popleft() if again else queue.get_nowait())
            numbers = [next(self._numbers) for _ in batch]
            self._flying.update(zip(numbers, batch, strict=True))
            writer.write(b"".join(map(publish, batch, numbers)))
            await writer.drain()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        inbox = Inbox()
        loop = asyncio.get_running_loop()
        while data := await reader.read(65_536):
            self._heard = loop.time()
            for answer in inbox.feed(data):
                if answer.kind == PUBACK and self._flying.pop(answer.number, None) is not None:
                    self.sent += 1
                    self._waiting -= 1
            self._freed.set()
            if not self._waiting:
                self._idle.set()
        raise EOFError("the broker closed the connection")

    async def _stay_alive(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < self._heard + HEARD_WITHIN:
            await asyncio.sleep(KEEP_ALIVE)
            writer.write(PING)
        raise TimeoutError(f"the broker has said nothing for {HEARD_WITHIN:.0f} s")


def _words(group: BaseExceptionGroup[BaseException]) -> str:
    """What went wrong first, for a person."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, asyncio.IncompleteReadError):
        return "what answers there closes the connection"
    return str(error) or f"no answer within {CONNECT_WITHIN:.0f} s"
