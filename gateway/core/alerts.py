"""The alert machine: the condition on one side, the operator on the other (ISA-18.2 / IEC 62682).

Two regions, kept apart: the core states of :data:`gateway.core.alert_table.TABLE`, and beside them why people are not
told (:mod:`gateway.core.quiet`). The condition is judged whether or not anybody is told.
"""

from gateway.core import flapping, notices, work_orders
from gateway.core.alert_table import ACTIVE, TABLE, Act
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Event
from gateway.core.plan import Device, Rule
from gateway.core.program import event_cause, explain
from gateway.core.quiet import reason
from gateway.core.state import Alert, AlertState, DeviceState, Phase
from gateway.core.telling import (
    announce,
    attributes_of,
    await_staleness,
    begin_chatter,
    put_forward,
    told_of,
)
from gateway.core.values import Json, Level

TOLD_MOST = 64
"""Different attributes of a repeated event that are remembered: zones of one fire."""


def follow(desk: Desk, device: Device, dev: DeviceState, rule: Rule, *, moved: bool = True) -> None:
    """Bring the rule's alert in line with the levels that are active now.

    While the alert chatters that waits, but for a higher level; a level that has ``moved`` keeps it chattering.
    """
    top: Level | None = None
    for level in desk.program(device.kind).by_rule[rule.name]:
        state = dev.levels.get(level.key)
        if state is not None and state.phase is not Phase.PENDING:
            top = level.level
    alert = desk.live_alert(dev, rule.name)
    if flapping.chattering(dev, rule.name) and (alert is None or top is None or top <= alert.level):
        if top is not None and (event := _awaited(desk, device, rule)) is not None:
            repeat(desk, dev, event, rule)
        elif moved:
            flapping.hide(desk, device.id, dev, rule.name, rule.flapping)
    elif alert is None:
        if top is not None:
            _raise(desk, device, dev, rule, top)
    elif top is None:
        _let_go(desk, device, dev, alert, rule)
    else:
        _hold_on(desk, device, dev, alert, rule, top)


def _awaited(desk: Desk, device: Device, rule: Rule) -> Event | None:
    """The event being handled, if it is one that the rule waits for."""
    event = desk.moment.event
    if event is None:
        return None
    levels = desk.program(device.kind).by_event.get(event.type, ())
    return event if any(level.rule is rule for level in levels) else None


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
        active_since=desk.moment.now,
        cause=cause,
        version=0,
    )
    if (how := reason(desk, device, dev, rule)) is not None:
        alert.suppressed, alert.suppressed_at = str(how), desk.moment.now
    _is_told(alert)
    desk.state.alerts[alert.id] = alert
    dev.alerts[rule.name] = alert.id
    await_staleness(desk, alert)
    put_forward(desk, device, dev, alert, rule, "alert.raised", told=told_of(alert.cause))


def _is_told(alert: Alert) -> bool:
    """Remember which event the alert tells of; False where that was told before."""
    words = attributes_of(alert.cause)
    if alert.cause.event is None or words in alert.told:
        return False
    alert.told = [*alert.told, words][-TOLD_MOST:]
    return True


def _hold_on(desk: Desk, device: Device, dev: DeviceState, alert: Alert, rule: Rule, top: Level) -> None:
    again = alert.state is AlertState.RETURNED or alert.gone
    rose = top > alert.level
    if not again and (top == alert.level or (top < alert.level and rule.latched)):
        return
    before = alert.level
    alert.level = max(top, before) if rule.latched else top
    alert.worst = max(alert.worst, alert.level)
    if again:
        _relapse(desk, device, dev, alert, rule, top)
    elif rose:
        alert.state = TABLE[alert.state, Act.RISE]
        # It got worse: that is told in any case and is no coming and going. The falls are.
        announce(desk, dev, alert, rule, "alert.risen", told={"was": before.label})
    else:
        desk.touch_alert(alert)
        desk.report("alert.fallen", subject=alert, was=before.label)
        if flapping.count(desk, device.id, dev, rule.name, rule.flapping):
            begin_chatter(desk, alert, rule)


def _relapse(desk: Desk, device: Device, dev: DeviceState, alert: Alert, rule: Rule, top: Level) -> None:
    """The condition came back before the occurrence was over."""
    alert.gone, alert.cleared_at, alert.count = False, None, alert.count + 1
    alert.active_since = desk.moment.now
    program = desk.program(device.kind).by_key[f"{rule.name}/{top.label}"]
    alert.cause = explain(program, device.kind, dev, desk.moment)
    _is_told(alert)
    alert.state = TABLE[alert.state, Act.RAISE]
    await_staleness(desk, alert)
    put_forward(
        desk,
        device,
        dev,
        alert,
        rule,
        "alert.raised_again",
        told={**told_of(alert.cause), "count": alert.count},
    )


def repeat(desk: Desk, dev: DeviceState, event: Event, rule: Rule) -> None:
    """The event came again while its alert stands, perhaps from another zone: that is told.

    Where the rule is one a person must reset, it asks for an acknowledgement again. What was told before is under the
    rule of chatter; what is new, never.
    """
    alert = desk.live_alert(dev, rule.name)
    if alert is None or alert.state not in ACTIVE or event.key == alert.cause.key:
        return
    device = desk.plan.devices[alert.device]
    cause = event_cause(event, device.kind)
    words = attributes_of(cause)
    new = words not in alert.told
    asleep = rule.latched and alert.state is AlertState.ACKNOWLEDGED
    alert.count += 1
    if new:
        alert.told = [*alert.told, words][-TOLD_MOST:]
    elif flapping.chattering(dev, rule.name) and not asleep:
        flapping.hide(desk, device.id, dev, rule.name, rule.flapping)
        desk.touch_alert(alert)
        return
    if rule.latched:
        alert.state = TABLE[alert.state, Act.RAISE]
    told: dict[str, Json] = {**told_of(cause), "count": alert.count}
    if asleep or (rule.latched and new):
        announce(desk, dev, alert, rule, "alert.repeated", told=told)
        return
    desk.touch_alert(alert)
    desk.report("alert.repeated", subject=alert, cause=told)
    if flapping.count(desk, device.id, dev, rule.name, rule.flapping):
        begin_chatter(desk, alert, rule)


def _let_go(desk: Desk, device: Device, dev: DeviceState, alert: Alert, rule: Rule) -> None:
    if alert.state not in ACTIVE or (alert.gone and rule.latched):
        return
    if not rule.latched and flapping.count(desk, device.id, dev, rule.name, rule.flapping):
        begin_chatter(desk, alert, rule)  # it stays up until it is calm
        return
    release(desk, dev, alert, rule)  # a latched alert stays up in any case: that is no transition


def release(desk: Desk, dev: DeviceState, alert: Alert, rule: Rule) -> None:
    """The condition has gone: the alert clears, or waits for its reset where it is latched."""
    if rule.latched:
        alert.gone = True
        desk.touch_alert(alert)
        desk.report("alert.condition_gone", subject=alert)
        return
    clear(desk, dev, alert, quiet=rule.auto_ack)


def clear(
    desk: Desk, dev: DeviceState, alert: Alert, *, quiet: bool = False, actor: str | None = None
) -> None:
    """The alert lets go. What nobody was told of, or needs not look at (``quiet``), is over with that."""
    act = Act.AUTO_CLEAR if quiet or alert.suppressed is not None else Act.CLEAR
    now = desk.moment.now
    alert.state = TABLE[alert.state, act]
    alert.cleared_at, alert.gone, alert.re_alarm_at = now, False, None
    desk.touch_alert(alert)
    desk.report("alert.cleared", subject=alert, actor=actor, after=now - alert.active_since)
    notices.settle(desk, alert)
    work_orders.note_return(desk, alert)
    shelf = dev.shelves.get(alert.rule)
    if shelf is not None and shelf.one_shot:
        del dev.shelves[alert.rule]
        alert.suppressed = alert.suppressed_at = None
        desk.report("alert.unshelved", subject=alert, why="cleared", lasted=now - shelf.since)
    if alert.state is AlertState.NORMAL:
        end(desk, dev, alert, "cleared")


def end(desk: Desk, dev: DeviceState, alert: Alert, why: str) -> None:
    """The occurrence is over; a new episode will be a new one."""
    now = desk.moment.now
    alert.state, alert.ended_at, alert.ended_why = AlertState.NORMAL, now, why
    desk.touch_alert(alert)
    desk.report("alert.ended", subject=alert, why=why, lasted=now - alert.raised_at)
    notices.settle(desk, alert)
    del desk.state.alerts[alert.id]
    dev.alerts.pop(alert.rule, None)
    desk.effects.devices.add(alert.device)


def close_orphan(desk: Desk, dev: DeviceState, alert: Alert, why: str) -> None:
    """The rule or the device is gone from the configuration: the alert ends with that reason."""
    if alert.state in ACTIVE:
        work_orders.note_return(desk, alert)
    end(desk, dev, alert, why)
