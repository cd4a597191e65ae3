"""Recording what comes over a live broker, the losses of the connection included."""

import asyncio
import logging
import random
import re
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import aiomqtt

from gateway.clock import Clock
from gateway.core.inputs import LinkLost, LinkUp
from gateway.core.values import Message, Millis
from gateway.traffic import TrafficInput
from gateway.traffic.masking import Mask
from simulators.errors import SimulationError
from simulators.filters import distinct
from simulators.line import CONNECT_WITHIN, FIRST_PAUSE, LONGEST_PAUSE, Address
from simulators.reel import Reel

FLUSH_EVERY = 1.0
"""Seconds: as much is lost at the most when the process is killed."""
KEEP_ALIVE = 20
"""Seconds; a broker that says nothing for half as long again is taken for dead."""
UNSAID = "Unspecified error"
"""The client's word for a connection that broke without any."""
REFUSED = 128
"""From this code on a subscription is refused."""


class Tally(NamedTuple):
    """How far a recording is."""

    messages: int
    size: int
    """Bytes on disk."""
    connected: bool
    seconds: float
    """Since the broker accepted the first connection."""


class Recorded(NamedTuple):
    """What a recording came to."""

    messages: int
    losses: int
    """How often the broker was lost."""
    size: int
    """Bytes on disk."""
    seconds: float
    files: tuple[Path, ...]
    """Finished files, oldest first; deleted ones left out."""


async def record(
    url: str,
    filters: Iterable[str],
    reel: Reel,
    *,
    stop: asyncio.Event,
    duration: float | None = None,
    mask: Mask | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Tally], None] | None = None,
) -> Recorded:
    """Subscribe with QoS 1 and write every message as it comes, until ``stop`` is set or the time is up.

    What has come is written before more is read: where the disk is slower than the network, the broker waits. A lost
    connection is a line in the file and is made again, with pauses that grow up to 10 s.

    Args:
        url: the broker, with user and password where it asks for them; neither is ever repeated.
        filters: topic filters; those that others cover are left out.
        reel: where the lines go; it is closed in the end, after an error as a part.
        stop: set to end the recording.
        duration: seconds after the first connection; None goes on until ``stop``.
        mask: replaces what is personal.
        say: told when the connection is lost and made again, in words.
        progress: told about once a second.

    Raises:
        SimulationError: the broker is not there at the beginning, or refuses us or a filter.
        TrafficError: the file cannot be written; what was written can be read.
    """
    recorder = _Recorder(Address.parse(url), distinct(filters), reel, mask, say)
    complete = False
    try:
        await recorder.run(stop, duration, progress)
        complete = True
    finally:
        reel.close(complete=complete)
    return Recorded(recorder.messages, recorder.losses, reel.size, recorder.seconds, tuple(reel.files))


class _Ear(aiomqtt.Client):
    """A client that gives away at once all that has come."""

    def waiting(self) -> Iterator[aiomqtt.Message]:
        """Everything in the queue."""
        while not self._queue.empty():
            yield self._queue.get_nowait()


class _Recorder:
    def __init__(
        self,
        address: Address,
        filters: tuple[str, ...],
        reel: Reel,
        mask: Mask | None,
        say: Callable[[str], None],
    ) -> None:
        self._address, self._filters, self._reel, self._mask, self._say = address, filters, reel, mask, say
        self._clock = Clock()
        self._name = f"fgw-record-{secrets.token_hex(4)}"
        self._jitter = random.Random(self._name)
        self._connected = False
        self._first = asyncio.Event()
        self._began = 0.0
        self._lost_at: float | None = None
        self.messages = 0
        self.losses = 0

    @property
    def seconds(self) -> float:
        """Since the broker accepted the first connection."""
        return time.monotonic() - self._began if self._first.is_set() else 0.0

    async def run(
        self, stop: asyncio.Event, duration: float | None, progress: Callable[[Tally], None] | None
    ) -> None:
        """Record until it is time to stop. What goes wrong in one of the tasks ends all of them."""
        tasks = [
            asyncio.create_task(self._listen(), name="recorder"),
            asyncio.create_task(self._tend(progress), name="recorder's file"),
            asyncio.create_task(stop.wait(), name="recorder's end"),
        ]
        if duration is not None:
            tasks.append(asyncio.create_task(self._last(duration), name="recorder's time"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _last(self, duration: float) -> None:
        await self._first.wait()
        await asyncio.sleep(duration)

    async def _tend(self, progress: Callable[[Tally], None] | None) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            self._reel.tend(self._clock.now())
            if progress is not None:
                progress(Tally(self.messages, self._reel.size, self._connected, self.seconds))

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._session()
            except aiomqtt.MqttError as error:
                words = _words(error)
                if not self._first.is_set():
                    raise SimulationError(f"no broker accepts us at {self._address}: {words}") from error
                if self._connected:
                    self._lose(words)
                    pause = FIRST_PAUSE
            await asyncio.sleep(pause * self._jitter.uniform(0.5, 1.0))
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _session(self) -> None:
        """One connection: returns never, raises once it is lost."""
        async with self._client() as client:
            for word, one in zip(await self._subscribe(client), self._filters, strict=False):
                if word >= REFUSED:
                    raise self._refused(one)
            self._regain()
            try:
                async for message in client.messages:
                    self._take(message)
                    for another in client.waiting():
                        self._take(another)
            finally:
                for message in client.waiting():
                    self._take(message)

    async def _subscribe(self, client: _Ear) -> list[int]:
        granted = await client.subscribe([(one, 1) for one in self._filters])
        return [one if isinstance(one, int) else one.value for one in granted]

    def _refused(self, one: str) -> Exception:
        words = f"the broker at {self._address} does not let us listen to {one!r}"
        return aiomqtt.MqttError(words) if self._first.is_set() else SimulationError(words)

    def _client(self) -> _Ear:
        where = self._address
        return _Ear(
            where.host,
            where.port,
            username=where.username,
            password=where.password,
            identifier=self._name,
            logger=_quiet(),
            timeout=CONNECT_WITHIN,
            keepalive=KEEP_ALIVE,
            tls_context=ssl.create_default_context() if where.tls else None,
            # Without this, acknowledgements wait for the broker's delayed TCP ones, 40 ms each.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def _take(self, message: aiomqtt.Message) -> None:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        self._write(Message(str(message.topic), payload, bool(message.retain)), message.qos)
        self.messages += 1

    def _write(self, one: Message, qos: int) -> None:
        at = self._clock.now()
        kept: TrafficInput = one if self._mask is None else self._mask.line(at, one)
        self._reel.write(at, kept, qos)

    def _regain(self) -> None:
        self._reel.write(at := self._clock.now(), LinkUp(at))
        self._connected = True
        if not self._first.is_set():
            self._began = time.monotonic()
            self._first.set()
        if self._lost_at is not None:
            self._say(f"connected to {self._address} again after {time.monotonic() - self._lost_at:.1f} s")
            self._lost_at = None

    def _lose(self, words: str) -> None:
        at: Millis = self._clock.now()
        self._reel.write(at, LinkLost(at, words))
        self._connected, self._lost_at = False, time.monotonic()
        self.losses += 1
        self._say(f"connection to {self._address} lost: {words}; connecting again")


def _words(error: BaseException) -> str:
    """What went wrong, in the broker's words where it gave any."""
    words = re.sub(r"^\[code:\d+\] ", "", str(error.__cause__ or error))
    return words if words not in ("", UNSAID) else "the connection broke"


def _quiet() -> logging.Logger:
    """For the client's own words on a lost connection, which are said better elsewhere."""
    logger = logging.getLogger(f"{__name__}.client")
    logger.setLevel(logging.CRITICAL)
    return logger
