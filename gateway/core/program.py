"""A kind compiled once: which levels a point or an event moves, and how each is evaluated."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from gateway.core.conditions import (
    Evaluator,
    Moment,
    Within,
    bare_evaluator,
    compile_condition,
    elapsed,
    leaves,
    matches,
)
from gateway.core.inputs import Event
from gateway.core.plan import (
    AllOf,
    AnyOf,
    Changed,
    Compare,
    Condition,
    Count,
    During,
    Happened,
    Kind,
    LevelRule,
    Negation,
    Offline,
    OneOf,
    Rate,
    Rule,
    Silent,
    Suppression,
)
from gateway.core.state import Cause, DeviceState
from gateway.core.values import Level, Millis


class LevelProgram(NamedTuple):
    """One level of a rule, ready to be evaluated."""

    key: str
    """``rule/level``"""
    rule: Rule
    level: Level
    condition: Condition
    evaluate: Evaluator
    hold: Millis
    clear_hold: Millis
    about_link: bool
    """Speaks of silence or connection, so a lost connection does not freeze it."""
    suppression: Suppression | None = None
    """Set where being active keeps other rules quiet instead of raising an alert."""


class Program:
    """All levels of one kind, indexed by what can move them."""

    __slots__ = (
        "_cache",
        "bands",
        "by_event",
        "by_key",
        "by_rule",
        "changes",
        "levels",
        "link_mask",
        "masks",
        "scheduled",
        "silenced_by",
        "silences",
        "speech_mask",
        "tallies",
        "trails",
        "watched",
        "watches_itself",
    )

    def __init__(self, kind: Kind) -> None:
        # Suppressions first: what arrives together with a test mode is judged under it.
        suppressions = _suppressions(kind.suppressions.values())
        self.levels: tuple[LevelProgram, ...] = (*suppressions, *_levels(kind.rules.values()))
        self.silenced_by: dict[str, tuple[str, ...]] = {}
        """Keys of the suppressions that keep each rule quiet."""
        for level in suppressions:
            for rule in level.suppression.rules if level.suppression else ():
                self.silenced_by[rule] = (*self.silenced_by.get(rule, ()), level.key)
        self.scheduled: list[tuple[During, LevelProgram]] = []
        """Levels that a calendar moves."""
        self.by_key = {level.key: level for level in self.levels}
        self.by_rule = {
            name: tuple(level for level in self.levels if level.rule.name == name) for name in kind.rules
        }
        self.by_event: dict[str, tuple[LevelProgram, ...]] = {}
        self.tallies: dict[str, list[tuple[str, Count]]] = {}
        self.trails: dict[str, list[tuple[str, Rate, bool]]] = {}
        """Rate conditions by point: key, condition, whether the point is a counter."""
        self.silences: dict[str, tuple[Silent, LevelProgram]] = {}
        self.watched: dict[str, None] = {}  # in order, unlike a set
        """Points with a silence rule of their own."""
        self.masks: dict[str, int] = {}
        """Which levels each point moves, as bits."""
        self.link_mask = 0
        """The levels that speak of silence or connection, as bits."""
        self.speech_mask = 0
        """Those of them that a word from the device may raise, as bits."""
        self.changes: frozenset[str] = frozenset()
        """Points under a ``changed`` condition."""
        self.watches_itself = False
        """Whether a rule speaks of the silence of the whole device."""
        self._cache: dict[int, tuple[LevelProgram, ...]] = {}
        for index, level in enumerate(self.levels):
            self._index(level, 1 << index, kind)
        self.bands = _bands(self.levels)
        """Between which values, both included, a point moves no level while none is active or waits; only points that no
        condition joins with anything else."""

    def _index(self, level: LevelProgram, bit: int, kind: Kind) -> None:
        if level.about_link:
            self.link_mask |= bit
        for leaf, key in leaves(level.condition, level.key):
            match leaf:
                case Compare(point=point) | OneOf(point=point):
                    self.masks[point] = self.masks.get(point, 0) | bit
                case Changed(point=point):
                    self.masks[point] = self.masks.get(point, 0) | bit
                    self.changes |= {point}
                case Rate(point=point):
                    self.masks[point] = self.masks.get(point, 0) | bit
                    self.trails.setdefault(point, []).append((key, leaf, kind.points[point].counter))
                case Happened(event=event):
                    self.by_event[event] = (*self.by_event.get(event, ()), level)
                case Count(event=event):
                    self.by_event[event] = (*self.by_event.get(event, ()), level)
                    self.tallies.setdefault(event, []).append((key, leaf))
                case During():
                    self.scheduled.append((leaf, level))
                case Silent(point=point):
                    self.silences[key] = (leaf, level)
                    if "/not" in key:
                        self.speech_mask |= bit
                    if point is None:
                        self.watches_itself = True
                    else:
                        self.watched[point] = None
                case _:
                    pass

    def affected(self, mask: int) -> tuple[LevelProgram, ...]:
        """The levels behind a union of masks, in the order of the profile."""
        found = self._cache.get(mask)
        if found is None:
            found = tuple(level for index, level in enumerate(self.levels) if mask >> index & 1)
            if len(self._cache) < 4096:  # noqa: PLR2004 - a bound on a cache; combinations beyond it are just slower
                self._cache[mask] = found
        return found


def _bands(levels: Iterable[LevelProgram]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    joined: set[str] = set()
    for level in levels:
        for leaf, _ in leaves(level.condition, level.key):
            point = getattr(leaf, "point", None)
            if point is None:
                continue
            if leaf is not level.condition or not isinstance(leaf, Compare) or leaf.hold:
                joined.add(point)
                continue
            low, high = found.get(point, (-math.inf, math.inf))
            found[point] = (
                low if leaf.low is None else max(low, leaf.low),
                high if leaf.high is None else min(high, leaf.high),
            )
    return {point: band for point, band in found.items() if point not in joined}


def _levels(rules: Iterable[Rule]) -> Iterable[LevelProgram]:
    for rule in rules:
        for level in rule.levels:
            key = f"{rule.name}/{level.level.label}"
            evaluate = compile_condition(level.when, key, Within(rule.clear.deadband))
            kinds = {type(leaf) for leaf, _ in leaves(level.when, key)}
            about_link = bool(kinds & {Silent, Offline})
            yield LevelProgram(
                key, rule, level.level, level.when, evaluate, level.hold, rule.clear.hold, about_link
            )


SUPPRESSION_MARK = "~"
"""Begins the keys of suppressions; no rule's name can begin with it."""


def _suppressions(found: Iterable[Suppression]) -> tuple[LevelProgram, ...]:
    """Suppressions are moved by the same machine as levels; they have neither severity nor alert of their own."""
    programs: list[LevelProgram] = []
    for one in found:
        name = SUPPRESSION_MARK + one.name
        level = LevelRule(level=Level.INFO, when=one.when, hold=one.hold)
        rule = Rule(name=name, title=one.title, levels=(level,), clear=one.clear)
        programs.extend(program._replace(suppression=one) for program in _levels((rule,)))
    return tuple(programs)


def pulses(level: LevelProgram, event: Event) -> bool:
    """Whether the event is an instant this level waits for, rather than one it counts."""
    return any(
        isinstance(leaf, Happened) and leaf.event == event.type and matches(event, leaf.where)
        for leaf, _ in leaves(level.condition, level.key)
    )


def explain(level: LevelProgram, kind: Kind, dev: DeviceState, m: Moment) -> Cause:
    """What made the level true: the first leaf that decided it, with its value, limit and unit."""
    for leaf, _ in _culprits(level.condition, level.key, dev, m, wanted=True):
        return _leaf_cause(leaf, kind, dev, m)
    return Cause(m.now)


def _culprits(
    condition: Condition, key: str, dev: DeviceState, m: Moment, *, wanted: bool
) -> list[tuple[Condition, str]]:
    """The leaves that make a condition what is wanted; none where it is something else."""
    if wanted and condition.hold and not elapsed(dev.holds.get(key), m.now):
        return []
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            found = [
                _culprits(part, f"{key}/{index}", dev, m, wanted=wanted) for index, part in enumerate(parts)
            ]
            together = isinstance(condition, AllOf) is wanted
            return [] if together and not all(found) else [one for part in found for one in part]
        case Negation(part=part):
            return _culprits(part, f"{key}/not", dev, m, wanted=not wanted)
        case _:
            return (
                [(condition, key)]
                if bare_evaluator(condition, key, Within(0.0))(dev, m, False) is wanted
                else []
            )


def _leaf_cause(leaf: Condition, kind: Kind, dev: DeviceState, m: Moment) -> Cause:
    match leaf:
        case Compare(point=point, low=low, high=high):
            ts, value = dev.last[point]
            limit = high if low is None or (high is not None and value > low) else low  # type: ignore[operator]
            return Cause(ts, point, value, limit, kind.points[point].unit)
        case OneOf(point=point) | Changed(point=point) if point in dev.last:
            ts, value = dev.last[point]
            return Cause(ts, point, value, None, kind.points[point].unit)
        case Rate(point=point, low=low, high=high):
            ts, value = dev.last[point]
            return Cause(ts, point, value, high if high is not None else low, kind.points[point].unit)
        case Happened(event=name) | Count(event=name):
            return _seen_cause(name, leaf, kind, m)
        case Silent(point=point, after=after):
            return Cause(m.now, point, None, after, "ms")
        case _:
            return Cause(m.now)


def _seen_cause(name: str, leaf: Happened | Count, kind: Kind, m: Moment) -> Cause:
    event = m.event
    if event is None or event.type != name or not matches(event, leaf.where):
        return Cause(m.now, event=name)
    return event_cause(event, kind)


def event_cause(event: Event, kind: Kind) -> Cause:
    """An event as a cause, without what is personal."""
    declared = kind.events[event.type].attributes
    public = {key: value for key, value in event.attributes.items() if not declared[key].personal}
    return Cause(event.ts, event=event.type, key=event.key, attributes=public)
