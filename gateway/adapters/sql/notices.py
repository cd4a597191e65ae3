"""Notices on their way, over the store: taken from the log of outcomes, kept until they have arrived."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.adapters.sql.store import Store
from gateway.core.effects import Outcome
from gateway.core.order_state import WorkOrder
from gateway.core.state import Alert
from gateway.core.values import DAY, Millis

T = TypeVar("T")

READER: Final = "notices"
AT_ONCE: Final = 500
"""Notices looked at in one go."""
GIVEN_UP_KEPT: Final = 30 * DAY

_table = schema.notice_delivery


class Line(NamedTuple):
    """One address of a target, by its number."""

    target: str
    address: int


class Delivery(NamedTuple):
    """One notice for one address."""

    seq: int
    """The notice's number in the log."""
    at: Millis
    tries: int
    notice: Outcome


class Taken(NamedTuple):
    """What was new in the log."""

    lines: set[Line]
    """Which have something to carry now."""
    unaddressed: list[str]
    """Targets that were to be told and have no address, once for each notice."""
    more: bool


class Subjects(NamedTuple):
    """The records that notices are about, as they are now."""

    alerts: Mapping[str, Alert]
    orders: Mapping[str, WorkOrder]


class Deliveries:
    """The deliveries of one gateway."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, addresses: Mapping[str, int]) -> Taken:
        """Read on in the log: a delivery for each address of each target. Raises :class:`StoreError`."""
        return await self._store.write(lambda connection: _take(connection, addresses))

    async def noticed(self) -> None:
        """Return once there may be something to take."""
        await self._store.noticed()

    async def pending(self, line: Line) -> list[Delivery]:
        """What waits for an address: what was tried least first, then in order. Raises :class:`StoreError`."""
        query = (
            sa.select(_table)
            .where(_of(line), _table.c.given_up_at.is_(None))
            .order_by(_table.c.tries, _table.c.seq)
            .limit(AT_ONCE)
        )
        decode = msgspec.json.Decoder(Outcome).decode
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [Delivery(row.seq, row.at, row.tries, decode(row.body)) for row in rows]

    async def arrived(self, line: Line, seqs: Collection[int]) -> None:
        """They are with the target. Raises :class:`StoreError`."""
        where = _of(line) & _table.c.seq.in_(sorted(seqs))
        await self._store.write(lambda connection: connection.execute(sa.delete(_table).where(where)))

    async def failed(self, line: Line, seqs: Collection[int], hopeless: Collection[int], now: Millis) -> None:
        """They were tried once more in vain; the hopeless ones are not tried again. Raises :class:`StoreError`."""

        def work(connection: sa.Connection) -> None:
            tried = _of(line) & _table.c.seq.in_(sorted(seqs))
            connection.execute(sa.update(_table).where(tried).values(tries=_table.c.tries + 1))
            lost = _of(line) & _table.c.seq.in_(sorted(hopeless))
            connection.execute(sa.update(_table).where(lost).values(given_up_at=now))
            connection.execute(sa.delete(_table).where(_table.c.given_up_at < now - GIVEN_UP_KEPT))

        await self._store.write(work)

    async def drop_others(self, lines: Collection[Line]) -> int:
        """Forget what waits for addresses that are not there any more; returns how many. Raises :class:`StoreError`."""

        def work(connection: sa.Connection) -> int:
            query = sa.select(_table.c.target, _table.c.address).where(_table.c.given_up_at.is_(None))
            gone = {Line(*row) for row in connection.execute(query.distinct())} - set(lines)
            waiting = _table.c.given_up_at.is_(None)
            return sum(
                connection.execute(sa.delete(_table).where(_of(line), waiting)).rowcount
                for line in sorted(gone)
            )

        return await self._store.write(work)

    async def counts(self, since: Millis) -> tuple[dict[Line, int], dict[Line, int]]:
        """How many wait, and how many were given up since then, by address. Raises :class:`StoreError`."""
        columns = (_table.c.target, _table.c.address, sa.func.count())
        waiting = sa.select(*columns).where(_table.c.given_up_at.is_(None))
        lost = sa.select(*columns).where(_table.c.given_up_at >= since)

        def work(connection: sa.Connection) -> tuple[dict[Line, int], dict[Line, int]]:
            found = (
                connection.execute(query.group_by(_table.c.target, _table.c.address))
                for query in (waiting, lost)
            )
            first, second = (
                {Line(target, address): count for target, address, count in rows} for rows in found
            )
            return first, second

        return await self._store.read(work)

    async def subjects(self, notices: Iterable[Outcome]) -> Subjects:
        """The alerts and orders they are about. Raises :class:`StoreError`."""
        notices = list(notices)
        alerts = {name for one in notices for name in one.detail["alerts"]}
        orders = {one.detail["order"] for one in notices if "order" in one.detail}
        return await self._store.read(
            lambda connection: Subjects(
                _records(connection, schema.alert, sorted(alerts), Alert),
                _records(connection, schema.work_order, sorted(orders), WorkOrder),
            )
        )


def _of(line: Line) -> sa.ColumnElement[bool]:
    return (_table.c.target == line.target) & (_table.c.address == line.address)


def _take(connection: sa.Connection, addresses: Mapping[str, int]) -> Taken:
    reader = schema.log_reader
    last = connection.execute(sa.select(reader.c.seq).where(reader.c.name == READER)).scalar()
    log = schema.outcome
    query = (
        sa.select(log.c.seq, log.c.at, log.c.body)
        .where(log.c.kind == "notice.sent", log.c.seq > (last or 0))
        .order_by(log.c.seq)
        .limit(AT_ONCE)
    )
    found = connection.execute(query).all()
    if not found:
        return Taken(set(), [], more=False)
    rows: list[dict[str, object]] = []
    unaddressed: list[str] = []
    for seq, at, body in found:
        for target in msgspec.json.decode(body, type=Outcome).detail["targets"]:
            count = addresses.get(target, 0)
            unaddressed += [] if count else [target]
            rows += [
                {"seq": seq, "target": target, "address": number, "at": at, "tries": 0, "body": body}
                for number in range(count)
            ]
    if rows:
        connection.execute(sa.insert(_table), rows)
    _move(connection, last, found[-1].seq)
    lines = {Line(str(row["target"]), int(str(row["address"]))) for row in rows}
    return Taken(lines, unaddressed, more=len(found) == AT_ONCE)


def _move(connection: sa.Connection, last: int | None, seq: int) -> None:
    reader = schema.log_reader
    if last is None:
        connection.execute(sa.insert(reader), {"name": READER, "seq": seq})
    else:
        connection.execute(sa.update(reader).where(reader.c.name == READER).values(seq=seq))


def _records(connection: sa.Connection, table: sa.Table, names: Sequence[str], kind: type[T]) -> dict[str, T]:
    decode = msgspec.msgpack.Decoder(kind).decode
    found: dict[str, T] = {}
    for begin in range(0, len(names), AT_ONCE):
        some = names[begin : begin + AT_ONCE]
        query = sa.select(table.c.id, table.c.body).where(table.c.id.in_(some))
        found |= {name: decode(body) for name, body in connection.execute(query)}
    return found
