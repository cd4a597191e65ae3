"""What the work of a site must keep to beyond its shape: teams, templates and calendars exist, nothing goes in circles."""

from collections.abc import Iterable, Mapping

from gateway.site.document import Document, Path, listed_keys
from gateway.site.problems import Report, unknown
from gateway.site.site_file import SiteFile


def check_work(site: SiteFile, document: Document, report: Report) -> None:
    """Report what is wrong with templates, teams and preventive work."""
    templates = listed_keys(document.data, "work_orders")
    _check_templates(site, listed_keys(document.data, "calendars"), templates, report)
    _check_correctives(site, report)
    for name, team in site.teams.items():
        for index, target in enumerate(team.notify):
            if target not in site.notify.targets:
                report(("teams", name, "notify", index), unknown("target", target, site.notify.targets))
    for name, item in site.preventive.items():
        if item.template not in templates:
            report(("preventive", name, "template"), unknown("work-order template", item.template, templates))


def _check_templates(
    site: SiteFile, calendars: Iterable[str], templates: Iterable[str], report: Report
) -> None:
    for name, template in site.work_orders.items():
        path: Path = ("work_orders", name)
        if template.team is not None and template.team not in site.teams:
            report((*path, "team"), unknown("team", template.team, site.teams))
        if template.calendar is not None and template.calendar not in calendars:
            report((*path, "calendar"), unknown("calendar", template.calendar, calendars))
        steps = [step.name for step in template.checklist]
        for index, step in enumerate(template.checklist):
            here = (*path, "checklist", index)
            if step.name in steps[:index]:
                report((*here, "name"), f"the step {step.name!r} was already given")
            if step.corrective is not None and step.corrective not in templates:
                report((*here, "corrective"), unknown("work-order template", step.corrective, templates))


def _check_correctives(site: SiteFile, report: Report) -> None:
    """Report steps whose failure would open an order whose failing steps open the first one again, without end."""
    opens = {
        name: {step.corrective: index for index, step in enumerate(template.checklist) if step.corrective}
        for name, template in site.work_orders.items()
    }
    told: set[str] = set()
    for name, steps in opens.items():
        for corrective, index in steps.items():
            circle = _way(opens, corrective, name)
            if circle is None or told & set(circle):
                continue
            told |= set(circle)
            way = " → ".join((name, *circle))
            message = f"the corrective order leads back to its own template: {way}"
            report(("work_orders", name, "checklist", index, "corrective"), message)


def _way(opens: Mapping[str, Mapping[str, int]], start: str, goal: str) -> tuple[str, ...] | None:
    """A way from one template to another by their corrective orders; None where there is none."""
    seen: dict[str, tuple[str, ...]] = {start: (start,)}
    queue = [start]
    for name in queue:
        if name == goal:
            return seen[name]
        for follower in opens.get(name, ()):
            if follower not in seen:
                seen[follower] = (*seen[name], follower)
                queue.append(follower)
    return None
