"""Conditions compiled into evaluators.

An evaluator answers True, False or None (unknown) for a device at a moment, after Kleene's three-valued logic: what
has not been seen is unknown, and unknown neither raises nor clears. ``active`` widens limits by the deadband, so the
deadband applies to the reset only, per limit.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

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
    Negation,
    Offline,
    OneOf,
    Rate,
    Silent,
)
from gateway.core.schedule import Schedule
from gateway.core.state import DeviceState, Hold, Scalars
from gateway.core.values import Millis, Scalar


class Moment:
    """What an evaluator may look at beside the device: the time, the event being handled, what just changed."""

    __slots__ = ("arm", "blind", "changed", "event", "front", "grace", "now", "scalars", "touch")

    def __init__(
        self, arm: Callable[[Millis, str], None], touch: Callable[[], None], scalars: Scalars
    ) -> None:
        self.arm = arm
        """Asks for a wake-up of a key of the device being evaluated at a due time."""
        self.touch = touch
        """Says that the state of that device changed."""
        self.scalars = scalars
        self.blind = False
        """Nobody can see the device now: no hold runs."""
        self.now: Millis = 0
        self.grace: Millis = 0
        self.event: Event | None = None
        self.changed: frozenset[str] = frozenset()
        self.front: DeviceState | None = None
        """The device through which the one being evaluated is heard, where that one's own silence would be noticed."""


Truth: TypeAlias = bool | None
Evaluator: TypeAlias = Callable[[DeviceState, Moment, bool], Truth]


class Within(NamedTuple):
    """Where in its level a condition stands."""

    deadband: float
    """How far past its limit a value must go back before an active level lets go; negative under ``not``."""
    missing: Truth = None
    """What a point counts as that the device has never reported. Unknown, but as one of several ways to be true
    (``any``) false: what a device does not have can neither raise an alert nor keep it up for ever."""
    negated: bool = False
    """Somewhere under ``not``, where false would be true: unknown stays unknown."""


def compile_condition(condition: Condition, key: str, within: Within) -> Evaluator:
    """Compile a condition.

    Args:
        condition: what to evaluate.
        key: ``rule/level/path``, unique on the device; names the state the condition keeps.
        within: where in its level it stands.
    """
    evaluator = bare_evaluator(condition, key, within)
    return _held(evaluator, key, condition.hold) if condition.hold else evaluator


def bare_evaluator(condition: Condition, key: str, within: Within) -> Evaluator:
    """Compile a condition without its own ``for``: whether it is true at this very moment."""
    match condition:
        case Compare():
            return _compare(condition, within)
        case OneOf():
            return _one_of(condition, within.missing)
        case Changed():
            return _changed(condition)
        case Rate():
            return _rate(condition, key, within.deadband)
        case Happened():
            return _happened(condition)
        case Count():
            return _count(key)
        case Silent():
            return _silent(condition)
        case Offline():
            return _offline
        case During(schedule=schedule):
            return _during(schedule)
        case Negation(part=part):
            return _negation(
                compile_condition(part, f"{key}/not", Within(-within.deadband, None, negated=True))
            )
        case AllOf(parts=parts):
            return _junction(parts, key, within, decisive=False)
        case AnyOf(parts=parts):
            return _junction(parts, key, within, decisive=True)


def _held(inner: Evaluator, key: str, hold: Millis) -> Evaluator:
    def held(dev: DeviceState, m: Moment, active: bool) -> Truth:
        truth = inner(dev, m, active)
        running = dev.holds.get(key)
        if truth is None:
            if running is not None and running.left is None:
                running.pause(m.now)
                m.touch()
            return None
        if not truth:
            if running is not None:
                del dev.holds[key]
                m.touch()
            return False
        if running is None:
            running = dev.holds[key] = Hold(left=hold)
            m.touch()
        if not m.blind and (due := running.resume(m.now)) is not None:
            m.arm(due, key)
            m.touch()
        return elapsed(running, m.now)

    return held


def elapsed(hold: Hold | None, now: Millis) -> bool:
    """Whether a hold has run to its end."""
    return hold is not None and hold.due is not None and now >= hold.due


def _compare(condition: Compare, within: Within) -> Evaluator:
    deadband, missing = within.deadband, within.missing
    point, low, high = condition.point, condition.low, condition.high
    low_reset = None if low is None else low + deadband
    high_reset = None if high is None else high - deadband

    def compare(dev: DeviceState, _m: Moment, active: bool) -> Truth:
        cell = dev.last.get(point)
        if cell is None:
            return missing
        value = cell[1]
        if active:
            return _outside(value, low_reset, high_reset)
        return _outside(value, low, high)

    if low is None and high is not None:

        def above(dev: DeviceState, _m: Moment, active: bool) -> Truth:
            cell = dev.last.get(point)
            return missing if cell is None else cell[1] > (high_reset if active else high)  # type: ignore[operator]

        return above
    return compare


def _outside(value: Scalar, low: float | None, high: float | None) -> bool:
    return (high is not None and value > high) or (low is not None and value < low)  # type: ignore[operator]


def _one_of(condition: OneOf, missing: Truth) -> Evaluator:
    point, values = condition.point, condition.values

    def one_of(dev: DeviceState, _m: Moment, _active: bool) -> Truth:
        cell = dev.last.get(point)
        return missing if cell is None else cell[1] in values

    return one_of


def _changed(condition: Changed) -> Evaluator:
    point = condition.point

    def changed(_dev: DeviceState, m: Moment, _active: bool) -> Truth:
        return point in m.changed

    return changed


def _rate(condition: Rate, key: str, deadband: float) -> Evaluator:
    low, high, per, over = condition.low, condition.high, condition.per, condition.over

    def rate(dev: DeviceState, _m: Moment, active: bool) -> Truth:
        trail = dev.trails.get(key)
        if not trail or (span := trail[-1][0] - trail[0][0]) * 2 < over:
            return None  # too short a stretch says nothing about a rate
        slope = (trail[-1][1] - trail[0][1]) * per / span
        slack = deadband if active else 0.0
        return _outside(slope, None if low is None else low + slack, None if high is None else high - slack)

    return rate


def _happened(condition: Happened) -> Evaluator:
    name, where = condition.event, condition.where

    def happened(_dev: DeviceState, m: Moment, _active: bool) -> Truth:
        return m.event is not None and m.event.type == name and matches(m.event, where)

    return happened


def _count(key: str) -> Evaluator:
    def count(dev: DeviceState, m: Moment, _active: bool) -> Truth:
        tally = dev.tallies.get(key)
        return tally is not None and tally.until is not None and not elapsed(tally.until, m.now)

    return count


def _silent(condition: Silent) -> Evaluator:
    def silent(dev: DeviceState, m: Moment, _active: bool) -> Truth:
        if not m.scalars.observing:
            return None
        end = silence_end(condition, dev, m.scalars)
        if m.now < end:
            return False
        if m.front is not None and (m.front.heard is None or m.front.heard < end):
            return None  # perhaps it is the device in front that is dead: that one's word, or its silence, will tell
        return None if in_grace(m) else True

    return silent


def _offline(dev: DeviceState, m: Moment, _active: bool) -> Truth:
    if dev.online is None or not m.scalars.observing:
        return None
    if dev.online:
        return False
    return None if in_grace(m) else True


def _during(schedule: Schedule) -> Evaluator:
    def during(_dev: DeviceState, m: Moment, _active: bool) -> Truth:
        return schedule.is_open(m.now)

    return during


def in_grace(m: Moment) -> bool:
    """Whether devices have been seen for too short a time to call one silent or offline, or no longer so."""
    return m.now < m.scalars.seen_since + m.grace


def _negation(inner: Evaluator) -> Evaluator:
    def negation(dev: DeviceState, m: Moment, active: bool) -> Truth:
        truth = inner(dev, m, active)
        return None if truth is None else not truth

    return negation


def _junction(parts: tuple[Condition, ...], key: str, within: Within, *, decisive: bool) -> Evaluator:
    missing = within.missing if not decisive or within.negated else False
    around = within._replace(missing=missing)
    inner = tuple(compile_condition(part, f"{key}/{index}", around) for index, part in enumerate(parts))

    def junction(dev: DeviceState, m: Moment, active: bool) -> Truth:
        # No short cut: every part must see the moment, since its own ``for`` may start or end with it.
        answer: Truth = not decisive
        for evaluate in inner:
            truth = evaluate(dev, m, active)
            if truth is decisive:
                answer = decisive
            elif truth is None and answer is not decisive:
                answer = None
        return answer

    return junction


def matches(event: Event, where: Mapping[str, tuple[Scalar, ...]]) -> bool:
    """Whether each named attribute holds one of the wanted values."""
    return all(event.attributes.get(name) in wanted for name, wanted in where.items())


def silence_end(condition: Silent, dev: DeviceState, scalars: Scalars) -> Millis:
    """When the device (or its point) will have been silent for too long, exactly at the limit included.

    Time that nobody observed does not count as silence.
    """
    point = condition.point
    heard = dev.heard if point is None else dev.heard_points.get(point)
    if heard is None:
        heard = dev.awaited.get(point or "", scalars.seen_since)
    heard = max(heard, dev.lit_at)
    if not scalars.gaps or scalars.gaps[-1][1] <= heard:
        return heard + condition.after
    unobserved = sum(until - max(since, heard) for since, until in scalars.gaps if until > heard)
    return heard + condition.after + unobserved


def leaves(condition: Condition, key: str) -> Iterator[tuple[Condition, str]]:
    """Every leaf of a condition with the key :func:`compile_condition` gives it."""
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for index, part in enumerate(parts):
                yield from leaves(part, f"{key}/{index}")
        case Negation(part=part):
            yield from leaves(part, f"{key}/not")
        case _:
            yield condition, key
