"""Due times that come again: RRULEs (RFC 5545) in the site's local time.

An occurrence is a local wall time. One that daylight saving skips is moved forward by the hour that is lost (section
3.3.5 of the RFC), one that comes twice happens the first time, two that fall together so are one. Where the RFC leaves
out days a month does not have, the last day of the month stands in for them (see :meth:`Recurrence.after`).
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, NamedTuple

from dateutil import rrule as lib

from gateway.core.local_time import instant, is_skipped, offset, wall_time
from gateway.core.rrules import PERIODS, Rule, parse
from gateway.core.values import DAY, HOUR, Millis

_FEW, _MANY = 2, 32
"""Occurrences worked out in one go: at first, and where it is asked again and again."""
_RUNS = 4
_CYCLE = 400
"""Years after which the Gregorian calendar repeats itself, weekdays included."""
_LAST_YEAR = 9_899
_SHORTEST_MONTH = 28
_LIB_PARTS = {
    "BYMONTH": "bymonth",
    "BYMONTHDAY": "bymonthday",
    "BYYEARDAY": "byyearday",
    "BYWEEKNO": "byweekno",
    "BYSETPOS": "bysetpos",
    "BYHOUR": "byhour",
    "BYMINUTE": "byminute",
}
_CHOOSE_DAYS = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")


class Due(NamedTuple):
    """One occurrence."""

    at: Millis
    key: str
    """Its local wall time as the rule gives it, such as ``2026-11-23T08:00``: names the occurrence for good."""


class _Run(NamedTuple):
    """Occurrences in a row, none left out."""

    dues: tuple[Due, ...]
    first: bool
    """Whether there is none before them."""
    last: bool
    """Whether there is none after them."""

    def covers(self, at: Millis) -> bool:
        """Whether the occurrences next to this moment are known."""
        dues = self.dues
        return bool(dues) and (self.first or dues[0].at <= at) and (self.last or at < dues[-1].at)


class _Memo:
    """The runs worked out last, and the rule as it was read: a shortcut, never more."""

    __slots__ = ("ahead", "rule", "runs")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.runs: tuple[_Run, ...] = ()
        self.ahead = _FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When something is due.

    Raises:
        ValueError: the rule is wrong (:func:`gateway.core.rrules.parse`), the start is not a whole minute without a
            zone, or nothing is ever due.
    """

    rule: str
    """The RRULE, without ``DTSTART``."""
    start: datetime
    """The first local wall time, without a zone: nothing is due earlier. It is due itself only where it fits the rule."""
    zone: tzinfo
    _memo: _Memo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        start = self.start
        if start.tzinfo is not None or start.second or start.microsecond:
            raise ValueError(f"the start is a local time in whole minutes, without a zone; found {start}")
        memo = _Memo(parse(self.rule, self.zone))
        object.__setattr__(self, "_memo", memo)
        if not self._run(instant(start, self.zone) - 1).dues:
            raise ValueError("it never occurs")
        if memo.rule.count is not None:  # a last time instead, so that no search has to count
            last = next(islice(self._walls(start), memo.rule.count - 1, None), None)
            memo.rule, memo.runs = replace(memo.rule, until=last), ()

    def after(self, at: Millis) -> Due | None:
        """The first occurrence after a moment; None when there is none any more.

        With ``FREQ=MONTHLY`` or ``YEARLY``, a 29th, 30th or 31st (of ``BYMONTHDAY`` or of the start) is the last day
        of a month that is shorter. Beside ``BYDAY`` or ``BYSETPOS``, such a day is passed over as in the RFC.
        """
        dues = self._run(at).dues
        index = bisect_right(dues, at, key=_at)
        return dues[index] if index < len(dues) else None

    def last(self, at: Millis) -> Due | None:
        """The last occurrence at or before a moment; None when there was none yet."""
        dues = self._run(at).dues
        index = bisect_right(dues, at, key=_at)
        return dues[index - 1] if index else None

    def restarted(self, at: Millis) -> "Recurrence":
        """The same rule counted anew from a moment, to the minute; a ``COUNT`` is left out, an ``UNTIL`` stays.

        Raises:
            ValueError: nothing is due any more.
        """
        kept = [part for part in self.rule.split(";") if not part.upper().startswith("COUNT=")]
        wall = wall_time(at, self.zone).replace(second=0, microsecond=0, fold=0)
        return replace(self, rule=";".join(kept), start=wall)

    def _run(self, at: Millis) -> _Run:
        memo = self._memo
        for run in memo.runs:
            if run.covers(at):
                return run
        found = self._reckon(at)
        memo.runs = (found, *memo.runs[: _RUNS - 1])
        memo.ahead = min(2 * memo.ahead, _MANY)
        return found

    def _reckon(self, at: Millis) -> _Run:
        """The last occurrence up to a moment and the next ones after it, without a scan from the start."""
        rule = self._memo.rule
        begins = instant(self.start, self.zone)
        back = max(rule.interval * PERIODS[rule.frequency] // timedelta(milliseconds=1), HOUR)
        while True:
            low = at - back
            found = self._around(low, at)
            if found.dues and found.dues[0].at <= at:
                return found
            if low < begins - DAY:
                return found._replace(first=True)
            back *= 8

    def _around(self, low: Millis, at: Millis) -> _Run:
        before: Due | None = None
        coming: list[Due] = []
        ahead = self._memo.ahead
        for due in self._dues(low):
            if due.at <= at:
                before = due
                continue
            coming.append(due)
            if len(coming) == ahead:
                break
        dues = coming if before is None else [before, *coming]
        return _Run(tuple(dues), first=False, last=len(coming) < ahead)

    def _dues(self, low: Millis) -> Iterator[Due]:
        """The occurrences after a moment in order of time, which is not quite that of their wall times.

        Those that are skipped come after others whose wall time is later: they are held until it is their turn.
        """
        held: list[Due] = []
        newest = low
        for wall in self._walls(self._earliest(low)):
            due = Due(instant(wall, self.zone), wall.isoformat(timespec="minutes"))
            if is_skipped(wall, self.zone):
                held.append(due)
                continue
            while held and held[0].at <= due.at:
                one = held.pop(0)
                if one.at > newest:
                    newest = one.at
                    yield one
            if due.at > newest:
                newest = due.at
                yield due
        yield from (one for one in held if one.at > newest)

    def _earliest(self, low: Millis) -> datetime:
        """The first wall time that may stand for a moment after this one: earlier while a lost hour is made up for."""
        shown, before = (wall_time(at, self.zone) for at in (low, low - DAY - HOUR))
        jump = max(0, offset(shown, self.zone) - offset(before, self.zone))
        return max(self.start, shown.replace(fold=0) - timedelta(milliseconds=jump))

    def _walls(self, low: datetime) -> Iterator[datetime]:
        """The wall times from one on, by the rule alone.

        dateutil gives up in the year 9999 only, and a rule that does not occur again would keep it busy until then:
        it is asked about a year shortly before that, which has the same calendar.
        """
        rule = self._memo.rule
        shift = (_LAST_YEAR - low.year) // _CYCLE * _CYCLE
        wanted = self._month_ends()
        begins = self._aligned(low)
        try:
            found = lib.rrule(dtstart=begins.replace(year=begins.year + shift), **self._library_parts(wanted))
        except ValueError:  # an interval that never meets the hours or minutes
            return
        for shifted in found:
            if shifted.year - shift > MAXYEAR:
                return
            wall = shifted.replace(year=shifted.year - shift)
            if rule.until is not None and wall > rule.until:
                return
            if wall >= low and wall >= self.start and (not wanted or _is_wanted(wall, wanted)):
                yield wall

    def _month_ends(self) -> tuple[int, ...]:
        """The days of the month, where one of them is not in every month and the last one stands in for it."""
        rule = self._memo.rule
        if rule.frequency not in (lib.YEARLY, lib.MONTHLY) or rule.weekdays or "BYSETPOS" in rule.numbers:
            return ()
        implied = not any(name in rule.numbers for name in _CHOOSE_DAYS)
        days = (self.start.day,) if implied else rule.numbers.get("BYMONTHDAY", ())
        return days if any(day > _SHORTEST_MONTH for day in days) else ()

    def _library_parts(self, month_ends: tuple[int, ...]) -> dict[str, Any]:
        """What dateutil is told. What it would take from its start is said, since it gets another one."""
        rule, start = self._memo.rule, self.start
        parts: dict[str, Any] = {_LIB_PARTS[name]: numbers for name, numbers in rule.numbers.items()}
        if rule.weekdays:
            parts["byweekday"] = rule.weekdays
        elif not any(name in rule.numbers for name in _CHOOSE_DAYS):
            if rule.frequency == lib.YEARLY:
                parts.setdefault("bymonth", (start.month,))
            if rule.frequency in (lib.YEARLY, lib.MONTHLY):
                parts["bymonthday"] = (start.day,)
            elif rule.frequency == lib.WEEKLY:
                parts["byweekday"] = (start.weekday(),)
        if month_ends:
            parts["bymonthday"] = (*month_ends, *range(_SHORTEST_MONTH, 32))
        if rule.frequency < lib.HOURLY:
            parts.setdefault("byhour", (start.hour,))
        if rule.frequency < lib.MINUTELY:
            parts.setdefault("byminute", (start.minute,))
        return {
            **parts,
            "freq": rule.frequency,
            "interval": rule.interval,
            "wkst": rule.week_start,
            "bysecond": (0,),
        }

    def _aligned(self, low: datetime) -> datetime:
        """The beginning of the last period that is a whole number of intervals from that of the start."""
        rule = self._memo.rule
        first = _period(self.start, rule)
        if rule.frequency in (lib.YEARLY, lib.MONTHLY):
            step = rule.interval * (12 if rule.frequency == lib.YEARLY else 1)
            passed = (low.year - first.year) * 12 + low.month - first.month
            months = first.year * 12 + first.month - 1 + max(0, passed // step) * step
            return first.replace(year=months // 12, month=months % 12 + 1)
        length = rule.interval * PERIODS[rule.frequency]
        return first + max(0, (low - first) // length) * length


def _at(due: Due) -> Millis:
    return due.at


def _period(wall: datetime, rule: Rule) -> datetime:
    """The beginning of the year, month, week, day, hour or minute of a wall time."""
    match rule.frequency:
        case lib.MINUTELY:
            return wall
        case lib.HOURLY:
            return wall.replace(minute=0)
    day = wall.replace(hour=0, minute=0)
    match rule.frequency:
        case lib.WEEKLY:
            return day - timedelta(days=(day.weekday() - rule.week_start) % 7)
        case lib.MONTHLY:
            return day.replace(day=1)
        case lib.YEARLY:
            return day.replace(month=1, day=1)
        case _:
            return day


def _is_wanted(wall: datetime, days: tuple[int, ...]) -> bool:
    """Whether a day of the month is one of these, or stands in for one that the month does not have."""
    length = monthrange(wall.year, wall.month)[1]
    return wall.day in days or wall.day - length - 1 in days or (wall.day == length and max(days) > length)
