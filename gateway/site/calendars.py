"""From hours, calendars and recurrences of the site file to the schedules of the core."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from gateway.core.recurrence import Recurrence
from gateway.core.schedule import Schedule, WorkingTime
from gateway.core.values import Millis
from gateway.site.document import Path
from gateway.site.hours import RRULE_FORM, Hours
from gateway.site.planned_file import CalendarEntry
from gateway.site.problems import Report


def week(hours: Hours, zone: tzinfo) -> WorkingTime:
    """These hours every week, without holidays."""
    raise NotImplementedError(hours, zone)


def build_calendars(entries: Mapping[str, CalendarEntry], zone: tzinfo) -> dict[str, WorkingTime]:
    """The calendars of the site with their holidays and make-up workdays."""
    if entries:
        raise NotImplementedError(entries, zone)
    return {}


def once(start: datetime, end: datetime, zone: tzinfo) -> Schedule:
    """Open from one local wall time to another."""
    raise NotImplementedError(start, end, zone)


def repeatedly(due: Recurrence, lasts: Millis) -> Schedule:
    """Open for a while from each due time on."""
    raise NotImplementedError(due, lasts)


def recurrence(rule: str, start: datetime, zone: tzinfo, path: Path, report: Report) -> Recurrence | None:
    """When something is due; None where the rule is wrong, which is reported."""
    try:
        return Recurrence(rule=rule, start=start, zone=zone)
    except ValueError as exc:
        report(path, f"found {rule!r}: {exc}; {RRULE_FORM}")
        return None
