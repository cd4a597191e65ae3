"""Forgetting in time: the journal by age and size, personal data of events by the site's retention."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.values import DAY, Millis

DEAD_LETTERS_KEPT = 10_000
"""Dead letters kept; older ones make room."""


class Keep(NamedTuple):
    """How long things are kept. Days, and bytes for the journal."""

    journal_days: int
    journal_bytes: int
    readings_days: int
    events: Millis
    """How long events with their personal attributes are kept, milliseconds."""


def tidy(connection: sa.Connection, keep: Keep, now: Millis) -> None:
    """Delete what has had its time, within the caller's transaction."""
    journal = schema.journal
    connection.execute(sa.delete(journal).where(journal.c.last_at < now - keep.journal_days * DAY))
    cut = _cut(connection, keep.journal_bytes)
    if cut is not None:
        connection.execute(sa.delete(journal).where(journal.c.seq <= cut))
    connection.execute(sa.delete(schema.event).where(schema.event.c.at < now - keep.events))
    letters = schema.dead_letter
    newest = sa.select(sa.func.max(letters.c.id)).scalar_subquery()
    connection.execute(sa.delete(letters).where(letters.c.id <= newest - DEAD_LETTERS_KEPT))


NAMED_AT_ONCE = 500
"""Files asked about in one query."""


def named_digests(connection: sa.Connection, digests: Sequence[str]) -> set[str]:
    """Those of these files that a work order names, be it open or ended."""
    column = schema.attachment.c.digest
    named: set[str] = set()
    for begin in range(0, len(digests), NAMED_AT_ONCE):
        query = sa.select(column).where(column.in_(digests[begin : begin + NAMED_AT_ONCE]))
        named.update(connection.scalars(query))
    return named


def _cut(connection: sa.Connection, most: int) -> int | None:
    """The newest journal entry that has to go so that the rest fits; None when all of it does."""
    journal = schema.journal
    query = sa.select(journal.c.seq, sa.func.length(journal.c.body)).order_by(journal.c.seq.desc())
    total = 0
    for seq, size in connection.execute(query):
        total += size
        if total > most:
            return int(seq)
    return None
