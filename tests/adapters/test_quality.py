"""Alert quality on disk: written with what happened, taken up where it stood, taken in from older databases."""

import itertools
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import alembic.command
import alembic.config
import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.sql import quality, schema
from gateway.adapters.sql.store import Store
from gateway.core.effects import Effects, Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Started
from gateway.core.quality import SLOT, Spell
from gateway.core.quality_figures import Period
from gateway.core.state import Scalars, State
from gateway.core.values import DAY, HOUR
from gateway.errors import DataDirError, StoreError
from tests.core import quality_by_hand as by_hand
from tests.core.quality_by_hand import DEVICES, LOGS, RULES, START, STEP, Happened, written
from tests.core.stories import PLANS

TABLES = (quality.counts, quality.spells, quality.mark)


async def commit(store: Store, outcomes: Sequence[Outcome]) -> None:
    effects = Effects()
    effects.outcomes.extend(outcomes)
    at = outcomes[-1].at if outcomes else START
    await store.commit([], effects, State(Scalars(now=at, observing=True, seen_since=START)))


async def everything(store: Store) -> list[list[Any]]:
    """All rows of the figures' tables, but for the numbers the database gives."""

    def dump(connection: sa.Connection) -> list[list[Any]]:
        found = []
        for table in TABLES:
            columns = [column for column in table.c if column.name != "id"]
            rows = connection.execute(sa.select(*columns).order_by(*columns))
            found.append([tuple(row) for row in rows])
        return found

    return await store.read(dump)


def wide() -> Period:
    begin = START - DAY
    return Period(begin - begin % SLOT, begin - begin % SLOT + 30 * DAY)


@settings(max_examples=8, deadline=None)
@given(LOGS, st.lists(st.integers(0, 80), max_size=4), st.integers(0, 4))
async def test_batches_and_restarts_change_nothing_and_all_equals_the_log(
    log: Sequence[Happened], cuts: list[int], restart: int
) -> None:
    outcomes = written(log)
    bounds = [0, *sorted(min(cut, len(outcomes)) for cut in cuts), len(outcomes)]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        parted = Store.open(Path(one))
        for number, (begin, end) in enumerate(itertools.pairwise(bounds)):
            await commit(parted, outcomes[begin:end])
            if number == restart:
                await parted.close()
                parted = Store.open(Path(one))
        whole = Store.open(Path(other))
        await commit(whole, outcomes)
        assert (await everything(parted))[:2] == (await everything(whole))[:2]
        kept = await parted.read(quality.reader(wide()))
        await parted.close()
        await whole.close()
    check_by_hand(kept, outcomes)


def check_by_hand(kept: quality.Kept, outcomes: Sequence[Outcome]) -> None:
    windows = by_hand.windows(outcomes, START, START + 30 * DAY, 0)
    assert sum(kept.announced.values()) == sum(windows.values())
    for begin, count in windows.items():
        assert kept.announced.get(begin, 0) + kept.announced.get(begin + SLOT, 0) == count
    for actor in ("anna", "ben"):
        mine = [one for one in outcomes if one.kind == "alert.acknowledged" and one.actor == actor]
        sums = [one.counts for one in kept.sums if one.actor == actor]
        assert sum(counts.get("acknowledged", 0) for counts in sums) == len(mine)
        took = sum(counts.get("acknowledge_ms", 0) for counts in sums)
        assert took == sum(one.detail["after"] for one in mine)
    end = (outcomes[-1].at if outcomes else START) + HOUR
    for spell in ("shelved", "stale"):
        for device in DEVICES:
            for rule in RULES:
                lasts = by_hand.last_said(outcomes, by_hand.lasting(spell, device, rule))
                found = [
                    one for one in kept.spells if (one.spell, one.device, one.rule) == (spell, device, rule)
                ]
                took = sum(one.within(Period(START, end)) for one in found)
                assert took == by_hand.steps_of(lasts, START, end) * STEP


def older_database(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """A database as the version before the figures left it, with this history."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(folder / "facility.db")))
    config = alembic.config.Config()
    config.set_main_option("script_location", "gateway.adapters.sql:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0002")
        for one in outcomes:
            row = {"at": one.at, "kind": one.kind, "device": one.device, "subject": one.subject}
            body = msgspec.json.encode(one)
            connection.execute(sa.insert(schema.outcome).values(**row, body=body))
    engine.dispose()


@settings(max_examples=6, deadline=None)
@given(LOGS)
async def test_an_older_database_is_taken_in_once_and_equals_one_that_counted_from_the_start(
    log: Sequence[Happened],
) -> None:
    first = Outcome(START, "alert.raised", "d1", "al", "hot", "info", detail={"announced": True})
    outcomes = [first, *written(log)]
    with TemporaryDirectory() as old, TemporaryDirectory() as new:
        older_database(Path(old), outcomes)
        counting = Store.open(Path(new))
        await commit(counting, outcomes)
        expected = await everything(counting)
        for _ in range(2):  # the second start finds nothing to do
            store = Store.open(Path(old))
            assert await everything(store) == expected
            await store.close()
        await counting.close()


async def test_a_long_log_is_taken_in_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [
        Outcome(START + number * STEP, "alert.raised", "d1", f"al-{number}", "hot", "info")
        for number in range(25)
    ]
    older_database(tmp_path, outcomes)
    monkeypatch.setattr(quality, "CHUNK", 4)
    store = Store.open(tmp_path)
    kept = await store.read(quality.reader(wide()))
    assert sum(kept.announced.values()) == 25  # all of that time were announced
    assert kept.since == START
    assert (await everything(store))[2] == [(25, START)]
    await store.close()


async def test_a_damaged_history_is_named_and_the_directory_let_go(tmp_path: Path) -> None:
    older_database(tmp_path, [Outcome(START, "alert.raised", "d1", "al", "hot", "info")])
    with sqlite3.connect(tmp_path / "facility.db") as connection:
        connection.execute("update outcome set body = x'00'")
    for _ in range(2):  # a directory still held would say so the second time
        with pytest.raises(DataDirError, match=r"the history in .* is damaged"):
            Store.open(tmp_path)


async def test_what_was_not_committed_is_not_counted(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    first = Outcome(START, "alert.raised", "d1", "al", "hot", "info", detail={"announced": True})
    await commit(store, [first])
    before = await everything(store)
    effects = Effects()
    effects.outcomes.append(first)

    def failing(connection: sa.Connection) -> None:
        store.recorder.write(connection, [], effects, State(Scalars(now=START)))
        connection.execute(sa.text("select * from no_such_table"))

    with pytest.raises(StoreError):
        await store.write(failing)
    assert await everything(store) == before
    await store.close()


async def test_time_before_devices_were_seen_is_known_as_such(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    engine = Engine(PLANS[0], State())
    await store.commit([], engine.step([Started(START, None)]), engine.state)
    assert (await store.read(quality.reader(wide()))).since is None
    await store.commit([], engine.step([LinkUp(START + HOUR)]), engine.state)
    assert (await store.read(quality.reader(wide()))).since == START + HOUR
    await store.close()


async def test_a_spell_is_found_in_every_period_it_touches(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    shelved = Outcome(START, "alert.shelved", "d1", None, "hot", None, "anna", {"until": 0})
    back = Outcome(START + DAY, "alert.unshelved", "d1", None, "hot", None, None, {"lasted": DAY})
    await commit(store, [shelved])
    later = Period(START + 2 * DAY, START + 3 * DAY)
    (standing,) = (await store.read(quality.reader(later))).spells
    assert (standing.spell, standing.within(later)) == (Spell.SHELVED, DAY)
    await commit(store, [back])
    assert (await store.read(quality.reader(later))).spells == []
    middle = Period(START + HOUR, START + 2 * HOUR)
    (past,) = (await store.read(quality.reader(middle))).spells
    assert past.within(middle) == HOUR
    await store.close()


def test_a_period_off_the_slots_is_refused() -> None:
    with pytest.raises(ValueError, match="begins and ends on a slot"):
        quality.reader(Period(START + 1, START + DAY))


async def test_the_tables_are_those_the_migrations_make(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    def differences(connection: sa.Connection) -> list[Any]:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), schema.metadata)
        return [one for one in found if "alert_quality" in str(one)]

    assert await store.read(differences) == []
    await store.close()
