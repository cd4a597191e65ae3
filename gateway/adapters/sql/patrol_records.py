"""Reading patrol back: taps and rounds as pages and reports show them.

Every function takes a reader's connection, as those of :mod:`gateway.adapters.sql.records` do. Pages come newest
first, by key. What is live in the engine's memory is here as well, as all of it is committed. Times are milliseconds
since 1970 UTC; dates are those of the shift, such as ``2026-11-23``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.adapters.sql.records import CHUNK, Key, Page, find_one, find_some, read_page, within_period
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.values import Millis


class TapQuery(NamedTuple):
    """Which taps; None asks for all. ``start`` is inclusive, ``end`` exclusive, both of the time it was made."""

    checkpoint: str | None = None
    guard: str | None = None
    source: str | None = None
    round: str | None = None
    """The id of a round."""
    review: str | None = None
    """``pending``, ``approved`` or ``rejected``."""
    counted: bool | None = None
    grade: str | None = None
    flag: str | None = None
    """One of :data:`gateway.core.patrol.flags.FLAGS`."""
    start: Millis | None = None
    end: Millis | None = None


class RoundQuery(NamedTuple):
    """Which rounds; None asks for all. Both dates are inclusive, as one speaks of shifts."""

    date: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    route: str | None = None
    state: str | None = None
    result: str | None = None
    live: bool | None = None
    """In the engine's memory: not closed yet."""


class Proof(NamedTuple):
    """The part of a tap that gaps are measured by."""

    checkpoint: str
    ts: Millis
    tap: str
    grade: str
    counted: bool
    source: str
    received: Millis


# --- taps ----------------------------------------------------------------------------------------------------


def tap(connection: sa.Connection, name: str) -> TapRecord | None:
    """One tap."""
    return find_one(connection, schema.tap, name, TapRecord)


def taps_by_id(connection: sa.Connection, ids: Sequence[str]) -> dict[str, TapRecord]:
    """These taps; one that never was is absent."""
    return find_some(connection, schema.tap, ids, TapRecord)


def taps(connection: sa.Connection, wanted: TapQuery, *, after: Key | None, limit: int) -> Page[TapRecord]:
    """Taps, the latest made first; the key is that time and the id."""
    table = schema.tap
    where = within_period(table.c.ts, wanted.start, wanted.end)
    for name in ("checkpoint", "guard", "source", "review", "grade"):
        value = getattr(wanted, name)
        if value is not None:
            where.append(table.c[name] == value)
    if wanted.counted is not None:
        where.append(table.c.counted.is_(wanted.counted))
    if wanted.round is not None:
        where.append(table.c.id.in_(_members(wanted.round)))
    flag = wanted.flag
    keep: Callable[[TapRecord], bool] | None = None if flag is None else lambda one: flag in one.flags
    decode = msgspec.msgpack.Decoder(TapRecord).decode
    return read_page(connection, table, table.c.ts, where, after, limit, decode, keep)


def taps_of_round(connection: sa.Connection, name: str) -> list[TapRecord]:
    """All taps that belong to a round, whatever they are worth, in the order they were made."""
    table = schema.tap
    query = sa.select(table.c.body).where(table.c.id.in_(_members(name))).order_by(table.c.ts, table.c.id)
    decode = msgspec.msgpack.Decoder(TapRecord).decode
    return [decode(body) for body in connection.scalars(query)]


def _members(name: str) -> sa.Select[tuple[str]]:
    table = schema.tap_round
    return sa.select(table.c.tap).where(table.c.round == name)


# --- rounds --------------------------------------------------------------------------------------------------


def patrol_round(connection: sa.Connection, name: str) -> Round | None:
    """One round, live or closed."""
    return find_one(connection, schema.patrol_round, name, Round)


def rounds(connection: sa.Connection, wanted: RoundQuery, *, after: Key | None, limit: int) -> Page[Round]:
    """Rounds, the latest to begin first; the key is their start and id."""
    table = schema.patrol_round
    where = _between(wanted.date_from, wanted.date_to)
    for name in ("date", "route", "state", "result"):
        value = getattr(wanted, name)
        if value is not None:
            where.append(table.c[name] == value)
    if wanted.live is not None:
        where.append(table.c.live.is_(wanted.live))
    decode = msgspec.msgpack.Decoder(Round).decode
    return read_page(connection, table, table.c.start, where, after, limit, decode, None)


def round_dates(
    connection: sa.Connection, date_from: str, date_to: str, route: str | None = None
) -> dict[str, dict[str, int]]:
    """How many rounds ended how, by shift date in order; a date without rounds is absent. Both dates are inclusive."""
    table = schema.patrol_round
    where = _between(date_from, date_to)
    if route is not None:
        where.append(table.c.route == route)
    query = sa.select(table.c.date, table.c.result, sa.func.count()).where(*where)
    query = query.group_by(table.c.date, table.c.result).order_by(table.c.date, table.c.result)
    found: dict[str, dict[str, int]] = {}
    for date, result, count in connection.execute(query):
        found.setdefault(date, {})[result] = count
    return found


def _between(date_from: str | None, date_to: str | None) -> list[sa.ColumnElement[bool]]:
    column = schema.patrol_round.c.date
    where: list[sa.ColumnElement[bool]] = []
    if date_from is not None:
        where.append(column >= date_from)
    if date_to is not None:
        where.append(column <= date_to)
    return where


# --- reports -------------------------------------------------------------------------------------------------


def rounds_between(connection: sa.Connection, date_from: str, date_to: str) -> Iterator[Round]:
    """The rounds of some shifts, by date, route and start; both dates are inclusive.

    They are read as they are asked for, so a month takes no more memory than a day: use them up before the
    connection goes back.
    """
    table = schema.patrol_round
    query = sa.select(table.c.body).where(*_between(date_from, date_to))
    query = query.order_by(table.c.date, table.c.route, table.c.start, table.c.id)
    decode = msgspec.msgpack.Decoder(Round).decode
    for body in connection.scalars(query, execution_options={"yield_per": CHUNK}):
        yield decode(body)


def proofs_between(connection: sa.Connection, start: Millis, end: Millis) -> Iterator[Proof]:
    """What was tapped in a period, by checkpoint and time; ``start`` is inclusive, ``end`` exclusive.

    Each checkpoint begins with the last tap that counted before the period, if there is one: the first gap is counted
    from there. They are read as they are asked for, like :func:`rounds_between`.
    """
    table = schema.tap
    columns = sa.select(
        *(table.c[name] for name in ("checkpoint", "ts", "id", "grade", "counted", "source", "received"))
    )
    checkpoint = connection.scalar(sa.select(sa.func.min(table.c.checkpoint)))
    while checkpoint is not None:
        here = columns.where(table.c.checkpoint == checkpoint)
        before = here.where(table.c.ts < start, table.c.counted)
        before = before.order_by(table.c.ts.desc(), table.c.id.desc()).limit(1)
        within = here.where(*within_period(table.c.ts, start, end)).order_by(table.c.ts, table.c.id)
        for query in (before, within):
            for row in connection.execute(query, execution_options={"yield_per": CHUNK}):
                yield Proof(*row)
        more = sa.select(sa.func.min(table.c.checkpoint)).where(table.c.checkpoint > checkpoint)
        checkpoint = connection.scalar(more)


def doubtful_between(connection: sa.Connection, start: Millis, end: Millis) -> Iterator[TapRecord]:
    """Taps made in a period that do not count or wait for a review, by time; ``start`` is inclusive, ``end`` exclusive.

    They are read as they are asked for, like :func:`rounds_between`.
    """
    table = schema.tap
    odd = sa.or_(table.c.counted.is_(False), table.c.review == "pending")
    query = (
        sa.select(table.c.body)
        .where(odd, *within_period(table.c.ts, start, end))
        .order_by(table.c.ts, table.c.id)
    )
    decode = msgspec.msgpack.Decoder(TapRecord).decode
    for body in connection.scalars(query, execution_options={"yield_per": CHUNK}):
        yield decode(body)
