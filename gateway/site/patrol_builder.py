"""From what the site file says of patrol to the checkpoints, routes and patrol of the plan."""

from collections.abc import Iterable
from datetime import tzinfo

from gateway.core.local_time import first_moment
from gateway.core.patrol.routes import Coverage, Guard, Patrol, Post, Route, Stop, Tag
from gateway.core.places import Checkpoint
from gateway.core.values import MINUTE, Title
from gateway.site.calendars import once, recurrence
from gateway.site.document import Path
from gateway.site.patrol_checks import check_windows
from gateway.site.patrol_file import CoverageEntry, RouteEntry, StopEntry, TagEntry
from gateway.site.problems import Report
from gateway.site.site_file import CheckpointEntry, SiteFile
from gateway.site.terms import Terms


def build_checkpoints(
    entries: Iterable[CheckpointEntry], zone: tzinfo, report: Report
) -> dict[str, Checkpoint]:
    """The checkpoints with their tags, whose times are those of the site."""
    return {
        entry.id: Checkpoint(
            id=entry.id,
            title=_title(entry.title, entry.id),
            tags=tuple(
                _tag(tag, zone, ("checkpoints", index, "tags", place), report)
                for place, tag in enumerate(entry.tags)
            ),
            building=entry.building,
            floor=entry.floor,
            place=entry.place,
            important=entry.important,
        )
        for index, entry in enumerate(entries)
    }


def _tag(entry: TagEntry, zone: tzinfo, path: Path, report: Report) -> Tag:
    if entry.from_ is not None and entry.until is not None:
        once(entry.from_, entry.until, zone, path, report)
    return Tag(
        id=entry.id,
        secure=entry.secure,
        epoch=entry.epoch,
        since=0 if entry.from_ is None else first_moment(entry.from_, zone),
        until=None if entry.until is None else first_moment(entry.until, zone),
    )


def build_routes(entries: Iterable[RouteEntry], zone: tzinfo, report: Report) -> dict[str, Route]:
    """The routes; what does not fit their rounds is reported."""
    found: dict[str, Route] = {}
    for index, entry in enumerate(entries):
        path: Path = ("routes", index)
        found[entry.id] = route = _route(entry, zone, path, report)
        if entry.every is None or route.due is not None:
            check_windows(route, path, report)
    return found


def _route(entry: RouteEntry, zone: tzinfo, path: Path, report: Report) -> Route:
    due = None
    if entry.every is not None and entry.start is not None:
        due = recurrence(entry.every, entry.start, zone, (*path, "every"), report)
    readers = entry.readers or ([] if entry.reader is None else [entry.reader])
    least, most = entry.leg or (None, None)
    return Route(
        id=entry.id,
        title=_title(entry.title, entry.id),
        stops=tuple(_stop(stop) for stop in entry.checkpoints),
        order=entry.order,
        readers=tuple(readers),
        guards=tuple(entry.guards or ()),
        due=due,
        lasts=entry.lasts,
        until=entry.until,
        early=entry.early,
        grace=entry.grace,
        late_upload=entry.late_upload,
        persons=entry.persons,
        within=entry.within,
        least=least,
        most=most,
        accept=entry.accept,
        check_in=entry.check_in,
        alarm_after=entry.alarm_after,
    )


def _stop(entry: StopEntry) -> Stop:
    least, most = entry.leg or (None, None)
    return Stop(checkpoint=entry.id, opens=entry.from_, closes=entry.until, least=least, most=most)


def build_patrol(site: SiteFile, terms: Terms, report: Report) -> Patrol:
    """Guards, coverage, posts and distances."""
    entry = site.patrol
    hour, minute = entry.day_starts or (0, 0)
    every = tuple(checkpoint.id for checkpoint in site.checkpoints)
    return Patrol(
        guards={
            name: Guard(id=name, title=_title(guard.title, name), team=guard.team)
            for name, guard in site.guards.items()
        },
        coverage={
            name: _coverage(name, given, every, terms, report) for name, given in entry.coverage.items()
        },
        posts={
            name: Post(id=name, title=_title(post.title, name), team=post.team, keys=tuple(post.keys))
            for name, post in entry.posts.items()
        },
        least=entry.least,
        distances={frozenset(given.pair): given.least for given in entry.distances},
        day_starts=(hour * 60 + minute) * MINUTE,
    )


def _coverage(
    name: str, entry: CoverageEntry, every: tuple[str, ...], terms: Terms, report: Report
) -> Coverage:
    path: Path = ("patrol", "coverage", name, "during")
    return Coverage(
        name=name,
        title=_title(entry.title, name),
        checkpoints=every if entry.checkpoints is None else tuple(entry.checkpoints),
        every=entry.every,
        grave=entry.grave,
        during=None if entry.during is None else terms.schedule(entry.during, path, report),
    )


def _title(title: Title | None, name: str) -> Title:
    return title or Title(name, name)
