"""The live feed: what was committed, to whoever is listening now."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple

from gateway.core.effects import Outcome
from gateway.core.values import TelemetryRow

BACKLOG = 256
"""Batches a listener may lie behind before it is cut off; it then comes back with the last id it saw."""


class Published(NamedTuple):
    """One committed batch. ``last`` is the number of its last outcome; outcomes are numbered without gaps."""

    last: int
    outcomes: Sequence[Outcome]
    rows: Sequence[TelemetryRow]


class Listener:
    """One subscription."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Published | None] = asyncio.Queue(BACKLOG)
        self.cut_off = False
        """Whether it was too slow and has missed something."""

    def offer(self, batch: Published | None) -> None:
        """Hand over a batch, or None for the end."""
        try:
            self._waiting.put_nowait(batch)
        except asyncio.QueueFull:
            self.cut_off = True

    async def batches(self) -> AsyncIterator[Published]:
        """What is published from now on, until the gateway stops or the listener is cut off."""
        while not self.cut_off:
            batch = await self._waiting.get()
            if batch is None:
                return
            yield batch


class Feed:
    """Publishes to every listener and waits for none."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self.cut_off = 0
        """Listeners dropped because they could not keep up."""

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def publish(self, batch: Published) -> None:
        """Tell everybody."""
        for listener in list(self._listeners):
            listener.offer(batch)
            if listener.cut_off:
                self._listeners.discard(listener)
                self.cut_off += 1

    @contextlib.contextmanager
    def listening(self) -> Iterator[Listener]:
        """A subscription for the length of a block."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every subscription."""
        for listener in self._listeners:
            listener.offer(None)
        self._listeners.clear()
