"""Levels and maintenance windows that a calendar moves, each with one wake-up for all devices it concerns."""

from gateway.core import levels, outages
from gateway.core.desk import Desk
from gateway.core.program import LevelProgram
from gateway.core.quieting import reconsider
from gateway.core.schedule import Schedule
from gateway.core.timers import Timer


def watch(desk: Desk) -> None:
    """Ask for a wake-up at the next change of every schedule, after a start or another plan."""
    now = desk.moment.now
    for name, schedule in _schedules(desk).items():
        desk.await_once(schedule.next_change(now), name, "calendar")
    for window in desk.plan.maintenance:
        desk.await_once(window.schedule.next_change(now), window.name, "window")


def _schedules(desk: Desk) -> dict[str, Schedule]:
    """Every schedule that a level speaks of, by its name."""
    kinds = {id(device.kind): device.kind for device in desk.plan.devices.values()}
    return {
        leaf.calendar: leaf.schedule for kind in kinds.values() for leaf, _ in desk.program(kind).scheduled
    }


def turn(desk: Desk, timer: Timer) -> None:
    """A calendar opens or closes: the levels that speak of it are judged, if devices can be seen."""
    schedule = _schedules(desk).get(timer.owner)
    if schedule is None or not desk.is_meant(timer):
        return
    desk.await_once(schedule.next_change(timer.due), timer.owner, "calendar")
    if desk.state.scalars.observing:
        _judge(desk, timer.owner)


def look(desk: Desk) -> None:
    """Devices can be seen again: judge what calendars may have moved meanwhile."""
    _judge(desk, None)


def _judge(desk: Desk, calendar: str | None) -> None:
    moved: dict[int, tuple[LevelProgram, ...]] = {}
    for name, device in desk.plan.devices.items():
        found = moved.get(id(device.kind))
        if found is None:
            found = moved[id(device.kind)] = tuple(
                level
                for leaf, level in desk.program(device.kind).scheduled
                if calendar is None or leaf.calendar == calendar
            )
        dev = desk.state.devices.get(name)
        if found and dev is not None:
            levels.evaluate(desk, device, dev, found)


def turn_window(desk: Desk, timer: Timer) -> None:
    """A maintenance window opens or closes."""
    window = next((one for one in desk.plan.maintenance if one.name == timer.owner), None)
    if window is None or not desk.is_meant(timer):
        return
    desk.await_once(window.schedule.next_change(timer.due), window.name, "window")
    begun = window.schedule.is_open(timer.due)
    desk.report("maintenance.began" if begun else "maintenance.ended", name=window.name)
    _review(desk, window.devices, window.name)


def review_windows(desk: Desk) -> None:
    """Another plan, perhaps with other windows, suppressions and life safety: bring every live alert in line."""
    outages.take_back_forbidden(desk)
    _review(desk, None, "configuration")


def _review(desk: Desk, devices: frozenset[str] | None, name: str) -> None:
    for _, alert in sorted(desk.state.alerts.items()):
        if (devices is not None and alert.device not in devices) or alert.device not in desk.plan.devices:
            continue
        device, dev = desk.device(alert.device)
        if alert.rule in device.kind.rules:
            reconsider(desk, device, dev, device.kind.rules[alert.rule], name)
