"""From a bundle of text to the plan in force."""

from pathlib import Path as FilePath

from gateway.core.places import Building, Checkpoint, Floor, Route
from gateway.core.plan import Device, Kind, SitePlan
from gateway.core.templates import Clocks, Step, Team, Template
from gateway.core.values import Series, Title
from gateway.errors import SiteError
from gateway.site.bundle import SiteBundle, read_bundle
from gateway.site.document import Document, DocumentError, parse
from gateway.site.library import Library, Override
from gateway.site.problems import Problems, Report
from gateway.site.site_checks import check_orders, check_site, check_topics
from gateway.site.site_file import (
    BuildingEntry,
    CheckpointEntry,
    DeviceEntry,
    RouteEntry,
    SiteFile,
    TemplateEntry,
)
from gateway.site.validation import validate


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
    library = Library(bundle, problems)
    found = _read_site(bundle, problems)
    plan = None if found is None else _assemble(bundle, *found, library, problems)
    problems.raise_any()
    if plan is None:
        raise SiteError("nothing was said about what is wrong with the site file")  # pragma: no cover
    return plan


def _read_site(bundle: SiteBundle, problems: Problems) -> tuple[SiteFile, Document] | None:
    try:
        document = parse(bundle.main, bundle.files[bundle.main])
    except DocumentError as exc:
        problems.add(exc.problem)
        return None
    return validate(
        document, SiteFile, problems, optional={"devices", "work_orders", "checkpoints", "routes"}
    )


def _assemble(
    bundle: SiteBundle, site: SiteFile, document: Document, library: Library, problems: Problems
) -> SitePlan:
    report = problems.reporter(document)
    check_site(site, document, report)
    devices = _devices(site, library, report)
    kinds = tuple({id(device.kind): device.kind for device in devices.values()}.values())
    check_orders(kinds, library, document, problems)
    check_topics(kinds, library, site, problems)
    return SitePlan(
        site=site.site,
        title=site.title or Title(site.site, site.site),
        timezone=site.timezone,
        digest=bundle.digest,
        devices=devices,
        templates={name: _template(name, entry) for name, entry in site.work_orders.items()},
        teams={
            name: Team(name=name, title=_title(entry.title, name), contractor=entry.contractor)
            for name, entry in site.teams.items()
        },
        boot_grace=site.settings.boot_grace,
        topic_root=site.settings.topic_root,
        max_payload=site.settings.max_payload,
        event_retention=site.settings.event_retention,
        buildings={name: _building(name, entry) for name, entry in site.buildings.items()},
        checkpoints={entry.id: _checkpoint(entry) for entry in site.checkpoints},
        routes={entry.id: _route(entry) for entry in site.routes},
    )


def _devices(site: SiteFile, library: Library, report: Report) -> dict[str, Device]:
    """The devices; those without parameters of their own share the kind of their profile at this site."""
    shared: dict[str, Kind] = {}
    for name, params in site.params.items():
        loaded = library.find(name, ("params", name), report)
        if loaded is not None:
            shared[name] = library.kind(loaded, (Override(params, ("params", name)),), report)
    devices: dict[str, Device] = {}
    for index, entry in enumerate(site.devices):
        loaded = library.find(entry.profile, ("devices", index, "profile"), report)
        if loaded is None:
            continue
        kind = shared.setdefault(entry.profile, loaded.kind)
        if entry.params:
            site_wide = Override(site.params.get(entry.profile, {}), ("params", entry.profile))
            kind = library.kind(
                loaded, (site_wide, Override(entry.params, ("devices", index, "params"))), report
            )
        devices[entry.id] = _device(site.site, entry, kind)
    return devices


def _device(site: str, entry: DeviceEntry, kind: Kind) -> Device:
    """One device. A tag gives way to a point of the same name: InfluxQL would confuse them, InfluxDB 3 refuses both."""
    tags = {"site": site, "device": entry.id, "building": entry.building, "floor": entry.floor}
    kept = ((name, value) for name, value in tags.items() if value is not None and name not in kind.points)
    return Device(
        id=entry.id,
        kind=kind,
        title=_title(entry.title, entry.id),
        series=Series(kind.profile, tuple(sorted(kept))),
        building=entry.building,
        floor=entry.floor,
        place=entry.place,
    )


def _template(name: str, entry: TemplateEntry) -> Template:
    return Template(
        name=name,
        title=_title(entry.title, name),
        priority=entry.priority,
        team=entry.team,
        clocks=Clocks(accept=entry.clocks.accept, arrive=entry.clocks.arrive, resolve=entry.clocks.resolve),
        checklist=tuple(
            Step(name=step.name, title=_title(step.title, step.name), required=step.required)
            for step in entry.checklist
        ),
        allow_skips=entry.allow_skips,
        reopen_within=entry.reopen_within,
    )


def _building(name: str, entry: BuildingEntry) -> Building:
    floors = {
        floor: Floor(id=floor, title=_title(given.title, floor), picture=given.plan)
        for floor, given in entry.floors.items()
    }
    return Building(id=name, title=_title(entry.title, name), floors=floors)


def _checkpoint(entry: CheckpointEntry) -> Checkpoint:
    return Checkpoint(
        id=entry.id,
        title=_title(entry.title, entry.id),
        tags=tuple(entry.tags),
        building=entry.building,
        floor=entry.floor,
        place=entry.place,
    )


def _route(entry: RouteEntry) -> Route:
    return Route(
        id=entry.id,
        title=_title(entry.title, entry.id),
        checkpoints=tuple(entry.checkpoints),
        order=entry.order,
        reader=entry.reader,
    )


def _title(title: Title | None, name: str) -> Title:
    return title or Title(name, name)
