"""How an alert is kept quiet and how it comes back before people."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.core import notices
from gateway.core.alert_table import TABLE, Act
from gateway.core.alert_timers import await_re_alarm
from gateway.core.alerts import end
from gateway.core.desk import NOTHING, Desk
from gateway.core.plan import Device, Rule, Suppression
from gateway.core.quiet import reason
from gateway.core.state import Alert, AlertState, DeviceState
from gateway.core.telling import announce
from gateway.core.values import Json


class Change(NamedTuple):
    """A reason to keep quiet has begun or ended."""

    kind: str
    """The outcome to report."""
    told: Mapping[str, Json] = NOTHING
    """What belongs to it."""
    actor: str | None = None
    act: Act = Act.EXIT
    """How the alert comes back if nothing keeps it quiet any more."""
    always: bool = False
    """Report it also where no alert is live or nothing changes for it."""


def review(desk: Desk, device: Device, dev: DeviceState, rule: Rule, change: Change) -> None:
    """Bring the rule's alert in line with what keeps it quiet now."""
    alert, how = desk.live_alert(dev, rule.name), reason(desk, device, dev, rule)
    if alert is None or alert.suppressed == how:
        if alert is not None and change.always:
            desk.touch_alert(alert)
        if change.always:
            _report(desk, change, alert, device.id, rule.name)
        return
    since, alert.suppressed = alert.suppressed_at, None if how is None else str(how)
    if how is None:
        alert.suppressed_at = None
        _come_back(desk, dev, alert, rule, change)
        return
    alert.suppressed_at = desk.moment.now if since is None else since
    alert.re_alarm_at = None
    desk.touch_alert(alert)
    _report(desk, change, alert, device.id, rule.name)
    notices.settle(desk, alert)


def _report(desk: Desk, change: Change, alert: Alert | None, device: str, rule: str) -> None:
    desk.report(change.kind, subject=alert, device=device, rule=rule, actor=change.actor, cause=change.told)


def _come_back(desk: Desk, dev: DeviceState, alert: Alert, rule: Rule, change: Change) -> None:
    before, alert.state = alert.state, TABLE[alert.state, change.act]
    if alert.state is AlertState.NORMAL:
        desk.touch_alert(alert)
        _report(desk, change, alert, alert.device, rule.name)
        end(desk, dev, alert, "cleared")
        return
    if before is AlertState.UNACKNOWLEDGED and alert.state is AlertState.ACKNOWLEDGED:
        alert.acked_by, alert.acked_at = change.actor, desk.moment.now
    announce(desk, dev, alert, rule, change.kind, actor=change.actor, told=change.told, at_once=True)
    await_re_alarm(desk, alert, rule)


def follow_design(
    desk: Desk, device: Device, dev: DeviceState, suppression: Suppression, *, begun: bool
) -> None:
    """A suppression by design has begun or ended."""
    kind = "suppression.began" if begun else "suppression.ended"
    desk.report(kind, device=device.id, name=suppression.name)
    for rule in suppression.rules:
        reconsider(desk, device, dev, device.kind.rules[rule], suppression.name)


def reconsider(desk: Desk, device: Device, dev: DeviceState, rule: Rule, name: str) -> None:
    """Something called ``name`` that nobody did by hand may have begun or ended to keep a rule quiet."""
    alert, how = desk.live_alert(dev, rule.name), reason(desk, device, dev, rule)
    if alert is None or alert.suppressed == how:
        return
    if how is not None:
        review(desk, device, dev, rule, Change("alert.suppressed", {"how": str(how), "name": name}))
        return
    lasted = desk.moment.now - (alert.suppressed_at or desk.moment.now)
    told: dict[str, Json] = {"how": alert.suppressed, "name": name, "lasted": lasted}
    review(desk, device, dev, rule, Change("alert.unsuppressed", told))
