"""Alert quality on disk: counts by slot, spells with their times, and how far the log of outcomes is in them.

Written in the transaction of the outcomes themselves, so the figures are never behind the history nor ahead of it. A
database from before these tables is taken in from its log when it is opened, once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.effects import Outcome
from gateway.core.quality import COUNTS, SLOT, Change, Elder, Folded, Key, Spell, fold
from gateway.core.quality_figures import Period, Sums, Times
from gateway.core.values import Millis

CHUNK = 2_000
"""Outcomes taken into memory at a time while a database is brought up to date."""

counts = sa.Table(
    "alert_quality",
    schema.metadata,
    sa.Column("slot", schema.Millis, primary_key=True),
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("rule", sa.String(64), primary_key=True),
    sa.Column("level", sa.String(16), primary_key=True),
    sa.Column("actor", sa.String(64), primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
)

spells = sa.Table(
    "alert_quality_spell",
    schema.metadata,
    sa.Column("id", schema.Seq, primary_key=True, autoincrement=True),
    sa.Column("spell", sa.String(16), nullable=False),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("began", schema.Millis, nullable=False),
    sa.Column("ended", schema.Millis),
    sa.Index(None, "ended", "device", "rule", "spell"),
)

mark = sa.Table(
    "alert_quality_mark",
    schema.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", schema.Seq, nullable=False),
    sa.Column("since", schema.Millis),
)
"""One row: the last outcome that is in the figures, and since when devices have been seen at all."""


class Kept(NamedTuple):
    """What the figures of a period are made from."""

    since: Millis | None
    """When devices were seen for the first time; None when they never were."""
    announced: dict[Millis, int]
    """By slot."""
    sums: list[Sums]
    spells: list[Times]
    """Those that touch the period, the oldest first."""


def write(connection: sa.Connection, outcomes: Sequence[Outcome], seen_since: Millis, last: int) -> None:
    """Add outcomes within the transaction that writes them.

    Args:
        connection: the writer's.
        outcomes: what happened, in order.
        seen_since: since when devices are seen without a break, 0 where they never were.
        last: the number of the last outcome.
    """
    _add(connection, fold(outcomes))
    if outcomes:
        connection.execute(sa.update(mark).values(seq=last))
    if seen_since:
        connection.execute(sa.update(mark).where(mark.c.since.is_(None)).values(since=seen_since))


def catch_up(connection: sa.Connection) -> None:
    """Take in what the log holds beyond the mark; in one transaction, so that it happens wholly or not at all."""
    reached = connection.execute(sa.select(mark.c.seq)).scalar()
    first = connection.execute(
        sa.select(schema.outcome.c.at).order_by(schema.outcome.c.seq).limit(1)
    ).scalar()
    if reached is None:
        reached = 0
        connection.execute(sa.insert(mark).values(id=1, seq=0, since=first))
    renew = Elder().renew if reached == 0 else _as_it_is
    found = reached
    while (part := _after(connection, found)) is not None:
        _add(connection, fold(renew(part.outcomes)))
        found = part.last
    if found > reached:
        connection.execute(sa.update(mark).values(seq=found))


def _as_it_is(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    return outcomes


class _Part(NamedTuple):
    """A stretch of the log, with the number of its last outcome."""

    outcomes: list[Outcome]
    last: int


def _after(connection: sa.Connection, seq: int) -> _Part | None:
    table = schema.outcome
    query = sa.select(table.c.seq, table.c.body).where(table.c.seq > seq).order_by(table.c.seq).limit(CHUNK)
    rows = connection.execute(query).all()
    if not rows:
        return None
    decode = msgspec.json.Decoder(Outcome).decode
    return _Part([decode(body) for _, body in rows], rows[-1].seq)


def _add(connection: sa.Connection, folded: Folded) -> None:
    if folded.counts:
        nothing = dict.fromkeys(COUNTS, 0)
        rows = [{**where._asdict(), **nothing, **found} for where, found in folded.counts.items()]
        connection.execute(_adding(connection), rows)
    for change in folded.changes:
        _apply(connection, change)


def _adding(connection: sa.Connection) -> sa.Insert:
    # SQLite and PostgreSQL share the syntax; SQLAlchemy has it in each dialect's own insert.
    insert: Any = getattr(sa.dialects, connection.dialect.name).insert(counts)
    sums = {name: counts.c[name] + insert.excluded[name] for name in COUNTS}
    found: sa.Insert = insert.on_conflict_do_update(index_elements=list(Key._fields), set_=sums)
    return found


def _apply(connection: sa.Connection, change: Change) -> None:
    where = (
        spells.c.ended.is_(None),
        spells.c.device == change.device,
        spells.c.rule == change.rule,
        spells.c.spell == change.spell.value,
    )
    connection.execute(sa.update(spells).where(*where).values(ended=change.at))
    if change.begins:
        row = {
            "spell": change.spell.value,
            "device": change.device,
            "rule": change.rule,
            "began": change.at,
        }
        connection.execute(sa.insert(spells), row)


def read(connection: sa.Connection, period: Period) -> Kept:
    """What is on record of a period that begins and ends on a slot."""
    within = (counts.c.slot >= period.start, counts.c.slot < period.end)
    query = sa.select(counts.c.slot, sa.func.sum(counts.c.announced)).where(*within, counts.c.announced > 0)
    announced = {slot: int(found) for slot, found in connection.execute(query.group_by(counts.c.slot))}
    since = connection.execute(sa.select(mark.c.since)).scalar()
    return Kept(since, announced, _sums(connection, within), _spells(connection, period))


def _sums(connection: sa.Connection, within: Sequence[sa.ColumnElement[bool]]) -> list[Sums]:
    keys = [counts.c[name] for name in Key._fields[1:]]
    query = sa.select(*keys, *(sa.func.sum(counts.c[name]) for name in COUNTS)).where(*within)
    rows = connection.execute(query.group_by(*keys).order_by(*keys))
    return [Sums(row.device, row.rule, row.level, row.actor, _named(row[len(keys) :])) for row in rows]


def _named(row: Sequence[Any]) -> Mapping[str, int]:
    return {name: int(value) for name, value in zip(COUNTS, row, strict=True) if value}


def _spells(connection: sa.Connection, period: Period) -> list[Times]:
    touching = (
        spells.c.began < period.end,
        sa.or_(spells.c.ended.is_(None), spells.c.ended > period.start),
    )
    rows = connection.execute(sa.select(spells).where(*touching).order_by(spells.c.began, spells.c.id))
    return [Times(Spell(row.spell), row.device, row.rule, row.began, row.ended) for row in rows]


def reader(period: Period) -> Callable[[sa.Connection], Kept]:
    """The query of a period, for a store's readers."""
    if period.start % SLOT or period.end % SLOT:
        raise ValueError(f"a period begins and ends on a slot of {SLOT} ms; found {period}")
    return lambda connection: read(connection, period)
