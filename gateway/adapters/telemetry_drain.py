"""Moves committed rows from the outbox into the telemetry store, in order, for as long as it takes.

The outbox forgets an entry only after the store has it: killed in between, the same rows are written again, which is
one reading. A store that is away is tried again with growing pauses, one write at a time until it is back.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.core.values import TelemetryRow
from gateway.errors import StoreError, TelemetryMisconfigured, TelemetryUnavailable
from gateway.ports import Health, OutboxEntry, Refused, TelemetryOutbox, TelemetryStore

log = logging.getLogger(__name__)

ROWS_PER_WRITE: Final = 5_000
ENTRIES: Final = 500
"""Looked at in one go, at most."""
IN_FLIGHT: Final = 4
_LOGGED: Final = 3
"""Refused rows named in the log for each write; the others are in the dead letters all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses between tries, in seconds.

    They double from ``first`` to ``most``, each shortened by chance to between half and all of it. ``refused`` is the
    pause after an answer that only a person can put right. What the server asks for is honoured up to ``patience``.
    """

    first: float = 0.5
    most: float = 30.0
    refused: float = 60.0
    patience: float = 600.0

    def pause(self, tries: int, error: Exception, chance: Callable[[], float]) -> float:
        """Seconds to wait after so many failed tries (1 or more)."""
        longest = min(self.most, self.first * 2 ** min(tries - 1, 30))
        if isinstance(error, TelemetryMisconfigured):
            longest = self.refused
        asked = min(getattr(error, "retry_after", None) or 0.0, self.patience)
        return float(max(asked, longest * (0.5 + chance() / 2)))


@dataclass(slots=True)
class DrainCounters:
    """What the drain has done since it was made. Rows and tries; ``lag`` in seconds."""

    stored: int = 0
    refused: int = 0
    retries: int = 0
    last_error: str = ""
    """Of the newest failed try, also when it has been put right since."""
    lag: float = 0.0
    """How long the oldest entry it knows of has waited; 0 when there is none."""


class _Write(NamedTuple):
    """Entries taken together."""

    upto: int
    rows: Sequence[TelemetryRow]


class Drain:
    """One per outbox.

    Args:
        in_flight: writes under way at once. They are settled in order; two values of one series for the same moment
            may overtake each other, so a store whose last writer wins should get 1.
        chance: numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        outbox: TelemetryOutbox,
        store: TelemetryStore,
        *,
        rows_per_write: int = ROWS_PER_WRITE,
        in_flight: int = IN_FLIGHT,
        backoff: Backoff | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._rows_per_write = rows_per_write
        self._in_flight = in_flight
        self._backoff = backoff or Backoff()
        self._chance = chance
        self._counters = DrainCounters()
        self._failed = 0
        self._failing_since = 0.0
        self._waiting: dict[int, float] = {}

    async def run(self) -> None:
        """Drain until cancelled. What is under way then is left unsettled and written again after the next start."""
        while True:
            try:
                entries = await self._outbox.peek(ENTRIES if not self._failed else 1)
                self._saw(entries)
                if entries:
                    await self._move(entries)
                else:
                    await self._outbox.filled()
            except (TelemetryUnavailable, StoreError) as error:
                await self._rest(error)

    @property
    def counters(self) -> DrainCounters:
        """The counters as they are now."""
        oldest = next(iter(self._waiting.values()), None)
        self._counters.lag = 0.0 if oldest is None else time.monotonic() - oldest
        return self._counters

    def health(self) -> Health:
        """Whether the newest try worked, and if not, the store's words."""
        if self._failed:
            seconds = time.monotonic() - self._failing_since
            return Health(
                False,
                f"{self._counters.last_error} ({self._failed} tries in {seconds:.0f} s; readings wait in the outbox)",
            )
        return Health(True, f"{self._counters.stored} rows stored, {self._counters.refused} refused")

    def _saw(self, entries: Sequence[OutboxEntry]) -> None:
        now = time.monotonic()
        self._waiting = {entry.seq: self._waiting.get(entry.seq, now) for entry in entries}

    async def _move(self, entries: Sequence[OutboxEntry]) -> None:
        writes = list(self._writes(entries))
        for start in range(0, len(writes), self._in_flight):
            await self._store_and_settle(writes[start : start + self._in_flight])

    def _writes(self, entries: Sequence[OutboxEntry]) -> Iterator[_Write]:
        """Whole entries, put together as long as they stay within the rows of a write."""
        rows: list[TelemetryRow] = []
        upto = entries[0].seq
        for entry in entries:
            if rows and len(rows) + len(entry.rows) > self._rows_per_write:
                yield _Write(upto, rows)
                rows = []
            rows.extend(entry.rows)
            upto = entry.seq
        yield _Write(upto, rows)

    async def _store_and_settle(self, writes: Sequence[_Write]) -> None:
        """Write at the same time, settle what succeeded before the first failure, then raise that failure."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._attempt(write), name=f"telemetry write {write.upto}")
                for write in writes
            ]
        refused: list[Refused] = []
        settled: list[_Write] = []
        failure: TelemetryUnavailable | None = None
        for write, task in zip(writes, tasks, strict=True):
            outcome = task.result()
            if isinstance(outcome, TelemetryUnavailable):
                failure = outcome
                break
            settled.append(write)
            refused += outcome
        if settled:
            await self._settle(settled, refused)
        if failure is not None:
            raise failure

    async def _attempt(self, write: _Write) -> list[Refused] | TelemetryUnavailable:
        """The failure is a value, so that it does not end the writes beside it."""
        try:
            return await self._store.write(write.rows) if write.rows else []
        except TelemetryUnavailable as unavailable:
            return unavailable

    async def _settle(self, writes: Sequence[_Write], refused: list[Refused]) -> None:
        upto = writes[-1].upto
        await self._outbox.settle(upto, refused)
        self._waiting = {seq: since for seq, since in self._waiting.items() if seq > upto}
        self._counters.stored += sum(len(write.rows) for write in writes) - len(refused)
        self._counters.refused += len(refused)
        for row, words in refused[:_LOGGED]:
            log.warning("the telemetry store refuses a row of %s: %s", row.series.measurement, words)
        if self._failed:
            log.info("the telemetry store takes readings again after %d tries", self._failed)
            self._failed = 0

    async def _rest(self, error: TelemetryUnavailable | StoreError) -> None:
        if not self._failed:
            self._failing_since = time.monotonic()
            log.warning("readings wait in the outbox: %s", error)
        self._failed += 1
        self._counters.retries += 1
        self._counters.last_error = str(error)
        await asyncio.sleep(self._backoff.pause(self._failed, error, self._chance))
