"""Opening hours in local time, and windows of time: what durations and rules may be bound to.

Everything is reckoned in UTC milliseconds from wall times of the site's zone. Hours are sets of wall times: one that
daylight saving skips stands for the moment the clock jumps, so hours that lie wholly in the gap are dropped that day;
one that comes twice stands for its first time, so what opens or closes then does it once.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeAlias

from gateway.core.local_time import EPOCH, first_moment
from gateway.core.recurrence import Recurrence
from gateway.core.schedule import Schedule
from gateway.core.values import DAY, Millis

Span: TypeAlias = tuple[Millis, Millis]
"""From, inclusive, until, exclusive."""
DayHours: TypeAlias = tuple[tuple[int, int], ...]
"""Stretches of one weekday in minutes since local midnight. An end not after its start is on the next day."""

NEVER: Millis = 253_370_764_800_000
"""When a duration ends that is counted by a calendar which is never open: 9999-01-01T00:00Z."""
HORIZON: Millis = 20 * 366 * DAY
"""How far durations are counted: a promise of so many years of open time is none."""
EVERY_DAY: tuple[DayHours, ...] = (((0, 1440),),) * 7
_DAY_MINUTES = 1440
_EPOCH_ORDINAL = EPOCH.toordinal()
_KEPT_DAYS = 4096
_REACH = 3
"""Local days before and after a day of UTC whose hours may touch it."""
_MERGES = 10_000


class _Counted:
    """Counts open time by walking from one change to the next."""

    __slots__ = ()

    def add(self: Schedule, start: Millis, length: Millis) -> Millis:
        """When ``length`` of open time will have passed since ``start``; the start itself where it is nothing.

        Time that ends with a stretch ends there, not at the beginning of the next. :data:`NEVER` where there will
        not be so much open time within :data:`HORIZON`.
        """
        if length <= 0:
            return start
        at, left, is_open = start, length, self.is_open(start)
        while (change := self.next_change(at)) is not None and at - start < HORIZON:
            if is_open:
                if change - at >= left:
                    return at + left
                left -= change - at
            at, is_open = change, not is_open
        return at + left if is_open and at - start < HORIZON else NEVER

    def between(self: Schedule, start: Millis, end: Millis) -> Millis:
        """The open time between two moments; 0 where the end is not after the start. At most that of :data:`HORIZON`."""
        end = min(end, start + HORIZON)
        at, total, is_open = start, 0, self.is_open(start)
        while at < end:
            change = self.next_change(at)
            until = end if change is None or change > end else change
            total += until - at if is_open else 0
            at, is_open = until, not is_open
        return total


@dataclass(frozen=True, slots=True)
class _Memo:
    """What was worked out before. Bounded, and never more than a shortcut."""

    days: dict[int, tuple[Span, ...]] = field(default_factory=dict)
    """By ordinal of the local day: its stretches in UTC."""
    changes: dict[int, tuple[bool, tuple[Millis, ...]]] = field(default_factory=dict)
    """By day of UTC since the epoch: whether it was open just before, and the changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(_Counted):
    """Opening hours of a week, with days that differ. A stretch belongs to the day on which it begins.

    Raises:
        ValueError: the hours are not those of seven days, or lie outside the day.
    """

    zone: tzinfo
    hours: tuple[DayHours, ...] = EVERY_DAY
    """From Monday on."""
    holidays: frozenset[date] = frozenset()
    """Local dates on which nothing opens. What opened the evening before runs to its end."""
    workdays: frozenset[date] = frozenset()
    """Local dates that are worked, whatever their weekday: the make-up days (调休) around Chinese holidays.

    From Monday to Friday they have the hours of their weekday, where it has any; otherwise, and on Saturdays and
    Sundays even where these have (shorter) hours of their own, those of the first open day of the week, which is
    Monday as a rule. A date that is a holiday too is worked.
    """
    _memo: _Memo = field(default_factory=_Memo, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.hours) != len(EVERY_DAY):
            raise ValueError(f"found hours of {len(self.hours)} days; seven are needed, from Monday on")
        for start, end in (span for day in self.hours for span in day):
            if not (0 <= start < _DAY_MINUTES and 0 <= end <= _DAY_MINUTES):
                raise ValueError(f"found {start} to {end} minutes, which is not within a day")

    def is_open(self, at: Millis) -> bool:
        """Whether it is open at that moment; the start of a stretch is inside, its end outside."""
        before, changes = self._changes(at // DAY)
        return before is (bisect_right(changes, at) % 2 == 0)

    def next_change(self, at: Millis) -> Millis | None:
        """The first moment after ``at`` at which it opens or closes; None when it never does again."""
        first = at // DAY
        _, changes = self._changes(first)
        if (index := bisect_right(changes, at)) < len(changes):
            return changes[index]
        for day in self._candidates(first + 1):
            if found := self._changes(day)[1]:
                return found[0]
        return None

    def _candidates(self, first: int) -> "range | list[int]":
        """Days of UTC from this one on of which one has the next change, if there is any."""
        if any(self.hours) and not self._is_round_the_clock():
            return range(first, first + len(self.holidays) + 3 * _REACH + 7)
        if not any(self.hours):
            return []
        near = sorted({day.toordinal() - _EPOCH_ORDINAL for day in self.holidays - self.workdays})
        return [day for one in near for day in range(max(first, one - _REACH), one + _REACH + 1)]

    def _is_round_the_clock(self) -> bool:
        covered = 0
        days = [(number * _DAY_MINUTES, day) for number, day in enumerate(self.hours)]
        for midnight, day in [(days[-1][0] - 7 * _DAY_MINUTES, self.hours[-1]), *days]:
            for start, end in sorted(day):
                if midnight + start > covered:
                    return False
                covered = max(covered, midnight + (end if end > start else end + _DAY_MINUTES))
        return covered >= 7 * _DAY_MINUTES

    def _changes(self, day: int) -> tuple[bool, tuple[Millis, ...]]:
        """Whether it was open just before this day of UTC, and when it opens and closes on it."""
        found = self._memo.changes.get(day)
        if found is None:
            if len(self._memo.changes) >= _KEPT_DAYS:
                self._memo.changes.clear()
            found = self._memo.changes[day] = self._reckon(day)
        return found

    def _reckon(self, day: int) -> tuple[bool, tuple[Millis, ...]]:
        start, ordinal = day * DAY, day + _EPOCH_ORDINAL
        merged: list[Span] = []
        for one in range(ordinal - _REACH, ordinal + _REACH + 1):
            for span in self._spans(one):
                _join(merged, span)
        before = any(opens < start <= closes for opens, closes in merged)
        return before, tuple(change for span in merged for change in span if start <= change < start + DAY)

    def _spans(self, ordinal: int) -> tuple[Span, ...]:
        """The stretches that begin on a local day."""
        found = self._memo.days.get(ordinal)
        if found is None:
            if len(self._memo.days) >= _KEPT_DAYS:
                self._memo.days.clear()
            midnight = datetime.fromordinal(ordinal)
            found = self._memo.days[ordinal] = tuple(
                span
                for start, end in sorted(self._hours(midnight.date()))
                if (span := self._span(midnight, start, end if end > start else end + _DAY_MINUTES))
                and span[0] < span[1]
            )
        return found

    def _span(self, midnight: datetime, start: int, end: int) -> Span:
        ends = (midnight + timedelta(minutes=minutes) for minutes in (start, end))
        opens, closes = (first_moment(wall, self.zone) for wall in ends)
        return opens, closes

    def _hours(self, day: date) -> DayHours:
        weekday = day.weekday()
        if day not in self.workdays:
            return () if day in self.holidays else self.hours[weekday]
        if weekday < 5 and self.hours[weekday]:  # noqa: PLR2004 - Saturday
            return self.hours[weekday]
        return next((hours for hours in self.hours if hours), ())


def _join(merged: list[Span], span: Span) -> None:
    """Add a stretch that begins no earlier than the last one; what touches or overlaps becomes one."""
    if merged and span[0] <= merged[-1][1]:
        merged[-1] = (merged[-1][0], max(merged[-1][1], span[1]))
    else:
        merged.append(span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Open in each of some spans, and for a while from each occurrence of a recurrence on.

    Raises:
        ValueError: a span ends before it begins, or a recurrence has no length.
    """

    spans: tuple[Span, ...] = ()
    recurrence: Recurrence | None = None
    lasts: Millis = 0
    """Milliseconds from each occurrence on; later than the next one they overlap, and count as one."""

    def __post_init__(self) -> None:
        for start, end in self.spans:
            if end <= start:
                raise ValueError(f"found a window from {start} to {end} ms; its end must be later")
        if (self.recurrence is None) is not (self.lasts <= 0):
            raise ValueError(
                f"found {self.lasts} ms for each occurrence; a recurrence and its length go together"
            )

    def is_open(self, at: Millis) -> bool:
        """Whether it is open at that moment; the start of a window is inside, its end outside."""
        return self._end(at) is not None

    def next_change(self, at: Millis) -> Millis | None:
        """The first moment after ``at`` at which it opens or closes; None when it never does again.

        Occurrences that overlap ten thousand times in a row count as one that never ends.
        """
        end = self._end(at)
        if end is None:
            return self._start(at)
        for _ in range(_MERGES):
            later = self._end(end)
            if later is None:
                return end
            end = later
        return None

    def _start(self, at: Millis) -> Millis | None:
        """The first start after a moment."""
        starts = [start for start, _ in self.spans if start > at]
        due = None if self.recurrence is None else self.recurrence.after(at)
        return min([*starts, due.at] if due is not None else starts, default=None)

    def _end(self, at: Millis) -> Millis | None:
        """The latest end of what is open at a moment; None where nothing is."""
        ends = [end for start, end in self.spans if start <= at < end]
        due = None if self.recurrence is None else self.recurrence.last(at)
        if due is not None and at < due.at + self.lasts:
            ends.append(due.at + self.lasts)
        return max(ends, default=None)
