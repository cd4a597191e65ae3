"""What a site gives every profile that is used there: its time zone, its calendars, how long rules may be shelved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from gateway.core.schedule import Schedule
from gateway.core.values import DAY, HOUR, Level, Millis
from gateway.site.calendars import week
from gateway.site.document import Path
from gateway.site.hours import Hours
from gateway.site.problems import Report, unknown

SHELVE_MAX: Mapping[Level, Millis] = {Level.INFO: 7 * DAY, Level.WARNING: 24 * HOUR, Level.CRITICAL: 8 * HOUR}
"""The longest a rule may be shelved, by its highest level, where neither site nor rule say otherwise."""

_ANY_DAY = Hours(((((0, 24 * 60),)),) * 7)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds at one site. Those of a profile checked by itself know no calendar and take any name for one."""

    zone: tzinfo = UTC
    calendars: Mapping[str, Schedule | None] | None = None
    """By name, None for one that is wrong elsewhere; no mapping at all where there is no site."""
    shelve_max: Mapping[Level, Millis] = field(default_factory=lambda: SHELVE_MAX)

    def schedule(self, hours: Hours | str, path: Path, report: Report) -> Schedule | None:
        """These hours in the site's zone, or its calendar of this name; None where it has none, which is reported."""
        if isinstance(hours, Hours):
            return week(hours, self.zone)
        if self.calendars is not None and hours not in self.calendars:
            report(path, unknown("calendar", hours, self.calendars))
            return None
        return (self.calendars or {}).get(hours) or week(_ANY_DAY, self.zone)


ALONE = Terms()
"""Of a profile that is checked without a site."""
