"""Reading back what was refused: payloads in quarantine, and rows the telemetry store would not take.

Every function takes a reader's connection. Times are milliseconds since 1970 UTC.
"""

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.values import Millis


class RefusedTotal(NamedTuple):
    """How often something was refused, by device and reason."""

    device: str
    reason: str
    times: int
    first_at: Millis
    last_at: Millis


class RefusedItem(NamedTuple):
    """One refused payload that was kept; ``whole`` is false when it was too long to keep all of it."""

    id: int
    at: Millis
    device: str
    reason: str
    topic: str
    detail: str
    payload: bytes
    whole: bool


class DeadLetter(NamedTuple):
    """A row the telemetry store will never take, with the store's words; ``row`` is JSON."""

    id: int
    at: Millis
    words: str
    row: msgspec.Raw


def refused_totals(
    connection: sa.Connection, *, limit: int, device: str | None = None, reason: str | None = None
) -> list[RefusedTotal]:
    """How often what was refused, the most frequent first."""
    table = schema.quarantine_total
    query = sa.select(table.c.device, table.c.reason, table.c.count, table.c.first_at, table.c.last_at)
    query = query.where(*_refused_where(table, device, reason))
    query = query.order_by(table.c.count.desc(), table.c.device, table.c.reason).limit(limit)
    return [RefusedTotal(*row) for row in connection.execute(query)]


def refused_items(
    connection: sa.Connection,
    *,
    before: int | None,
    limit: int,
    device: str | None = None,
    reason: str | None = None,
) -> list[RefusedItem]:
    """Refused payloads that are kept, the newest first; ``before`` is the last id of the page before."""
    table = schema.quarantine
    query = sa.select(*table.c).where(*_refused_where(table, device, reason))
    if before is not None:
        query = query.where(table.c.id < before)
    rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit))
    return [RefusedItem(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def refused_item(connection: sa.Connection, number: int) -> RefusedItem | None:
    """One refused payload."""
    table = schema.quarantine
    row = connection.execute(sa.select(*table.c).where(table.c.id == number)).one_or_none()
    return None if row is None else RefusedItem(**row._mapping)  # noqa: SLF001 - as above


def dead_letters(connection: sa.Connection, *, before: int | None, limit: int) -> list[DeadLetter]:
    """Rows the telemetry store refused, the newest first."""
    table = schema.dead_letter
    query = sa.select(table.c.id, table.c.at, table.c.words, table.c.body)
    if before is not None:
        query = query.where(table.c.id < before)
    rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit))
    return [DeadLetter(number, at, words, msgspec.Raw(body)) for number, at, words, body in rows]


def _refused_where(table: sa.Table, device: str | None, reason: str | None) -> list[sa.ColumnElement[bool]]:
    pairs = ((table.c.device, device), (table.c.reason, reason))
    return [column == value for column, value in pairs if value is not None]
