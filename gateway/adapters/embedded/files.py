"""The SQLite files of one folder: opened when needed, a few kept open, set aside when corrupt."""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OPEN_FILES: Final = 16
"""Connections kept; each costs three descriptors and at most 4 MiB of cache."""

_SETTINGS: Final = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    # FULL, not NORMAL: the outbox forgets a batch once write() returns, and under WAL with NORMAL a power cut
    # takes the last commits with it. It is one fsync for some thousand rows.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -4096",
    "PRAGMA temp_store = MEMORY",
)
_CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class CorruptFile(Exception):  # never leaves the store; answered by setting the file aside
    """A file is no SQLite database, or a broken one."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name = name
        self.words = words


class Files:
    """One folder of them. Belongs to one thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._open: OrderedDict[str, sqlite3.Connection] = OrderedDict()
        self._names = {path.stem for path in folder.glob("*.db")}

    def names(self) -> list[str]:
        """All files there are, without ``.db``, in order."""
        return sorted(self._names)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._names

    @contextmanager
    def transaction(self, name: str, schema: str) -> Iterator[sqlite3.Connection]:
        """Change a file, making it when it is not there; all or nothing.

        Raises:
            CorruptFile: it cannot be used; set it aside.
            sqlite3.Error: anything else, such as a full disk.
        """
        with self.reading(name, schema) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.execute("COMMIT")

    @contextmanager
    def reading(self, name: str, schema: str) -> Iterator[sqlite3.Connection]:
        """Read a file, making it when it is not there; raises as :meth:`transaction`."""
        try:
            yield self._connection(name, schema)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT:
                raise CorruptFile(name, str(error)) from error
            raise

    def _connection(self, name: str, schema: str) -> sqlite3.Connection:
        db = self._open.get(name)
        if db is None:
            while len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            db = sqlite3.connect(self.folder / f"{name}.db", isolation_level=None)
            try:
                for setting in _SETTINGS:
                    db.execute(setting)
                db.executescript(schema)
            except BaseException:
                db.close()
                raise
            self._open[name] = db
            self._names.add(name)
        self._open.move_to_end(name)
        return db

    def delete(self, name: str) -> None:
        """Remove a file for good."""
        self._forget(name)
        for path in self._parts(name):
            path.unlink(missing_ok=True)

    def set_aside(self, name: str) -> str:
        """Rename a corrupt file out of the way, and say what it is called now; a new one takes its place."""
        self._forget(name)
        number = 1
        while (self.folder / f"{name}.db.corrupt-{number}").exists():
            number += 1
        for path in self._parts(name):
            if path.exists():
                path.rename(path.with_name(f"{path.name}.corrupt-{number}"))
        return f"{name}.db.corrupt-{number}"

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def _forget(self, name: str) -> None:
        db = self._open.pop(name, None)
        if db is not None:
            db.close()
        self._names.discard(name)

    def _parts(self, name: str) -> list[Path]:
        return [self.folder / f"{name}.db{suffix}" for suffix in ("", "-wal", "-shm")]
