"""What the patrol of a site must keep to beyond its shape: every name is there, tags and stops are unmistakable."""

from collections.abc import Collection, Iterable
from datetime import datetime

from gateway.core.patrol.routes import Route
from gateway.core.values import DAY, MINUTE, Millis, show_duration
from gateway.site.document import Document, Path, listed_ids, listed_keys
from gateway.site.library import Library
from gateway.site.patrol_file import RouteEntry, TagEntry
from gateway.site.problems import Report, unknown
from gateway.site.site_file import SiteFile

_LOOKED_AT = 100
"""Rounds whose length is worked out to find the shortest one, where they end at a time of the clock."""
_BEGINNING, _END = datetime.min, datetime.max  # noqa: DTZ901 - wall times carry no zone


def check_patrol(site: SiteFile, document: Document, report: Report) -> None:
    """Report what the site file alone shows to be wrong with its patrol."""
    checkpoints = listed_ids(document.data, "checkpoints")
    guards = listed_keys(document.data, "guards")
    devices = listed_ids(document.data, "devices")
    _check_tags(site, report)
    for name, guard in site.guards.items():
        _check_team(guard.team, ("guards", name, "team"), site, report)
    for index, route in enumerate(site.routes):
        path: Path = ("routes", index)
        stops = [stop.id for stop in route.checkpoints]
        _check_each(stops, "checkpoint", checkpoints, (*path, "checkpoints"), report)
        _check_people(route, guards, path, report)
        if route.reader is not None and route.reader not in devices:
            report((*path, "reader"), unknown("device", route.reader, devices))
        _check_each(route.readers or (), "device", devices, (*path, "readers"), report)
    _check_coverage(site, checkpoints, report)
    for name, post in site.patrol.posts.items():
        _check_team(post.team, ("patrol", "posts", name, "team"), site, report)
    _check_distances(site, checkpoints, report)


def _check_each(names: Iterable[str], what: str, known: Collection[str], path: Path, report: Report) -> None:
    """Report names that are not there, and those given twice."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name not in known:
            report((*path, index), unknown(what, name, known))
        elif name in seen:
            report((*path, index), f"the {what} {name!r} was already given; each is named once")
        seen.add(name)


def _check_team(team: str | None, path: Path, site: SiteFile, report: Report) -> None:
    if team is not None and team not in site.teams:
        report(path, unknown("team", team, site.teams))


def _check_tags(site: SiteFile, report: Report) -> None:
    """Report tags that stand for two things at one time: a tap would prove two places, or one twice over."""
    owners: dict[str, list[tuple[datetime, datetime, str]]] = {}

    def check(tag: str, span: tuple[datetime, datetime], owner: str, path: Path) -> None:
        spans = owners.setdefault(tag, [])
        for begins, ends, other in spans:
            if span[0] < ends and begins < span[1]:
                at_once = "" if (begins, ends) == (_BEGINNING, _END) else f" {_span_words(begins, ends)}"
                report(path, f"the tag {tag} already belongs to {other!r}{at_once}")
                break
        spans.append((*span, owner))

    for index, checkpoint in enumerate(site.checkpoints):
        for place, tag in enumerate(checkpoint.tags):
            check(tag.id, _span(tag), checkpoint.id, ("checkpoints", index, "tags", place))
    for index, device in enumerate(site.devices):
        for place, name in enumerate(device.tags):
            check(name, (_BEGINNING, _END), device.id, ("devices", index, "tags", place))


def _span(tag: TagEntry) -> tuple[datetime, datetime]:
    return tag.from_ or _BEGINNING, tag.until or _END


def _span_words(begins: datetime, ends: datetime) -> str:
    words = [] if begins == _BEGINNING else [f"from {begins:%Y-%m-%d %H:%M}"]
    words += [] if ends == _END else [f"until {ends:%Y-%m-%d %H:%M}"]
    return " ".join(words)


def _check_people(route: RouteEntry, guards: tuple[str, ...], path: Path, report: Report) -> None:
    _check_each(route.guards or (), "guard", guards, (*path, "guards"), report)
    walking = set(guards if route.guards is None else route.guards)
    if route.persons > 1 and walking and len(walking) < route.persons:
        whose = "the site has" if route.guards is None else "guards names"
        report((*path, "persons"), f"found {route.persons}, but {whose} only {', '.join(sorted(walking))}")


def _check_coverage(site: SiteFile, checkpoints: Collection[str], report: Report) -> None:
    for name, entry in site.patrol.coverage.items():
        path: Path = ("patrol", "coverage", name)
        if entry.checkpoints is None and not checkpoints:
            report(path, "it is about all checkpoints, and the site has none")
        _check_each(entry.checkpoints or (), "checkpoint", checkpoints, (*path, "checkpoints"), report)


def _check_distances(site: SiteFile, checkpoints: Collection[str], report: Report) -> None:
    given: set[frozenset[str]] = set()
    for index, entry in enumerate(site.patrol.distances):
        path: Path = ("patrol", "distances", index, "between")
        for place, name in enumerate(entry.pair):
            if name not in checkpoints:
                report((*path, place), unknown("checkpoint", name, checkpoints))
        pair = frozenset(entry.pair)
        if pair in given:
            one, two = entry.pair
            report(path, f"the distance between {one!r} and {two!r} was already given; it holds both ways")
        given.add(pair)


def check_windows(route: Route, path: Path, report: Report) -> None:
    """Report stops whose times do not lie within every round of the route."""
    timed = [
        (index, stop) for index, stop in enumerate(route.stops) if (stop.opens, stop.closes) != (None, None)
    ]
    length = _shortest(route) if timed else None
    for index, stop in timed:
        here = (*path, "checkpoints", index)
        if length is None:
            report(here, "its times count from the start of a round, and without every none is due")
        elif (stop.opens or 0) >= length or (stop.closes or 0) > length:
            side, found = ("from", stop.opens) if (stop.opens or 0) >= length else ("until", stop.closes)
            longest = show_duration(length)
            report(
                here, f"{side} ({show_duration(found or 0)}) lies outside the round, which lasts {longest}"
            )


def _shortest(route: Route) -> Millis | None:
    """How long the shortest round is, on the clock on the wall; None where none is due."""
    if route.lasts is not None or route.due is None or route.until is None:
        return route.lasts
    end = (route.until[0] * 60 + route.until[1]) * MINUTE
    shortest = DAY
    due = route.due.after(0)
    for _ in range(_LOOKED_AT):
        if due is None:
            break
        start = datetime.fromisoformat(due.key)
        shortest = min(shortest, (end - (start.hour * 60 + start.minute) * MINUTE) % DAY or DAY)
        due = route.due.after(due.at)
    return shortest


def lay_patrol_orders(site: SiteFile, document: Document, library: Library, report: Report) -> None:
    """Let the rules of the patrol open the orders the site names; what is wrong with that is reported."""
    templates = listed_keys(document.data, "work_orders")
    rules = {
        name: (profile, entry)
        for profile in library.internal
        for name, entry in library.profiles[profile].file.rules.items()
    }
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, levels in site.patrol.work_orders.items():
        path: Path = ("patrol", "work_orders", name)
        if name not in rules:
            report(path, unknown("rule of the patrol:", name, rules))
            continue
        profile, rule = rules[name]
        for level, template in levels.items():
            if level not in rule.levels:
                report((*path, level), unknown(f"level of {name}:", level, rule.levels))
            elif template not in templates:
                report((*path, level), unknown("work-order template", template, templates))
            else:
                found.setdefault(profile, {}).setdefault(name, {})[level] = template
    for profile, orders in found.items():
        library.lay_orders(profile, orders)
