"""The machine of one level of a rule on one device.

===========  ============  ==========================================
phase        condition     then
===========  ============  ==========================================
idle         true          active, or pending where it has a ``for``
pending      false         idle
pending      due           active
pending      unknown       stands still, goes on when known again
active       false         idle, or clearing where there is a delay
active       unknown       active
clearing     true          active
clearing     due           idle
clearing     unknown       stands still, goes on when known again
===========  ============  ==========================================
"""

from collections.abc import Iterable

from gateway.core.alerts import follow
from gateway.core.conditions import Truth
from gateway.core.desk import Desk
from gateway.core.plan import Device
from gateway.core.program import LevelProgram
from gateway.core.state import DeviceState, Hold, LevelState, Phase
from gateway.core.timers import Timer
from gateway.core.values import Millis


def evaluate(desk: Desk, device: Device, dev: DeviceState, levels: Iterable[LevelProgram]) -> None:
    """Judge the levels as things stand now and let their rules' alerts follow.

    An event or a change is an instant: its levels are judged again after it, when it is over.
    """
    moment = desk.moment
    desk.owner = device.id
    while True:
        moved: dict[str, LevelProgram] = {}
        held = dev.levels
        for level in levels:
            state = held.get(level.key)
            truth = level.evaluate(dev, moment, state is not None and state.phase is not Phase.PENDING)
            if state is None and not truth:
                continue
            if _move(desk, device, dev, level, state, truth):
                moved[level.rule.name] = level
        if moved:
            desk.effects.devices.add(device.id)
            for level in moved.values():
                follow(desk, device, dev, level.rule)
        if moment.event is None and not moment.changed:
            return
        moment.event, moment.changed = None, frozenset()


def come_due(desk: Desk, device: Device, dev: DeviceState, level: LevelProgram, due: Millis) -> None:
    """A pending or clearing level's time may be up."""
    state = dev.levels.get(level.key)
    if state is None or state.hold is None or state.hold.due != due:
        return
    if state.phase is Phase.PENDING:
        state.phase, state.hold = Phase.ACTIVE, None
    else:
        del dev.levels[level.key]
    desk.effects.devices.add(device.id)
    follow(desk, device, dev, level.rule)


def _move(
    desk: Desk,
    device: Device,
    dev: DeviceState,
    level: LevelProgram,
    state: LevelState | None,
    truth: Truth,
) -> bool:
    """Apply the table; True when the level became active or idle."""
    if state is None:
        if level.hold:
            dev.levels[level.key] = LevelState(Phase.PENDING, _start(desk, device, level, level.hold))
            return False
        dev.levels[level.key] = LevelState(Phase.ACTIVE)
        return True
    if state.phase is Phase.ACTIVE:
        if truth is not False:
            return False
        if level.clear_hold:
            state.phase, state.hold = Phase.CLEARING, _start(desk, device, level, level.clear_hold)
            return False
        del dev.levels[level.key]
        return True
    if truth is None:
        pause(state.hold, desk.moment.now)
    elif truth is (state.phase is Phase.PENDING):
        resume(desk, device.id, level.key, state.hold)
    elif truth:
        state.phase, state.hold = Phase.ACTIVE, None
    else:
        del dev.levels[level.key]
    return False


def _start(desk: Desk, device: Device, level: LevelProgram, length: Millis) -> Hold:
    due = desk.moment.now + length
    desk.timers.add(Timer(due, device.id, "level", level.key))
    return Hold(due)


def pause(hold: Hold | None, now: Millis) -> None:
    """Let a hold stand still. One that has come due already stays due."""
    if hold is not None and hold.due is not None and hold.due > now:
        hold.left, hold.due = hold.due - now, None


def resume(desk: Desk, owner: str, key: str, hold: Hold | None) -> None:
    """Let a hold that stood still go on; ``key`` is a level's (two parts) or that of a part of its condition."""
    if hold is None or hold.left is None:
        return
    hold.due, hold.left = desk.moment.now + hold.left, None
    purpose = "level" if key.count("/") == 1 else "wake"
    desk.timers.add(Timer(hold.due, owner, purpose, key))


def arm(desk: Desk, owner: str, dev: DeviceState) -> None:
    """Ask for every wake-up that the state of a device implies, after it was read from disk."""
    for key, level in dev.levels.items():
        if level.hold is not None and level.hold.due is not None:
            desk.timers.add(Timer(level.hold.due, owner, "level", key))
    for key, hold in dev.holds.items():
        if hold.due is not None:
            desk.timers.add(Timer(hold.due, owner, "wake", key))
    for key, tally in dev.tallies.items():
        if tally.until is not None:
            desk.timers.add(Timer(tally.until, owner, "wake", key))
