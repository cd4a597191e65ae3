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
TRANSACTIONS = 200
"""Of the journal, read at once."""


def span(connection: sa.Connection) -> tuple[Millis, Millis] | None:
    """The first and the last moment in the journal; None where it is empty."""
    table = schema.journal.c
    first, last = connection.execute(sa.select(sa.func.min(table.first_at), sa.func.max(table.last_at))).one()
    return None if first is None else (first, last)


def newest(connection: sa.Connection) -> int:
    """The number of the last transaction in the journal; 0 where it is empty."""
    return connection.scalar(sa.select(sa.func.max(schema.journal.c.seq))) or 0


def journal_lines(
    connection: sa.Connection,
    since: Millis = 0,
    until: Millis = LATEST,
    *,
    last: int | None = None,
    let_go: bool = False,
) -> Iterator[list[Line]]:
    """Every input that was committed in a stretch of time, in order, a transaction at a time.

    Args:
        connection: a reader's.
        since: milliseconds UTC, inclusive.
        until: milliseconds UTC, exclusive.
        last: the number of the last transaction that is read; None is the last there is.
        let_go: give up the moment of the records that is looked at after each page. SQLite cannot take what was written
            back into its file while somebody looks at an older moment, so its log would grow for as long as that takes.

    Raises:
        DataDirError: an entry is damaged, or of another version of the gateway.
    """
    table = schema.journal.c
    last = newest(connection) if last is None else last
    following = connection.scalar(sa.select(sa.func.min(table.seq)).where(table.last_at >= since))
    while following is not None and following <= last:
        page = sa.select(table.seq, table.body).where(
            table.seq.between(following, last), table.first_at < until
        )
        rows = connection.execute(page.order_by(table.seq).limit(TRANSACTIONS)).all()
        found = [
            [Line(0, at, _input(connection, at, one)) for at, one in _entries(seq, body, since, until)]
            for seq, body in rows
        ]
        if let_go:
            connection.rollback()
            connection.exec_driver_sql("BEGIN")  # looks at nothing yet
        yield from filter(None, found)
        following = rows[-1].seq + 1 if rows else None


def _entries(seq: int, body: bytes, since: Millis, until: Millis) -> list[tuple[Millis, journal.Kept | str]]:
    try:
        return [(at, one) for at, one in journal.entries(body) if since <= at < until]
    except (msgspec.DecodeError, zstandard.ZstdError, KeyError) as error:
        raise DataDirError(f"entry {seq} of the journal cannot be read: {error}") from error


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
