"""What time does to an alert: chatter calms down, what stands too long is stale, an acknowledgement wears off."""

from gateway.core import flapping
from gateway.core.alert_table import ACTIVE, TABLE, Act
from gateway.core.alerts import follow, release
from gateway.core.desk import Desk
from gateway.core.plan import Device, Rule
from gateway.core.state import Alert, AlertState, DeviceState, Phase
from gateway.core.telling import announce, await_staleness
from gateway.core.timers import Timer
from gateway.core.values import Millis


def calm(desk: Desk, device: Device, dev: DeviceState, rule: Rule) -> None:
    """A chattering rule may have been quiet for long enough; then its alert follows the condition again."""
    if flapping.still_moving(desk, device.id, dev, rule.name, rule.flapping):
        return
    flutter = flapping.settle(desk, device.id, dev, rule.name)
    alert = desk.live_alert(dev, rule.name)
    if alert is None:
        follow(desk, device, dev, rule)
        return
    alert.chattering = False
    desk.touch_alert(alert)
    lasted = desk.moment.now - (flutter.since or desk.moment.now)
    desk.report("alert.calm", subject=alert, hidden=flutter.hidden, lasted=lasted)
    if _is_up(desk, device, dev, rule):
        follow(desk, device, dev, rule)
    elif alert.state in ACTIVE and not alert.gone:
        release(desk, dev, alert, rule)


def _is_up(desk: Desk, device: Device, dev: DeviceState, rule: Rule) -> bool:
    states = (dev.levels.get(level.key) for level in desk.program(device.kind).by_rule[rule.name])
    return any(state is not None and state.phase is not Phase.PENDING for state in states)


def grow_stale(desk: Desk, dev: DeviceState, rule: Rule, due: Millis) -> None:
    """An alert may have been active for too long."""
    alert = desk.live_alert(dev, rule.name)
    if alert is None or alert.stale or alert.state not in ACTIVE:
        return
    if alert.active_since + desk.plan.stale_after == due:
        alert.stale = True
        desk.touch_alert(alert)
        desk.report("alert.stale", subject=alert)


def await_re_alarm(desk: Desk, alert: Alert, rule: Rule) -> None:
    """An acknowledged alert asks again after a while, if its rule says so and nothing keeps it quiet."""
    if rule.re_alarm is not None and alert.state is AlertState.ACKNOWLEDGED and alert.suppressed is None:
        alert.re_alarm_at = desk.moment.now + rule.re_alarm
        desk.timers.add(Timer(alert.re_alarm_at, alert.device, "re_alarm", alert.rule))


def adopt(desk: Desk, device: Device, dev: DeviceState) -> None:
    """Another plan is in force: acknowledgements wear off as it says; one that runs is never made to last longer."""
    for name, alert_id in dev.alerts.items():
        alert, rule = desk.state.alerts[alert_id], device.kind.rules[name]
        due = alert.re_alarm_at
        if due is not None and rule.re_alarm is None:
            alert.re_alarm_at = None
        elif rule.re_alarm is not None and (due is None or due > desk.moment.now + rule.re_alarm):
            await_re_alarm(desk, alert, rule)
        if alert.re_alarm_at != due:
            desk.effects.alerts[alert.id] = alert


def ask_again(desk: Desk, dev: DeviceState, rule: Rule, due: Millis) -> None:
    """The time of an acknowledgement may be up."""
    alert = desk.live_alert(dev, rule.name)
    if alert is None or alert.re_alarm_at != due or alert.state is not AlertState.ACKNOWLEDGED:
        return
    alert.state = TABLE[alert.state, Act.RISE]
    announce(desk, dev, alert, rule, "alert.re_alarmed")


def arm(desk: Desk, device: Device, dev: DeviceState) -> None:
    """Ask again for every wake-up of the device's alerts, after a restart."""
    for name, alert_id in dev.alerts.items():
        alert, rule = desk.state.alerts.get(alert_id), device.kind.rules.get(name)
        if alert is None or rule is None:
            continue
        if not alert.active_since:  # of a version that did not keep these two
            alert.active_since = alert.asked_at = alert.raised_at
        if not alert.stale:
            await_staleness(desk, alert)
        if alert.re_alarm_at is not None:
            desk.timers.add(Timer(alert.re_alarm_at, device.id, "re_alarm", name))
    for name in dev.flutters:
        if name in device.kind.rules:
            flapping.arm(desk, device.id, dev, name, device.kind.rules[name].flapping)
