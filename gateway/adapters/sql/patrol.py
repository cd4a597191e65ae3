"""Patrol on disk: taps, rounds and what is remembered beside them, as rows and back.

Taps and rounds are kept for good, since they are the proof that a promise was kept; only what is needed to judge the
next tap is loaded. They name guards by the ids the site gave them, and stay in this database: nothing of a guard goes
to the telemetry store.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.patrol.memory import (
    KNOWN_KEPT,
    TAPS_KEPT,
    Duty,
    GuardMemory,
    PatrolState,
    PlaceMemory,
    Round,
    RouteMemory,
    Source,
    TagMemory,
    TapRecord,
)
from gateway.core.values import Millis

AT_RECEIPT: Final = ("received", "fingerprint")
"""Columns of a tap that no later judgement changes."""

_pack = msgspec.msgpack.Encoder().encode
_MEMORIES: Final[Mapping[str, msgspec.msgpack.Decoder[object]]] = {
    "tags": msgspec.msgpack.Decoder(TagMemory),
    "sources": msgspec.msgpack.Decoder(Source),
    "guards": msgspec.msgpack.Decoder(GuardMemory),
    "places": msgspec.msgpack.Decoder(PlaceMemory),
    "posts": msgspec.msgpack.Decoder(Duty),
    "routes": msgspec.msgpack.Decoder(RouteMemory),
}


# --- rows ----------------------------------------------------------------------------------------------------


def tap_rows(taps: Iterable[TapRecord], known: Mapping[str, tuple[Millis, str]]) -> list[dict[str, object]]:
    """Taps with the columns they are found by; ``known`` holds the fingerprints of new ones."""
    return [
        {
            "id": tap.id,
            "received": tap.received,
            "ts": tap.ts,
            "checkpoint": tap.checkpoint,
            "guard": tap.guard,
            "source": tap.source,
            "grade": tap.grade,
            "counted": tap.counted,
            "review": tap.review,
            "fingerprint": known[tap.id][1] if tap.id in known else None,
            "body": _pack(tap),
        }
        for tap in taps
    ]


def own(connection: sa.Connection, taps: Iterable[TapRecord]) -> list[TapRecord]:
    """Those that take no other tap's place: an id that comes again once it is forgotten is no new proof."""
    found = list(taps)
    table = schema.tap
    known: dict[str, Millis] = {}
    for start in range(0, len(found), 500):
        names = [tap.id for tap in found[start : start + 500]]
        rows = connection.execute(sa.select(table.c.id, table.c.received).where(table.c.id.in_(names)))
        known |= {row.id: row.received for row in rows}
    return [tap for tap in found if known.get(tap.id, tap.received) == tap.received]


def membership_rows(taps: Iterable[TapRecord]) -> list[dict[str, object]]:
    """Which of these taps are in which rounds."""
    return [{"round": name, "tap": tap.id} for tap in taps for name in tap.rounds]


def forget_membership(connection: sa.Connection, taps: Sequence[TapRecord]) -> None:
    """Take taps out of their rounds, before they are written to those they belong to now."""
    if taps:
        table = schema.tap_round
        change = sa.delete(table).where(table.c.tap == sa.bindparam("name"))
        connection.execute(change, [{"name": tap.id} for tap in taps])


def round_row(one: Round, live: bool) -> dict[str, object]:
    """A round with the columns it is found by; ``live`` is whether the engine still holds it."""
    return {
        "id": one.id,
        "route": one.route,
        "date": one.date,
        "start": one.start,
        "state": str(one.state),
        "result": one.result,
        "live": live,
        "body": _pack(one),
    }


def memory_rows(
    changed: Collection[tuple[str, str]], state: PatrolState
) -> tuple[list[dict[str, object]], list[tuple[str, str]]]:
    """What changed in memory: rows of what is there, and the keys of what is there no more."""
    rows: list[dict[str, object]] = []
    gone: list[tuple[str, str]] = []
    for kind, name in sorted(changed):
        one = getattr(state, kind).get(name)
        if one is None:
            gone.append((kind, name))
        else:
            rows.append({"kind": kind, "id": name, "body": _pack(one)})
    return rows, gone


def forget_memories(connection: sa.Connection, gone: Sequence[tuple[str, str]]) -> None:
    """Delete what the engine has forgotten."""
    if gone:
        table = schema.patrol_memory
        where = (table.c.kind == sa.bindparam("its_kind")) & (table.c.id == sa.bindparam("its_id"))
        rows = [{"its_kind": kind, "its_id": name} for kind, name in gone]
        connection.execute(sa.delete(table).where(where), rows)


# --- loading -------------------------------------------------------------------------------------------------


def load(connection: sa.Connection, now: Millis) -> PatrolState:
    """The memory of patrol as it was last committed.

    Args:
        connection: the writer's.
        now: the time of the last input.
    """
    state = PatrolState(_rounds(connection), _taps(connection, now - TAPS_KEPT))
    state.known = _known(connection, now - KNOWN_KEPT)
    table = schema.patrol_memory
    for kind, name, body in connection.execute(sa.select(table).order_by(table.c.kind, table.c.id)):
        getattr(state, kind)[name] = _MEMORIES[kind].decode(body)
    return state


def _rounds(connection: sa.Connection) -> dict[str, Round]:
    table = schema.patrol_round
    decode = msgspec.msgpack.Decoder(Round).decode
    rows = connection.execute(sa.select(table.c.id, table.c.body).where(table.c.live).order_by(table.c.id))
    return {name: decode(body) for name, body in rows}


def _taps(connection: sa.Connection, since: Millis) -> dict[str, TapRecord]:
    """Those received after a moment and those under review; two queries, so that each has its index."""
    table = schema.tap
    decode = msgspec.msgpack.Decoder(TapRecord).decode
    bodies = sa.select(table.c.received, table.c.id, table.c.body)
    recent = connection.execute(bodies.where(table.c.received > since))
    pending = connection.execute(bodies.where(table.c.review == "pending", table.c.received <= since))
    rows = sorted([*recent, *pending], key=lambda row: (row.received, row.id))
    return {row.id: decode(row.body) for row in rows}


def _known(connection: sa.Connection, since: Millis) -> dict[str, tuple[Millis, str]]:
    table = schema.tap
    query = sa.select(table.c.id, table.c.received, table.c.fingerprint)
    query = query.where(table.c.received > since, table.c.fingerprint.is_not(None))
    rows = connection.execute(query.order_by(table.c.received, table.c.id))
    return {name: (received, fingerprint) for name, received, fingerprint in rows}
