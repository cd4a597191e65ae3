"""From hours, calendars and recurrences of the site file to the schedules of the core."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from gateway.core.calendars import Calendar, Windows
from gateway.core.local_time import first_moment
from gateway.core.recurrence import Recurrence
from gateway.core.schedule import Schedule, WorkingTime
from gateway.core.values import Millis
from gateway.site.document import Path
from gateway.site.hours import Hours
from gateway.site.planned_file import CalendarEntry
from gateway.site.problems import Report


def week(hours: Hours, zone: tzinfo) -> WorkingTime:
    """These hours every week, without holidays."""
    return Calendar(zone=zone, hours=hours.days)


def build_calendars(entries: Mapping[str, CalendarEntry], zone: tzinfo) -> dict[str, WorkingTime]:
    """The calendars of the site with their holidays and make-up workdays."""
    return {
        name: Calendar(
            zone=zone,
            hours=entry.hours.days,
            holidays=frozenset(entry.holidays),
            workdays=frozenset(entry.workdays),
        )
        for name, entry in entries.items()
    }


def once(start: datetime, end: datetime, zone: tzinfo, path: Path, report: Report) -> Schedule | None:
    """Open from one local wall time to another; None where no time lies between them, which is reported."""
    span = first_moment(start, zone), first_moment(end, zone)
    if span[0] < span[1]:
        return Windows(spans=(span,))
    report(path, f"no time lies between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}: the clock skips it")
    return None


def repeatedly(due: Recurrence, lasts: Millis) -> Schedule:
    """Open for a while from each due time on."""
    return Windows(recurrence=due, lasts=lasts)


def recurrence(rule: str, start: datetime, zone: tzinfo, path: Path, report: Report) -> Recurrence | None:
    """When something is due; None where the rule is wrong, which is reported."""
    try:
        return Recurrence(rule=rule, start=start, zone=zone)
    except ValueError as exc:
        report(path, f"found {rule!r}: {exc}")
        return None
