"""Quarantine: what was refused, kept for a look and a retry, within bounds that a broken device cannot break."""

from collections.abc import Sequence

import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.inputs import Rejection
from gateway.core.values import Message

NOBODY = "-"
"""Stands for the device where the topic names none of the site."""
KEPT_EACH = 100
"""Payloads kept of one reason from one device; further ones are only counted."""
KEPT_ALL = 5_000
"""Payloads kept in all."""
PAYLOAD_KEPT = 64 * 1024
"""Bytes of a payload that are kept; a longer one cannot be retried."""


class Quarantine:
    """Keeps the first payloads of each reason and device, and counts all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._kept: dict[tuple[str, str], int] = {}
        self._count()

    def add(self, connection: sa.Connection, rejections: Sequence[Rejection]) -> None:
        """Keep and count refused payloads within the caller's transaction."""
        if not rejections:
            return
        totals: dict[tuple[str, str], list[int]] = {}
        rows: list[dict[str, object]] = []
        for one in rejections:
            key = (one.device or NOBODY, one.reason)
            total = totals.setdefault(key, [0, one.at, one.at])
            total[0] += 1
            total[2] = one.at
            if one.payload and self._room(key):
                self._kept[key] = self._kept.get(key, 0) + 1
                rows.append(_row(key, one))
        if rows:
            connection.execute(sa.insert(schema.quarantine), rows)
        for (device, reason), (count, first, last) in totals.items():
            self._add_total(connection, device, reason, count, first, last)

    def recount(self) -> None:
        """Forget what was counted for a transaction that failed; the next one counts from the disk."""
        self._kept.clear()
        self._fresh = False

    def _room(self, key: tuple[str, str]) -> bool:
        if not self._fresh:
            self._count()
        return self._kept.get(key, 0) < KEPT_EACH and sum(self._kept.values()) < KEPT_ALL

    def _count(self) -> None:
        table = schema.quarantine
        query = sa.select(table.c.device, table.c.reason, sa.func.count()).group_by(
            table.c.device, table.c.reason
        )
        self._kept = {(device, reason): count for device, reason, count in self._connection.execute(query)}
        self._fresh = True

    def _add_total(
        self, connection: sa.Connection, device: str, reason: str, count: int, first: int, last: int
    ) -> None:
        table = schema.quarantine_total
        where = (table.c.device == device) & (table.c.reason == reason)
        changed = connection.execute(
            sa.update(table).where(where).values(count=table.c.count + count, last_at=last)
        )
        if changed.rowcount == 0:
            values = {"device": device, "reason": reason, "count": count, "first_at": first, "last_at": last}
            connection.execute(sa.insert(table), values)


def _row(key: tuple[str, str], one: Rejection) -> dict[str, object]:
    return {
        "at": one.at,
        "device": key[0],
        "reason": key[1],
        "topic": one.topic,
        "detail": one.detail,
        "payload": one.payload[:PAYLOAD_KEPT],
        "whole": len(one.payload) <= PAYLOAD_KEPT,
    }


def find_messages(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Message | None]:
    """Kept payloads as messages to take again; None for one of which only the beginning was kept."""
    table = schema.quarantine
    rows = connection.execute(sa.select(table).where(table.c.id.in_(list(ids))).order_by(table.c.id))
    return {row.id: Message(row.topic, row.payload, received=row.at) if row.whole else None for row in rows}


def forget_items(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete kept payloads; the totals stay."""
    table = schema.quarantine
    connection.execute(sa.delete(table).where(table.c.id.in_(list(ids))))
