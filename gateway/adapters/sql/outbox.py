"""The telemetry outbox over the store."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import outbox_rows, schema
from gateway.adapters.sql.store import Store
from gateway.ports import OutboxEntry, Refused

PEEK_BYTES = 4 << 20
"""Bytes of entries looked at in one go: as objects they take twenty times as much memory, and a full outbox is large."""


class SqlOutbox:
    """Committed rows that wait for the telemetry store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def peek(self, entries: int) -> list[OutboxEntry]:
        """The oldest committed entries, at most that many and no more than memory holds; empty when drained."""
        rows = await self._store.read(lambda connection: _oldest(connection, entries))
        return [OutboxEntry(seq, outbox_rows.unpack(body)) for seq, body in rows]

    async def settle(self, upto: int, refused: Sequence[Refused]) -> None:
        """Forget entries up to a number, moving refused rows to the dead letters, in one transaction."""
        table = schema.telemetry_outbox
        dead = [{"words": one.words, "body": msgspec.json.encode(one.row)} for one in refused]

        def work(connection: sa.Connection) -> tuple[int, int]:
            where = table.c.seq <= upto
            sums = sa.select(
                sa.func.sum(table.c.rows), sa.func.sum(table.c.size), sa.func.max(table.c.at)
            ).where(where)
            rows, size, at = connection.execute(sums).one()
            connection.execute(sa.delete(table).where(where))
            if dead:
                connection.execute(
                    sa.insert(schema.dead_letter), [{"at": at or 0, **letter} for letter in dead]
                )
            return rows or 0, size or 0

        self._store.settled(*await self._store.write(work))

    async def filled(self) -> None:
        """Return once there may be something to peek at."""
        await self._store.filled()


def _oldest(connection: sa.Connection, entries: int) -> list[tuple[int, bytes]]:
    table = schema.telemetry_outbox
    query = sa.select(table.c.seq, table.c.size).order_by(table.c.seq).limit(entries)
    last, total = 0, 0
    for seq, size in connection.execute(query):
        total += size
        if last and total > PEEK_BYTES:
            break
        last = seq
    rows = sa.select(table.c.seq, table.c.body).where(table.c.seq <= last).order_by(table.c.seq)
    return [(seq, body) for seq, body in connection.execute(rows)]
