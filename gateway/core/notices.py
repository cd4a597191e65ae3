"""Who is told of an alert or a work order, and when: gathered by rule, repeated ever more rarely, escalated.

A group is one rule under one call-out. What comes up in it waits for a moment, so that what happens together is told
together; life safety does not wait. While somebody has yet to acknowledge, the group is repeated and each alert goes
through the steps of its call-out (:mod:`gateway.core.escalation`). Every notice is one outcome, ``notice.sent``; an
adapter carries it to people.
"""

from typing import Final

from gateway.core import escalation
from gateway.core.callout import Callout, first_opening, reachable
from gateway.core.desk import Desk
from gateway.core.escalation import callout_of, group_key, tell
from gateway.core.order_state import OrderState, WorkOrder
from gateway.core.plan import Rule
from gateway.core.state import Alert, AlertState, Called, NoticeGroup
from gateway.core.timers import Timer
from gateway.core.values import DAY, Json, Millis

ORDER_MARK: Final = "@order"
"""Begins the keys of orders whose team could not be told yet; no call-out can have that name."""
UNTAKEN = (OrderState.NEW, OrderState.TRIAGED, OrderState.ASSIGNED)
UNDONE = (*UNTAKEN, OrderState.ACCEPTED, OrderState.EN_ROUTE, OrderState.ON_SITE, OrderState.IN_PROGRESS, OrderState.ON_HOLD)  # fmt: skip


# --- alerts ----------------------------------------------------------------------------------------------------


def announce(desk: Desk, alert: Alert, rule: Rule, *, at_once: bool = False) -> None:
    """The alert has come before people: it waits to be told; life safety is told at once.

    Args:
        desk: the desk.
        alert: raised, risen, repeated, or back after it was kept quiet.
        rule: its rule.
        at_once: without waiting for others; still together with those of the same moment.
    """
    callout = match(desk, alert)
    for other in desk.plan.callouts:
        if other is not callout:
            _leave(desk, group_key(other, alert.rule), alert.id)
    if callout is None:
        return
    key, now = group_key(callout, alert.rule), desk.moment.now
    group = desk.state.scalars.groups.setdefault(key, NoticeGroup())
    desk.effects.scalars = True
    if not rule.shelvable:
        group.waiting.pop(alert.id, None)
        _tell_new(desk, key, group, callout, {alert.id: now}, alone=True)
        return
    group.waiting.setdefault(alert.id, now)
    _await(desk, key, group, now if at_once else _when(desk, group, alert))


def settle(desk: Desk, alert: Alert) -> None:
    """Nobody needs to be told of it any more: acknowledged, kept quiet, cleared or ended.

    What came from an event and is over with it is still told once, if it waits to be told.
    """
    for callout in desk.plan.callouts:
        _leave(desk, group_key(callout, alert.rule), alert.id, keep_waiting=_was_momentary(alert))


def match(desk: Desk, alert: Alert) -> Callout | None:
    """The first call-out that takes the alert at its level; None where nobody is to be told."""
    callouts = desk.plan.callouts
    return next((one for one in callouts if one.takes(alert.level, alert.rule, alert.device)), None)


def _was_momentary(alert: Alert) -> bool:
    over = alert.state is AlertState.RETURNED or (
        alert.state is AlertState.NORMAL and alert.ended_why in (None, "cleared")
    )
    return over and alert.cause.event is not None and alert.suppressed is None and alert.reset_by is None


def _when(desk: Desk, group: NoticeGroup, alert: Alert) -> Millis:
    """When something that came up now is told: soon, but a group that has spoken keeps its distance."""
    now, grouping = desk.moment.now, desk.plan.grouping
    called = group.told.get(alert.id)
    rose = called is not None and alert.level > called.level
    if rose or group.spoke_at is None:
        return now + grouping.wait
    return max(now + grouping.wait, group.spoke_at + grouping.interval)


def _await(desk: Desk, key: str, group: NoticeGroup, due: Millis) -> None:
    group.due = due if group.due is None else min(group.due, due)
    desk.timers.add(Timer(group.due, key, "notice", ""))


def _leave(desk: Desk, key: str, alert: str, *, keep_waiting: bool = False) -> None:
    group = desk.state.scalars.groups.get(key)
    if group is None or not (alert in group.told or alert in group.waiting):
        return
    group.told.pop(alert, None)
    if not keep_waiting:
        group.waiting.pop(alert, None)
    _rest(desk, key, group)


def _rest(desk: Desk, key: str, group: NoticeGroup) -> None:
    """Forget what the group has no use for any more; all of it, where nothing is left to tell."""
    desk.effects.scalars = True
    if not group.waiting:
        group.due = None
    if not group.told:
        group.repeat_at, group.repeats = None, 0
    if not group.waiting and not group.told:
        desk.state.scalars.groups.pop(key, None)


# --- when a group speaks ---------------------------------------------------------------------------------------


def come_due(desk: Desk, timer: Timer) -> None:
    """A group may have to speak."""
    key, now = timer.owner, desk.moment.now
    group = desk.state.scalars.groups.get(key)
    if group is None:
        return
    if key.startswith(ORDER_MARK):
        _tell_late(desk, key)
        return
    callout = callout_of(desk, key)
    if callout is None:
        return
    if group.due is not None and group.due <= now:
        waiting, group.waiting, group.due = group.waiting, {}, None
        _tell_new(desk, key, group, callout, waiting)
    if group.repeat_at is not None and group.repeat_at <= now:
        _repeat(desk, key, group, callout)


def _tell_new(
    desk: Desk,
    key: str,
    group: NoticeGroup,
    callout: Callout,
    news: dict[str, Millis],
    *,
    alone: bool = False,
) -> None:
    """Tell what is new; where nobody of the call-out may be told now, whom the next step names."""
    why, now = _why(desk, group, news, alone=alone), desk.moment.now
    targets, step = reachable(desk.plan.targets, callout.targets, now), 0
    if targets:
        tell(desk, targets, why, list(news), key)
    else:
        targets, step = escalation.next_open(desk, callout, 0)
        if not targets:
            _keep_back(desk, key, group, callout, news)
            return
        known = why in ("again", "risen")  # its escalation goes on as it was
        tell(desk, targets, why if known else "escalation", list(news), key, step=step)
    group.spoke_at = now
    _remember(desk, key, group, news, step)
    if group.told:
        group.repeats = 0
        _repeat_in(desk, key, group)
    _rest(desk, key, group)


def _why(desk: Desk, group: NoticeGroup, news: dict[str, Millis], *, alone: bool) -> str:
    """``new``, ``joined`` (others of the group were told before), ``risen`` or ``again`` (these were)."""
    before = {name: group.told[name] for name in news if name in group.told}
    if len(before) == len(news):
        rose = any(desk.state.alerts[name].level > called.level for name, called in before.items())
        return "risen" if rose else "again"
    return "joined" if group.told and not alone else "new"


def _remember(desk: Desk, key: str, group: NoticeGroup, news: dict[str, Millis], step: int) -> None:
    """They were told; those that stand unacknowledged are repeated and escalated."""
    for name, since in news.items():
        alert = desk.state.alerts.get(name)
        if alert is None or alert.state is not AlertState.UNACKNOWLEDGED:
            continue
        before = group.told.get(name)
        called = Called(alert.level, since) if before is None else before
        called.level, called.step = alert.level, max(called.step, step)
        group.told[name] = called
        escalation.show(desk, alert, called)
        escalation.await_step(desk, key, name, called)


def _keep_back(desk: Desk, key: str, group: NoticeGroup, callout: Callout, news: dict[str, Millis]) -> None:
    """Everybody is outside their hours: the notice waits for the first opening, and escalation counts from there."""
    names = [*callout.targets, *(name for step in callout.steps for name in step.targets)]
    opening = first_opening(desk.plan.targets, names, desk.moment.now)
    group.waiting = {**dict.fromkeys(news, opening or desk.moment.now), **group.waiting}
    if opening is not None:
        _await(desk, key, group, opening)
    desk.effects.scalars = True


def _repeat_in(desk: Desk, key: str, group: NoticeGroup) -> None:
    """Ask for the next repetition: each pause is twice the one before, up to a day."""
    first = desk.plan.grouping.repeat
    pause = min(first << min(group.repeats, 16), max(first, DAY))
    group.repeat_at = desk.moment.now + pause
    desk.timers.add(Timer(group.repeat_at, key, "notice", ""))


def _repeat(desk: Desk, key: str, group: NoticeGroup, callout: Callout) -> None:
    """Tell again what nobody has acknowledged, chattering alerts excepted."""
    now, alerts = desk.moment.now, desk.state.alerts
    names = [name for name in group.told if not alerts[name].chattering]
    targets = reachable(desk.plan.targets, callout.targets, now)
    desk.effects.scalars = True
    if names and not targets:
        group.repeat_at = first_opening(desk.plan.targets, callout.targets, now)
        if group.repeat_at is not None:
            desk.timers.add(Timer(group.repeat_at, key, "notice", ""))
        return
    if names:
        tell(desk, targets, "repeat", names, key)
        group.repeats += 1
    _repeat_in(desk, key, group)


# --- work orders -----------------------------------------------------------------------------------------------


def tell_team(desk: Desk, order: WorkOrder, why: str) -> None:
    """An order needs its team: ``opened``, ``breached`` or ``not_accepted``. Told at once, or when its hours open."""
    team = desk.plan.teams.get(order.team or "")
    if team is None or not team.targets:
        return
    now, plan = desk.moment.now, desk.plan
    targets = reachable(plan.targets, team.targets, now)
    if targets:
        told: dict[str, Json] = {"targets": [*targets], "why": why, "alerts": [], "order": order.id}
        desk.report("notice.sent", device=order.device, cause=told)
        return
    opening = first_opening(plan.targets, team.targets, now)
    if opening is None:
        return
    key = f"{ORDER_MARK}/{order.id}/{why}"
    desk.state.scalars.groups[key] = NoticeGroup(waiting={order.id: opening}, due=opening)
    desk.timers.add(Timer(opening, key, "notice", ""))
    desk.effects.scalars = True


def _tell_late(desk: Desk, key: str) -> None:
    """The hours of a team may have opened: tell it of the order, if that still needs it."""
    due = desk.state.scalars.groups[key].due
    if due is not None and due > desk.moment.now:
        return
    _, name, why = key.split("/")
    del desk.state.scalars.groups[key]
    desk.effects.scalars = True
    order = desk.state.orders.get(name)
    if order is not None and order.state in (UNDONE if why == "breached" else UNTAKEN):
        tell_team(desk, order, why)


# --- start and configuration -----------------------------------------------------------------------------------


def arm(desk: Desk) -> None:
    """Ask again for every wake-up that groups imply, after a restart."""
    for key, group in sorted(desk.state.scalars.groups.items()):
        for due in (group.due, group.repeat_at):
            if due is not None:
                desk.timers.add(Timer(due, key, "notice", ""))
        for name, called in group.told.items():
            escalation.await_step(desk, key, name, called)


def adopt(desk: Desk) -> None:
    """Another plan is in force: every alert goes to whom that names; those who were told already are not told again."""
    groups, alerts = desk.state.scalars.groups, desk.state.alerts
    if not groups and not desk.plan.callouts:
        return
    heard: set[str] = set()
    for key, group in sorted(groups.items()):
        _decide_anew(desk, group)
        if not key.startswith(ORDER_MARK):
            heard |= _stay(desk, key, group)
    for name, alert in sorted(alerts.items()):
        waits = alert.state is AlertState.UNACKNOWLEDGED and alert.suppressed is None
        device = desk.plan.devices.get(alert.device)
        if waits and name not in heard and device is not None:
            announce(desk, alert, device.kind.rules[alert.rule])
    arm(desk)


def _decide_anew(desk: Desk, group: NoticeGroup) -> None:
    """What hours kept back may be told by others: it is looked at again now."""
    now = desk.moment.now
    if group.waiting and (group.due is None or any(since > now for since in group.waiting.values())):
        group.waiting = {name: min(since, now) for name, since in group.waiting.items()}
        group.due = now


def _stay(desk: Desk, key: str, group: NoticeGroup) -> set[str]:
    """Drop from a group what goes elsewhere now; returns what stays."""
    names = {*group.told, *group.waiting}
    kept: set[str] = set()
    for name in sorted(names):
        alert = desk.state.alerts.get(name)
        callout = None if alert is None else match(desk, alert)
        if alert is not None and callout is not None and group_key(callout, alert.rule) == key:
            kept.add(name)
        else:
            _leave(desk, key, name)
    return kept
