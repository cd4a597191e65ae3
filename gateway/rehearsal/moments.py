"""The moments of a scenario: since it began, or as a local clock shows them."""

import re
from datetime import datetime, timedelta, tzinfo

from gateway.core.local_time import instant, is_skipped, offset, wall_time
from gateway.core.values import MINUTE, Millis, show_duration
from gateway.site.fields import duration, shown
from gateway.site.zones import zone

BEGIN = "2026-01-05 08:00"
"""A Monday morning, where a file says nothing else."""
YEARS = range(2000, 2100)
EARLIEST: Millis = 10**11
"""Whole numbers from here on are moments, smaller ones durations: no facility is older than 1973."""

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{1,2}:\d{2}(:\d{2})?")
_FORM = 'a time is a duration since the beginning (90s, 2h10m) or a local time ("22:05", 2026-01-06 02:00)'


def local_date(value: object) -> datetime:
    """Read ``2026-01-05 08:00``.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f"found {shown(value)}; a local date and time is needed, such as {BEGIN}")
    day, _, clock = value.replace("T", " ").partition(" ")
    hour, _, rest = clock.partition(":")
    try:
        found = datetime.fromisoformat(f"{day} {hour:0>2}:{rest}")
    except ValueError as exc:
        raise ValueError(f"found {shown(value)}, which is no date and time: {exc}") from exc
    if found.year not in YEARS:
        raise ValueError(f"found {shown(value)}; a year from {YEARS.start} to {YEARS.stop - 1} is needed")
    return found


def local_moment(value: object, timezone: str) -> datetime:
    """Read the same for a zone (an IANA name), whose clocks must show it.

    Raises:
        ValueError: it is something else.
    """
    return _shown_by_clocks(local_date(value), zone(timezone))


def _shown_by_clocks(wall: datetime, place: tzinfo) -> datetime:
    if is_skipped(wall, place):
        raise ValueError(
            f"found {wall:%Y-%m-%d %H:%M}, which no clock there shows: they are put forward past it"
        )
    return wall


def check_time(value: object) -> None:
    """Look whether something is written like a time.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}; {_FORM}")  # noqa: TRY004 - it is reported as what is wrong
    if _DATE.fullmatch(value):
        local_date(value)
    elif not _CLOCK.fullmatch(value):
        try:
            duration(value)
        except ValueError as exc:
            raise ValueError(f"found {shown(value)}; {_FORM}") from exc


def signed_duration(value: object) -> Millis:
    """Read a duration with ``+`` or ``-`` before it, or with none.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str) and value[:1] in ("+", "-"):
        return duration(value[1:]) * (-1 if value.startswith("-") else 1)
    return duration(value)


class Moments:
    """Reads and shows the times of one scenario.

    Args:
        timezone: the site's, an IANA name.
        begin: when the scenario begins, by the local clock.
    """

    def __init__(self, timezone: str, begin: datetime) -> None:
        self._zone = zone(timezone)
        self.begin: Millis = instant(begin, self._zone)

    def read(self, value: object, before: Millis) -> Millis:
        """A moment, in milliseconds since the beginning. A bare time of day is the next one not before ``before``.

        Raises:
            ValueError: it is no time.
        """
        check_time(value)
        text = str(value)
        if _DATE.fullmatch(text):
            return self._instant(local_date(text)) - self.begin
        clock = _CLOCK.fullmatch(text)
        if clock is None:
            return duration(text)
        hour, minute, second = (int(part or 0) for part in clock.groups())
        wall = wall_time(self.begin + before, self._zone)
        wall = wall.replace(hour=hour, minute=minute, second=second, microsecond=0, fold=0)
        at = self._instant(wall) - self.begin
        if at < before:  # it may come once more the same night, when clocks are put back
            at += offset(wall, self._zone) - offset(wall.replace(fold=1), self._zone)
        return at if at >= before else self._instant(wall + timedelta(days=1)) - self.begin

    def _instant(self, wall: datetime) -> Millis:
        return instant(_shown_by_clocks(wall, self._zone), self._zone)

    def means(self, text: str, moment: Millis) -> bool:
        """Whether a moment (milliseconds UTC) is the one a file writes so. A bare time of day is that of any day."""
        clock = _CLOCK.fullmatch(text)
        try:
            if clock is None:
                return moment == self.begin + self.read(text, 0)
        except ValueError:
            return False
        hour, minute, second = (int(part or 0) for part in clock.groups())
        wall = wall_time(moment, self._zone)
        exact = clock[3] is not None
        return (wall.hour, wall.minute, wall.second if exact else 0) == (hour, minute, second)

    def show(self, moment: Millis, like: str = "") -> str:
        """A moment (milliseconds UTC) as a file would write it: by the local clock where ``like`` is."""
        if ":" not in like:
            since = moment - self.begin
            return show_duration(since) if since >= 0 else f"-{show_duration(-since)}"
        wall = wall_time(moment, self._zone)
        same = wall.date() == wall_time(self.begin, self._zone).date()
        day = "" if same and not _DATE.fullmatch(like) else f"{wall:%Y-%m-%d} "
        return day + (f"{wall:%H:%M:%S}" if moment % MINUTE else f"{wall:%H:%M}")
