"""From a bundle of text to the plan in force."""

from datetime import UTC, tzinfo
from pathlib import Path as FilePath

from gateway.core.places import Building, Floor
from gateway.core.plan import SitePlan
from gateway.core.schedule import Schedule
from gateway.core.values import Level, Title
from gateway.errors import SiteError
from gateway.site.bundle import SiteBundle, read_bundle
from gateway.site.calendars import build_calendars
from gateway.site.cover import Ground
from gateway.site.document import Document, DocumentError, listed_ids, listed_keys
from gateway.site.equipment import build_devices
from gateway.site.library import Library
from gateway.site.maintenance import build_maintenance
from gateway.site.notices import build_callouts, build_grouping, build_targets
from gateway.site.patrol_builder import build_checkpoints, build_patrol, build_routes
from gateway.site.patrol_checks import check_patrol, lay_patrol_orders
from gateway.site.problems import Problems
from gateway.site.rulebook import Rulebook
from gateway.site.site_checks import check_orders, check_site, check_topics
from gateway.site.site_file import BuildingEntry, SiteFile
from gateway.site.terms import ALONE, Terms
from gateway.site.tuning import FileTuner
from gateway.site.validation import validate
from gateway.site.work_builder import build_preventive, build_team, build_template
from gateway.site.work_checks import check_work
from gateway.site.zones import zone

_OPTIONAL = frozenset(
    {
        "devices",
        "work_orders",
        "guards",
        "checkpoints",
        "routes",
        "patrol",
        "calendars",
        "maintenance",
        "preventive",
    }
)
"""Sections whose broken entries are left out, so that the rest can still be looked at."""


def load_site(path: FilePath) -> SitePlan:
    """Read a site file with its profiles and build the plan.

    Raises:
        SiteError: something in it is wrong; its ``problems`` hold all of it.
    """
    return build_plan(read_bundle(path))


def build_plan(bundle: SiteBundle) -> SitePlan:
    """Build the plan from text alone: the same bundle always gives an equal plan.

    Raises:
        SiteError: something in it is wrong; its ``problems`` hold all of it.
    """
    problems = Problems()
    found = _read_site(bundle, problems)
    terms = ALONE if found is None else _terms(*found)
    library = Library(bundle, problems, terms)
    plan = None if found is None else _assemble(bundle, *found, library, problems)
    problems.raise_any()
    if plan is None:
        raise SiteError("nothing was said about what is wrong with the site file")  # pragma: no cover
    return plan


def _read_site(bundle: SiteBundle, problems: Problems) -> tuple[SiteFile, Document] | None:
    try:
        document = bundle.document(bundle.main)
    except DocumentError as exc:
        problems.add(exc.problem)
        return None
    return validate(document, SiteFile, problems, optional=_OPTIONAL)


def _terms(site: SiteFile, document: Document) -> Terms:
    """What the site gives its profiles; in UTC where its zone is wrong, which is reported elsewhere."""
    try:
        here: tzinfo = zone(site.timezone)
    except SiteError:
        here = UTC
    calendars: dict[str, Schedule | None] = dict.fromkeys(listed_keys(document.data, "calendars"))
    calendars |= build_calendars(site.calendars, here)
    limits = site.settings.shelve_max
    shelve_max = {level: getattr(limits, level.label) for level in Level}
    return Terms(here, calendars, shelve_max)


def _assemble(
    bundle: SiteBundle, site: SiteFile, document: Document, library: Library, problems: Problems
) -> SitePlan:
    report = problems.reporter(document)
    check_site(site, document, report)
    check_work(site, document, report)
    check_patrol(site, document, report)
    lay_patrol_orders(site, document, library, report)
    devices = build_devices(site, library, report)
    kinds = tuple({id(device.kind): device.kind for device in devices.values()}.values())
    check_orders(kinds, library, document, problems)
    check_topics(kinds, library, site, problems)
    floors = {name: entry.floors for name, entry in site.buildings.items()}
    ground = Ground(devices, _listed(document, library), floors)
    rulebook, terms = Rulebook(devices, library), library.terms
    return SitePlan(
        site=site.site,
        title=site.title or Title(site.site, site.site),
        timezone=site.timezone,
        digest=bundle.digest,
        devices=devices,
        templates={name: build_template(name, entry) for name, entry in site.work_orders.items()},
        teams={name: build_team(name, entry) for name, entry in site.teams.items()},
        boot_grace=site.settings.boot_grace,
        topic_root=site.settings.topic_root,
        max_payload=site.settings.max_payload,
        event_retention=site.settings.event_retention,
        buildings={name: _building(name, entry) for name, entry in site.buildings.items()},
        checkpoints=build_checkpoints(site.checkpoints, terms.zone, report),
        routes=build_routes(site.routes, terms.zone, report),
        patrol=build_patrol(site, terms, report),
        calendars=build_calendars(site.calendars, terms.zone),
        maintenance=build_maintenance(site.maintenance, ground, rulebook, terms, report),
        preventive=build_preventive(site.preventive, ground, terms.zone, report),
        targets=build_targets(site.notify, terms, report),
        callouts=build_callouts(site.notify, ground, rulebook, report),
        grouping=build_grouping(site.notify.group),
        stale_after=site.settings.stale_after,
        currency=site.settings.currency,
        tuner=FileTuner(bundle.digest, devices, library),
    )


def _listed(document: Document, library: Library) -> dict[str, None]:
    """The ids of all devices of the file, of those that stand for its patrol too."""
    found = listed_ids(document.data, "devices")
    if library.internal:
        found |= listed_ids(document.data, "checkpoints") | listed_ids(document.data, "routes")
        found |= dict.fromkeys(listed_keys(document.data, "guards"))
    return found


def _building(name: str, entry: BuildingEntry) -> Building:
    floors = {
        floor: Floor(id=floor, title=_title(given.title, floor), picture=given.plan)
        for floor, given in entry.floors.items()
    }
    return Building(id=name, title=_title(entry.title, name), floors=floors)


def _title(title: Title | None, name: str) -> Title:
    return title or Title(name, name)
