"""The journal of a data directory as the lines of a traffic file."""

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa
import zstandard

from gateway.adapters.sql import journal, schema
from gateway.core.effects import Outcome
from gateway.core.values import Millis
from gateway.errors import DataDirError
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

    Raises:
        DataDirError: an entry is damaged, or of another version of the gateway.
    """
    table = schema.journal.c
    chosen = (
        sa.select(table.seq, table.body)
        .where(table.last_at >= since, table.first_at < until)
        .order_by(table.seq)
    )
    for seq, body in connection.execute(chosen).yield_per(1):
        try:
            entries = [(at, one) for at, one in journal.entries(body) if since <= at < until]
        except (msgspec.DecodeError, zstandard.ZstdError, KeyError) as error:
            raise DataDirError(f"entry {seq} of the journal cannot be read: {error}") from error
        if entries:
            yield [Line(0, at, _input(connection, at, one)) for at, one in entries]


def site_before(connection: sa.Connection, at: Millis) -> Setup | None:
    """The site that was in force just before a moment (milliseconds UTC); None where the records do not tell."""
    table = schema.outcome.c
    chosen = sa.select(table.body).where(table.kind == "site.configured", table.at < at)
    body = connection.scalar(chosen.order_by(table.seq.desc()).limit(1))
    digest = None if body is None else msgspec.json.decode(body, type=Outcome).detail.get("digest")
    if not isinstance(digest, str):
        return None
    return Setup(
        at,
        digest,
        connection.scalar(sa.select(schema.config.c.bundle).where(schema.config.c.digest == digest)),
    )


def latest(connection: sa.Connection) -> Millis:
    """The last moment the gateway has put on record, milliseconds UTC; 0 where there is none."""
    told = connection.scalar(sa.select(sa.func.max(schema.outcome.c.at))) or 0
    kept = span(connection)
    return max(told, 0 if kept is None else kept[1])


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
