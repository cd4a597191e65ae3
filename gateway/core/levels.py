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

from gateway.core.alerts import follow, repeat
from gateway.core.conditions import Truth
from gateway.core.desk import Desk
from gateway.core.plan import Device, Rule
from gateway.core.program import LevelProgram, pulses
from gateway.core.quieting import follow_design
from gateway.core.state import DeviceState, Hold, LevelState, Phase
from gateway.core.timers import Timer
from gateway.core.values import Millis


def evaluate(desk: Desk, device: Device, dev: DeviceState, levels: Iterable[LevelProgram]) -> None:
    """Judge the levels as things stand now and let their rules' alerts follow.

    An event or a change is an instant: its levels are judged again after it, when it is over. While communication
    with the device is lost, only the levels that speak of that are judged.
    """
    moment = desk.moment
    desk.owner = device.id
    moment.front = None if device.via is None else desk.front(device.via)
    moment.blind = not desk.state.scalars.observing
    frozen = dev.frozen
    if not dev.levels and not frozen and moment.event is None and not moment.changed:
        for level in levels:
            if level.evaluate(dev, moment, False):
                break
        else:
            return  # nothing was true and nothing has become so: by far the most frequent case
    _judge(desk, device, dev, levels)


def _judge(desk: Desk, device: Device, dev: DeviceState, levels: Iterable[LevelProgram]) -> None:
    moment, frozen = desk.moment, dev.frozen
    while True:
        moved: dict[str, LevelProgram] = {}
        repeated: dict[str, Rule] = {}
        held = dev.levels
        for level in levels:
            if frozen and (dev.behind or not level.about_link):
                continue
            state = held.get(level.key)
            truth = level.evaluate(dev, moment, state is not None and state.phase is not Phase.PENDING)
            if state is None:
                if not truth:
                    continue
            elif state.phase is Phase.ACTIVE and truth is not False and moment.event is None:
                continue  # it stands as it stood
            if truth and moment.event is not None and state is not None and pulses(level, moment.event):
                repeated[level.rule.name] = level.rule
            if _move(desk, device, dev, level, state, truth):
                moved[level.rule.name] = level
        if moment.event is not None:
            for rule in repeated.values():
                repeat(desk, dev, moment.event, rule)
        for level in moved.values():
            _follow(desk, device, dev, level)
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
    _follow(desk, device, dev, level)


def _follow(desk: Desk, device: Device, dev: DeviceState, level: LevelProgram) -> None:
    """A level became active or idle: its rule's alert follows, or the rules it keeps quiet do."""
    if level.suppression is None:
        follow(desk, device, dev, level.rule)
    else:
        follow_design(desk, device, dev, level.suppression, begun=level.key in dev.levels)


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
        state = dev.levels[level.key] = LevelState(Phase.ACTIVE)
        desk.effects.devices.add(device.id)
        if level.hold:
            state.phase = Phase.PENDING
            _begin(desk, device.id, level.key, state, level.hold)
        return not level.hold
    if state.phase is Phase.ACTIVE:
        if truth is not False:
            return False
        desk.effects.devices.add(device.id)
        if level.clear_hold:
            state.phase = Phase.CLEARING
            _begin(desk, device.id, level.key, state, level.clear_hold)
        else:
            del dev.levels[level.key]
        return not level.clear_hold
    _carry_on(desk, device.id, dev, level.key, state, truth)
    return False


def _carry_on(desk: Desk, owner: str, dev: DeviceState, key: str, state: LevelState, truth: Truth) -> None:
    """What becomes of a level whose hold is running or stands still."""
    hold = state.hold
    if truth is (state.phase is Phase.PENDING):
        if hold is not None and hold.left is not None and not desk.moment.blind:
            _run(desk, owner, key, hold)
        return
    if truth is None:
        if hold is None or hold.left is not None:
            return
        hold.pause(desk.moment.now)
    elif truth:
        state.phase, state.hold = Phase.ACTIVE, None
    else:
        del dev.levels[key]
    desk.effects.devices.add(owner)


def _begin(desk: Desk, owner: str, key: str, state: LevelState, length: Millis) -> None:
    """Start a hold; while nobody can see the device it stands still."""
    state.hold = hold = Hold(left=length)
    if not desk.moment.blind:
        _run(desk, owner, key, hold)


def _run(desk: Desk, owner: str, key: str, hold: Hold) -> None:
    due = hold.resume(desk.moment.now)
    if due is not None:
        desk.timers.add(Timer(due, owner, "level", key))
        desk.effects.devices.add(owner)


def arm(desk: Desk, owner: str, dev: DeviceState) -> None:
    """Ask for every wake-up that the state of a device implies, after it was read from disk."""
    for key, level in dev.levels.items():
        if level.hold is not None and level.hold.due is not None:
            desk.timers.add(Timer(level.hold.due, owner, "level", key))
    for key, hold in dev.holds.items():
        if hold.due is not None:
            desk.timers.add(Timer(hold.due, owner, "wake", key))
    for key, tally in dev.tallies.items():
        if tally.until is not None and tally.until.due is not None:
            desk.timers.add(Timer(tally.until.due, owner, "wake", key))
