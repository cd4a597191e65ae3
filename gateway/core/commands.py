"""What people ask for: each verb finds its record, and a repeated command is answered, not carried out again."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core import alert_acts, outages, shelving, tuning, work_orders
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.patrol import acts
from gateway.core.plan import Device
from gateway.core.shelving import Answer
from gateway.core.state import DeviceState, Reply

REPLIES_KEPT = 1_024
"""Commands whose answers are remembered, so that a repeated one is answered and not carried out again."""


def take(desk: Desk, one: Command) -> None:
    """Carry a command out, or answer it again."""
    replies = desk.state.scalars.replies
    reply = replies.get(one.id)
    if reply is None:
        reply = _carry_out(desk, one)
        replies[one.id] = reply
        while len(replies) > REPLIES_KEPT:
            del replies[next(iter(replies))]
        desk.effects.scalars = True
    desk.effects.replies.append(reply)


def _carry_out(desk: Desk, one: Command) -> Reply:
    if one.verb == "work_order.open":
        return work_orders.open_by_hand(desk, one)
    if one.verb in alert_acts.VERBS:
        return _of_alert(desk, one)
    if one.verb in work_orders.VERBS:
        return _of_order(desk, one)
    if one.verb in DEVICE_VERBS:
        return _of_device(desk, one)
    if one.verb in acts.VERBS:
        return acts.VERBS[one.verb](desk, one)
    verbs = sorted([*alert_acts.VERBS, *DEVICE_VERBS, *acts.VERBS, *work_orders.VERBS, "work_order.open"])
    return Reply(one.id, "refused", f"no such verb: {one.verb}", verbs)


def _of_alert(desk: Desk, one: Command) -> Reply:
    alert = desk.state.alerts.get(one.target)
    if alert is None:
        return Reply(one.id, "not_found", "no live alert has this id; it may have ended")
    if one.expect is not None and one.expect != alert.version:
        return _stale(one, alert.version, alert_acts.allowed(desk, alert))
    return alert_acts.VERBS[one.verb](desk, alert, one)


def _of_order(desk: Desk, one: Command) -> Reply:
    order = desk.state.orders.get(one.target)
    if order is None:
        return Reply(one.id, "not_found", "no open work order has this id; it may have ended")
    if one.expect is not None and one.expect != order.version:
        return _stale(one, order.version, work_orders.next_states(order))
    return work_orders.VERBS[one.verb](desk, order, one)


def _of_device(desk: Desk, one: Command) -> Reply:
    if one.target not in desk.plan.devices:
        return Reply(one.id, "not_found", f"no device {one.target}")
    device, dev = desk.device(one.target)
    if one.expect is not None and one.expect != dev.version:
        return _stale(one, dev.version, [])
    answer = DEVICE_VERBS[one.verb](desk, device, dev, one)
    return Reply(one.id, answer.status, answer.words, [], device.id, dev.version)


def _stale(one: Command, version: int, allowed: list[str]) -> Reply:
    words = f"somebody else changed it: you saw version {one.expect}, it is now at {version}"
    return Reply(one.id, "conflict", words, allowed, one.target, version)


def _shelve(desk: Desk, device: Device, _dev: DeviceState, one: Command) -> Answer:
    return shelving.shelve(desk, device.id, str(one.args.get("rule")), one)


def _unshelve(desk: Desk, device: Device, _dev: DeviceState, one: Command) -> Answer:
    return shelving.unshelve(desk, device.id, str(one.args.get("rule")), one)


DEVICE_VERBS: Mapping[str, Callable[[Desk, Device, DeviceState, Command], Answer]] = MappingProxyType(
    {
        "device.in_service": outages.put_back,
        "device.out_of_service": outages.take_out,
        "device.shelve": _shelve,
        "device.tune": tuning.tune,
        "device.unshelve": _unshelve,
    }
)
"""What a command can do to a device and its rules."""
