"""What a flood or a long outage leaves behind stays within its bounds, on the disk and in memory."""

import asyncio
import contextlib
import os
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.adapters.sql.outbox import PEEK_BYTES, SqlOutbox
from gateway.adapters.sql.store import Store, opened
from gateway.bootstrap import build
from gateway.core.effects import Effects
from gateway.core.state import Scalars, State
from gateway.core.values import Message, Series, TelemetryRow
from gateway.settings import Settings
from tests.e2e.mill import write_site
from tests.e2e.waiting import eventually

AT = 1_790_000_000_000


async def journalled(store: Store) -> int:
    query = sa.select(sa.func.sum(sa.func.length(schema.journal.c.body)))
    return await store.read(lambda connection: connection.execute(query).scalar()) or 0


async def test_a_flood_does_not_make_the_journal_outgrow_its_cap_until_the_hour_is_over(
    tmp_path: Path,
) -> None:
    settings = Settings(
        site=write_site(tmp_path), data_dir=tmp_path / "data", mqtt_url="mqtt://127.0.0.1:1", journal_mb=16
    )
    async with build(settings) as gateway:
        running = asyncio.create_task(gateway.run())
        await eventually(lambda: gateway.meters()["clock_ahead_seconds"] == 0, "the gateway to run")
        state = State(Scalars(now=AT))
        for number in range(24):
            flood = Message("facility/mill/press-1/telemetry", os.urandom(1 << 20))
            await gateway.store.commit([(AT + number, "message", flood)], Effects(), state)
        async with asyncio.timeout(10):
            while await journalled(gateway.store) > 19 << 20:
                await gateway.store.write(lambda _: None)
        gateway.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_of_a_full_outbox_no_more_is_looked_at_in_one_go_than_memory_holds(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        outbox, state = SqlOutbox(store), State(Scalars(now=AT))
        for number in range(24):
            effects = Effects()
            effects.rows.append(TelemetryRow(Series("press", ()), AT + number, {"label": "x" * (1 << 20)}))
            await store.commit([], effects, state)
        taken = 0
        while entries := await outbox.peek(500):
            assert 0 < sum(len(str(row.fields["label"])) for one in entries for row in one.rows) <= PEEK_BYTES
            taken += len(entries)
            await outbox.settle(entries[-1].seq, [])
        assert (taken, store.waiting_rows, store.waiting_bytes) == (24, 0, 0)


async def test_an_entry_larger_than_that_is_taken_by_itself(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        outbox, state = SqlOutbox(store), State(Scalars(now=AT))
        for number in range(2):
            effects = Effects()
            row = TelemetryRow(Series("press", ()), AT + number, {"label": "x" * (PEEK_BYTES + 1)})
            effects.rows.append(row)
            await store.commit([], effects, state)
        assert len(await outbox.peek(500)) == 1
