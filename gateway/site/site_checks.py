"""What a site file must keep to beyond its shape: every name it uses is defined, every id is given once."""

from collections.abc import Iterable

from gateway.core.plan import Kind
from gateway.errors import SiteError
from gateway.site.bundle import is_shipped
from gateway.site.document import Document, Path, listed_ids, listed_keys
from gateway.site.library import Library
from gateway.site.problems import Problems, Report, unknown
from gateway.site.site_file import PlacedEntry, SiteFile
from gateway.site.topics import check_clashes
from gateway.site.zones import zone

VIA_MOST = 16
"""Devices one behind the other that another one is heard through: none has more, and a loss is told along all of them."""


def check_site(site: SiteFile, document: Document, report: Report) -> None:
    """Report what the site file alone shows to be wrong."""
    _check_timezone(site.timezone, report)
    _check_unique(site, document, report)
    for index, device in enumerate(site.devices):
        _check_place(device, ("devices", index), site, report)
    for index, checkpoint in enumerate(site.checkpoints):
        _check_place(checkpoint, ("checkpoints", index), site, report)
    _check_via(site, document, report)


def _check_timezone(name: str, report: Report) -> None:
    try:
        zone(name)
    except SiteError as exc:
        report(("timezone",), str(exc))


def _check_unique(site: SiteFile, document: Document, report: Report) -> None:
    """Report ids given twice, across the sections too: a checkpoint, route or guard is a device for its alerts."""
    first: dict[str, tuple[str, Path]] = {}
    for section in ("devices", "checkpoints", "routes"):
        for index, entry in enumerate(getattr(site, section)):
            path: Path = (section, index)
            if entry.id in first:
                report((*path, "id"), _given_before(entry.id, section, *first[entry.id], document))
            first.setdefault(entry.id, (section, path))
    for name in site.guards:
        if name in first:
            report(("guards", name), _given_before(name, "guards", *first[name], document))


def _given_before(name: str, section: str, other: str, path: Path, document: Document) -> str:
    line = document.line(document.original(path))
    if section == other:
        return f"the id {name!r} was already given on line {line}"
    alike = "devices, checkpoints, routes and guards share their ids"
    return f"the id {name!r} was already given on line {line}, among the {other}; {alike}"


def _check_place(entry: PlacedEntry, path: Path, site: SiteFile, report: Report) -> None:
    if entry.building is None:
        return
    building = site.buildings.get(entry.building)
    if building is None:
        report((*path, "building"), unknown("building", entry.building, site.buildings))
    elif entry.floor is not None and entry.floor not in building.floors:
        report((*path, "floor"), unknown(f"floor of {entry.building}:", entry.floor, building.floors))


def _check_via(site: SiteFile, document: Document, report: Report) -> None:
    """Report devices that are heard through one that is not there, or in the end through themselves."""
    known = listed_ids(document.data, "devices")
    via = {device.id: device.via for device in site.devices if device.via is not None}
    depth: dict[str, int] = {}
    for index, device in enumerate(site.devices):
        path: Path = ("devices", index, "via")
        if device.via is not None and device.via not in known:
            report(path, unknown("device", device.via, known))
        way: dict[str, None] = {}
        here: str | None = device.id
        while here is not None and here not in depth and here not in way:
            way[here] = None
            here = via.get(here)
        if here is not None and here in way:
            circle = list(way)[list(way).index(here) :]
            report(path, f"heard through itself: {' → '.join((*circle, here))}")
        front = depth.get(here or "", 0)
        depth |= {name: front + place for place, name in enumerate(reversed(way), 1)}
        if any(depth[name] == VIA_MOST + 2 for name in way):
            report(path, f"more than {VIA_MOST} devices stand one behind the other in front of it")


def check_orders(kinds: Iterable[Kind], library: Library, document: Document, problems: Problems) -> None:
    """Report templates that rules of the profiles in use open orders from and the site does not define.

    In a site's own profile the rule is where to look; for a shipped one it is the site's ``work_orders``.
    """
    known = listed_keys(document.data, "work_orders")
    wanted: dict[str, dict[str, None]] = {}
    for kind in kinds:
        source = library.profiles[kind.profile].document
        for rule in kind.rules.values():
            for level, template in rule.work_order.items():
                if template in known:
                    continue
                if is_shipped(source.name):
                    wanted.setdefault(template, {})[f"{kind.profile}.{rule.name}"] = None
                    continue
                path = ("rules", rule.name, "work_order", level.label)
                problems.at(source, path, unknown("work-order template", template, known))
    for template, rules in wanted.items():
        message = f"the template {template!r} is missing; these rules open orders from it: {', '.join(rules)}"
        problems.at(document, ("work_orders",), f"{message} (defined: {', '.join(known) or 'none'})")


def check_topics(kinds: Iterable[Kind], library: Library, site: SiteFile, problems: Problems) -> None:
    """Report topic patterns of the profiles in use that would make one topic name two devices."""
    claims: dict[str, Path] = {}
    sources: dict[Path, Document] = {}
    for kind in kinds:
        for index, pattern in enumerate(kind.topics):
            path = claims.setdefault(pattern, (kind.profile, "topics", index))
            sources.setdefault(path, library.profiles[kind.profile].document)
    check_clashes(
        claims,
        site.settings.topic_root,
        site.site,
        lambda path, message: problems.at(sources[path], path[1:], message),
    )
