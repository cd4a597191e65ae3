"""From what the site file says about work to the templates, teams and preventive items of the plan."""

from datetime import tzinfo

from gateway.core.recurrence import Recurrence
from gateway.core.templates import Clocks, Preventive, Step, Team, Template
from gateway.core.values import Title
from gateway.site.calendars import recurrence
from gateway.site.cover import Ground
from gateway.site.document import Path
from gateway.site.problems import Report
from gateway.site.work_file import PreventiveEntry, StepEntry, TeamEntry, TemplateEntry


def build_template(name: str, entry: TemplateEntry) -> Template:
    """One template."""
    return Template(
        name=name,
        title=_title(entry.title, name),
        priority=entry.priority,
        team=entry.team,
        clocks=Clocks(accept=entry.clocks.accept, arrive=entry.clocks.arrive, resolve=entry.clocks.resolve),
        calendar=entry.calendar,
        checklist=tuple(_step(step) for step in entry.checklist),
        allow_skips=entry.allow_skips,
        reopen_within=entry.reopen_within,
        accept_within=entry.accept_within,
        longest_hold=dict(entry.longest_hold),
        photos=entry.photos,
        signature=entry.signature,
    )


def _step(entry: StepEntry) -> Step:
    return Step(
        name=entry.name,
        title=_title(entry.title, entry.name),
        required=entry.required,
        kind=entry.kind,
        unit=entry.unit,
        low=entry.low,
        high=entry.high,
        corrective=entry.corrective,
    )


def build_team(name: str, entry: TeamEntry) -> Team:
    """One team."""
    return Team(
        name=name,
        title=_title(entry.title, name),
        contractor=entry.contractor,
        rate=entry.rate,
        targets=tuple(dict.fromkeys(entry.notify)),
    )


def build_preventive(
    items: dict[str, PreventiveEntry], ground: Ground, zone: tzinfo, report: Report
) -> dict[str, Preventive]:
    """The preventive items; one without devices is for the site."""
    found: dict[str, Preventive] = {}
    for name, entry in items.items():
        path: Path = ("preventive", name)
        devices = ground.covered(entry, path, report, equipment=True) if entry.narrows else ()
        due = recurrence(entry.every, entry.start, zone, (*path, "every"), report)
        if "MINUTELY" in entry.every.upper():
            report((*path, "every"), "an order every few minutes helps nobody; FREQ=HOURLY is the most often")
        if due is not None:
            found[name] = _preventive(name, entry, devices, due)
    return found


def _preventive(name: str, entry: PreventiveEntry, devices: tuple[str, ...], due: Recurrence) -> Preventive:
    return Preventive(
        name=name,
        title=_title(entry.title, name),
        template=entry.template,
        recurrence=due,
        devices=devices,
        from_completion=entry.from_ == "completion",
        lead=entry.lead,
    )


def _title(title: Title | None, name: str) -> Title:
    return title or Title(name, name)
