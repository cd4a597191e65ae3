"""From the conditions of a profile to those of the plan: names looked up, words and types checked, params filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.plan import (
    AllOf,
    AnyOf,
    Changed,
    Compare,
    Condition,
    Count,
    During,
    EventType,
    Happened,
    Negation,
    Offline,
    OneOf,
    Point,
    Rate,
    Silent,
)
from gateway.core.values import Millis, PointType, Scalar, show_duration
from gateway.site.document import Path
from gateway.site.fields import Multiple, Param, Span
from gateway.site.hours import Hours
from gateway.site.problems import Report, unknown
from gateway.site.profile_file import NUMERIC, ConditionEntry
from gateway.site.terms import Terms


@dataclass(frozen=True, slots=True)
class Scope:
    """What the conditions of one profile may speak of, and whom to tell when they speak of something else."""

    points: Mapping[str, Point]
    events: Mapping[str, EventType]
    params: Mapping[str, float | Span]
    report_every: Millis
    terms: Terms
    report: Report

    def number(self, value: float | Param, path: Path) -> float:
        """A literal or the parameter's number; 0 when there is none, which is reported."""
        if not isinstance(value, Param):
            return value
        found = self._param(value, path)
        if isinstance(found, Span):
            self.report(
                path, f"${value.name} is a duration ({show_duration(found.millis)}); a number is needed here"
            )
            return 0.0
        return 0.0 if found is None else found

    def duration(self, value: Millis | Param, path: Path) -> Millis:
        """A literal or the parameter's duration; 0 when there is none, which is reported."""
        if not isinstance(value, Param):
            return value
        found = self._param(value, path)
        if isinstance(found, Span):
            return found.millis
        if found is not None:
            self.report(path, f"${value.name} is the number {found:g}; a duration such as 30s is needed here")
        return 0

    def whole(self, value: int | Param, path: Path) -> int:
        """A literal or the parameter's whole number from 1 up."""
        if not isinstance(value, Param):
            return value
        found = self.number(value, path)
        if found < 1 or found != int(found):
            self.report(path, f"${value.name} is {found:g}; a whole number from 1 up is needed here")
            return 1
        return int(found)

    def point(self, name: str, path: Path) -> Point | None:
        """The point of that name, or None, which is reported."""
        if name not in self.points:
            self.report(path, unknown("point", name, self.points))
        return self.points.get(name)

    def event(self, name: str, path: Path) -> EventType | None:
        """The event of that name, or None, which is reported."""
        if name not in self.events:
            self.report(path, unknown("event", name, self.events))
        return self.events.get(name)

    def during(self, hours: Hours | str, path: Path, hold: Millis = 0) -> During | None:
        """The condition that these hours, or the site's calendar of this name, are open; None when there is none."""
        schedule = self.terms.schedule(hours, path, self.report)
        return None if schedule is None else During(calendar=str(hours), schedule=schedule, hold=hold)

    def _param(self, param: Param, path: Path) -> float | Span | None:
        if param.name not in self.params:
            self.report(path, unknown("parameter", param.name, self.params))
        return self.params.get(param.name)


def compile_condition(entry: ConditionEntry, path: Path, scope: Scope) -> Condition | None:
    """Compile one condition; None when it is wrong, which has been reported."""
    hold = 0 if entry.hold is None else scope.duration(entry.hold, (*path, "for"))
    if entry.point is not None and entry.operator != "silent_for":
        return _of_point(entry, entry.point, hold, path, scope)
    match entry.operator:
        case "event":
            return _happened(entry, hold, path, scope)
        case "count":
            return _count(entry, hold, path, scope)
        case "silent_for":
            return _silent(entry, hold, path, scope)
        case "offline":
            return Offline(hold=hold)
        case "during":
            return None if entry.during is None else scope.during(entry.during, (*path, "during"), hold)
        case "not":
            return _negation(entry, hold, path, scope)
        case _:
            return _junction(entry, hold, path, scope)


def _of_point(entry: ConditionEntry, name: str, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    point = scope.point(name, (*path, "point"))
    if point is None:
        return None
    here = (*path, entry.operator)
    if entry.operator == "changed":
        return Changed(point=name, hold=hold)
    if entry.operator in ("is", "in"):
        return _one_of(entry, point, hold, here, scope)
    if point.type not in NUMERIC:
        use = "use is or in" if point.type is not PointType.TEXT else "use is, in or changed"
        scope.report(
            here, f"{entry.operator!r} compares numbers, and {name!r} is of type {point.type}; {use}"
        )
        return None
    if entry.operator.startswith("rate_"):
        return _rate(entry, name, hold, path, scope)
    return _compare(entry, point, hold, here, scope)


def _one_of(entry: ConditionEntry, point: Point, hold: Millis, here: Path, scope: Scope) -> Condition | None:
    words = entry.one_of if entry.one_of is not None else (entry.is_,)
    values = tuple(word for word in words if word is not None)
    if point.type is PointType.FLOAT:
        scope.report(
            here,
            f"{point.name!r} is a float, which is hardly ever equal to anything; use above, below or outside",
        )
        return None
    messages = [message for value in values if (message := misfit(value, point.type, point.values))]
    for message in messages:
        scope.report(here, message)
    return None if messages else OneOf(point=point.name, values=values, hold=hold)


def _compare(entry: ConditionEntry, point: Point, hold: Millis, here: Path, scope: Scope) -> Condition | None:
    low, high = entry.below, entry.above
    if entry.outside is not None:
        low, high = entry.outside
    floor = None if low is None else scope.number(low, here)
    roof = None if high is None else scope.number(high, here)
    if floor is not None and roof is not None and floor >= roof:
        scope.report(here, f"found [{floor:g}, {roof:g}]; the first limit must be below the second")
        return None
    if point.valid is not None:
        least, most = point.valid
        if roof is not None and not least <= roof < most:
            scope.report(
                here, f"above {roof:g} says nothing: {point.name!r} is valid from {least:g} to {most:g}"
            )
        if floor is not None and not least < floor <= most:
            scope.report(
                here, f"below {floor:g} says nothing: {point.name!r} is valid from {least:g} to {most:g}"
            )
    return Compare(point=point.name, low=floor, high=roof, hold=hold)


def _rate(entry: ConditionEntry, name: str, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    if entry.per is None or entry.over is None:
        return None
    per = scope.duration(entry.per, (*path, "per"))
    over = scope.duration(entry.over, (*path, "over"))
    if per <= 0 or over <= 0:
        scope.report(path, "'per' and 'over' must be longer than nothing")
        return None
    low = None if entry.rate_below is None else scope.number(entry.rate_below, (*path, "rate_below"))
    high = None if entry.rate_above is None else scope.number(entry.rate_above, (*path, "rate_above"))
    return Rate(point=name, per=per, over=over, low=low, high=high, hold=hold)


def _happened(entry: ConditionEntry, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    event = scope.event(entry.event or "", (*path, "event"))
    if event is None:
        return None
    where = _where(entry.where or {}, event, (*path, "where"), scope)
    return Happened(event=event.name, where=where, hold=hold)


def _count(entry: ConditionEntry, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    here = (*path, "count")
    if entry.count is None:
        return None
    within = scope.duration(entry.count.within, (*here, "within"))
    if within <= 0:
        scope.report((*here, "within"), "'within' must be longer than nothing")
    at_least = scope.whole(entry.count.at_least, (*here, "at_least"))
    event = scope.event(entry.count.event, (*here, "event"))
    if event is None:
        return None
    where = _where(entry.count.where, event, (*here, "where"), scope)
    return Count(event=event.name, within=within, at_least=at_least, where=where, hold=hold)


def _where(
    given: Mapping[str, tuple[Scalar, ...]], event: EventType, path: Path, scope: Scope
) -> dict[str, tuple[Scalar, ...]]:
    for name, values in given.items():
        attribute = event.attributes.get(name)
        if attribute is None:
            scope.report(
                (*path, name), unknown(f"attribute of event {event.name!r}:", name, event.attributes)
            )
            continue
        for value in values:
            if message := misfit(value, attribute.type, attribute.values):
                scope.report((*path, name), message)
    return dict(given)


def _silent(entry: ConditionEntry, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    given = entry.silent_for
    if given is None or (entry.point is not None and scope.point(entry.point, (*path, "point")) is None):
        return None
    after = (
        given.times * scope.report_every
        if isinstance(given, Multiple)
        else scope.duration(given, (*path, "silent_for"))
    )
    if after <= 0:
        scope.report((*path, "silent_for"), "'silent_for' must be longer than nothing")
        return None
    return Silent(after=after, point=entry.point, hold=hold)


def _negation(entry: ConditionEntry, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    part = None if entry.not_ is None else compile_condition(entry.not_, (*path, "not"), scope)
    return None if part is None else Negation(part=part, hold=hold)


def _junction(entry: ConditionEntry, hold: Millis, path: Path, scope: Scope) -> Condition | None:
    entries = entry.all_ if entry.all_ is not None else entry.any_ or []
    compiled = [
        compile_condition(part, (*path, entry.operator, index), scope) for index, part in enumerate(entries)
    ]
    parts = tuple(part for part in compiled if part is not None)
    if len(parts) < len(compiled):
        return None
    return AllOf(parts=parts, hold=hold) if entry.all_ is not None else AnyOf(parts=parts, hold=hold)


def misfit(value: Scalar, kind: PointType, words: tuple[str, ...]) -> str | None:
    """Why a value cannot be one of a point or attribute of this type; None when it can."""
    match kind:
        case PointType.BOOL if not isinstance(value, bool):
            return f"found {value!r}; true or false is needed"
        case PointType.ENUM if not isinstance(value, str) or value not in words:
            return unknown("word", str(value), words)
        case PointType.TEXT if not isinstance(value, str):
            return f"found {value!r}; text is needed (put it in quotes)"
        case PointType.INT if isinstance(value, bool) or not isinstance(value, int):
            return f"found {value!r}; a whole number is needed"
        case PointType.FLOAT if isinstance(value, bool) or not isinstance(value, int | float):
            return f"found {value!r}; a number is needed"
        case _:
            return None
