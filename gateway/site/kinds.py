"""From a profile and its parameters to a :class:`~gateway.core.plan.Kind`."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.plan import (
    AllOf,
    Attribute,
    Clear,
    Condition,
    EventType,
    Flapping,
    Kind,
    LevelRule,
    Negation,
    Point,
    Rule,
    Suppression,
)
from gateway.core.values import DAY, MINUTE, Level, Millis, Title, show_duration
from gateway.site.conditions import Scope, compile_condition, misfit
from gateway.site.document import Path
from gateway.site.fields import Param, Span
from gateway.site.problems import Report
from gateway.site.profile_file import (
    ClearEntry,
    EventEntry,
    FlappingEntry,
    LevelEntry,
    PointEntry,
    ProfileFile,
    RuleEntry,
    SuppressionEntry,
)
from gateway.site.rule_checks import check_quieted, check_rule, check_suppression
from gateway.site.terms import Terms
from gateway.site.topics import check_claims

RESERVED_POINTS = frozenset({"device", "site", "time"})
"""Names InfluxDB keeps for itself."""
RESERVED_ATTRIBUTES = frozenset({"announced", "count", "event", "id", "suppressed", "ts", "type"})
"""Fields that every event, and every word about an alert, has beside the event's attributes."""


MAX_TRANSITIONS = 100
"""Of a rule before it chatters; the gateway remembers the time of each."""


def compile_kind(
    profile: ProfileFile, params: Mapping[str, float | Span], terms: Terms, report: Report
) -> Kind:
    """Build the kind of a profile with one set of parameters, under the terms of a site.

    What is wrong is reported; the kind is of use only when nothing was.
    """
    points = {name: _point(name, entry, report) for name, entry in profile.points.items()}
    events = {name: _event(name, entry, report) for name, entry in profile.events.items()}
    scope = Scope(points, events, params, profile.report_every, terms, report)
    rules = {name: _rule(name, entry, scope) for name, entry in profile.rules.items()}
    suppressions = {
        name: _suppression(name, entry, profile.rules, scope) for name, entry in profile.suppressions.items()
    }
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
        durations=frozenset(name for name, value in params.items() if isinstance(value, Span)),
        suppressions={name: found for name, found in suppressions.items() if found is not None},
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
        clear=_clear(entry.clear, (*path, "clear"), scope),
        latched=entry.latched,
        shelvable=entry.shelvable,
        shelve_max=_shelve_max(entry, path, scope),
        re_alarm=_at_least_a_minute(entry.re_alarm, (*path, "re_alarm"), scope),
        flapping=_flapping(entry.flapping, (*path, "flapping"), scope),
        auto_ack=entry.auto_ack,
        named_ack=entry.named_ack,
        work_order={Level[level.upper()]: template for level, template in entry.work_order.items()},
        runbook=entry.runbook,
    )
    if len(rule.levels) == len(levels):
        check_rule(rule, path, scope)
    return _while_active(rule, entry, path, scope)


def _level(name: str, entry: LevelEntry, path: Path, scope: Scope) -> LevelRule | None:
    when = compile_condition(entry.when, (*path, "when"), scope)
    hold = 0 if entry.hold is None else scope.duration(entry.hold, (*path, "for"))
    return None if when is None else LevelRule(level=Level[name.upper()], when=when, hold=hold)


def _clear(entry: ClearEntry, path: Path, scope: Scope) -> Clear:
    return Clear(
        deadband=scope.number(entry.deadband, (*path, "deadband")),
        hold=scope.duration(entry.hold, (*path, "for")),
    )


def _shelve_max(entry: RuleEntry, path: Path, scope: Scope) -> Millis:
    """The rule's own, or what the site gives rules of its highest level."""
    own = _at_least_a_minute(entry.shelve_max, (*path, "shelve_max"), scope)
    highest = max(Level[level.upper()] for level in entry.levels)
    return scope.terms.shelve_max[highest] if own is None else own


def _at_least_a_minute(value: Millis | Param | None, path: Path, scope: Scope) -> Millis | None:
    if value is None:
        return None
    millis = scope.duration(value, path)
    told = isinstance(value, Param) and not isinstance(scope.params.get(value.name), Span)
    if millis < MINUTE and not told:
        scope.report(path, f"found {show_duration(millis)}; at least 1m is needed")
    return millis


def _flapping(entry: FlappingEntry, path: Path, scope: Scope) -> Flapping:
    transitions = scope.whole(entry.transitions, (*path, "transitions"))
    within = scope.duration(entry.within, (*path, "within"))
    if not 2 <= transitions <= MAX_TRANSITIONS:  # noqa: PLR2004 - a single one is no chatter
        scope.report((*path, "transitions"), f"found {transitions}; 2 to {MAX_TRANSITIONS} are allowed")
    if not 0 < within <= DAY:
        scope.report(
            (*path, "within"), f"found {show_duration(within)}; up to 1d is allowed, and not nothing"
        )
    return Flapping(transitions=transitions, within=within)


def _while_active(rule: Rule, entry: RuleEntry, path: Path, scope: Scope) -> Rule:
    """The rule with every level true only in the hours of its ``active``."""
    if entry.active is None:
        return rule
    here = (*path, "active", "outside") if entry.active.outside else (*path, "active")
    during = scope.during(entry.active.hours, here)
    if during is None:
        return rule
    hours: Condition = Negation(part=during) if entry.active.outside else during
    levels = tuple(replace(level, when=AllOf(parts=(level.when, hours))) for level in rule.levels)
    return replace(rule, levels=levels)


def _suppression(
    name: str, entry: SuppressionEntry, rules: Mapping[str, RuleEntry], scope: Scope
) -> Suppression | None:
    path: Path = ("suppressions", name)
    when = compile_condition(entry.when, (*path, "when"), scope)
    hold = 0 if entry.hold is None else scope.duration(entry.hold, (*path, "for"))
    clear = _clear(entry.clear, (*path, "clear"), scope)
    check_quieted(entry.rules, rules, (*path, "rules"), scope)
    if when is None:
        return None
    found = Suppression(
        name=name,
        title=_title(entry.title, name),
        when=when,
        rules=tuple(entry.rules),
        hold=hold,
        clear=clear,
    )
    check_suppression(found, path, scope)
    return found
