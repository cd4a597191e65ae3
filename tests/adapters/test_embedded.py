"""What only the embedded store does: files by day, roll-ups, retention, corrupt files."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.embedded import EmbeddedStore, Longer
from gateway.adapters.embedded.periods import day_file, hours_file, is_day, minutes_file, span
from gateway.adapters.embedded.reading import source_for, without
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Scalar, Series, TelemetryRow
from gateway.errors import TelemetryUnavailable
from gateway.ports import Answer, Bucket, Query, Sample

T0 = 1_790_000_000_000 - 1_790_000_000_000 % DAY
"""The midnight of 2026-09-21, UTC."""

LIFT = Series("elevator", (("device", "lift-1"), ("site", "hq")))

Open = Callable[..., EmbeddedStore]


def row(ts: int, series: Series = LIFT, **fields: Scalar) -> TelemetryRow:
    return TelemetryRow(series, ts, fields or {"speed": 1.0})


def every_minute(start: int, end: int, value: float = 1.0) -> list[TelemetryRow]:
    return [row(ts, speed=value) for ts in range(start, end, MINUTE)]


async def read(
    store: EmbeddedStore, every: int | None = None, start: int = T0 - 400 * DAY, end: int = T0 + 400 * DAY
) -> Answer:
    (answer,) = await store.read(Query(LIFT, ["speed"], start, end, every, 100_000))
    return answer


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def make(series_per_device: int = 1000, longer: Longer | None = None) -> EmbeddedStore:
            store = EmbeddedStore(tmp_path, series_per_device=series_per_device, longer=longer)
            stack.push_async_callback(store.close)
            return store

        yield make


async def test_each_day_has_its_file_and_late_readings_make_the_old_one(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store()
    await store.write([row(T0), row(T0 + DAY)])
    await store.write([row(T0 - 2 * DAY + 1)])
    assert files(tmp_path)[:3] == ["2026-09-19.db", "2026-09-21.db", "2026-09-22.db"]
    assert [sample.ts for sample in (await read(store)).samples] == [T0 - 2 * DAY + 1, T0, T0 + DAY]


async def test_readings_types_and_ids_outlive_a_restart(open_store: Open) -> None:
    first = open_store()
    await first.write([row(T0, speed=1.0, door="open")])
    await first.close()
    second = open_store()
    (refused,) = await second.write([row(T0 + 1, speed=2.0), row(T0 + 2, speed=3)])
    assert "already exists as type float" in refused.words
    assert (await read(second)).samples == [Sample(T0, 1.0), Sample(T0 + 1, 2.0)]


async def test_hours_that_are_over_are_rolled_up_and_answer_without_their_readings(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store()
    await store.write(every_minute(T0, T0 + 3 * HOUR))
    await store.close()
    (tmp_path / "2026-09-21.db").unlink()
    store = open_store()
    hours = await read(store, HOUR)
    assert hours.buckets == [Bucket(T0, 1.0, 1.0, 1.0, 60), Bucket(T0 + HOUR, 1.0, 1.0, 1.0, 60)]
    halves = await read(store, 30 * MINUTE)
    assert [bucket.count for bucket in halves.buckets] == [30] * 4
    assert (await read(store)).samples == []


async def test_an_hour_is_rolled_up_again_after_late_and_repeated_readings(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store()
    await store.write(every_minute(T0, T0 + 3 * HOUR))
    await store.write([row(T0 + 30 * SECOND, speed=62.0)])
    await store.write(every_minute(T0, T0 + HOUR))
    await store.write([row(T0 + 3 * HOUR)])
    await store.close()
    (tmp_path / "2026-09-21.db").unlink()
    store = open_store()
    assert (await read(store, HOUR)).buckets[0] == Bucket(T0, 1.0, 62.0, 2.0, 61)
    assert (await read(store, MINUTE)).buckets[0] == Bucket(T0, 1.0, 62.0, 31.5, 2)


async def test_killed_between_roll_up_and_mark_the_hour_is_rolled_up_again(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store()
    await store.write(every_minute(T0, T0 + 3 * HOUR))
    await store.close()
    with (
        sqlite3.connect(tmp_path / "2026-09-21.db") as day,
        sqlite3.connect(tmp_path / "catalogue.db") as catalogue,
    ):
        day.executemany("INSERT INTO changed VALUES (1, ?)", [(T0,), (T0 + HOUR,)])
        catalogue.execute("INSERT OR IGNORE INTO unrolled VALUES ('2026-09-21')")
    day.close()
    catalogue.close()
    store = open_store()
    assert [bucket.count for bucket in (await read(store, HOUR)).buckets] == [60] * 3
    await store.write([row(T0 + 4 * HOUR)])
    await store.close()
    (tmp_path / "2026-09-21.db").unlink()
    assert [bucket.count for bucket in (await read(open_store(), HOUR)).buckets] == [60] * 3


async def test_retention_deletes_days_and_keeps_their_roll_ups_longer(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store(longer=Longer(minutes=30 * DAY, hours=300 * DAY))
    old = T0 - 40 * DAY
    await store.write([*every_minute(old, old + 2 * HOUR), *every_minute(T0, T0 + HOUR)])
    await store.keep(T0)
    assert day_file(old) + ".db" not in files(tmp_path)
    assert [bucket.count for bucket in (await read(store, HOUR)).buckets] == [60, 60, 60]
    assert len((await read(store)).samples) == 60
    await store.keep(T0 + 30 * DAY)
    assert "minutes-2026-08.db" not in files(tmp_path)
    assert [bucket.ts for bucket in (await read(store, HOUR)).buckets] == [old, old + HOUR, T0]
    await store.keep(T0 + 500 * DAY)
    assert files(tmp_path) == ["catalogue.db"]


async def test_readings_from_before_the_retention_are_handed_back_even_after_a_restart(
    open_store: Open,
) -> None:
    first = open_store()
    await first.write([row(T0 - DAY)])
    await first.keep(T0 + HOUR)
    await first.close()
    store = open_store()
    (refused,) = await store.write([row(T0 - 1), row(T0)])
    assert refused.row == row(T0 - 1)
    assert "older than the retention, which starts at 2026-09-21" in refused.words


async def test_a_device_gone_wild_cannot_fill_the_catalogue(open_store: Open) -> None:
    store = open_store(series_per_device=3)
    other = Series("elevator", (("device", "lift-2"), ("site", "hq")))
    rows = [TelemetryRow(LIFT, T0, {f"p{n}": 1.0}) for n in range(5)] + [row(T0, series=other, p0=1.0)]
    refused = await store.write(rows)
    assert [one.row for one in refused] == rows[3:5]
    assert "the device lift-1 has 3 series already" in refused[0].words
    assert await store.write(rows[:3]) == []


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"\x00" * 8192], ids=["text", "zeros"])
async def test_a_corrupt_day_is_set_aside_and_said(open_store: Open, tmp_path: Path, damage: bytes) -> None:
    store = open_store()
    await store.write([row(T0), row(T0 + DAY)])
    await store.close()
    (tmp_path / "2026-09-21.db").write_bytes(damage)
    store = open_store()
    assert await store.write([row(T0 + 5)]) == []
    assert (tmp_path / "2026-09-21.db.corrupt-1").read_bytes() == damage
    assert [sample.ts for sample in (await read(store)).samples] == [T0 + 5, T0 + DAY]
    health = await store.health()
    assert health.ok
    assert "corrupt and set aside: 2026-09-21.db.corrupt-1" in health.words


async def test_damage_in_the_middle_of_a_day_is_found_when_read(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    await store.write([row(T0 + n) for n in range(5000)])
    await store.close()
    path = tmp_path / "2026-09-21.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    store = open_store()
    assert (await read(store)).samples == []
    assert "2026-09-21.db.corrupt-1" in (await store.health()).words


async def test_a_late_reading_after_a_corrupt_day_does_not_empty_its_roll_ups(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store()
    await store.write(every_minute(T0, T0 + 5 * HOUR))
    await store.close()
    (tmp_path / "2026-09-21.db").write_bytes(b"no database" * 1000)
    store = open_store()
    await store.write([row(T0 + 30 * SECOND, speed=9.0)])
    await store.write([row(T0 + 6 * HOUR)])
    await store.write([row(T0 + 8 * HOUR)])
    assert (await read(store, HOUR)).buckets[0].count == 60


@pytest.mark.parametrize("damage", [None, b"", b"no database" * 1000], ids=["lost", "emptied", "broken"])
async def test_a_lost_catalogue_is_built_again_from_the_other_files(
    open_store: Open, tmp_path: Path, damage: bytes | None
) -> None:
    store = open_store()
    other = Series("fire_panel", (("device", "panel-1"),))
    await store.write([*every_minute(T0, T0 + 3 * HOUR, 2.5), row(T0, series=other, zones=4)])
    await store.close()
    (tmp_path / "catalogue.db").unlink()
    if damage is not None:
        (tmp_path / "catalogue.db").write_bytes(damage)
    store = open_store()
    await store.write([row(T0, series=other, lamps=5)])
    assert [bucket.count for bucket in (await read(store, HOUR)).buckets] == [60, 60, 60]
    zones, lamps = await store.read(Query(other, ["zones", "lamps"], T0, T0 + 1, None))
    assert (zones.samples, lamps.samples) == ([Sample(T0, 4)], [Sample(T0, 5)])


async def test_a_folder_that_cannot_be_used_is_unavailable_and_works_once_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    folder.write_text("a file is in the way")
    store = EmbeddedStore(folder)
    with pytest.raises(TelemetryUnavailable, match="cannot be used"):
        await store.write([row(T0)])
    assert not (await store.health()).ok
    folder.unlink()
    assert await store.write([row(T0)]) == []
    assert (await store.health()).ok
    await store.close()


async def test_a_full_disk_is_unavailable_and_nothing_half_is_kept(open_store: Open) -> None:
    store = open_store()
    await store.write([row(T0)])

    def limit(vault: object) -> None:
        db = vault.files._connection("2026-09-21", "")  # type: ignore[attr-defined]  # SQLite's own way to be full
        db.execute("PRAGMA max_page_count = 8")

    await store._run(limit)
    with pytest.raises(TelemetryUnavailable, match="full"):
        await store.write([row(T0 + n, speed=1.0, note="x" * 100) for n in range(2000)])
    assert [sample.ts for sample in (await read(store)).samples] == [T0]
    assert await store.write([row(T0 + 1)]) == []


async def test_what_was_written_survives_kill_9(tmp_path: Path, open_store: Open) -> None:
    program = textwrap.dedent(f"""
        import asyncio, pathlib, signal, os
        from gateway.adapters.embedded import EmbeddedStore
        from gateway.core.values import Series, TelemetryRow
        async def main():
            store = EmbeddedStore(pathlib.Path({str(tmp_path)!r}))
            series = Series({LIFT.measurement!r}, {LIFT.tags!r})
            await store.write([TelemetryRow(series, {T0} + n, {{"speed": float(n)}}) for n in range(1000)])
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """)
    root = Path(__file__).parents[2]
    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len((await read(open_store())).samples) == 1000


async def test_the_loop_goes_on_during_a_large_write(open_store: Open) -> None:
    store = open_store()
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    task = asyncio.create_task(beat())
    await store.write([row(T0 + n, speed=1.0, load=2, moving=True) for n in range(20_000)])
    task.cancel()
    assert beats > 5


@given(st.integers(-9_000_000_000_000, 9_000_000_000_000))
def test_every_moment_lies_within_its_files(ts: int) -> None:
    for name in (day_file(ts), minutes_file(ts), hours_file(ts)):
        start, end = span(name)
        assert start <= ts < end
    assert is_day(day_file(ts))
    assert not is_day(minutes_file(ts))


@pytest.mark.parametrize(
    ("every", "width"),
    [
        (1, None),
        (SECOND, None),
        (90 * SECOND, None),
        (MINUTE, MINUTE),
        (90 * MINUTE, MINUTE),
        (HOUR, HOUR),
        (DAY, HOUR),
    ],
)
def test_the_coarsest_exact_source_is_read(every: int, width: int | None) -> None:
    assert source_for(every) == width


@given(st.sets(st.integers(0, 20), max_size=12), st.integers(0, 20), st.integers(0, 20))
def test_a_range_without_its_holes_is_what_is_left(hours: set[int], start: int, end: int) -> None:
    holes = [
        (max(hour, start), min(hour + 1, end)) for hour in sorted(hours) if start < hour + 1 and hour < end
    ]
    left = without((start, end), holes)
    assert [n for first, last in left for n in range(first, last)] == [
        n for n in range(start, end) if n not in hours
    ]
