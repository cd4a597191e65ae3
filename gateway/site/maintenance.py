"""From what the site file says about planned work to the times at which devices are kept quiet."""

from collections.abc import Mapping

from gateway.core.plan import Maintenance
from gateway.core.schedule import Schedule
from gateway.core.values import Title
from gateway.site.calendars import once, recurrence, repeatedly
from gateway.site.cover import Ground
from gateway.site.document import Path
from gateway.site.planned_file import MaintenanceEntry
from gateway.site.problems import Report
from gateway.site.rulebook import Rulebook
from gateway.site.terms import Terms


def build_maintenance(
    windows: Mapping[str, MaintenanceEntry],
    ground: Ground,
    rulebook: Rulebook,
    terms: Terms,
    report: Report,
) -> tuple[Maintenance, ...]:
    """The windows in the order of the file."""
    found: list[Maintenance] = []
    for name, entry in windows.items():
        path: Path = ("maintenance", name)
        devices = ground.covered(entry, path, report)
        rulebook.check(entry.rules or (), devices, (*path, "rules"), report)
        rulebook.check_quietable(entry.rules or (), devices, (*path, "rules"), report)
        schedule = _schedule(entry, terms, path, report)
        if schedule is not None:
            found.append(
                Maintenance(
                    name=name,
                    title=entry.title or Title(name, name),
                    schedule=schedule,
                    devices=frozenset(devices),
                    rules=None if entry.rules is None else frozenset(entry.rules),
                )
            )
    return tuple(found)


def _schedule(entry: MaintenanceEntry, terms: Terms, path: Path, report: Report) -> Schedule | None:
    """When the window is open: one of the three forms, which the shape of the entry has made sure of."""
    if entry.during is not None:
        return terms.schedule(entry.during, (*path, "during"), report)
    if entry.from_ is not None and entry.until is not None:
        return once(entry.from_, entry.until, terms.zone, path, report)
    if entry.every is None or entry.start is None or entry.lasts is None:
        return None
    due = recurrence(entry.every, entry.start, terms.zone, (*path, "every"), report)
    return None if due is None else repeatedly(due, entry.lasts)
