"""Day files: readings, and the hours of a series that changed since they were rolled up."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

from gateway.adapters.embedded.catalogue import SERIES_TABLE, Catalogue
from gateway.adapters.embedded.files import Files
from gateway.adapters.embedded.periods import day_file, is_day, span
from gateway.core.values import HOUR, Millis, Scalar

SCHEMA: Final = f"""{SERIES_TABLE}
CREATE TABLE IF NOT EXISTS samples (
    series INTEGER NOT NULL, ts INTEGER NOT NULL, value ANY NOT NULL, PRIMARY KEY (series, ts)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS changed (
    series INTEGER NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (series, hour)
) WITHOUT ROWID, STRICT;
"""

Reading: TypeAlias = tuple[int, Millis, Scalar]
"""Series id, time and value."""

Mark: TypeAlias = tuple[int, Millis]
"""Series id and the start of an hour."""

Partial: TypeAlias = tuple[Millis, float, float, float, int]
"""Start of a bucket, least, most, sum and count of what one source holds of it."""


def floored(width: Millis) -> str:
    """SQL for the start of the bucket that ``ts`` falls into, right before 1970 too."""
    return f"ts - ((ts % {width:d}) + {width:d}) % {width:d}"


def listed(ids: Collection[int]) -> str:
    """Ids as SQL; integers of ours, so nothing can be smuggled in."""
    return "(" + ",".join(f"{number:d}" for number in ids) + ")"


class Days:
    """The readings, day by day. Belongs to the store's thread."""

    def __init__(self, files: Files, catalogue: Catalogue) -> None:
        self._files = files
        self._catalogue = catalogue
        self._named: dict[str, set[int]] = {}
        self._marks: dict[str, set[Mark]] = {}

    def names(self) -> list[str]:
        """All day files, oldest first."""
        return [name for name in self._files.names() if is_day(name)]

    def forget(self, name: str) -> None:
        """The file is gone: what is known about it is not true any more."""
        self._named.pop(name, None)
        self._marks.pop(name, None)

    def insert(self, readings: Iterable[Reading]) -> None:
        """Store readings, one transaction a day; the newest value of a moment stays."""
        by_day: dict[int, list[Reading]] = {}
        for reading in readings:
            by_day.setdefault(reading[1] // (24 * HOUR), []).append(reading)
        self._catalogue.mark_unrolled([day_file(day * 24 * HOUR) for day in by_day])
        for day, items in by_day.items():
            self._insert_day(day_file(day * 24 * HOUR), items)

    def _insert_day(self, name: str, readings: list[Reading]) -> None:
        # In order of the key, so that each page of the tree is touched once.
        readings.sort(key=lambda reading: reading[:2])
        named, marks = self._known(name)
        new_ids = {reading[0] for reading in readings} - named
        new_marks = {(number, ts - ts % HOUR) for number, ts, _ in readings} - marks
        with self._files.transaction(name, SCHEMA) as db:
            if new_ids:
                db.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?)", self._catalogue.entries(new_ids))
            db.executemany(
                "INSERT INTO samples VALUES (?, ?, ?) ON CONFLICT (series, ts) DO UPDATE SET value = excluded.value",
                readings,
            )
            db.executemany("INSERT INTO changed VALUES (?, ?)", new_marks)
        named |= new_ids
        marks |= new_marks

    def _known(self, name: str) -> tuple[set[int], set[Mark]]:
        if name not in self._marks:
            with self._files.reading(name, SCHEMA) as db:
                self._named[name] = {number for (number,) in db.execute("SELECT id FROM series")}
                self._marks[name] = set(db.execute("SELECT series, hour FROM changed"))
        return self._named[name], self._marks[name]

    def marks(self, name: str) -> set[Mark]:
        """The hours of that day that changed since they were rolled up."""
        return self._known(name)[1] if self._files.exists(name) else set()

    def unmark(self, name: str, marks: Sequence[Mark]) -> None:
        """These hours are rolled up."""
        with self._files.transaction(name, SCHEMA) as db:
            db.executemany("DELETE FROM changed WHERE series = ? AND hour = ?", marks)
        self._marks[name].difference_update(marks)

    def samples(
        self, ids: Collection[int], start: Millis, end: Millis, limit: int
    ) -> list[tuple[Millis, Scalar]]:
        """Readings in order of time, at most ``limit``."""
        found: list[tuple[Millis, Scalar]] = []
        for name in self._within(start, end):
            if len(found) >= limit:
                break
            with self._files.reading(name, SCHEMA) as db:
                found += db.execute(
                    f"SELECT ts, value FROM samples WHERE series IN {listed(ids)} AND ts >= ? AND ts < ?"  # noqa: S608  # integers
                    " ORDER BY ts, series LIMIT ?",
                    (start, end, limit - len(found)),
                ).fetchall()
        return found

    def partials(self, ids: Collection[int], start: Millis, end: Millis, every: Millis) -> list[Partial]:
        """What the readings of a range add to buckets of that width; text adds nothing."""
        found: list[Partial] = []
        for name in self._within(start, end):
            with self._files.reading(name, SCHEMA) as db:
                found += db.execute(
                    f"SELECT {floored(every)}, min(value), max(value), total(value), count(value) FROM samples"  # noqa: S608  # integers
                    f" WHERE series IN {listed(ids)} AND ts >= ? AND ts < ? AND typeof(value) <> 'text' GROUP BY 1",
                    (start, end),
                ).fetchall()
        return found

    def _within(self, start: Millis, end: Millis) -> list[str]:
        return [name for name in self.names() if span(name)[0] < end and start < span(name)[1]]
