import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.adapters.embedded import EmbeddedStore
from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.adapters.telemetry_drain import Backoff, Drain
from gateway.core.values import DAY, Scalar, Series, TelemetryRow
from gateway.errors import StoreError, TelemetryMisconfigured, TelemetryUnavailable
from gateway.ports import Answer, Health, OutboxEntry, Query, Refused, TelemetryStore
from tests.servers.influx import InfluxServer

T0 = 1_790_000_000_000
LIFT = Series("elevator", (("device", "lift-1"), ("site", "hq")))
QUICK = Backoff(first=0.001, most=0.01, refused=0.02)


class MemoryOutbox:
    """The port in memory: what a test put in, and what was settled how."""

    def __init__(self) -> None:
        self.entries: list[OutboxEntry] = []
        self.dead: list[Refused] = []
        self.settled: list[int] = []
        self.failures = 0
        self._filled = asyncio.Event()

    def put(self, *batches: Sequence[TelemetryRow]) -> None:
        for rows in batches:
            last = self.entries[-1].seq if self.entries else (self.settled[-1] if self.settled else 0)
            self.entries.append(OutboxEntry(last + 1, rows))
        self._filled.set()

    async def peek(self, entries: int) -> list[OutboxEntry]:
        self._filled.clear()
        return self.entries[:entries]

    async def settle(self, upto: int, refused: Sequence[Refused]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("the records could not be written")
        self.entries = [entry for entry in self.entries if entry.seq > upto]
        self.dead += refused
        self.settled.append(upto)

    async def filled(self) -> None:
        await self._filled.wait()


class Scripted:
    """A store whose answers a test decides, for what a real one cannot be made to do on demand."""

    def __init__(self, answer: Callable[[Sequence[TelemetryRow]], None]) -> None:
        self.answer = answer
        self.written: list[TelemetryRow] = []
        self.sizes: list[int] = []

    async def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
        await asyncio.sleep(0)
        self.answer(rows)
        self.written += rows
        self.sizes.append(len(rows))
        return []

    async def read(self, query: Query) -> list[Answer]:
        return [Answer(field, [], []) for field in query.fields]

    async def health(self) -> Health:
        return Health(True, "scripted")

    async def keep(self, oldest: int) -> None:
        """Nothing to forget."""

    async def close(self) -> None:
        """Nothing to release."""


def row(n: int, value: Scalar = 1.0) -> TelemetryRow:
    return TelemetryRow(LIFT, T0 + n, {"speed": value})


def rows(first: int, count: int) -> list[TelemetryRow]:
    return [row(n) for n in range(first, first + count)]


@asynccontextmanager
async def draining(drain: Drain) -> AsyncIterator[None]:
    task = asyncio.create_task(drain.run(), name="drain")
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)


async def stored(store: TelemetryStore) -> list[int]:
    (answer,) = await store.read(Query(LIFT, ["speed"], T0, T0 + DAY, None, 100_000))
    return [sample.ts - T0 for sample in answer.samples]


async def test_everything_is_stored_settled_and_counted(tmp_path: Path) -> None:
    outbox, store = MemoryOutbox(), EmbeddedStore(tmp_path)
    drain = Drain(outbox, store, rows_per_write=100)
    outbox.put(*(rows(n * 30, 30) for n in range(20)))
    async with draining(drain):
        await until(lambda: not outbox.entries)
        assert await stored(store) == list(range(600))
        outbox.put(rows(600, 5))
        await until(lambda: not outbox.entries)
    assert await stored(store) == list(range(605))
    assert outbox.settled == sorted(outbox.settled)
    assert (drain.counters.stored, drain.counters.refused, drain.counters.retries, drain.counters.lag) == (
        605,
        0,
        0,
        0,
    )
    assert drain.health() == Health(True, "605 rows stored, 0 refused")
    await store.close()


async def test_entries_are_merged_but_never_cut() -> None:
    outbox, store = MemoryOutbox(), Scripted(lambda _: None)
    outbox.put(rows(0, 40), rows(40, 40), rows(80, 40), rows(120, 500), [], rows(620, 1))
    async with draining(Drain(outbox, store, rows_per_write=100, in_flight=1)):
        await until(lambda: not outbox.entries)
    assert store.sizes == [80, 40, 500, 1]
    assert store.written == rows(0, 621)
    assert outbox.settled == [2, 3, 4, 6]


async def test_refused_rows_go_to_the_dead_letters_with_words(tmp_path: Path) -> None:
    outbox, store = MemoryOutbox(), EmbeddedStore(tmp_path)
    drain = Drain(outbox, store)
    outbox.put(rows(0, 10), [row(10), row(11, 7), row(12)])
    async with draining(drain):
        await until(lambda: not outbox.entries)
    assert [dead.row for dead in outbox.dead] == [row(11, 7)]
    assert "speed" in outbox.dead[0].words
    assert (drain.counters.stored, drain.counters.refused) == (12, 1)
    await store.close()


async def test_a_killed_influxdb_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path)
    server.start()
    store = InfluxStore(InfluxSettings.parse(server.url, bucket="drained"))
    outbox = MemoryOutbox()
    drain = Drain(outbox, store, rows_per_write=50, backoff=QUICK)
    try:
        async with draining(drain):
            outbox.put(*(rows(n * 20, 20) for n in range(10)))
            await until(lambda: not outbox.entries)
            server.kill()
            outbox.put(*(rows(200 + n * 20, 20) for n in range(10)))
            await until(lambda: drain.counters.retries >= 3)
            assert len(outbox.entries) == 10
            assert not drain.health().ok
            assert server.url in drain.health().words
            assert drain.counters.lag > 0
            server.start()
            await until(lambda: not outbox.entries)
        assert drain.health().ok
        assert drain.counters.stored == 400
        assert await stored(store) == list(range(400))
    finally:
        await store.close()
        server.stop()


async def test_only_what_was_stored_before_the_first_failure_is_settled() -> None:
    def fail_second(written: Sequence[TelemetryRow]) -> None:
        if written[0].ts == T0 + 10 and len(store.sizes) < 3:
            raise TelemetryUnavailable("busy")

    outbox, store = MemoryOutbox(), Scripted(fail_second)
    outbox.put(rows(0, 10), rows(10, 10), rows(20, 10), rows(30, 10))
    async with draining(Drain(outbox, store, rows_per_write=10, in_flight=4, backoff=QUICK)):
        await until(lambda: bool(outbox.settled))
        assert outbox.settled[0] == 1
        await until(lambda: not outbox.entries)
    assert outbox.settled[-1] == 4
    assert {written.ts - T0 for written in store.written} == set(range(40))


async def test_a_failed_settle_writes_again_instead_of_losing(tmp_path: Path) -> None:
    outbox, store = MemoryOutbox(), EmbeddedStore(tmp_path)
    outbox.failures = 2
    outbox.put(rows(0, 10))
    drain = Drain(outbox, store, backoff=QUICK)
    async with draining(drain):
        await until(lambda: not outbox.entries)
    assert await stored(store) == list(range(10))
    assert (drain.counters.retries, drain.counters.stored) == (2, 10)
    assert drain.counters.last_error == "the records could not be written"
    await store.close()


async def test_cancelled_in_the_middle_of_a_write_it_leaves_the_entry_unsettled() -> None:
    begun = asyncio.Event()

    class Hanging(Scripted):
        async def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
            begun.set()
            await asyncio.Event().wait()
            return await super().write(rows)

    outbox = MemoryOutbox()
    outbox.put(rows(0, 10))
    async with draining(Drain(outbox, Hanging(lambda _: None))):
        await asyncio.wait_for(begun.wait(), 5)
    assert (len(outbox.entries), outbox.settled) == (1, [])


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=1, most=8)
    busy = TelemetryUnavailable("busy")
    assert [backoff.pause(tries, busy, lambda: 1.0) for tries in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 8, 8]
    assert backoff.pause(3, busy, lambda: 0.0) == 2


def test_a_pause_is_never_shorter_than_the_server_asked_for() -> None:
    assert Backoff().pause(1, TelemetryUnavailable("busy", retry_after=17), lambda: 0.0) == 17
    assert Backoff().pause(1, TelemetryUnavailable("busy", retry_after=1e9), lambda: 0.0) == 600


def test_what_only_a_person_can_put_right_is_tried_slowly() -> None:
    assert Backoff().pause(1, TelemetryMisconfigured("wrong token"), lambda: 1.0) == 60
