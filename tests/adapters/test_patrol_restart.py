"""Patrol after a restart: the engine remembers what it knew, and a database from before is taken up."""

from pathlib import Path

import alembic.command
import alembic.config
import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import patrol, patrol_records, schema
from gateway.adapters.sql.store import opened
from gateway.core.effects import Effects
from gateway.core.patrol.memory import (
    KNOWN_KEPT,
    TAPS_KEPT,
    Duty,
    GuardMemory,
    HandOver,
    Mapping,
    Oddity,
    PatrolState,
    PlaceMemory,
    RoundState,
    RoundStop,
    RouteMemory,
    Source,
    StopOutcome,
    TagMemory,
    Use,
    Visit,
)
from gateway.core.values import DAY
from tests.adapters.patrol_samples import NOW, a_round, a_tap, keep_taps, state_of

MEMORIES = ("tags", "sources", "guards", "places", "posts", "routes")


def everything() -> PatrolState:
    """A memory in which every field of every kind is set to something."""
    walked = a_round(
        "ro-1",
        stops=[RoundStop("gate", NOW, NOW + 1, 5, 9), RoundStop("roof", NOW, NOW + 1)],
        persons=2,
        readers=["reader-1"],
        guards=["g-07"],
        check_in=60,
        state=RoundState.JUDGED,
        visits=[Visit("t1", "gate", NOW - 5, NOW, "reader-1", "g-07", "A", made_up=True)],
        skips={"roof": ("li", "锁着")},
        outcomes=[StopOutcome("gate", "on_time", NOW - 5, "t1", "g-07", "A", provisional=True)],
        oddities=[Oddity("too_fast", "gate", NOW, 3, 5, "t1")],
        result="incomplete",
        judged_at=NOW,
        contact_at=NOW,
        contact="quiet",
    )
    first = a_tap(
        "t1",
        NOW - 2,
        how="qr",
        sent=NOW,
        guard="g-07",
        by="g-07",
        tag="04A2",
        checkpoint="gate",
        asset="gate-1",
        grade="A",
        counted=True,
        flags=["clock_jump", "voluntary"],
        rounds=["ro-1"],
        counter=61,
        epoch=2,
        tamper="open",
        review="approved",
        reviewed_by="li",
        reviewed_at=NOW,
        why="看过了",
    )
    return PatrolState(
        rounds={"ro-0": a_round("ro-0"), "ro-1": walked},
        taps={
            "z-old": a_tap("z-old", NOW - 9 * DAY, review="pending"),
            "t1": first,
            "a": a_tap("a", NOW - 1),
        },
        known={"z-old": (NOW - 9 * DAY, "f0"), "t1": (NOW - 2, "f1"), "a": (NOW - 1, "f2")},
        tags={
            "04A2": TagMemory(
                [Mapping(5, "gate", secure=True), Mapping(9, None)],
                [(5, 2)],
                [Use(2, 61, NOW, "t1", NOW, doubtful=True)],
                (1, 7),
                "at the gate",
                tampered=True,
            )
        },
        sources={"phone-1": Source(NOW, NOW - 1, 3, -250), "reader-1": Source()},
        guards={"g-07": GuardMemory(NOW, "gate", "phone-1", "ab" * 32, NOW)},
        places={"gate": PlaceMemory([(NOW, "t1")], 4, "grave", NOW, "ro-1", "long")},
        posts={"lobby": Duty("g-07", NOW, HandOver("g-08", NOW, "两把钥匙"), 4)},
        routes={"night": RouteMemory(NOW, "lost")},
    )


def all_of(state: PatrolState) -> Effects:
    """Effects that write all of a memory."""
    effects = Effects()
    effects.taps, effects.rounds = dict(state.taps), dict(state.rounds)
    effects.patrol = {(kind, name) for kind in MEMORIES for name in getattr(state, kind)}
    return effects


async def loaded(path: Path) -> PatrolState:
    async with opened(path) as store:
        return (await store.load()).state.patrol


# --- what a restart remembers --------------------------------------------------------------------------------


async def test_a_restart_remembers_all_of_it_and_in_the_same_order(tmp_path: Path) -> None:
    before = everything()
    async with opened(tmp_path) as store:
        await store.commit([], all_of(before), state_of(before))
    after = await loaded(tmp_path)
    assert after == before
    assert (list(after.taps), list(after.known)) == (["z-old", "t1", "a"], ["z-old", "t1", "a"])


def test_each_kind_of_memory_has_its_place_on_disk() -> None:
    written, gone = patrol.memory_rows(all_of(everything()).patrol, everything())
    others = {"rounds", "taps", "known"}
    assert {row["kind"] for row in written} == {*PatrolState.__struct_fields__} - others
    assert gone == []


async def test_what_the_engine_forgot_is_gone_and_a_closed_round_stays_on_record(tmp_path: Path) -> None:
    before = everything()
    async with opened(tmp_path) as store:
        await store.commit([], all_of(before), state_of(before))
        closed = before.rounds.pop("ro-1")
        closed.state = RoundState.CLOSED
        del before.sources["phone-1"], before.posts["lobby"]
        before.routes["night"].contact = "ok"
        effects = Effects()
        effects.rounds = {"ro-1": closed}
        effects.patrol = {("sources", "phone-1"), ("posts", "lobby"), ("routes", "night")}
        await store.commit([], effects, state_of(before))
        found = await store.read(lambda connection: patrol_records.patrol_round(connection, "ro-1"))
    assert found == closed
    assert await loaded(tmp_path) == before


async def test_only_what_is_still_needed_is_loaded(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await keep_taps(
            store,
            a_tap("unknown", NOW - KNOWN_KEPT),
            a_tap("known", NOW - KNOWN_KEPT + 1),
            a_tap("asked", NOW - KNOWN_KEPT - DAY, review="pending"),
            a_tap("done", NOW - TAPS_KEPT, review="approved"),
            a_tap("recent", NOW - TAPS_KEPT + 1),
        )
    found = await loaded(tmp_path)
    assert list(found.taps) == ["asked", "recent"]
    assert list(found.known) == ["known", "done", "recent"]


async def test_a_review_long_after_changes_the_tap_but_not_when_and_as_what_it_came(tmp_path: Path) -> None:
    one = a_tap("t", NOW, checkpoint="gate", review="pending")
    async with opened(tmp_path) as store:
        await keep_taps(store, one)
        later = msgspec.structs.replace(
            one, review="approved", counted=True, grade="B", ts=NOW - 99, version=2
        )
        await keep_taps(store, later, now=NOW + 40 * DAY, known=False)
        row = await store.read(lambda connection: connection.execute(sa.select(schema.tap)).one())
        found = await store.read(lambda connection: patrol_records.tap(connection, "t"))
    assert (row.received, row.fingerprint) == (NOW, "t")
    assert (row.review, row.counted, row.grade, row.ts) == ("approved", True, "B", NOW - 99)
    assert found == later


async def test_thousands_of_known_taps_come_back_in_the_order_of_their_receipt(tmp_path: Path) -> None:
    taps = [a_tap(f"{number * 7919 % 6_007:05d}", NOW - 10 * DAY - number // 3) for number in range(6_000)]
    async with opened(tmp_path) as store:
        await keep_taps(store, *taps)
    found = await loaded(tmp_path)
    expected = sorted(taps, key=lambda tap: (tap.received, tap.id))
    assert list(found.known.items()) == [(tap.id, (tap.received, tap.id)) for tap in expected]
    assert found.taps == {}


# --- taking up an older database -----------------------------------------------------------------------------


async def test_a_database_from_before_patrol_is_taken_up_with_what_it_holds(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'facility.db'}", isolation_level="AUTOCOMMIT")
    configuration = alembic.config.Config()
    configuration.set_main_option("script_location", "gateway.adapters.sql:migrations")
    with engine.connect() as connection:
        configuration.attributes["connection"] = connection
        alembic.command.upgrade(configuration, "0004")
        body = msgspec.msgpack.encode({"observing": True, "started_at": 5})
        connection.execute(sa.insert(schema.engine_row).values(id=1, now=NOW, config="", body=body))
        device = msgspec.msgpack.encode({"version": 3})
        connection.execute(sa.insert(schema.device).values(id="d1", body=device))
    engine.dispose()
    async with opened(tmp_path) as store:
        state = (await store.load()).state
        assert (state.scalars.now, state.scalars.observing, state.devices["d1"].version) == (NOW, True, 3)
        assert state.patrol == PatrolState()
        before = everything()
        await store.commit([], all_of(before), state_of(before))
    assert await loaded(tmp_path) == before
