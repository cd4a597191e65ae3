"""Upkeep beside the loop: what is old is forgotten, and files that belong to nobody go."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from gateway.adapters.attachments import GRACE, Attachments
from gateway.adapters.sql.store import Store
from gateway.adapters.sql.upkeep import Keep, named_digests, tidy
from gateway.core.values import DAY, HOUR, Millis
from gateway.errors import StoreError, TelemetryUnavailable
from gateway.ports import TelemetryStore

log = logging.getLogger(__name__)

GROWTH = 8
"""The journal is cut to its size whenever it has grown by one part in so many of it: a flood must not wait an hour."""


class Upkeep:
    """What keeps the data directory within its bounds.

    Args:
        store: the records.
        telemetry: the readings.
        attachments: the files of work orders.
        keep: how long what is kept.
    """

    def __init__(self, store: Store, telemetry: TelemetryStore, attachments: Attachments, keep: Keep) -> None:
        self.attachments = attachments
        self._store, self._telemetry, self._keep = store, telemetry, keep

    async def run(self, now: Callable[[], Millis]) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tidy(now), name="tidy")
            group.create_task(self._sweep(now), name="sweep attachments")

    async def _tidy(self, now: Callable[[], Millis]) -> None:
        """Forget what is old, once at the start, then every hour, and whenever the journal has grown a good deal."""
        while True:
            try:
                await self._forget(now())
            except (StoreError, TelemetryUnavailable) as error:
                log.warning("what is old could not be deleted, within an hour it is tried again: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HOUR / 1000):
                    await self._store.journal_grown(self._keep.journal_bytes // GROWTH)

    async def _forget(self, now: Millis) -> None:
        await self._store.write(lambda connection: tidy(connection, self._keep, now))
        await self._telemetry.keep(now - self._keep.readings_days * DAY)

    async def _sweep(self, now: Callable[[], Millis]) -> None:
        while True:
            try:
                await self.sweep(now())
            except (StoreError, OSError) as error:
                log.warning("attachments could not be swept, in an hour it is tried again: %s", error)
            await asyncio.sleep(HOUR / 1000)

    async def sweep(self, now: Millis) -> int:
        """Delete files that no work order has named for a day; returns how many went.

        Raises:
            StoreError: the records cannot say which are named; nothing was deleted.
            OSError: the folder cannot be read or written.
        """
        old = await asyncio.to_thread(self.attachments.unchanged_since, now - GRACE)
        named = await self._store.read(lambda connection: named_digests(connection, old))
        gone = [digest for digest in old if digest not in named]
        return await asyncio.to_thread(self.attachments.forget, gone, now - GRACE)
