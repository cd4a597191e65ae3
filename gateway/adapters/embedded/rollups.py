"""Minutes and hours: least, most, sum and count, computed again from the readings whenever an hour has changed.

Counting again, not adding up, is what keeps them right under repeated and late readings. The order makes it safe to
be killed anywhere: roll-ups are on disk before the mark that asked for them is taken away.
"""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Final

from gateway.adapters.embedded.catalogue import SERIES_TABLE, Catalogue
from gateway.adapters.embedded.days import Days, Mark, Partial, floored, listed
from gateway.adapters.embedded.files import Files
from gateway.adapters.embedded.periods import hours_file, minutes_file, span
from gateway.core.values import HOUR, MINUTE, Millis

SCHEMA: Final = f"""{SERIES_TABLE}
CREATE TABLE IF NOT EXISTS buckets (
    series INTEGER NOT NULL, ts INTEGER NOT NULL,
    least REAL NOT NULL, most REAL NOT NULL, sum REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (series, ts)
) WITHOUT ROWID, STRICT;
"""

# The condition matters once a corrupt day was set aside: a late reading must not replace the roll-up of a full hour
# by that of a nearly empty one. Otherwise counts never go down.
_KEEP: Final = """
INSERT INTO buckets VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (series, ts) DO UPDATE
SET least = excluded.least, most = excluded.most, sum = excluded.sum, count = excluded.count
WHERE excluded.count >= count
"""


class Rollups:
    """Both widths of roll-ups. Belongs to the store's thread."""

    def __init__(self, files: Files, catalogue: Catalogue, days: Days) -> None:
        self._files = files
        self._catalogue = catalogue
        self._days = days

    def roll(self, day: str, marks: Sequence[Mark]) -> None:
        """Roll up these hours of a day, and take their marks away."""
        minutes = {mark: self._days.partials([mark[0]], mark[1], mark[1] + HOUR, MINUTE) for mark in marks}
        hours = {mark: [_together(mark[1], parts)] for mark, parts in minutes.items() if parts}
        start = span(day)[0]
        self._keep(minutes_file(start), minutes)
        self._keep(hours_file(start), hours)
        self._days.unmark(day, marks)
        if not self._days.marks(day):
            self._catalogue.mark_rolled(day)

    def _keep(self, name: str, found: dict[Mark, list[Partial]]) -> None:
        rows = sorted((number, *partial) for (number, _), partials in found.items() for partial in partials)
        if not rows:
            return
        entries = self._catalogue.entries({row[0] for row in rows})
        with self._files.transaction(name, SCHEMA) as db:
            db.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?)", entries)
            db.executemany(_KEEP, rows)

    def partials(
        self, width: Millis, ids: Collection[int], start: Millis, end: Millis, every: Millis
    ) -> list[Partial]:
        """What the roll-ups of that width add to buckets of ``every``; start and end are multiples of ``width``."""
        found: list[Partial] = []
        for name in self.names(width):
            first, last = span(name)
            if first < end and start < last:
                with self._files.reading(name, SCHEMA) as db:
                    found += db.execute(
                        f"SELECT {floored(every)}, min(least), max(most), total(sum), sum(count) FROM buckets"  # noqa: S608  # integers
                        f" WHERE series IN {listed(ids)} AND ts >= ? AND ts < ? GROUP BY 1",
                        (start, end),
                    ).fetchall()
        return found

    def names(self, width: Millis) -> list[str]:
        """The files of that width, oldest first."""
        prefix = "hours-" if width == HOUR else "minutes-"
        return [name for name in self._files.names() if name.startswith(prefix)]


def _together(ts: Millis, parts: Sequence[Partial]) -> Partial:
    return (
        ts,
        min(part[1] for part in parts),
        max(part[2] for part in parts),
        math.fsum(part[3] for part in parts),
        sum(part[4] for part in parts),
    )


class Schedule:
    """Rolls up hours once they are over, a few at a time, so that no write waits long for it."""

    def __init__(self, days: Days, rollups: Rollups, catalogue: Catalogue, *, step: int = 256) -> None:
        self._days = days
        self._rollups = rollups
        self._catalogue = catalogue
        self._step = step
        self._newest: Millis = -(2**63)
        self._due = True

    def saw(self, oldest: Millis, newest: Millis) -> None:
        """Readings of these times were stored."""
        hour = self._over()
        self._newest = max(self._newest, newest)
        if self._over() != hour or oldest < self._over():
            self._due = True

    def _over(self) -> Millis:
        """Hours before this moment are over, by the readings' own time: the store has no clock."""
        settled = self._newest - 2 * MINUTE
        return settled - settled % HOUR

    def work(self) -> None:
        """One step, when there is something to do."""
        if self._due:
            self._due = self.roll(lambda mark: mark[1] < self._over(), self._step) == self._step

    def roll(self, wanted: Callable[[Mark], bool], most: int) -> int:
        """Roll up at most that many hours that are ``wanted``, and say how many it were."""
        done = 0
        for day in sorted(self._catalogue.unrolled):
            marks = sorted(mark for mark in self._days.marks(day) if wanted(mark))[: most - done]
            if marks:
                self._rollups.roll(day, marks)
                done += len(marks)
            elif not self._days.marks(day):
                self._catalogue.mark_rolled(day)
            if done >= most:
                break
        return done
