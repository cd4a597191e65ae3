"""What the gateway could and could not see.

While it was down, cut off from the broker or not reading, nothing is known: every running ``for`` stands still and
goes on afterwards, silence is not counted, and the stretch is kept as a gap. The same for one device that is offline
or silent, except for the rules that speak of just that.
"""

from gateway.core import flapping, levels, outages, schedules, shelving
from gateway.core.alerts import follow
from gateway.core.conditions import silence_end
from gateway.core.desk import Desk
from gateway.core.plan import Device, Flapping, Silent, fits
from gateway.core.program import Program
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
        if dev.levels or dev.holds or dev.tallies:
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
        program = desk.program(device.kind)
        watch(desk, device, program)
        dev = desk.state.devices.get(name)
        if dev is not None and (dev.levels or dev.holds or dev.tallies):
            _thaw_counts(desk, name, dev)
            levels.evaluate(desk, device, dev, program.levels)
        if dev is not None and dev.flutters and not dev.frozen:
            flapping.seen_again(desk, name, dev, _limits(device))
    schedules.look(desk)


def freeze(desk: Desk, name: str, dev: DeviceState, at: Millis, *, links: bool) -> None:
    """Let the device's holds stand still; those of silence and connection rules only when ``links``."""
    for key, hold in _holds(dev):
        if links or not _about_link(desk, name, key):
            hold.pause(at)
    desk.effects.devices.add(name)


def _holds(dev: DeviceState) -> list[tuple[str, Hold]]:
    found = [(key, state.hold) for key, state in dev.levels.items() if state.hold is not None]
    found.extend(dev.holds.items())
    found.extend((key, tally.until) for key, tally in dev.tallies.items() if tally.until is not None)
    return found


def _thaw_counts(desk: Desk, name: str, dev: DeviceState) -> None:
    """Let the windows of counts go on; every other hold goes on when its condition is next found to be known."""
    for key, tally in dev.tallies.items():
        if tally.until is None or (dev.frozen and not _about_link(desk, name, key)):
            continue
        due = tally.until.resume(desk.moment.now)
        if due is not None:
            desk.timers.add(Timer(due, name, "wake", key))
            desk.effects.devices.add(name)


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
    dev = desk.state.devices.get(device.id)
    for key, (condition, _) in program.silences.items():
        dev = _await_word(desk, device.id, condition.point)
        _look(desk, device.id, key, _silent_from(desk, condition, dev))
    if dev is not None and dev.online is False:
        wake_after_grace(desk, device)


def _await_word(desk: Desk, name: str, point: str | None) -> DeviceState:
    """Silence of what was never heard counts from here."""
    dev = desk.device(name)[1]
    heard = dev.heard if point is None else dev.heard_points.get(point)
    if heard is None and (point or "") not in dev.awaited:
        dev.awaited[point or ""] = desk.moment.now
        desk.effects.devices.add(name)
    return dev


def _look(desk: Desk, name: str, key: str, due: Millis) -> None:
    desk.looks[name, key] = due
    desk.timers.look(Timer(due, name, "silence", key))


def look_over(desk: Desk, looks: list[Timer]) -> None:
    """A stretch of time begins in which some silences may have lasted long enough: most devices have spoken since.

    Nothing is judged here. A look whose device has spoken is laid ahead to when that word will be too old; any other comes
    up at its own time.
    """
    scalars, timers, known, plan, meant = (
        desk.state.scalars,
        desk.timers,
        desk.known,
        desk.plan,
        desk.looks,
    )
    least = scalars.seen_since + plan.boot_grace
    for timer in looks:
        due, owner, purpose, key = timer
        if meant.get((owner, key)) != due or owner not in plan.devices:
            continue  # of another time or plan
        _, dev, program = known(owner)
        found = program.silences.get(key)
        if found is None or not scalars.observing:
            timers.add(timer)
            continue
        condition, level = found
        later = max(silence_end(condition, dev, scalars), least)
        if later > due and level.condition is condition and level.key not in dev.levels:
            meant[owner, key] = later
            timers.look(
                tuple.__new__(Timer, (later, owner, purpose, key))
            )  # past the constructor, which takes longer
        else:
            timers.add(timer)


def wake_after_grace(desk: Desk, device: Device) -> None:
    """Ask for a wake-up at the end of the grace period: what is offline counts from then on."""
    due = desk.state.scalars.seen_since + desk.plan.boot_grace
    for level in desk.program(device.kind).levels:
        if level.about_link and due > desk.moment.now:
            desk.timers.add(Timer(due, device.id, "wake", level.key))


def come_due(desk: Desk, timer: Timer) -> None:
    """A silence may have lasted long enough. While it lasts it is looked at again after each further limit.

    Args:
        desk: where it is found.
        timer: the look that is meant, of a device of the plan.
    """
    scalars, now = desk.state.scalars, desk.moment.now
    device, dev, program = desk.known(timer.owner)
    found = program.silences.get(timer.key)
    if found is None or not scalars.observing:
        return  # of another plan, or asked for again when devices can be seen
    condition, level = found
    due = max(silence_end(condition, dev, scalars), scalars.seen_since + desk.plan.boot_grace)
    if due > now:
        _look(desk, timer.owner, timer.key, due)
        if level.condition is condition and level.key not in dev.levels:
            return  # it has spoken since: the level speaks of nothing else, and is idle
    else:
        _look(desk, device.id, timer.key, now + condition.after)
        if device.via is not None:
            desk.waiting.setdefault(device.via, {})[device.id] = None
        if condition.point is None:
            lost_touch(desk, device, dev)
    levels.evaluate(desk, device, dev, (level,))


def answer_for(desk: Desk, front: str) -> None:
    """A device that others are heard through has spoken: whoever was due behind it is silent by itself."""
    for name in desk.waiting.pop(front, ()):
        if name in desk.plan.devices:
            device, dev = desk.device(name)
            program = desk.program(device.kind)
            if is_silent(desk, device, dev):
                lost_touch(desk, device, dev)
            levels.evaluate(desk, device, dev, program.affected(program.link_mask))


def _silent_from(desk: Desk, condition: Silent, dev: DeviceState) -> Millis:
    scalars = desk.state.scalars
    return max(silence_end(condition, dev, scalars), scalars.seen_since + desk.plan.boot_grace)


def is_silent(desk: Desk, device: Device, dev: DeviceState) -> bool:
    """Whether one of the device's rules calls it silent now."""
    silences = desk.program(device.kind).silences.values()
    return any(
        condition.point is None and _silent_from(desk, condition, dev) <= desk.moment.now
        for condition, _ in silences
    )


def drop_unknown(desk: Desk, device: Device, dev: DeviceState) -> None:
    """Forget what belonged to points, rules or levels that the configuration no longer has."""
    program, points = desk.program(device.kind), device.kind.points
    for name, (_, value) in list(dev.last.items()):
        if name not in points or not fits(points[name], value):
            del dev.last[name]
    awaited = {condition.point or "" for condition, _ in program.silences.values()}
    dev.heard_points = {name: at for name, at in dev.heard_points.items() if name in program.watched}
    dev.awaited = {name: at for name, at in dev.awaited.items() if name in awaited}
    dev.flutters = {name: one for name, one in dev.flutters.items() if name in device.kind.rules}
    for name in [name for name in dev.shelves if name not in device.kind.rules]:
        shelving.drop(desk, device.id, dev, name, "rule removed")
    for name in [name for name in dev.outages if name and name not in device.kind.rules]:
        outages.drop(desk, device.id, dev, name, "rule removed")
    gone = {key for key in dev.levels if key not in program.by_key}
    for kept in (dev.levels, dev.holds, dev.tallies, dev.trails):
        for key in [key for key in kept if level_key(key) not in program.by_key]:
            del kept[key]
    for rule in sorted({key.split("/")[0] for key in gone} & device.kind.rules.keys()):
        follow(desk, device, dev, device.kind.rules[rule])
    desk.effects.devices.add(device.id)


def drop_device(desk: Desk, name: str) -> None:
    """A device left the configuration: should it come back, it starts anew, but its history goes on."""
    dev = desk.state.devices[name]
    for rule in list(dev.shelves):
        shelving.drop(desk, name, dev, rule, "device removed")
    for rule in list(dev.outages):
        outages.drop(desk, name, dev, rule, "device removed")
    kept = DeviceState(
        events=dev.events,
        horizon=dev.horizon,
        occurrences=dev.occurrences,
        orders=dev.orders,
        rejected=dev.rejected,
        params=dev.params,
        preventive=dev.preventive,
        version=dev.version,
    )
    if kept != dev:
        desk.state.devices[name] = kept
        desk.effects.devices.add(name)


def lost_touch(desk: Desk, device: Device, dev: DeviceState) -> None:
    """The device is offline or silent: what it last said is not known to hold any more.

    Nor is anything known of the devices that are heard through it: one alert for a dead reader, not fifty.
    """
    if dev.frozen:
        return  # whoever has spoken from behind it since then is taken at its word
    dev.frozen = True
    freeze(desk, device.id, dev, desk.moment.now, links=False)
    front = desk.state.devices.get(device.via or "")
    if front is not None and front.frozen:
        _hide(desk, device, dev)
    for name in desk.behind.get(device.id, ()):
        _hide(desk, *desk.device(name))


def _hide(desk: Desk, device: Device, dev: DeviceState) -> None:
    """What is in front of the device is lost."""
    if not dev.behind:
        dev.behind = True
        lost_touch(desk, device, dev)
        freeze(desk, device.id, dev, desk.moment.now, links=True)


def back_in_touch(desk: Desk, device: Device, dev: DeviceState) -> bool:
    """The device speaks again; True when it had been lost, so that all its levels are to be judged again."""
    if not dev.frozen:
        return False
    dev.frozen = dev.behind = False
    desk.effects.devices.add(device.id)
    if dev.online is False:  # a last will of an older connection came late
        dev.online = True
        desk.report("device.online", device=device.id, by="its own word")
    if desk.state.scalars.observing:
        _thaw_counts(desk, device.id, dev)
        if dev.flutters:
            flapping.seen_again(desk, device.id, dev, _limits(device))
    for name in desk.behind.get(device.id, ()):
        _light(desk, *desk.device(name))
    return True


def _light(desk: Desk, device: Device, dev: DeviceState) -> None:
    """What is in front of the device is back: its own silence counts from now, its values once it speaks."""
    if not dev.behind:
        return
    dev.behind, dev.lit_at = False, desk.moment.now
    desk.effects.devices.add(device.id)
    program = desk.program(device.kind)
    levels.evaluate(desk, device, dev, program.affected(program.link_mask))
    if desk.state.scalars.observing:
        watch(desk, device, program)
    for name in desk.behind.get(device.id, ()):
        _light(desk, *desk.device(name))


def _limits(device: Device) -> dict[str, Flapping]:
    return {name: rule.flapping for name, rule in device.kind.rules.items()}
