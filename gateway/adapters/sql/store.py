"""The store: what a step leads to, in one transaction, by one writer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import journal, outbox_rows, patrol, quality, schema
from gateway.adapters.sql.database import DataDir, open_database, unusable
from gateway.adapters.sql.quarantine import Quarantine, forget_items
from gateway.adapters.sql.recorder import Bundle, Recorder
from gateway.core.effects import Effects
from gateway.core.order_state import WorkOrder
from gateway.core.state import Alert, DeviceState, Scalars, State
from gateway.errors import DataDirError, StoreError

T = TypeVar("T")

_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


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
        with self._connection.begin():
            quality.catch_up(self._connection)
        self._quarantine = Quarantine(self._connection)
        self._filled = asyncio.Event()
        self._noticed = asyncio.Event()
        self._settled = asyncio.Event()
        self._grown = asyncio.Event()
        self._growth = 0
        self.recorder = Recorder(self._quarantine)
        self.waiting_bytes, self.waiting_rows = outbox_rows.measure(self._connection)
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
        except msgspec.DecodeError as error:
            data_dir.release()
            raise DataDirError(f"the history in {data_dir.database} is damaged: {error}") from error
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
        recorder = self.recorder
        last = await self.write(
            lambda connection: recorder.write(connection, entries, effects, state, config)
        )
        self._growth -= recorder.journalled
        if self._growth <= 0:
            self._grown.set()
        if effects.rows:
            rows, size = recorder.packed  # they count now that they are committed
            self.waiting_rows += rows
            self.waiting_bytes += size
            self._filled.set()
        if any(outcome.kind == "notice.sent" for outcome in effects.outcomes):
            self._noticed.set()
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

    async def noticed(self) -> None:
        """Return once there may be a new notice in the log."""
        await self._noticed.wait()
        self._noticed.clear()

    async def journal_grown(self, size: int) -> None:
        """Return once the journal has grown by so many bytes from now on."""
        self._growth = size
        self._grown.clear()
        await self._grown.wait()

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
        except Exception:
            self._quarantine.recount()
            raise

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
        state = State(scalars, devices, alerts, orders, patrol.load(connection, row.now))
        return Loaded(state, Bundle(row.config, body) if body else None)


def _live(connection: sa.Connection, table: sa.Table, kind: type[T]) -> dict[str, T]:
    decode = msgspec.msgpack.Decoder(kind).decode
    rows = connection.execute(sa.select(table.c.id, table.c.body).where(table.c.live).order_by(table.c.id))
    return {name: decode(body) for name, body in rows}


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    """A store for the length of a block."""
    store = Store.open(path)
    try:
        yield store
    finally:
        await store.close()
