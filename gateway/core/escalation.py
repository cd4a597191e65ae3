"""Whom a call-out tells next while nobody acknowledges. Its steps are timers that survive a restart.

A step all of whose targets are outside their hours is passed over for the next one at once; where there is no next
one, it waits for the first of them to open.
"""

from collections.abc import Sequence
from typing import Final

from gateway.core.callout import Callout, first_opening, reachable
from gateway.core.desk import Desk
from gateway.core.state import Alert, Called, NoticeGroup
from gateway.core.timers import Timer
from gateway.core.values import Json

SEPARATOR: Final = "/"


def group_key(callout: Callout, rule: str) -> str:
    """The group of a rule under a call-out."""
    return f"{callout.name}{SEPARATOR}{rule}"


def callout_of(desk: Desk, key: str) -> Callout | None:
    """The call-out of a group, if it is still in force."""
    name, _, _ = key.partition(SEPARATOR)
    return next((one for one in desk.plan.callouts if one.name == name), None)


def tell(
    desk: Desk, targets: Sequence[str], why: str, alerts: Sequence[str], key: str, *, step: int | None = None
) -> None:
    """Somebody is told: this is the notice. ``step`` counts from 1."""
    callout, _, rule = key.partition(SEPARATOR)
    devices = {alert.device for name in alerts if (alert := desk.state.alerts.get(name)) is not None}
    told: dict[str, Json] = {"targets": [*targets], "why": why, "alerts": [*alerts], "callout": callout}
    if step is not None:
        told["step"] = step
    device = devices.pop() if len(devices) == 1 else None
    desk.report("notice.sent", device=device, rule=rule, cause=told)


def next_open(desk: Desk, callout: Callout, taken: int) -> tuple[list[str], int]:
    """Who can be told by the first step from there on that reaches anybody, and its number; nobody and 0 otherwise."""
    for number, step in enumerate(callout.steps[taken:], taken + 1):
        targets = reachable(desk.plan.targets, step.targets, desk.moment.now)
        if targets:
            return targets, number
    return [], 0


def show(desk: Desk, alert: Alert, called: Called) -> None:
    """Let the alert say how far its escalation is; that is nobody's act, so its version stays."""
    if alert.step != called.step:
        alert.step = called.step
        desk.effects.alerts[alert.id] = alert


def await_step(desk: Desk, key: str, name: str, called: Called) -> None:
    """Ask for the wake-up of the alert's next step, if it has one."""
    callout = callout_of(desk, key)
    if callout is not None and called.step < len(callout.steps):
        due = called.since + callout.steps[called.step].after
        desk.timers.add(Timer(due, name, "escalate", key))


def come_due(desk: Desk, timer: Timer) -> None:
    """Nobody may have acknowledged in time: take the alert's next step, with those that are as far."""
    group, callout = desk.state.scalars.groups.get(timer.key), callout_of(desk, timer.key)
    called = None if group is None else group.told.get(timer.owner)
    if group is None or called is None or callout is None or called.step >= len(callout.steps):
        return
    now = desk.moment.now
    if called.since + callout.steps[called.step].after > now:
        return
    targets, number = next_open(desk, callout, called.step)
    if not targets:
        names = [name for step in callout.steps[called.step :] for name in step.targets]
        opening = first_opening(desk.plan.targets, names, now)
        if opening is not None:
            desk.timers.add(Timer(opening, timer.owner, "escalate", timer.key))
        return
    together = _beside(desk, group, callout, timer.owner, called)
    tell(desk, targets, "escalation", together, timer.key, step=number)
    desk.effects.scalars = True
    for name in together:
        group.told[name].step = number
        show(desk, desk.state.alerts[name], group.told[name])
        await_step(desk, timer.key, name, group.told[name])


def _beside(desk: Desk, group: NoticeGroup, callout: Callout, owner: str, called: Called) -> list[str]:
    """The alert, and those of its group that come to the same step within the group's wait; life safety goes alone."""
    if _is_life_safety(desk, owner):
        return [owner]
    until = desk.moment.now + desk.plan.grouping.wait - callout.steps[called.step].after
    return [
        name
        for name, other in group.told.items()
        if name == owner
        or (other.step == called.step and other.since <= until and not _is_life_safety(desk, name))
    ]


def _is_life_safety(desk: Desk, name: str) -> bool:
    alert = desk.state.alerts[name]
    return not desk.plan.devices[alert.device].kind.rules[alert.rule].shelvable
