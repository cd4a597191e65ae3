"""The alert machine: the condition on one side, the operator on the other (ISA-18.2 / IEC 62682).

Core region; suppression (shelving, out of service) is a region of its own beside it.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType

from gateway.core import work_orders
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command, Event
from gateway.core.plan import Device, Rule
from gateway.core.program import event_cause, explain
from gateway.core.state import Alert, AlertState, Cause, DeviceState, Phase, Reply
from gateway.core.values import Json, Level


class Act(enum.Enum):
    """What can happen to an alert."""

    RAISE = "raise"
    """The condition came true, or came back."""
    RISE = "rise"
    """A higher level became active."""
    CLEAR = "clear"
    """The condition went, past deadband and delay; of a latched alert: a person reset it."""
    AUTO_CLEAR = "auto_clear"
    """The same under a rule that acknowledges by itself."""
    ACK = "ack"


TABLE: Mapping[tuple[AlertState, Act], AlertState] = MappingProxyType(
    {
        (AlertState.NORMAL, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.ACK): AlertState.ACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.CLEAR): AlertState.RETURNED,
        (AlertState.UNACKNOWLEDGED, Act.AUTO_CLEAR): AlertState.NORMAL,
        (AlertState.UNACKNOWLEDGED, Act.RISE): AlertState.UNACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.CLEAR): AlertState.NORMAL,
        (AlertState.ACKNOWLEDGED, Act.AUTO_CLEAR): AlertState.NORMAL,
        (AlertState.ACKNOWLEDGED, Act.RISE): AlertState.UNACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.RETURNED, Act.ACK): AlertState.NORMAL,
        (AlertState.RETURNED, Act.RAISE): AlertState.UNACKNOWLEDGED,
    }
)
"""Everything else is refused. An active alert is raised again only where a latch kept it after its condition went."""

ACTIVE = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


def follow(desk: Desk, device: Device, dev: DeviceState, rule: Rule) -> None:
    """Bring the rule's alert in line with the levels that are active now."""
    top: Level | None = None
    for level in desk.program(device.kind).by_rule[rule.name]:
        state = dev.levels.get(level.key)
        if state is not None and state.phase is not Phase.PENDING:
            top = level.level
    alert = desk.state.alerts.get(dev.alerts.get(rule.name, ""))
    if alert is None:
        if top is not None:
            _raise(desk, device, dev, rule, top)
    elif top is None:
        _let_go(desk, dev, alert, rule)
    else:
        _hold_on(desk, device, dev, alert, rule, top)


def _raise(desk: Desk, device: Device, dev: DeviceState, rule: Rule, level: Level) -> None:
    number = dev.occurrences.get(rule.name, 0) + 1
    dev.occurrences[rule.name] = number
    program = desk.program(device.kind).by_key[f"{rule.name}/{level.label}"]
    cause = explain(program, device.kind, dev, desk.moment)
    alert = Alert(
        id=derive_id("al", desk.plan.site, device.id, rule.name, number, cause.ts),
        device=device.id,
        rule=rule.name,
        level=level,
        worst=level,
        state=TABLE[AlertState.NORMAL, Act.RAISE],
        raised_at=desk.moment.now,
        cause=cause,
        version=0,
    )
    desk.state.alerts[alert.id] = alert
    dev.alerts[rule.name] = alert.id
    desk.touch_alert(alert)
    desk.report("alert.raised", subject=alert, cause=_told(alert.cause))
    work_orders.follow_alert(desk, dev, alert, rule)


def _told(cause: Cause) -> dict[str, Json]:
    told: dict[str, Json] = {"ts": cause.ts}
    if cause.point is not None:
        told |= {"point": cause.point, "value": cause.value, "limit": cause.limit, "unit": cause.unit}
    if cause.event is not None:
        told |= {"event": cause.event, **cause.attributes}
    return told


def _hold_on(desk: Desk, device: Device, dev: DeviceState, alert: Alert, rule: Rule, top: Level) -> None:
    again = alert.state is AlertState.RETURNED or alert.gone
    rose = top > alert.level
    if not again and (top == alert.level or (top < alert.level and rule.latched)):
        return
    before = alert.level
    alert.level = max(top, before) if rule.latched else top
    alert.worst = max(alert.worst, alert.level)
    if again:
        alert.gone, alert.cleared_at, alert.count = False, None, alert.count + 1
        alert.cause = explain(
            desk.program(device.kind).by_key[f"{rule.name}/{top.label}"], device.kind, dev, desk.moment
        )
        alert.state = TABLE[alert.state, Act.RAISE]
        desk.report("alert.raised_again", subject=alert, count=alert.count, cause=_told(alert.cause))
    elif rose:
        alert.state = TABLE[alert.state, Act.RISE]
        desk.report("alert.risen", subject=alert, was=before.label)
    else:
        desk.report("alert.fallen", subject=alert, was=before.label)
    desk.touch_alert(alert)
    if again or rose:
        work_orders.follow_alert(desk, dev, alert, rule)


def repeat(desk: Desk, dev: DeviceState, event: Event, rule: Rule) -> None:
    """The event came again while its alert stands, perhaps from another zone: that is told.

    Where the rule is one a person must reset, it asks for an acknowledgement again.
    """
    alert = desk.state.alerts.get(dev.alerts.get(rule.name, ""))
    if alert is None or alert.state not in ACTIVE or event.key == alert.cause.key:
        return
    alert.count += 1
    if rule.latched:
        alert.state = TABLE[alert.state, Act.RAISE]
    desk.touch_alert(alert)
    device = desk.plan.devices[alert.device]
    cause = event_cause(event, device.kind)
    desk.report("alert.repeated", subject=alert, cause=_told(cause), count=alert.count)


def _let_go(desk: Desk, dev: DeviceState, alert: Alert, rule: Rule) -> None:
    if alert.state not in ACTIVE or (alert.gone and rule.latched):
        return
    if rule.latched:
        alert.gone = True
        desk.touch_alert(alert)
        desk.report("alert.condition_gone", subject=alert)
        return
    _clear(desk, dev, alert, Act.AUTO_CLEAR if rule.auto_ack else Act.CLEAR)


def _clear(desk: Desk, dev: DeviceState, alert: Alert, act: Act, actor: str | None = None) -> None:
    alert.state = TABLE[alert.state, act]
    alert.cleared_at = desk.moment.now
    alert.gone = False
    desk.touch_alert(alert)
    desk.report("alert.cleared", subject=alert, actor=actor)
    work_orders.note_return(desk, alert)
    if alert.state is AlertState.NORMAL:
        end(desk, dev, alert, "cleared")


def end(desk: Desk, dev: DeviceState, alert: Alert, why: str) -> None:
    """The occurrence is over; a new episode will be a new one."""
    alert.state, alert.ended_at, alert.ended_why = AlertState.NORMAL, desk.moment.now, why
    desk.touch_alert(alert)
    desk.report("alert.ended", subject=alert, why=why)
    del desk.state.alerts[alert.id]
    dev.alerts.pop(alert.rule, None)
    desk.effects.devices.add(alert.device)


def close_orphan(desk: Desk, dev: DeviceState, alert: Alert, why: str) -> None:
    """The rule or the device is gone from the configuration: the alert ends with that reason."""
    if alert.state in ACTIVE:
        work_orders.note_return(desk, alert)
    end(desk, dev, alert, why)


def ack(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person has seen it."""
    target = TABLE.get((alert.state, Act.ACK))
    if target is None:
        words = f"the alert was already acknowledged by {alert.acked_by}"
        return Reply(command.id, "conflict", words, allowed(desk, alert), alert.id, alert.version)
    alert.state, alert.acked_at, alert.acked_by = target, desk.moment.now, command.actor
    desk.touch_alert(alert)
    desk.report("alert.acknowledged", subject=alert, actor=command.actor)
    if target is AlertState.NORMAL:
        end(desk, desk.state.devices[alert.device], alert, "acknowledged")
    return Reply(command.id, "done", "", [], alert.id, alert.version)


def reset(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person resets a latched alert; only once its condition has gone."""
    if not alert.gone:
        why = "its condition is still true" if alert.state in ACTIVE else "it is not active"
        if not _rule_latched(desk, alert):
            why = "its rule is not latched; it clears by itself"
        words = f"the alert cannot be reset: {why}"
        return Reply(command.id, "conflict", words, allowed(desk, alert), alert.id, alert.version)
    alert.reset_by = command.actor
    desk.report("alert.reset", subject=alert, actor=command.actor)
    _clear(desk, desk.state.devices[alert.device], alert, Act.CLEAR, command.actor)
    return Reply(command.id, "done", "", [], alert.id, alert.version)


def comment(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person adds a word to the history."""
    text = command.args.get("text")
    if not isinstance(text, str) or not text.strip():
        return Reply(command.id, "refused", "a comment needs a text", [], alert.id, alert.version)
    desk.touch_alert(alert)
    desk.report("alert.commented", subject=alert, actor=command.actor, text=text)
    return Reply(command.id, "done", "", [], alert.id, alert.version)


def allowed(desk: Desk, alert: Alert) -> list[str]:
    """The verbs a person may use on the alert as it stands."""
    verbs = ["comment"]
    if (alert.state, Act.ACK) in TABLE:
        verbs.append("ack")
    if alert.gone and _rule_latched(desk, alert):
        verbs.append("reset")
    return sorted(verbs)


def _rule_latched(desk: Desk, alert: Alert) -> bool:
    device = desk.plan.devices.get(alert.device)
    rule = None if device is None else device.kind.rules.get(alert.rule)
    return rule is not None and rule.latched


VERBS = MappingProxyType({"alert.ack": ack, "alert.reset": reset, "alert.comment": comment})
"""What a command can do to an alert."""
