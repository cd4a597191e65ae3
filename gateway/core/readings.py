"""Telemetry and events: remembered, stored, and judged when they are the newest word."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core import levels, observing
from gateway.core.conditions import matches
from gateway.core.desk import Desk
from gateway.core.inputs import Event, Telemetry
from gateway.core.plan import Count, Device
from gateway.core.program import LevelProgram, Program
from gateway.core.state import DeviceState, Hold, Tally
from gateway.core.timers import Timer
from gateway.core.values import Millis, Scalar, Series, TelemetryRow

EVENTS_KEPT = 128
"""Event keys a device remembers to recognise repeats. What is older than the oldest of them moves nothing."""
TAP = "tap"
"""The event of a reader that has read a tag."""
TRAIL_PARTS = 64
"""The stretch of a rate condition is kept in so many parts at most, however often values come."""


NO_BANDS: Mapping[str, tuple[float, float]] = MappingProxyType({})


def take_telemetry(desk: Desk, one: Telemetry) -> None:  # noqa: C901 - trodden at every message
    """Store the values; judge those that are not older than what was judged before."""
    device, dev, program = desk.known(one.device)
    effects = desk.effects
    ts = one.ts if one.stamped else _own_moment(dev, one.ts)
    row = tuple.__new__(
        TelemetryRow, (device.series, ts, one.values)
    )  # past the constructor: it takes longer
    effects.rows.append(row)
    effects.devices.add(one.device)
    last, masks = dev.last, program.masks
    bands = program.bands if not dev.levels else NO_BANDS
    mask = 0
    changed: list[str] | None = None
    for name, value in one.values.items():
        cell = last.get(name)
        if cell is None:
            mask |= masks.get(name, 0)
        elif ts < cell[0]:
            continue
        elif cell[1] != value:
            band = bands.get(name)
            if band is None or not band[0] <= value <= band[1]:  # type: ignore[operator]  # a band is of a number
                mask |= masks.get(name, 0)
            if changed is None:
                changed = []
            changed.append(name)
        last[name] = (ts, value)
        if name in program.trails:
            mask |= _trail(program, dev, name, ts, value)
    if not one.retained:
        dev.heard = one.at
        if program.watched or desk.waiting:
            _hear(desk, program, dev, one)
        if dev.levels or dev.holds:
            mask |= program.link_mask  # it speaks: a rule about its silence may let go
        else:
            mask |= program.speech_mask
        if dev.frozen and observing.back_in_touch(desk, device, dev):
            mask = -1
        if changed is not None and program.changes:
            desk.moment.changed = program.changes.intersection(changed)
    if mask:
        levels.evaluate(desk, device, dev, program.affected(mask))


def _own_moment(dev: DeviceState, received: Millis) -> Millis:
    """A moment of its own for a reading that came without one.

    Of those received in one millisecond, or sent on by the broker in one go, none may take another's place in the
    telemetry store.
    """
    dev.unstamped = max(received, dev.unstamped + 1)
    return dev.unstamped


def _hear(desk: Desk, program: Program, dev: DeviceState, one: Telemetry) -> None:
    for name in program.watched:
        if name in one.values:
            dev.heard_points[name] = one.at
    if desk.waiting:
        observing.answer_for(desk, one.device)


def _trail(program: Program, dev: DeviceState, name: str, ts: Millis, value: Scalar) -> int:
    """Lengthen the trails of a point; returns the mask of the levels that look at them."""
    number = float(value)
    for key, rate, counter in program.trails[name]:
        trail = dev.trails.get(key)
        if not trail:
            dev.trails[key] = [(ts, number)]
            continue
        newest, was = trail[-1]
        if newest > ts:
            continue
        if counter and number < was:
            # A reset: shift the past so that the change since then is what the counter shows now.
            trail[:] = [(when, shown - was) for when, shown in trail]
        if newest == ts or (len(trail) > 1 and (newest - trail[-2][0]) * TRAIL_PARTS < rate.over):
            trail[-1] = (ts, number)  # so near the one before it that the next may take its place
        else:
            trail.append((ts, number))
        begin = ts - rate.over
        while len(trail) > 2 and trail[1][0] <= begin:  # noqa: PLR2004 - a slope needs two ends
            del trail[0]
    return program.masks[name]


def take_event(desk: Desk, one: Event) -> None:
    """Store the event; judge it when it has not been seen and is not retained."""
    device, dev = desk.device(one.device)
    desk.effects.devices.add(one.device)
    program = desk.program(device.kind)
    judged = program.affected(program.link_mask)
    if not one.retained:
        dev.heard = one.at
        if observing.back_in_touch(desk, device, dev):
            judged = program.levels
    known = one.key in dev.events
    if not known:
        desk.effects.events.append(one)
        desk.effects.rows.append(event_row(device, one))
    if not known and not one.retained and one.ts >= dev.horizon:
        _remember(dev, one)
        for key, count in program.tallies.get(one.type, ()):
            if matches(one, count.where):
                _tally(desk, device.id, dev, key, count, one.ts)
        judged = _joined(judged, program.by_event.get(one.type, ()))
        desk.moment.event = one
    levels.evaluate(desk, device, dev, judged)
    desk.moment.event = None
    if not one.retained:
        observing.answer_for(desk, one.device)


def _joined(some: tuple[LevelProgram, ...], others: tuple[LevelProgram, ...]) -> tuple[LevelProgram, ...]:
    return (*some, *(level for level in others if level not in some)) if some else others


def _remember(dev: DeviceState, one: Event) -> None:
    dev.events[one.key] = one.ts
    if len(dev.events) > EVENTS_KEPT:
        oldest = min(dev.events, key=lambda key: (dev.events[key], key))
        dev.horizon = max(dev.horizon, dev.events.pop(oldest))


def _tally(desk: Desk, owner: str, dev: DeviceState, key: str, count: Count, ts: Millis) -> None:
    tally = dev.tallies.setdefault(key, Tally())
    if len(tally.recent) == count.at_least and ts < tally.recent[0]:
        return  # late: newer ones have decided
    tally.recent = sorted([*tally.recent, ts])[-count.at_least :]
    if len(tally.recent) < count.at_least or tally.recent[-1] - tally.recent[0] > count.within:
        return
    tally.until = Hold(left=count.within)
    if desk.state.scalars.observing:
        due = tally.until.resume(desk.moment.now)
        desk.timers.add(Timer(due or desk.moment.now, owner, "wake", key))


def event_row(device: Device, one: Event) -> TelemetryRow:
    """The event as telemetry: its type and public attributes, never personal data."""
    declared = device.kind.events[one.type].attributes
    fields: dict[str, Scalar] = {
        name: value for name, value in one.attributes.items() if not declared[name].personal
    }
    tags = {**dict(device.series.tags), "event": one.type}
    kept = tuple(sorted((name, value) for name, value in tags.items() if name not in fields))
    series = Series(f"{device.series.measurement}_event", kept)
    return TelemetryRow(series, one.ts, {"key": one.key, **fields})
