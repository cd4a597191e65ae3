"""Answers: from the coarsest source that gives the asked buckets exactly, and from the readings where none does."""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

from gateway.adapters.embedded.catalogue import Catalogue
from gateway.adapters.embedded.days import Days, Partial
from gateway.adapters.embedded.periods import span
from gateway.adapters.embedded.rollups import Rollups
from gateway.core.values import DAY, HOUR, MINUTE, Millis
from gateway.ports import Answer, Bucket, Query, Sample

Range: TypeAlias = tuple[Millis, Millis]
"""Start inclusive, end exclusive."""


def source_for(every: Millis) -> Millis | None:
    """The widest roll-up that divides the bucket; None when only the readings will do."""
    return next((width for width in (HOUR, MINUTE) if every % width == 0), None)


def without(whole: Range, holes: Sequence[Range]) -> list[Range]:
    """What is left of a range; the holes are in order and do not overlap."""
    left = []
    start, end = whole
    for first, last in holes:
        if start < first:
            left.append((start, min(first, end)))
        start = max(start, last)
    if start < end:
        left.append((start, end))
    return left


def _joined(one: Partial, other: Partial) -> Partial:
    ts, least, most, total, count = other
    return ts, min(one[1], least), max(one[2], most), one[3] + total, one[4] + count


class Answers:
    """Reads one store. Belongs to its thread."""

    def __init__(self, catalogue: Catalogue, days: Days, rollups: Rollups) -> None:
        self._catalogue = catalogue
        self._days = days
        self._rollups = rollups

    def answer(self, query: Query, field: str) -> Answer:
        """The readings or buckets of one field."""
        columns = self._catalogue.matching(query.series, field)
        if not columns or query.start >= query.end:
            return Answer(field, [], [])
        ids = [column.id for column in columns]
        kind = columns[0].type
        if query.every is None or kind is str:
            found = self._days.samples(ids, query.start, query.end, query.limit + 1)
            samples = [
                Sample(ts, bool(value) if kind is bool else value) for ts, value in found[: query.limit]
            ]
            return Answer(field, samples, [], len(found) > query.limit)
        buckets = self._buckets(ids, query, query.every)
        return Answer(field, [], buckets[: query.limit], len(buckets) > query.limit)

    def _buckets(self, ids: Collection[int], query: Query, every: Millis) -> list[Bucket]:
        """All buckets, or enough of them to see that they are too many: the last may then be incomplete."""
        together: dict[Millis, Partial] = {}
        width = source_for(every)
        for start, end in self._chunks(query, width):
            for part in self._partials(ids, start, end, every, width):
                seen = together.get(part[0])
                together[part[0]] = part if seen is None else _joined(seen, part)
            if len(together) > query.limit:
                break
        return [
            Bucket(ts, float(least), float(most), total / count, count)
            for ts, least, most, total, count in sorted(together.values())
        ]

    def _chunks(self, query: Query, width: Millis | None) -> Iterator[Range]:
        """The range cut at the borders of files that hold something, oldest first."""
        days = [span(name) for name in self._days.names()]
        rolled = [] if width is None else [span(name) for name in self._rollups.names(width)]
        alone = [day for day in days if not any(first <= day[0] < last for first, last in rolled)]
        for first, last in sorted(rolled + alone):
            if first < query.end and query.start < last:
                yield max(first, query.start), min(last, query.end)

    def _partials(
        self, ids: Collection[int], start: Millis, end: Millis, every: Millis, width: Millis | None
    ) -> Iterator[Partial]:
        if width is None:
            yield from self._days.partials(ids, start, end, every)
            return
        inner = (start + -start % width, end - end % width)
        if inner[0] >= inner[1]:
            yield from self._days.partials(ids, start, end, every)
            return
        changed = self._changed(ids, inner)
        for first, last in without(inner, changed):
            yield from self._rollups.partials(width, ids, first, last, every)
        edges = [(start, inner[0]), *changed, (inner[1], end)]
        for first, last in edges:
            if first < last:
                yield from self._days.partials(ids, first, last, every)

    def _changed(self, ids: Collection[int], inner: Range) -> list[Range]:
        """The hours in a range whose roll-ups are not made yet."""
        wanted = set(ids)
        hours = {
            hour
            for day in self._catalogue.unrolled
            if span(day)[0] < inner[1] and inner[0] < span(day)[0] + DAY
            for number, hour in self._days.marks(day)
            if number in wanted
        }
        ranges = ((max(hour, inner[0]), min(hour + HOUR, inner[1])) for hour in sorted(hours))
        return [(first, last) for first, last in ranges if first < last]
