"""Reading a data directory beside the gateway that writes it: no lock is taken, nothing is changed.

SQLite's write-ahead log lets a reader see one moment of the records while the writer goes on. A directory that nobody
may write to, such as a mounted back-up, is read as it lies there.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import alembic.config
import alembic.script
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from gateway.adapters.sql.database import BUSY_TIMEOUT, unusable
from gateway.errors import DataDirError


@contextlib.contextmanager
def beside(data_dir: Path) -> Iterator[sa.Connection]:
    """A connection that only reads, at one moment of the records, for the length of a block.

    Args:
        data_dir: of a gateway that runs or does not.

    Raises:
        DataDirError: there are no records, they cannot be read, or are of another version.
    """
    file = data_dir / "facility.db"
    if not file.is_file():
        raise DataDirError(f"there are no records in {data_dir}: no file {file.name}")
    engine = sa.create_engine(_url(file), connect_args={"isolation_level": None})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            _check_version(connection, file)
            with one_moment(connection):
                yield connection
    except sa.exc.DatabaseError as error:
        raise unusable(file, error) from error
    finally:
        engine.dispose()


@contextlib.contextmanager
def one_moment(connection: sa.Connection) -> Iterator[None]:
    """All that is read in the block is of one moment, however long it takes and whatever is written meanwhile."""
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


def _url(file: Path) -> sa.URL:
    mode = {"mode": "ro", "uri": "true", "timeout": str(BUSY_TIMEOUT / 1000)}
    wal = file.with_name(f"{file.name}-wal")
    if not os.access(file.parent, os.W_OK) and not wal.exists():
        mode["immutable"] = "1"  # SQLite could not make the file through which readers and the writer agree
    return sa.URL.create("sqlite", database=f"file:{_quoted(file)}", query=mode)


def _quoted(file: Path) -> str:
    """A path within a URI: SQLite takes ``?`` and ``#`` as its ends."""
    text = str(file.absolute())
    for sign in "%?#":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _check_version(connection: sa.Connection, file: Path) -> None:
    settings = alembic.config.Config()
    settings.set_main_option("script_location", "gateway.adapters.sql:migrations")
    script = alembic.script.ScriptDirectory.from_config(settings)
    found = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    if found == script.get_current_head():
        return
    known = {one.revision for one in script.walk_revisions()}
    if found is None or found in known:
        raise DataDirError(
            f"the database {file} was written by an older version of the gateway; "
            "start this version on it once, which brings it up to date"
        )
    raise DataDirError(
        f"the database {file} was written by a newer version of the gateway; install that version"
    )
