"""Backtests one after another, beside the live loop: what waits, what runs, what is kept."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from api.http import backtest_messages as messages
from api.http.backtest_process import Ended, ask
from api.http.backtest_shelf import Entry, Shelf
from api.http.context import PATIENCE
from gateway.core.values import Millis

FOLDER: Final = "backtests"
"""In the data directory."""
WAITING_MOST: Final = 5
KEPT_MOST: Final = 20
LIMIT: Final = 7_200.0
"""Seconds a backtest may take."""
CHECK_LIMIT: Final = 120.0
"""Seconds a look at a candidate may take."""

Ending: TypeAlias = Literal["done", "failed", "cancelled"]

log = logging.getLogger(__name__)


class Full(Exception):
    """So many wait already that no further one is taken."""


class Backtests:
    """The backtests of one gateway. Belongs to the loop it is used in.

    What waits or runs when the gateway ends is gone; what has ended is still there afterwards.

    Args:
        data_dir: where the records are, asked for once it is needed.
        limit: seconds a backtest may take.
    """

    def __init__(self, data_dir: Callable[[], Path], limit: float = LIMIT) -> None:
        self._data_dir, self._limit = data_dir, limit
        self._shelf: Shelf | None = None
        self._opening = asyncio.Lock()
        self._checking = asyncio.Semaphore(1)
        self._disk = asyncio.Lock()
        """Held while something is put in its place or removed, so that neither undoes the other."""
        self._kept: dict[str, Entry] = {}
        self._waiting: dict[str, tuple[Entry, messages.Order]] = {}
        self._running: Entry | None = None
        self._attempt: asyncio.Task[messages.Answer] | None = None
        self._work: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        """Set once what runs is over and kept."""
        self._closed = False
        self.process: int | None = None
        """The number of the process of what runs."""

    @property
    def full(self) -> bool:
        """Whether no further one is taken just now."""
        return len(self._waiting) >= WAITING_MOST

    def ahead(self, name: str) -> int | None:
        """How many come before one that waits, the one that runs included; None of one that does not wait."""
        if name not in self._waiting:
            return None
        return list(self._waiting).index(name) + (self._running is not None)

    async def all(self) -> list[Entry]:
        """Every backtest there is, newest first."""
        await self._open()
        running = [] if self._running is None else [self._running]
        found = [*self._kept.values(), *running, *(entry for entry, _ in self._waiting.values())]
        return sorted(found, key=lambda one: (one.asked_at, one.id), reverse=True)

    async def find(self, name: str) -> Entry | None:
        """One of them."""
        return next((one for one in await self.all() if one.id == name), None)

    def file(self, name: str, part: str) -> Path:
        """Where a file of one that is done lies."""
        return self._place().file(name, part)

    async def check(self, order: messages.Order) -> messages.Answer:
        """Look at a candidate, one at a time.

        Raises:
            Ended: nothing came of it.
            TimeoutError: its turn did not come.
        """
        await asyncio.wait_for(self._checking.acquire(), PATIENCE)
        try:
            return await ask(order, CHECK_LIMIT)
        finally:
            self._checking.release()

    async def add(self, entry: Entry, order: messages.Order) -> Entry:
        """Take one on, unless it is there already; returns it as it stands.

        Raises:
            Full: too many wait.
        """
        known = await self.find(entry.id)
        if known is not None:
            return known
        if self.full or self._closed:
            raise Full
        self._waiting[entry.id] = entry, order
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run(), name="backtests")
        return entry

    async def remove(self, name: str) -> Entry | None:
        """Call one off that waits or runs, and remove one that has ended. Returns the former as it is then."""
        found = await self.find(name)
        if found is None:
            return None
        if name in self._waiting:
            entry, _ = self._waiting.pop(name)
            return await self._keep(_ended(entry, "cancelled"))
        if self._attempt is not None and self._running is not None and self._running.id == name:
            over = self._over
            self._attempt.cancel()
            await over.wait()
            return self._kept.get(name)
        await self._drop(name)
        return None

    async def close(self) -> None:
        """End what runs and forget what waits."""
        self._closed = True
        self._waiting.clear()
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})

    async def _open(self) -> None:
        """Know what is on disk, before anything else."""
        async with self._opening:
            if self._shelf is None:
                shelf = Shelf(self._data_dir() / FOLDER)
                self._kept = {one.id: one for one in await asyncio.to_thread(shelf.open)}
                self._shelf = shelf

    def _place(self) -> Shelf:
        assert self._shelf is not None  # noqa: S101 - nobody knows a name before it is open
        return self._shelf

    async def _run(self) -> None:
        """Work off what waits, in the order it came."""
        while self._waiting:
            entry, order = self._waiting.pop(next(iter(self._waiting)))
            running = self._running = msgspec.structs.replace(entry, state="running", began_at=_now())
            attempt = self._attempt = asyncio.create_task(self._perform(running.id, order), name=running.id)
            self._over = asyncio.Event()
            try:
                await asyncio.wait({attempt})
                await self._keep(_outcome(self._running, attempt))
            finally:
                if attempt.cancel():  # the gateway ends
                    await asyncio.wait({attempt})
                    await self._drop(running.id)
                self._running = self._attempt = self.process = None
                self._over.set()

    async def _perform(self, name: str, order: messages.Order) -> messages.Answer:
        def reached(answer: messages.Reached) -> None:
            if self._running is not None:
                further = {"share": answer.share, "reached": answer.at}
                self._running = msgspec.structs.replace(self._running, **further)

        def begun(process: int) -> None:
            self.process = process

        folder = await asyncio.to_thread(self._place().begin, name)
        order = msgspec.structs.replace(order, folder=str(folder.absolute()))
        return await ask(order, self._limit, reached=reached, begun=begun)

    async def _keep(self, entry: Entry) -> Entry:
        """Have one that has ended on disk, and forget the oldest beyond what is kept."""
        waits = entry.state == "done"  # for its result to be in its place
        if not waits:
            self._settle(entry)
        try:
            async with self._disk:
                await asyncio.to_thread(self._place().keep, entry)
        except OSError as error:
            log.warning("backtest %s cannot be kept: %s", entry.id, error)
            if waits:
                entry = _ended(entry, "failed", f"its result cannot be kept: {error.strerror}")
            await asyncio.to_thread(self._place().drop, entry.id)
        if waits:
            self._settle(entry)
        oldest = sorted(self._kept.values(), key=lambda one: (one.asked_at, one.id))
        for one in oldest[: max(0, len(oldest) - KEPT_MOST)]:
            await self._drop(one.id)
        return entry

    def _settle(self, entry: Entry) -> None:
        self._kept[entry.id] = entry
        if self._running is not None and self._running.id == entry.id:
            self._running = None

    async def _drop(self, name: str) -> None:
        self._kept.pop(name, None)
        async with self._disk:
            await asyncio.to_thread(self._place().drop, name)


def _outcome(entry: Entry, attempt: asyncio.Task[messages.Answer]) -> Entry:
    if attempt.cancelled():
        return _ended(entry, "cancelled")
    error = attempt.exception()
    if error is None:
        return _answered(entry, attempt.result())
    if isinstance(error, Ended):
        return _ended(entry, "failed", str(error))
    if isinstance(error, OSError):
        return _ended(entry, "failed", f"its folder cannot be made: {error.strerror}")
    log.error("backtest %s failed", entry.id, exc_info=error)
    return _ended(entry, "failed", "the gateway made a mistake; its log tells more")


def _answered(entry: Entry, answer: messages.Answer) -> Entry:
    match answer:
        case messages.Done():
            done = msgspec.structs.replace(entry, share=1.0, broken=answer.broken)
            return _ended(done, "done")
        case messages.Failed():
            return _ended(entry, "failed", answer.words)
        case messages.Wrong():
            return _ended(entry, "failed", "\n".join(one.message for one in answer.problems))
        case _:
            return _ended(entry, "failed", "it ended without a result")


def _ended(entry: Entry, state: Ending, error: str | None = None) -> Entry:
    return msgspec.structs.replace(entry, state=state, error=error, ended_at=_now())


def _now() -> Millis:
    return time.time_ns() // 1_000_000
