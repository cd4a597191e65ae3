"""The live feed: what was missed since ``Last-Event-ID`` from the records, then everything as it is committed.

A listener subscribes before the last of the records are read, and outcomes are numbered without gaps, so nothing is
missed and nothing comes twice. Whoever cannot keep up is cut off and comes back with the last id it saw.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import sqlalchemy as sa
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.http.frames import OutcomeFrame, Reading, Writer, Written, outcome_frame, reading_frame
from api.http.gateway_port import GatewayPort
from api.http.problems import Problem
from gateway.adapters.sql import records
from gateway.errors import StoreError
from gateway.feed import Listener

HEARTBEAT = 15.0
"""Seconds without a word after which a comment is sent, so that proxies keep the connection."""
STALLED = 30.0
"""Seconds a client may leave its connection full before it is given up."""
STREAMS_MOST = 256
"""Streams at a time."""
CHUNK = 500
"""Outcomes read from the records at a time."""

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}


class Wanted(NamedTuple):
    """What a client wants to hear."""

    groups: frozenset[str] | None
    """None: all."""
    devices: frozenset[str] | None
    readings: str
    """``none``, ``latest`` (at most one per device and ``every``), or ``all``."""
    every: float
    """Seconds."""

    def outcomes(self, frames: Iterable[OutcomeFrame]) -> list[bytes]:
        """Those among the outcomes."""
        return [
            frame.data
            for frame in frames
            if (self.groups is None or frame.group in self.groups)
            and (self.devices is None or frame.device in self.devices)
        ]


class Live:
    """All streams of one server."""

    def __init__(self, gateway: GatewayPort, heartbeat: float = HEARTBEAT) -> None:
        self.gateway = gateway
        self.heartbeat = heartbeat
        self.writer = Writer()
        self.stopping = asyncio.Event()
        self.streams = 0

    def open(self, wanted: Wanted, last: int | None) -> Response:
        """A stream. Raises :class:`Problem` when there are too many, or the server is about to stop."""
        if self.stopping.is_set() or self.streams >= STREAMS_MOST:
            raise Problem(503, f"{self.streams} live streams are open already", {"Retry-After": "5"})
        return Stream(self, wanted, last)

    def close(self) -> None:
        """End every stream."""
        self.stopping.set()


class Stream(Response):
    """One client's stream."""

    def __init__(self, live: Live, wanted: Wanted, last: int | None) -> None:
        super().__init__()
        self._live, self._wanted = live, wanted
        self._seen = last
        self._pending: dict[str, Reading] = {}
        self._flushed = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes, cannot keep up, or the gateway stops."""
        del scope
        self._live.streams += 1
        tasks = {
            asyncio.create_task(self._write(send), name="live feed"),
            asyncio.create_task(_gone(receive), name="live feed, client"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._live.streams -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send(_START)
        with contextlib.suppress(TimeoutError):  # the client does not read: nothing more can be said to it
            async for part in self._parts():
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _parts(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n: connected\n\n"
        try:
            if self._seen is not None:
                async for part in self._missed(whole=False):
                    yield part
            with self._live.gateway.feed.listening() as listener:
                if self._seen is None:
                    _, newest = await self._live.gateway.store.read(records.outcome_range)
                    self._seen = newest
                    yield b"id: %d\n\n" % newest
                else:
                    async for part in self._missed(whole=True):
                        yield part
                async for part in self._follow(listener):
                    yield part
                words = (
                    b"too slow: come back with the last id"
                    if listener.cut_off
                    else b"the gateway is stopping"
                )
        except StoreError:
            words = b"the records cannot be read: come back with the last id"
        yield b": %b\n\n" % words

    async def _missed(self, *, whole: bool) -> AsyncIterator[bytes]:
        """From the records: all of it, or so much that little is left for the time of the subscription."""
        gateway, timezone = self._live.gateway, self._live.gateway.plan.timezone
        oldest, newest = await gateway.store.read(records.outcome_range)
        seen = self._seen or 0
        if seen > newest or (oldest and seen < oldest - 1):
            self._seen = newest
            yield (
                b'id: %d\nevent: reset\ndata: {"reason":"what happened since is not on record"}\n\n' % newest
            )
        while not self._live.stopping.is_set():
            found = await self._live.gateway.store.read(self._next_outcomes)
            if found:
                self._seen = found[-1].seq
                yield b"".join(
                    self._wanted.outcomes(outcome_frame(seq, outcome, timezone) for seq, outcome in found)
                )
            if len(found) < (1 if whole else CHUNK):
                return

    def _next_outcomes(self, connection: sa.Connection) -> list[records.Happening]:
        return records.outcomes(connection, self._seen or 0, CHUNK)

    async def _follow(self, listener: Listener) -> AsyncIterator[bytes]:
        """As it is committed."""
        live, clock = self._live, asyncio.get_running_loop().time
        batches = listener.batches()
        coming = asyncio.ensure_future(anext(batches, None))
        stopping = asyncio.ensure_future(live.stopping.wait())
        spoken = clock()
        try:
            while not stopping.done():
                due = spoken + live.heartbeat
                if self._pending:
                    due = min(due, self._flushed + self._wanted.every)
                await asyncio.wait(
                    {coming, stopping}, timeout=max(0.0, due - clock()), return_when=asyncio.FIRST_COMPLETED
                )
                parts: list[bytes] = []
                if coming.done():
                    batch = coming.result()
                    if batch is None:
                        return
                    coming = asyncio.ensure_future(anext(batches, None))
                    parts += self._take(live.writer.write(batch, live.gateway.plan))
                parts += self._flush(clock())
                if not parts and clock() - spoken >= live.heartbeat:
                    parts.append(b": still here\n\n")
                if parts:
                    yield b"".join(parts)
                    spoken = clock()
        finally:
            coming.cancel()
            stopping.cancel()

    def _take(self, batch: Written) -> list[bytes]:
        """What this client wants of a batch."""
        wanted, seen = self._wanted, self._seen or 0
        parts: list[bytes] = []
        if wanted.readings == "all":
            if wanted.devices is None:
                parts += batch.frames
            else:
                pairs = zip(batch.readings, batch.frames, strict=True)
                parts += [frame for reading, frame in pairs if reading.device in wanted.devices]
        elif wanted.readings == "latest":
            for reading in batch.readings:
                if wanted.devices is None or reading.device in wanted.devices:
                    self._pending[reading.device] = merged(self._pending.get(reading.device), reading)
        parts += wanted.outcomes(frame for frame in batch.outcomes if frame.seq > seen)
        self._seen = max(seen, batch.last)
        return parts

    def _flush(self, now: float) -> list[bytes]:
        """The latest readings, once their time has come."""
        if not self._pending or now - self._flushed < self._wanted.every:
            return []
        timezone = self._live.gateway.plan.timezone
        parts = [reading_frame(reading, timezone) for reading in self._pending.values()]
        self._pending.clear()
        self._flushed = now
        return parts


def merged(one: Reading | None, other: Reading) -> Reading:
    """Two readings of a device as one: of each point the newer value."""
    if one is None:
        return other
    older, newer = (one, other) if one.ts <= other.ts else (other, one)
    return Reading(newer.device, newer.ts, {**older.values, **newer.values})


async def _gone(receive: Receive) -> None:
    """Return once the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
