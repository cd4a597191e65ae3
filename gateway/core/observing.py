"""What the gateway could and could not see.

While it was down, cut off from the broker or not reading, nothing is known: every running ``for`` stands still and
goes on afterwards, silence is not counted, and the stretch is kept as a gap. The same for one device that is offline
or silent, except for the rules that speak of just that.
"""

from gateway.core import levels
from gateway.core.alerts import follow
from gateway.core.conditions import silence_due
from gateway.core.desk import Desk
from gateway.core.plan import Device, fits
from gateway.core.program import LevelProgram, Program
from gateway.core.state import DeviceState, Hold
from gateway.core.timers import Timer
from gateway.core.values import Millis

GAPS_KEPT = 64
"""Gaps remembered for judging silence; the full list is in the history."""


def lose(desk: Desk, at: Millis, reason: str) -> None:
    """From ``at`` on nothing can be seen."""
    scalars = desk.state.scalars
    if not scalars.observing:
        return
    scalars.observing, scalars.lost_at = False, at
    desk.effects.scalars = True
    for name, dev in desk.state.devices.items():
        if dev.levels or dev.holds:
            freeze(desk, name, dev, at, links=True)
    desk.report("gateway.unobserved", since=at, reason=reason)


def regain(desk: Desk) -> None:
    """Devices can be seen again: holds go on where they stood, silence starts with one grace period."""
    scalars, now = desk.state.scalars, desk.moment.now
    if scalars.observing:
        return
    scalars.observing, scalars.seen_since = True, now
    desk.effects.scalars = True
    if scalars.lost_at is not None:
        scalars.gaps = [*scalars.gaps, (scalars.lost_at, now)][-GAPS_KEPT:]
        desk.report("gateway.observing", since=scalars.lost_at, until=now)
    scalars.lost_at = None
    for name, device in desk.plan.devices.items():
        dev = desk.state.devices.get(name)
        if dev is not None:
            thaw(desk, name, dev, links_only=dev.frozen)
        watch(desk, device, desk.program(device.kind))


def freeze(desk: Desk, name: str, dev: DeviceState, at: Millis, *, links: bool) -> None:
    """Let the device's holds stand still; those of silence and connection rules only when ``links``."""
    for _key, hold in _holds(desk, name, dev, links=links):
        levels.pause(hold, at)
    desk.effects.devices.add(name)


def thaw(desk: Desk, name: str, dev: DeviceState, *, links_only: bool) -> None:
    """Let the device's holds go on."""
    for key, hold in _holds(desk, name, dev, links=True):
        if links_only and not _about_link(desk, name, key):
            continue
        if hold.left is not None:
            levels.resume(desk, name, key, hold)
            desk.effects.devices.add(name)


def _holds(desk: Desk, name: str, dev: DeviceState, *, links: bool) -> list[tuple[str, Hold]]:
    found = [(key, state.hold) for key, state in dev.levels.items() if state.hold is not None]
    found.extend(dev.holds.items())
    return [(key, hold) for key, hold in found if links or not _about_link(desk, name, key)]


def _about_link(desk: Desk, name: str, key: str) -> bool:
    device = desk.plan.devices.get(name)
    if device is None:
        return False
    level = desk.program(device.kind).by_key.get(level_key(key))
    return level is not None and level.about_link


def level_key(key: str) -> str:
    """The level a key of a device belongs to: its first two parts."""
    rule, level, *_ = key.split("/", 2)
    return f"{rule}/{level}"


def watch(desk: Desk, device: Device, program: Program) -> None:
    """Ask for wake-ups for the silence rules of a device, and for an offline word that waits for the grace."""
    start = desk.state.scalars.seen_since
    for condition, level in program.silences:
        due = start + min(condition.after, desk.plan.boot_grace)
        desk.timers.add(Timer(due, device.id, "silence", level.key))
    dev = desk.state.devices.get(device.id)
    if dev is not None and dev.online is False:
        for level in program.levels:
            if level.about_link:
                desk.timers.add(Timer(start + desk.plan.boot_grace, device.id, "wake", level.key))


def come_due(desk: Desk, device: Device, dev: DeviceState, level: LevelProgram) -> None:
    """A silence may have lasted long enough. While it lasts it is looked at again after each further limit."""
    now, scalars = desk.moment.now, desk.state.scalars
    if not scalars.observing:
        return  # asked for again when devices can be seen
    for condition, owner in desk.program(device.kind).silences:
        if owner.key != level.key:
            continue
        due = silence_due(condition, dev, scalars, desk.plan.boot_grace)
        again = due if due > now else now + condition.after
        desk.timers.add(Timer(again, device.id, "silence", level.key))
        if due <= now and condition.point is None:
            lost_touch(desk, device, dev)
    levels.evaluate(desk, device, dev, (level,))


def drop_unknown(desk: Desk, device: Device, dev: DeviceState) -> None:
    """Forget what belonged to points, rules or levels that the configuration no longer has."""
    program, points = desk.program(device.kind), device.kind.points
    for name, (_, value) in list(dev.last.items()):
        if name not in points or not fits(points[name], value):
            del dev.last[name]
    gone = {key for key in dev.levels if key not in program.by_key}
    for kept in (dev.levels, dev.holds, dev.tallies, dev.trails):
        for key in [key for key in kept if level_key(key) not in program.by_key]:
            del kept[key]
    for rule in sorted({key.split("/")[0] for key in gone} & device.kind.rules.keys()):
        follow(desk, device, dev, device.kind.rules[rule])
    desk.effects.devices.add(device.id)


def lost_touch(desk: Desk, device: Device, dev: DeviceState) -> None:
    """The device is offline or silent: what it last said is not known to hold any more."""
    if not dev.frozen:
        dev.frozen = True
        freeze(desk, device.id, dev, desk.moment.now, links=False)


def back_in_touch(desk: Desk, device: Device, dev: DeviceState) -> None:
    """The device speaks again."""
    if dev.frozen:
        dev.frozen = False
        desk.effects.devices.add(device.id)
        if desk.state.scalars.observing:
            thaw(desk, device.id, dev, links_only=False)
