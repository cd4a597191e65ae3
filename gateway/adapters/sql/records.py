"""Reading the records back: what pages, reports and the command line show.

Every function takes a reader's connection (``await store.read(lambda connection: alerts(connection, …))``). Lists come
newest first, a page at a time by key and not by offset, so that what is written meanwhile neither repeats nor hides a
record. Times are milliseconds since 1970 UTC.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.effects import Outcome
from gateway.core.order_state import WorkOrder
from gateway.core.state import Alert, DeviceState
from gateway.core.values import Level, Millis, Scalar

T = TypeVar("T")

Key: TypeAlias = tuple[Millis, str]
"""Where a page ended: the time and id of its last record."""

CHUNK = 500
"""Rows fetched at a time."""
LOOKED_MOST = 20_000
"""Rows one page looks at; a filter that hardly ever matches gets a short page and the way to go on."""
IDS_MOST = 1_000
"""Ids handed to the database in one query; larger sets are compared here."""


class Page(NamedTuple, Generic[T]):
    """Some records, and after which key to go on; None at the end. A page may be short before the end."""

    items: list[T]
    next: Key | None


class Happening(NamedTuple):
    """An outcome with its number; numbers grow without gaps."""

    seq: int
    outcome: Outcome


class AlertQuery(NamedTuple):
    """Which alerts; None or empty asks for all. ``start`` is inclusive, ``end`` exclusive, both of the raising."""

    live: bool | None = None
    states: Sequence[str] = ()
    levels: Sequence[Level] = ()
    rule: str | None = None
    devices: frozenset[str] | None = None
    start: Millis | None = None
    end: Millis | None = None
    suppressed: bool | None = None
    how: Sequence[str] = ()
    """In what way suppressed."""
    assignee: str | None = None
    keep: Callable[[Alert], bool] | None = None
    """What no column can tell, such as a text in a title."""


class OrderQuery(NamedTuple):
    """Which work orders; ``start`` is inclusive, ``end`` exclusive, both of the opening."""

    states: Sequence[str] = ()
    priorities: Sequence[str] = ()
    live: bool | None = None
    """In the engine's memory: open, or closed and still to be reopened."""
    devices: frozenset[str] | None = None
    start: Millis | None = None
    end: Millis | None = None
    team: str | None = None
    assignee: str | None = None
    keep: Callable[[WorkOrder], bool] | None = None


class EventRecord(NamedTuple):
    """Something a device reported."""

    key: str
    ts: Millis
    at: Millis
    type: str
    attributes: dict[str, Scalar]


class LiveCount(NamedTuple):
    """The live alerts of a device."""

    alerts: int
    worst: Level


class Watching(msgspec.Struct, omit_defaults=True):
    """Whether devices can be seen, as last committed; a part of the engine's scalars."""

    observing: bool = False
    lost_at: Millis | None = None
    seen_since: Millis = 0


# --- devices -------------------------------------------------------------------------------------------------


def device_states(connection: sa.Connection, ids: Iterable[str]) -> dict[str, DeviceState]:
    """What is known of these devices; one that never spoke is absent."""
    return find_some(connection, schema.device, list(ids), DeviceState)


def live_counts(connection: sa.Connection, ids: Sequence[str]) -> dict[str, LiveCount]:
    """The live alerts of these devices; one without any is absent."""
    table = schema.alert
    found: dict[str, LiveCount] = {}
    for begin in range(0, len(ids), CHUNK):
        query = (
            sa.select(table.c.device, sa.func.count(), sa.func.max(table.c.level))
            .where(table.c.live, table.c.device.in_(ids[begin : begin + CHUNK]))
            .group_by(table.c.device)
        )
        rows = connection.execute(query)
        found.update((name, LiveCount(count, Level(level))) for name, count, level in rows)
    return found


def watching(connection: sa.Connection) -> Watching:
    """Whether devices can be seen."""
    body = connection.execute(sa.select(schema.engine_row.c.body)).scalar()
    return Watching() if body is None else msgspec.msgpack.decode(body, type=Watching)


def events(
    connection: sa.Connection,
    device: str,
    *,
    after: Key | None,
    limit: int,
    types: Sequence[str] = (),
    start: Millis | None = None,
    end: Millis | None = None,
) -> Page[EventRecord]:
    """What a device reported, newest device time first."""
    table = schema.event
    query = sa.select(table.c.key, table.c.ts, table.c.at, table.c.type, table.c.body)
    query = query.where(table.c.device == device, *within_period(table.c.ts, start, end))
    if types:
        query = query.where(table.c.type.in_(types))
    if after is not None:
        query = query.where(sa.tuple_(table.c.ts, table.c.key) < after)
    query = query.order_by(table.c.ts.desc(), table.c.key.desc()).limit(limit + 1)
    decode = msgspec.json.Decoder(dict[str, Scalar]).decode
    found = [EventRecord(*row[:4], decode(row.body)) for row in connection.execute(query)]
    return _cut(found, limit, lambda one: (one.ts, one.key))


# --- alerts and work orders ----------------------------------------------------------------------------------


def alert(connection: sa.Connection, name: str) -> Alert | None:
    """One alert, live or ended."""
    return find_one(connection, schema.alert, name, Alert)


def alerts(connection: sa.Connection, wanted: AlertQuery, *, after: Key | None, limit: int) -> Page[Alert]:
    """Alerts, the newest raised first."""
    table = schema.alert
    where = within_period(table.c.raised_at, wanted.start, wanted.end)
    if wanted.live is not None:
        where.append(table.c.live.is_(wanted.live))
    if wanted.states:
        where.append(table.c.state.in_(wanted.states))
    if wanted.levels:
        where.append(table.c.level.in_([int(level) for level in wanted.levels]))
    if wanted.rule is not None:
        where.append(table.c.rule == wanted.rule)
    if wanted.suppressed is not None:
        where.append(table.c.suppressed.is_not(None) if wanted.suppressed else table.c.suppressed.is_(None))
    if wanted.how:
        where.append(table.c.suppressed.in_(wanted.how))
    if wanted.assignee is not None:
        where.append(table.c.assignee == wanted.assignee)
    keep = _among(where, table.c.device, wanted.devices, wanted.keep)
    decode = msgspec.msgpack.Decoder(Alert).decode
    return read_page(connection, table, table.c.raised_at, where, after, limit, decode, keep)


def alerts_by_id(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Alert]:
    """These alerts, live or ended; one that never was is absent."""
    return find_some(connection, schema.alert, ids, Alert)


def orders_by_id(connection: sa.Connection, ids: Sequence[str]) -> dict[str, WorkOrder]:
    """These work orders, open or ended; one that never was is absent."""
    return find_some(connection, schema.work_order, ids, WorkOrder)


def work_order(connection: sa.Connection, name: str) -> WorkOrder | None:
    """One work order, open or ended."""
    return find_one(connection, schema.work_order, name, WorkOrder)


def work_orders(
    connection: sa.Connection, wanted: OrderQuery, *, after: Key | None, limit: int
) -> Page[WorkOrder]:
    """Work orders, the newest opened first."""
    table = schema.work_order
    where = within_period(table.c.opened_at, wanted.start, wanted.end)
    if wanted.live is not None:
        where.append(table.c.live.is_(wanted.live))
    if wanted.states:
        where.append(table.c.state.in_(wanted.states))
    if wanted.priorities:
        where.append(table.c.priority.in_(wanted.priorities))
    if wanted.team is not None:
        where.append(table.c.team == wanted.team)
    if wanted.assignee is not None:
        where.append(table.c.assignee == wanted.assignee)
    keep = _among(where, table.c.device, wanted.devices, wanted.keep)
    decode = msgspec.msgpack.Decoder(WorkOrder).decode
    return read_page(connection, table, table.c.opened_at, where, after, limit, decode, keep)


# --- what happened -------------------------------------------------------------------------------------------


def history(
    connection: sa.Connection, subject: str, limit: int, before: int | None = None
) -> list[Happening]:
    """The newest outcomes of one alert or work order (before a number), oldest first."""
    table = schema.outcome
    query = sa.select(table.c.seq, table.c.body).where(table.c.subject == subject)
    if before is not None:
        query = query.where(table.c.seq < before)
    rows = connection.execute(query.order_by(table.c.seq.desc()).limit(limit)).all()
    return _happenings(reversed(rows))


def device_history(
    connection: sa.Connection, device: str, kinds: Sequence[str], limit: int
) -> list[Happening]:
    """The newest outcomes of some kinds about one device, oldest first."""
    table = schema.outcome
    query = sa.select(table.c.seq, table.c.body).where(table.c.device == device, table.c.kind.in_(kinds))
    rows = connection.execute(query.order_by(table.c.seq.desc()).limit(limit)).all()
    return _happenings(reversed(rows))


def outcomes(connection: sa.Connection, after: int, limit: int, upto: int | None = None) -> list[Happening]:
    """Everything that happened after a number (and up to another, inclusive), oldest first."""
    table = schema.outcome
    query = sa.select(table.c.seq, table.c.body).where(table.c.seq > after)
    if upto is not None:
        query = query.where(table.c.seq <= upto)
    return _happenings(connection.execute(query.order_by(table.c.seq).limit(limit)))


def outcome_range(connection: sa.Connection) -> tuple[int, int]:
    """The numbers of the oldest and the newest outcome that are kept; zeros when there is none."""
    seq = schema.outcome.c.seq
    oldest, newest = connection.execute(sa.select(sa.func.min(seq), sa.func.max(seq))).one()
    return oldest or 0, newest or 0


# --- how pages are found -------------------------------------------------------------------------------------


def find_one(connection: sa.Connection, table: sa.Table, name: str, kind: type[T]) -> T | None:
    """The record of a table with this id."""
    body = connection.execute(sa.select(table.c.body).where(table.c.id == name)).scalar()
    return None if body is None else msgspec.msgpack.decode(body, type=kind)


def find_some(connection: sa.Connection, table: sa.Table, ids: Sequence[str], kind: type[T]) -> dict[str, T]:
    """The records of a table with these ids; one that never was is absent."""
    decode = msgspec.msgpack.Decoder(kind).decode
    found: dict[str, T] = {}
    for begin in range(0, len(ids), CHUNK):
        query = sa.select(table.c.id, table.c.body).where(table.c.id.in_(ids[begin : begin + CHUNK]))
        found.update((name, decode(body)) for name, body in connection.execute(query))
    return found


def within_period(
    column: sa.Column[Any], start: Millis | None, end: Millis | None
) -> list[sa.ColumnElement[bool]]:
    """What a time must meet to lie in a period; ``start`` is inclusive, ``end`` exclusive, None is no limit."""
    where: list[sa.ColumnElement[bool]] = []
    if start is not None:
        where.append(column >= start)
    if end is not None:
        where.append(column < end)
    return where


def _among(
    where: list[sa.ColumnElement[bool]],
    column: sa.Column[Any],
    devices: frozenset[str] | None,
    keep: Callable[[Any], bool] | None,
) -> Callable[[Any], bool] | None:
    """Narrow to a set of devices: in the query when it is small, else record by record."""
    if devices is None:
        return keep
    if len(devices) <= IDS_MOST:
        where.append(column.in_(sorted(devices)))
        return keep
    return lambda one: one.device in devices and (keep is None or keep(one))


def read_page(
    connection: sa.Connection,
    table: sa.Table,
    time: sa.Column[Any],
    where: Sequence[sa.ColumnElement[bool]],
    after: Key | None,
    limit: int,
    decode: Callable[[bytes], T],
    keep: Callable[[T], bool] | None,
) -> Page[T]:
    """A page of a table's records, the latest first; those that ``keep`` is against are passed over.

    Args:
        connection: a reader's.
        table: it has the columns ``id`` and ``body``.
        time: its column to sort by, then by id.
        where: what the rows must meet.
        after: where the page before ended.
        limit: records of a page.
        decode: makes a record of a body.
        keep: what no column can tell.
    """
    key = sa.tuple_(time, table.c.id)
    found: list[T] = []
    last = after  # the last row that was looked at
    size = CHUNK if keep else limit + 1
    for _ in range(0, LOOKED_MOST, size):
        query = sa.select(time, table.c.id, table.c.body).where(*where)
        query = query if last is None else query.where(key < last)
        rows = connection.execute(query.order_by(time.desc(), table.c.id.desc()).limit(size)).all()
        for moment, name, body in rows:
            one = decode(body)
            if keep is None or keep(one):
                if len(found) == limit:
                    return Page(found, last)
                found.append(one)
            last = (moment, name)
        if len(rows) < size:
            return Page(found, None)
    return Page(found, last)


def _cut(found: list[T], limit: int, key: Callable[[T], Key]) -> Page[T]:
    more = len(found) > limit
    return Page(found[:limit], key(found[limit - 1]) if more else None)


def _happenings(rows: Iterable[Any]) -> list[Happening]:
    decode = msgspec.json.Decoder(Outcome).decode
    return [Happening(seq, decode(body)) for seq, body in rows]
