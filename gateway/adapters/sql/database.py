"""Opening the database: one directory, one gateway, one writer connection, the schema brought up to date."""

import errno
import fcntl
import os
from pathlib import Path
from typing import IO

import alembic.command
import alembic.config
import sqlalchemy as sa

from gateway.errors import DataDirError, DataDirInUse

BUSY_TIMEOUT = 10_000
"""Milliseconds a connection waits for another one's lock."""


class DataDir:
    """A data directory, held by one gateway at a time.

    Raises:
        DataDirInUse: another process holds it.
        DataDirError: it cannot be created or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _hold(path)

    @property
    def database(self) -> Path:
        """The file of the records."""
        return self.path / "facility.db"

    def release(self) -> None:
        """Let another gateway have it."""
        self._lock.close()


def _hold(path: Path) -> IO[str]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "gateway.lock").open("a+")
    except OSError as error:
        raise DataDirError(f"the data directory {path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise DataDirInUse(
                f"another gateway (process {holder}) is using the data directory {path}; stop it or name another one"
            ) from error
        raise DataDirError(f"the data directory {path} cannot be locked: {error.strerror}") from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def open_database(file: Path, *, readers: int = 4) -> tuple[sa.Engine, sa.Engine]:
    """The writer's engine (one connection) and the readers' (query only), on an up-to-date schema.

    Raises:
        DataDirError: the file is no database, is damaged, or comes from a newer version.
    """
    url = sa.URL.create("sqlite", database=str(file))
    writer = sa.create_engine(url, poolclass=sa.StaticPool, connect_args=_thread_free())
    reader = sa.create_engine(url, pool_size=readers, max_overflow=readers, connect_args=_thread_free())
    sa.event.listen(writer, "connect", _prepare_writer)
    sa.event.listen(writer, "begin", _begin_immediate)
    sa.event.listen(reader, "connect", _prepare_reader)
    try:
        _migrate(writer)
    except sa.exc.DatabaseError as error:
        raise unusable(file, error) from error
    except alembic.util.CommandError as error:
        raise DataDirError(
            f"the database {file} was written by a newer version of the gateway ({error}); install that version"
        ) from error
    return writer, reader


def unusable(file: Path, error: sa.exc.DatabaseError) -> DataDirError:
    """The error for a database that is damaged or none at all."""
    return DataDirError(
        f"the database {file} cannot be opened: {error.orig}; "
        "put a backup in its place, or move it away to begin anew"
    )


def _thread_free() -> dict[str, object]:
    # One thread at a time uses a connection, but not always the same one; transactions are begun by hand.
    return {"check_same_thread": False, "isolation_level": None, "timeout": BUSY_TIMEOUT / 1000}


def _prepare_writer(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=4000",
        "cache_size=-65536",
        f"busy_timeout={BUSY_TIMEOUT}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reader(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    for pragma in ("query_only=ON", f"busy_timeout={BUSY_TIMEOUT}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(writer: sa.Engine) -> None:
    settings = alembic.config.Config()
    settings.set_main_option("script_location", "gateway.adapters.sql:migrations")
    with writer.begin() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, "head")
