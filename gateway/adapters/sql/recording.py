"""The journal of a data directory as the lines of a traffic file."""

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import journal, schema
from gateway.core.effects import Outcome
from gateway.core.values import Millis
from gateway.traffic.lines import LATEST, Line, Setup, TrafficInput

PAGE = 2_000
"""Outcomes read at once."""


def span(connection: sa.Connection) -> tuple[Millis, Millis] | None:
    """The first and the last moment in the journal; None where it is empty."""
    table = schema.journal.c
    first, last = connection.execute(sa.select(sa.func.min(table.first_at), sa.func.max(table.last_at))).one()
    return None if first is None else (first, last)


def journal_lines(
    connection: sa.Connection, since: Millis = 0, until: Millis = LATEST
) -> Iterator[list[Line]]:
    """Every input that was committed in a stretch of time, in order, a transaction at a time.

    Args:
        connection: a reader's.
        since: milliseconds UTC, inclusive.
        until: milliseconds UTC, exclusive.
    """
    table = schema.journal.c
    chosen = sa.select(table.body).where(table.last_at >= since, table.first_at < until).order_by(table.seq)
    for (body,) in connection.execute(chosen).yield_per(1):
        found = [
            Line(0, at, _input(connection, at, one))
            for at, one in journal.entries(body)
            if since <= at < until
        ]
        if found:
            yield found


def _input(connection: sa.Connection, at: Millis, one: journal.Kept | str) -> TrafficInput:
    if not isinstance(one, str):
        return one
    chosen = sa.select(schema.config.c.bundle).where(schema.config.c.digest == one)
    return Setup(at, one, connection.scalar(chosen))


def outcomes(connection: sa.Connection, since: Millis = 0, until: Millis = LATEST) -> Iterator[list[Outcome]]:
    """What the gateway that wrote the records made of it, in order; as :func:`journal_lines`."""
    table = schema.outcome.c
    chosen = sa.select(table.body).where(table.at >= since, table.at < until).order_by(table.seq)
    decode = msgspec.json.Decoder(Outcome).decode
    for rows in connection.execute(chosen).yield_per(PAGE).partitions():
        yield [decode(body) for (body,) in rows]
