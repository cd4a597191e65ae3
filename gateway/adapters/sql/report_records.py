"""What a report needs of the records beside taps and rounds: which plan was in force, and what nobody observed."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import quality, schema
from gateway.adapters.sql.recorder import Bundle
from gateway.core.effects import Outcome
from gateway.core.patrol.memory import TapRecord
from gateway.core.quality import Spell
from gateway.core.values import MINUTE, Millis

SIGN_OF_LIFE: Millis = MINUTE
"""A gateway that is alive has committed something within so long."""


class Stretch(NamedTuple):
    """From, inclusive, until, exclusive."""

    start: Millis
    end: Millis


def begun(connection: sa.Connection) -> Millis | None:
    """When the records begin: devices were seen for the first time. None where they never were."""
    found = connection.scalar(sa.select(quality.mark.c.since))
    return None if found is None else int(found)


def unobserved(connection: sa.Connection, start: Millis, end: Millis, now: Millis) -> list[Stretch]:
    """What of a period the gateway did not observe: before it began, while it was down or blind, and since it stopped.

    Args:
        connection: a reader's.
        start: of the period, inclusive.
        end: of the period, exclusive.
        now: the moment of the report; nothing after it is known, nor unobserved.
    """
    end = min(end, now)
    since = begun(connection)
    if since is None:
        return [Stretch(start, end)] if start < end else []
    found = [Stretch(start, since), *_spells(connection, start, end)]
    alive = connection.scalar(sa.select(schema.engine_row.c.now))
    if alive is not None and now - alive > SIGN_OF_LIFE:
        found.append(Stretch(alive, now))
    cut = (Stretch(max(one.start, start), min(one.end, end)) for one in found)
    return sorted(one for one in cut if one.start < one.end)


def _spells(connection: sa.Connection, start: Millis, end: Millis) -> list[Stretch]:
    table = quality.spells
    query = sa.select(table.c.began, table.c.ended).where(
        table.c.spell == Spell.UNOBSERVED.value,
        table.c.began < end,
        sa.or_(table.c.ended.is_(None), table.c.ended > start),
    )
    return [
        Stretch(began, end if ended is None else ended)
        for began, ended in connection.execute(query.order_by(table.c.began))
    ]


def configurations(connection: sa.Connection, at: Millis) -> list[Bundle]:
    """The configuration in force just before a moment, as far as the log tells, and then the one in force last."""
    table = schema.outcome
    query = sa.select(table.c.body).where(table.c.kind == "site.configured", table.c.at < at)
    body = connection.scalar(query.order_by(table.c.seq.desc()).limit(1))
    told = None if body is None else msgspec.json.decode(body, type=Outcome).detail.get("digest")
    last = connection.scalar(sa.select(schema.engine_row.c.config))
    kept = schema.config
    found: list[Bundle] = []
    for digest in dict.fromkeys(name for name in (told, last) if isinstance(name, str)):
        bundle = connection.scalar(sa.select(kept.c.bundle).where(kept.c.digest == digest))
        if bundle is not None:
            found.append(Bundle(digest, bundle))
    return found


def misdated(connection: sa.Connection, start: Millis, end: Millis) -> Iterator[TapRecord]:
    """Taps received in a period that do not count and claim to be made outside of it; ``end`` is exclusive."""
    table = schema.tap
    query = sa.select(table.c.body).where(
        table.c.counted.is_(False),
        table.c.received >= start,
        table.c.received < end,
        sa.or_(table.c.ts < start, table.c.ts >= end),
    )
    decode = msgspec.msgpack.Decoder(TapRecord).decode
    for body in connection.scalars(query.order_by(table.c.received, table.c.id)):
        yield decode(body)
