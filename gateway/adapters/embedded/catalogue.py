"""Integer ids for series, the types of their fields, and what the store must remember across files."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gateway.adapters.embedded.files import Files
from gateway.adapters.embedded.periods import is_day
from gateway.adapters.row_rules import name_flaw, series_flaw
from gateway.core.values import Millis, Scalar, Series

NAME: Final = "catalogue"

SERIES_TABLE: Final = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL, field TEXT NOT NULL, type TEXT NOT NULL
) STRICT;
"""
"""In every file, so that each says what it holds."""

_SCHEMA: Final = f"""{SERIES_TABLE}
CREATE TABLE IF NOT EXISTS unrolled (day TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
"""


class Column(NamedTuple):
    """One field of one series, as stored."""

    id: int
    type: type


class Entry(NamedTuple):
    """A row of the series table."""

    id: int
    measurement: str
    tags: str
    field: str
    type: str


_TYPES: Final[dict[str, type]] = {kind.__name__: kind for kind in (float, int, bool, str)}


def plain(series: Series) -> Series:
    """Tags in order of name; one without a value counts as absent."""
    return Series(series.measurement, tuple(sorted((name, value) for name, value in series.tags if value)))


def _owner(series: Series) -> tuple[str, str]:
    """Whose share of the series a new one takes: the device's, else the measurement's."""
    device = dict(series.tags).get("device")
    return ("measurement", series.measurement) if device is None else ("device", device)


class Catalogue:
    """Kept in memory whole; a change is on disk before a reading refers to it."""

    def __init__(self, files: Files, series_per_device: int) -> None:
        self._files = files
        self._cap = series_per_device
        self._new: list[Entry] = []
        self.floor: Millis | None = None
        """Readings before this moment were given up by retention and are not taken any more."""
        self._clear()

    def _clear(self) -> None:
        self._columns: dict[Series, dict[str, Column]] = {}
        self._types: dict[tuple[str, str], type] = {}
        self._measured: dict[str, set[Series]] = {}
        self._owned: dict[tuple[str, str], int] = {}
        self._entries: dict[int, Entry] = {}
        self.unrolled: set[str] = set()

    def load(self) -> None:
        """Read it from disk; a lost or emptied one is built again from the series that the other files name."""
        self._clear()
        self._new.clear()
        with self._files.transaction(NAME, _SCHEMA) as db:
            if db.execute("SELECT 1 FROM series LIMIT 1").fetchone() is None:
                self._rebuild(db)
            for entry in db.execute("SELECT id, measurement, tags, field, type FROM series"):
                self._add(Entry(*entry))
            self.unrolled = {day for (day,) in db.execute("SELECT day FROM unrolled")}
            found = db.execute("SELECT value FROM marks WHERE name = 'floor'").fetchone()
            self.floor = None if found is None else found[0]

    def _rebuild(self, db: sqlite3.Connection) -> None:
        names = [name for name in self._files.names() if name != NAME]
        for name in names:
            with self._files.reading(name, SERIES_TABLE) as other:
                entries = other.execute("SELECT id, measurement, tags, field, type FROM series").fetchall()
            db.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?)", entries)
        db.executemany(
            "INSERT OR IGNORE INTO unrolled VALUES (?)", [(name,) for name in names if is_day(name)]
        )

    def _add(self, entry: Entry) -> Column:
        series = Series(entry.measurement, tuple((k, v) for k, v in json.loads(entry.tags)))
        column = Column(entry.id, _TYPES[entry.type])
        self._columns.setdefault(series, {})[entry.field] = column
        self._types[entry.measurement, entry.field] = column.type
        self._measured.setdefault(entry.measurement, set()).add(series)
        self._owned[_owner(series)] = self._owned.get(_owner(series), 0) + 1
        self._entries[entry.id] = entry
        return column

    def columns(self, series: Series) -> dict[str, Column]:
        """The fields of a series known so far; grows with :meth:`column`."""
        found = self._columns.get(series)
        if found is None:
            flaw = series_flaw(series)
            if flaw is not None:
                raise ValueError(flaw)
            found = self._columns.setdefault(plain(series), {})
            self._columns[series] = found
        return found

    def column(self, series: Series, field: str, value: Scalar) -> Column:
        """The column of a field that is new to a series. :meth:`save` before it is used in a file.

        Raises:
            ValueError: the name, the type or the number of series forbids it; the text says why.
        """
        flaw = name_flaw("field", field)
        if flaw is not None:
            raise ValueError(flaw)
        series = plain(series)
        kind = self._types.get((series.measurement, field), type(value))
        self.check(series.measurement, field, kind, value)
        if self._owned.get(_owner(series), 0) >= self._cap:
            what, name = _owner(series)
            raise ValueError(
                f"the {what} {name} has {self._cap} series already, which is the most a {what} may have"
            )
        tags = json.dumps(series.tags, ensure_ascii=False)
        entry = Entry(max(self._entries, default=0) + 1, series.measurement, tags, field, kind.__name__)
        self._new.append(entry)
        return self._add(entry)

    @staticmethod
    def check(measurement: str, field: str, kind: type, value: Scalar) -> None:
        """Raise ValueError when a value is not of the field's type, as InfluxDB does."""
        if type(value) is not kind:
            raise ValueError(
                f'field type conflict: input field "{field}" on measurement "{measurement}" is type '
                f"{type(value).__name__}, already exists as type {kind.__name__}"
            )

    def save(self) -> None:
        """Put new series on disk."""
        if self._new:
            with self._files.transaction(NAME, _SCHEMA) as db:
                db.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?)", self._new)
            self._new.clear()

    def entries(self, ids: Iterable[int]) -> list[Entry]:
        """The rows of the series table for these ids."""
        return [self._entries[number] for number in ids]

    def matching(self, series: Series, field: str) -> list[Column]:
        """The columns of a field in all series of that measurement that carry at least these tags."""
        wanted = set(plain(series).tags)
        candidates = self._measured.get(series.measurement, ())
        found = (self._columns[other].get(field) for other in candidates if wanted <= set(other.tags))
        return [column for column in found if column is not None]

    def mark_unrolled(self, days: Sequence[str]) -> None:
        """Remember that these days hold hours to roll up, before they do."""
        new = [day for day in days if day not in self.unrolled]
        if new:
            with self._files.transaction(NAME, _SCHEMA) as db:
                db.executemany("INSERT OR IGNORE INTO unrolled VALUES (?)", [(day,) for day in new])
            self.unrolled.update(new)

    def mark_rolled(self, day: str) -> None:
        """This day has no hour left to roll up."""
        if day in self.unrolled:
            with self._files.transaction(NAME, _SCHEMA) as db:
                db.execute("DELETE FROM unrolled WHERE day = ?", (day,))
            self.unrolled.discard(day)

    def raise_floor(self, floor: Millis) -> None:
        """Take no readings from before ``floor`` any more; it never goes down."""
        if self.floor is None or floor > self.floor:
            with self._files.transaction(NAME, _SCHEMA) as db:
                db.execute("INSERT OR REPLACE INTO marks VALUES ('floor', ?)", (floor,))
            self.floor = floor

    def __len__(self) -> int:
        return len(self._entries)
