"""From a profile and its parameters to a :class:`~gateway.core.plan.Kind`."""

from collections.abc import Mapping

from gateway.core.plan import Attribute, Clear, EventType, Kind, LevelRule, Point, Rule
from gateway.core.values import Level, Title
from gateway.site.conditions import Scope, compile_condition, misfit
from gateway.site.document import Path
from gateway.site.fields import Span
from gateway.site.problems import Report
from gateway.site.profile_file import EventEntry, LevelEntry, PointEntry, ProfileFile, RuleEntry
from gateway.site.rule_checks import check_rule
from gateway.site.topics import check_claims

RESERVED_POINTS = frozenset({"device", "site", "time"})
"""Names InfluxDB keeps for itself."""
RESERVED_ATTRIBUTES = frozenset({"id", "ts", "type"})
"""Fields every event has beside its attributes."""


def compile_kind(profile: ProfileFile, params: Mapping[str, float | Span], report: Report) -> Kind:
    """Build the kind of a profile with one set of parameters.

    What is wrong is reported; the kind is of use only when nothing was.
    """
    points = {name: _point(name, entry, report) for name, entry in profile.points.items()}
    events = {name: _event(name, entry, report) for name, entry in profile.events.items()}
    scope = Scope(points, events, params, profile.report_every, report)
    rules = {name: _rule(name, entry, scope) for name, entry in profile.rules.items()}
    check_claims(profile.topics, report)
    return Kind(
        profile=profile.profile,
        title=profile.heading,
        points=points,
        events=events,
        rules=rules,
        report_every=profile.report_every,
        codec=profile.codec,
        topics=tuple(profile.topics),
        late_accept=profile.late_accept,
        max_future=profile.max_future,
        params={
            name: float(value.millis if isinstance(value, Span) else value) for name, value in params.items()
        },
    )


def _title(title: Title | None, name: str) -> Title:
    return title or Title(name, name)


def _point(name: str, entry: PointEntry, report: Report) -> Point:
    if name in RESERVED_POINTS:
        report(
            ("points", name),
            f"a point cannot be called {name!r}: the telemetry store keeps that name for itself",
        )
    return Point(
        name=name,
        type=entry.type,
        title=_title(entry.title, name),
        unit=entry.unit,
        valid=entry.valid,
        values=tuple(entry.values or ()),
        counter=entry.counter,
    )


def _event(name: str, entry: EventEntry, report: Report) -> EventType:
    attributes: dict[str, Attribute] = {}
    for key, given in entry.attributes.items():
        path: Path = ("events", name, "attributes", key)
        words = tuple(given.values or ())
        if key in RESERVED_ATTRIBUTES:
            report(path, f"an attribute cannot be called {key!r}: every event has a field of that name")
        if given.default is not None and (message := misfit(given.default, given.type, words)):
            report((*path, "default"), message)
        attributes[key] = Attribute(
            name=key, type=given.type, values=words, default=given.default, personal=given.personal
        )
    return EventType(name=name, title=_title(entry.title, name), attributes=attributes)


def _rule(name: str, entry: RuleEntry, scope: Scope) -> Rule:
    path: Path = ("rules", name)
    levels = [_level(level, given, (*path, "levels", level), scope) for level, given in entry.levels.items()]
    rule = Rule(
        name=name,
        title=_title(entry.title, name),
        levels=tuple(sorted((level for level in levels if level is not None), key=lambda level: level.level)),
        clear=Clear(
            deadband=scope.number(entry.clear.deadband, (*path, "clear", "deadband")),
            hold=scope.duration(entry.clear.hold, (*path, "clear", "for")),
        ),
        latched=entry.latched,
        shelvable=entry.shelvable,
        auto_ack=entry.auto_ack,
        work_order={Level[level.upper()]: template for level, template in entry.work_order.items()},
        runbook=entry.runbook,
    )
    if len(rule.levels) == len(levels):
        check_rule(rule, path, scope)
    return rule


def _level(name: str, entry: LevelEntry, path: Path, scope: Scope) -> LevelRule | None:
    when = compile_condition(entry.when, (*path, "when"), scope)
    hold = 0 if entry.hold is None else scope.duration(entry.hold, (*path, "for"))
    return None if when is None else LevelRule(level=Level[name.upper()], when=when, hold=hold)
