"""The store: what a step leads to, in one transaction, by one writer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import journal, outbox_rows, schema
from gateway.adapters.sql.database import DataDir, open_database, unusable
from gateway.adapters.sql.quarantine import Quarantine, forget_items
from gateway.core.effects import Effects
from gateway.core.state import Alert, AlertState, DeviceState, Scalars, State, WorkOrder
from gateway.core.values import Millis
from gateway.errors import StoreError

T = TypeVar("T")

_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class Bundle(NamedTuple):
    """A configuration as text: what the owner wrote, kept under the hash of its content."""

    digest: str
    body: bytes


class Loaded(NamedTuple):
    """What a data directory remembers."""

    state: State
    config: Bundle | None
    """The configuration last in force; None in a new directory."""


class Store:
    """One gateway's records. All writing goes through one thread; reading has connections of its own."""

    def __init__(self, data_dir: DataDir) -> None:
        self._dir = data_dir
        self._writer, self.reader = open_database(data_dir.database)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._connection = self._writer.connect()
        self._quarantine = Quarantine(self._connection)
        self._filled = asyncio.Event()
        self._settled = asyncio.Event()
        self._upserts: dict[str, sa.Insert] = {}
        self.waiting_bytes, self.waiting_rows = outbox_rows.measure(self._connection)
        self._packed = 0, 0
        """Rows and bytes that the transaction under way adds to the outbox; they count once it is committed."""
        self._connection.rollback()

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open or create a data directory.

        Raises:
            DataDirInUse: another gateway holds it.
            DataDirError: it cannot be used.
        """
        data_dir = DataDir(path)
        try:
            return cls(data_dir)
        except sa.exc.DatabaseError as error:
            data_dir.release()
            raise unusable(data_dir.database, error) from error
        except BaseException:
            data_dir.release()
            raise

    @property
    def path(self) -> Path:
        """The data directory."""
        return self._dir.path

    async def load(self) -> Loaded:
        """Everything that is live, as it was last committed."""
        return await self.write(self._load)

    async def commit(
        self, entries: Sequence[journal.Entry], effects: Effects, state: State, config: Bundle | None = None
    ) -> int:
        """Commit inputs and effects in one transaction; returns the number of the last outcome.

        Raises:
            StoreError: nothing of it is on disk; the state in memory must be loaded again.
        """
        last = await self.write(
            lambda connection: self.commit_now(connection, entries, effects, state, config)
        )
        if effects.rows:
            rows, size = self._packed
            self.waiting_rows += rows
            self.waiting_bytes += size
            self._filled.set()
        return last

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run something in the writer's thread, in a transaction of its own.

        Raises:
            StoreError: it failed and left nothing behind.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.transact, work)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run a query in a thread, on a reader's connection."""

        def query() -> T:
            with self.reader.connect() as connection:
                return work(connection)

        try:
            return await asyncio.to_thread(query)
        except (sa.exc.SQLAlchemyError, msgspec.DecodeError) as error:
            raise StoreError(f"the records cannot be read: {error}") from error

    async def forget_refused(self, ids: Sequence[int]) -> None:
        """Delete quarantined payloads, which makes room for others; the totals stay. Raises :class:`StoreError`."""

        def work(connection: sa.Connection) -> None:
            forget_items(connection, ids)
            self._quarantine.recount()

        await self.write(work)

    async def filled(self) -> None:
        """Return once rows may be waiting in the telemetry outbox."""
        await self._filled.wait()
        self._filled.clear()

    def settled(self, rows: int, size: int) -> None:
        """Rows have left the telemetry outbox."""
        self.waiting_rows -= rows
        self.waiting_bytes -= size
        self._settled.set()

    async def drained(self) -> None:
        """Return when rows next leave the telemetry outbox."""
        self._settled.clear()
        await self._settled.wait()

    async def close(self) -> None:
        """Finish writing, fold the write-ahead log into the database and let the directory go."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._shut)
        self._thread.shutdown()
        self._dir.release()

    def _shut(self) -> None:
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            self._connection.close()
            self._writer.dispose()
        self.reader.dispose()

    def transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Run something on the writer's connection in a transaction of its own; in the writer's thread only.

        Raises:
            StoreError: it failed and left nothing behind.
        """
        try:
            with self._connection.begin():
                return work(self._connection)
        except sa.exc.SQLAlchemyError as error:
            self._quarantine.recount()
            original = getattr(error, "orig", None) or error
            raise StoreError(f"the records cannot be written: {original}") from error
        except msgspec.DecodeError as error:
            raise StoreError(
                f"the records in {self._dir.database} are damaged: {error}; "
                "put a backup in its place, or move it away to begin anew"
            ) from error

    def _load(self, connection: sa.Connection) -> Loaded:
        row = connection.execute(sa.select(schema.engine_row)).one_or_none()
        if row is None:
            return Loaded(State(), None)
        scalars = msgspec.msgpack.decode(row.body, type=Scalars)
        scalars.now = row.now
        decode_device = msgspec.msgpack.Decoder(DeviceState).decode
        devices = {name: decode_device(body) for name, body in connection.execute(sa.select(schema.device))}
        alerts = _live(connection, schema.alert, Alert)
        orders = _live(connection, schema.work_order, WorkOrder)
        kept = sa.select(schema.config.c.bundle).where(schema.config.c.digest == row.config)
        body = connection.execute(kept).scalar()
        return Loaded(State(scalars, devices, alerts, orders), Bundle(row.config, body) if body else None)

    def commit_now(
        self,
        connection: sa.Connection,
        entries: Sequence[journal.Entry],
        effects: Effects,
        state: State,
        config: Bundle | None = None,
    ) -> int:
        """The work of :meth:`commit`, within the caller's transaction."""
        if config is not None:
            row = {"digest": config.digest, "first_at": state.scalars.now, "bundle": config.body}
            self._upsert(connection, schema.config, [row])
        if entries:
            block = journal.pack(entries)
            values = {
                "first_at": entries[0][0],
                "last_at": entries[-1][0],
                "inputs": len(entries),
                "body": block,
            }
            connection.execute(sa.insert(schema.journal), values)
        self._write_records(connection, effects, state)
        if effects.rows:
            body = outbox_rows.pack(effects.rows)
            size, count = len(body), len(effects.rows)
            values = {"at": state.scalars.now, "rows": count, "size": size, "body": body}
            connection.execute(sa.insert(schema.telemetry_outbox), values)
            self._packed = count, size
        self._quarantine.add(connection, effects.rejections)
        self._write_engine(connection, effects, state, config)
        return self._write_outcomes(connection, effects)

    def _write_records(self, connection: sa.Connection, effects: Effects, state: State) -> None:
        devices = state.devices
        self._upsert(
            connection,
            schema.device,
            [{"id": name, "body": _pack(devices[name])} for name in effects.devices if name in devices],
        )
        self._upsert(connection, schema.alert, [_alert_row(alert) for alert in effects.alerts.values()])
        self._upsert(
            connection,
            schema.work_order,
            [_order_row(order, state.orders) for order in effects.orders.values()],
        )
        if effects.forgotten:
            where = schema.work_order.c.id.in_(sorted(effects.forgotten))
            connection.execute(sa.update(schema.work_order).where(where).values(live=False))
        if effects.events:
            rows = [
                {
                    "device": event.device,
                    "key": event.key,
                    "ts": event.ts,
                    "at": event.at,
                    "type": event.type,
                    "body": _json(event.attributes),
                }
                for event in effects.events
            ]
            self._upsert(connection, schema.event, rows, keep=True)

    def _write_engine(
        self, connection: sa.Connection, effects: Effects, state: State, config: Bundle | None
    ) -> None:
        values: dict[str, object] = {"now": state.scalars.now}
        if effects.scalars:
            values["body"] = _pack(state.scalars)
        if config is not None:
            values["config"] = config.digest
        result = connection.execute(sa.update(schema.engine_row).values(**values))
        if result.rowcount == 0:
            first = {"id": 1, "config": "", "body": _pack(state.scalars), **values}
            connection.execute(sa.insert(schema.engine_row), first)

    def _write_outcomes(self, connection: sa.Connection, effects: Effects) -> int:
        if effects.outcomes:
            rows = [
                {
                    "at": outcome.at,
                    "kind": outcome.kind,
                    "device": outcome.device,
                    "subject": outcome.subject,
                    "body": _json(outcome),
                }
                for outcome in effects.outcomes
            ]
            connection.execute(sa.insert(schema.outcome), rows)
        last = connection.execute(sa.select(sa.func.max(schema.outcome.c.seq))).scalar()
        return last or 0

    def _upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        keep: bool = False,
    ) -> None:
        """Insert rows or replace those with the same key; with ``keep`` the first one stays."""
        if not rows:
            return
        statement = self._upserts.get(table.name)
        if statement is None:
            statement = self._upserts[table.name] = _upsert_of(connection, table, keep=keep)
        connection.execute(statement, rows)


def _upsert_of(connection: sa.Connection, table: sa.Table, *, keep: bool) -> sa.Insert:
    # SQLite and PostgreSQL share the syntax; SQLAlchemy has it in each dialect's own insert.
    dialect = connection.dialect.name
    insert: Any = getattr(sa.dialects, dialect).insert(table)
    key = [column.name for column in table.primary_key]
    changes = {column.name: insert.excluded[column.name] for column in table.c if column.name not in key}
    found: sa.Insert = (
        insert.on_conflict_do_nothing(index_elements=key)
        if keep
        else insert.on_conflict_do_update(index_elements=key, set_=changes)
    )
    return found


def _live(connection: sa.Connection, table: sa.Table, kind: type[T]) -> dict[str, T]:
    decode = msgspec.msgpack.Decoder(kind).decode
    rows = connection.execute(sa.select(table.c.id, table.c.body).where(table.c.live).order_by(table.c.id))
    return {name: decode(body) for name, body in rows}


def _alert_row(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "device": alert.device,
        "rule": alert.rule,
        "level": int(alert.level),
        "state": str(alert.state),
        "live": alert.state is not AlertState.NORMAL,
        "raised_at": alert.raised_at,
        "body": _pack(alert),
    }


def _order_row(order: WorkOrder, live: Mapping[str, WorkOrder]) -> dict[str, object]:
    return {
        "id": order.id,
        "device": order.device,
        "state": str(order.state),
        "priority": order.priority,
        "live": order.id in live,
        "opened_at": order.opened_at,
        "body": _pack(order),
    }


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    """A store for the length of a block."""
    store = Store.open(path)
    try:
        yield store
    finally:
        await store.close()


def age_limit(now: Millis, keep: Millis) -> Millis:
    """The oldest moment that is kept."""
    return now - keep
