"""From what the site file says about notices to targets and callouts, checked."""

from collections.abc import Iterable, Mapping

from gateway.core.callout import Callout, Escalation, Grouping, Target
from gateway.core.schedule import Schedule
from gateway.core.values import Level, Title
from gateway.site.cover import Ground
from gateway.site.document import Path
from gateway.site.notify_file import CalloutEntry, GroupingEntry, NotifyEntry
from gateway.site.problems import Report, unknown
from gateway.site.rulebook import Rulebook
from gateway.site.terms import Terms


def build_targets(notify: NotifyEntry, terms: Terms, report: Report) -> dict[str, Target]:
    """Who can be told."""
    found: dict[str, Target] = {}
    for name, entry in notify.targets.items():
        hours: Schedule | None = None
        if entry.hours is not None:
            hours = terms.schedule(entry.hours, ("notify", "targets", name, "hours"), report)
        title = entry.title or Title(name, name)
        found[name] = Target(name=name, title=title, language=entry.language, hours=hours)
    return found


def build_grouping(entry: GroupingEntry) -> Grouping:
    """How notices are gathered."""
    return Grouping(wait=entry.wait, interval=entry.interval, repeat=entry.repeat)


def build_callouts(
    notify: NotifyEntry, ground: Ground, rulebook: Rulebook, report: Report
) -> tuple[Callout, ...]:
    """Who is told of what, in the order of the file: the first that fits an alert decides."""
    _check_order(notify.callouts, report)
    return tuple(
        _callout(name, entry, notify, ground, rulebook, report) for name, entry in notify.callouts.items()
    )


def _check_order(callouts: Mapping[str, CalloutEntry], report: Report) -> None:
    """Report callouts behind one that takes every alert."""
    before: str | None = None
    for name, entry in callouts.items():
        if before is not None:
            report(
                ("notify", "callouts", name),
                f"never reached: {before!r} stands before it and takes every alert",
            )
        elif entry.takes_all:
            before = name


def _callout(
    name: str, entry: CalloutEntry, notify: NotifyEntry, ground: Ground, rulebook: Rulebook, report: Report
) -> Callout:
    path: Path = ("notify", "callouts", name)
    devices = ground.covered(entry, path, report)
    rulebook.check(entry.rules or (), devices, (*path, "rules"), report)
    _check_targets(entry.to, (*path, "to"), notify, report)
    for index, step in enumerate(entry.escalate):
        _check_targets(step.to, (*path, "escalate", index, "to"), notify, report)
    return Callout(
        name=name,
        levels=frozenset(Level[level.upper()] for level in entry.levels or ()),
        rules=frozenset(entry.rules or ()),
        devices=frozenset(devices) if entry.narrows else frozenset(),
        targets=tuple(dict.fromkeys(entry.to)),
        steps=tuple(
            Escalation(after=step.after, targets=tuple(dict.fromkeys(step.to))) for step in entry.escalate
        ),
    )


def _check_targets(names: Iterable[str], path: Path, notify: NotifyEntry, report: Report) -> None:
    for index, name in enumerate(names):
        if name not in notify.targets:
            report((*path, index), unknown("target", name, notify.targets))
