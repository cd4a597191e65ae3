"""Putting an alert before people: reported, gathered for a notice, followed by its work order, unless it is kept quiet."""

from collections.abc import Mapping

from gateway.core import flapping, notices, work_orders
from gateway.core.desk import NOTHING, Desk
from gateway.core.plan import Device, Rule
from gateway.core.state import Alert, AlertState, Cause, DeviceState
from gateway.core.timers import Timer
from gateway.core.values import Json


def put_forward(
    desk: Desk,
    device: Device,
    dev: DeviceState,
    alert: Alert,
    rule: Rule,
    kind: str,
    *,
    told: Mapping[str, Json] = NOTHING,
) -> None:
    """The alert has changed in a way people want to know: tell it, unless it is kept quiet, and open its order."""
    chatters = flapping.count(desk, device.id, dev, rule.name, rule.flapping)
    announce(desk, dev, alert, rule, kind, told=told)
    if chatters:
        begin_chatter(desk, alert, rule)


def announce(
    desk: Desk,
    dev: DeviceState,
    alert: Alert,
    rule: Rule,
    kind: str,
    *,
    actor: str | None = None,
    told: Mapping[str, Json] = NOTHING,
    at_once: bool = False,
) -> None:
    """Report an alert that stands before people, or that would but for its suppression."""
    alert.re_alarm_at = None
    desk.touch_alert(alert)
    if alert.suppressed is not None:
        desk.report(kind, subject=alert, actor=actor, cause=told, suppressed=alert.suppressed)
        return
    if alert.state is AlertState.UNACKNOWLEDGED:
        alert.asked_at, alert.step = desk.moment.now, 0
        told = {**told, "announced": True}
    desk.report(kind, subject=alert, actor=actor, cause=told)
    if alert.state is AlertState.UNACKNOWLEDGED:
        notices.announce(desk, alert, rule, at_once=at_once)
    work_orders.follow_alert(desk, dev, alert, rule)


def told_of(cause: Cause) -> dict[str, Json]:
    """A cause as an outcome tells it."""
    told: dict[str, Json] = {"ts": cause.ts}
    if cause.point is not None:
        told |= {"point": cause.point, "value": cause.value, "limit": cause.limit, "unit": cause.unit}
    if cause.event is not None:
        told |= {"event": cause.event, **cause.attributes}
    return told


def attributes_of(cause: Cause) -> str:
    """An event's attributes in one word, to tell one zone from another."""
    return "\x1f".join(f"{name}={value}" for name, value in sorted(cause.attributes.items()))


def begin_chatter(desk: Desk, alert: Alert, rule: Rule) -> None:
    """The alert flaps: that is told once, and nothing more until it is calm."""
    alert.chattering = True
    desk.touch_alert(alert)
    limit = rule.flapping
    desk.report("alert.chattering", subject=alert, transitions=limit.transitions, within=limit.within)


def await_staleness(desk: Desk, alert: Alert) -> None:
    """Ask for a wake-up at which the alert may have been active for too long."""
    due = alert.active_since + desk.plan.stale_after
    desk.timers.add(Timer(due, alert.device, "stale", alert.rule))
