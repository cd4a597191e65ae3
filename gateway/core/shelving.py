"""Shelving: a person sets a rule of a device aside for a while, or until it next clears (ISA-18.2, OPC UA part 9).

The time runs from the act and is never refreshed by what happens meanwhile.
"""

from typing import NamedTuple

from gateway.core import quieting
from gateway.core.alert_table import Act
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.plan import Device, Rule
from gateway.core.state import DeviceState, Shelf
from gateway.core.timers import Timer
from gateway.core.values import Json, Millis, show_duration

REASON_MOST = 500
"""Characters of a reason."""


class Answer(NamedTuple):
    """How an act on a rule of a device went."""

    status: str
    """As in :class:`gateway.core.state.Reply`."""
    words: str = ""


def shelve(desk: Desk, device_id: str, rule_name: str, command: Command) -> Answer:
    """Set a rule aside: ``why``, and ``until`` (ms) or ``one_shot``, at most as long as its class allows."""
    found = find(desk, device_id, rule_name)
    if isinstance(found, Answer):
        return found
    device, dev, rule = found
    why, one_shot = reason_of(command), command.args.get("one_shot", False)
    if not rule.shelvable:
        return Answer("refused", f"{rule.name} is about life safety and cannot be shelved")
    if why is None:
        return Answer("refused", "say why, in so many words")
    if not isinstance(one_shot, bool):
        return Answer("refused", "one_shot is true or false")
    longest = desk.moment.now + rule.shelve_max
    until = command.args.get("until", longest if one_shot else None)
    if not isinstance(until, int) or isinstance(until, bool) or not desk.moment.now < until <= longest:
        words = f"give until, in the future and at most {show_duration(rule.shelve_max)} from now"
        return Answer("refused", words if one_shot else f"{words}, or one_shot")
    shelf = dev.shelves.get(rule_name)
    if shelf is not None:
        return Answer("conflict", f"it was already shelved by {shelf.by}: {shelf.why}")
    shelf = Shelf(by=command.actor, why=why, since=desk.moment.now, until=until, one_shot=one_shot)
    dev.shelves[rule_name] = shelf
    desk.timers.add(Timer(until, device_id, "shelf", rule_name))
    desk.touch_device(dev, device_id)
    told: dict[str, Json] = {"why": why, "until": until, "one_shot": one_shot}
    change = quieting.Change("alert.shelved", told, command.actor, always=True)
    quieting.review(desk, device, dev, rule, change)
    return Answer("done")


def unshelve(desk: Desk, device_id: str, rule_name: str, command: Command) -> Answer:
    """End a shelf by hand: an active alert comes back acknowledged, since who ended it knows of it."""
    found = find(desk, device_id, rule_name)
    if isinstance(found, Answer):
        return found
    device, dev, rule = found
    if rule_name not in dev.shelves:
        return Answer("conflict", "it is not shelved")
    _take_down(desk, device, dev, rule, Act.UNSHELVE, "by hand", command.actor)
    return Answer("done")


def come_due(desk: Desk, device: Device, dev: DeviceState, rule: Rule, due: Millis) -> None:
    """The time of a shelf may be up."""
    shelf = dev.shelves.get(rule.name)
    if shelf is not None and shelf.until == due:
        _take_down(desk, device, dev, rule, Act.EXIT, "time is up", None)


def take_down_forbidden(desk: Desk, device: Device, dev: DeviceState) -> None:
    """Another configuration calls life safety what somebody had shelved: it comes back."""
    for name in list(dev.shelves):
        rule = device.kind.rules.get(name)
        if rule is not None and not rule.shelvable:
            _take_down(desk, device, dev, rule, Act.EXIT, "life safety", None)


def drop(desk: Desk, device_id: str, dev: DeviceState, rule_name: str, why: str) -> None:
    """The rule or the device is gone, and the shelf with it."""
    shelf = dev.shelves.pop(rule_name)
    desk.touch_device(dev, device_id)
    lasted = desk.moment.now - shelf.since
    desk.report("alert.unshelved", device=device_id, rule=rule_name, why=why, lasted=lasted)


def arm(desk: Desk, owner: str, dev: DeviceState) -> None:
    """Ask again for the end of each shelf, after a restart."""
    for rule, shelf in dev.shelves.items():
        desk.timers.add(Timer(shelf.until, owner, "shelf", rule))


def _take_down(
    desk: Desk, device: Device, dev: DeviceState, rule: Rule, act: Act, why: str, actor: str | None
) -> None:
    shelf = dev.shelves.pop(rule.name)
    desk.touch_device(dev, device.id)
    lasted = desk.moment.now - shelf.since
    change = quieting.Change("alert.unshelved", {"why": why, "lasted": lasted}, actor, act, always=True)
    quieting.review(desk, device, dev, rule, change)


def find(desk: Desk, device_id: str, rule_name: str) -> tuple[Device, DeviceState, Rule] | Answer:
    """A rule of a device of the site, or why there is none."""
    if device_id not in desk.plan.devices:
        return Answer("not_found", f"no device {device_id}")
    device, dev = desk.device(device_id)
    rule = device.kind.rules.get(rule_name)
    if rule is None:
        return Answer("not_found", f"{device_id} has no rule {rule_name}")
    return device, dev, rule


def reason_of(command: Command) -> str | None:
    """Why a person does it; None where that was not said, or at too great a length."""
    why = command.args.get("why")
    return why.strip() if isinstance(why, str) and 0 < len(why.strip()) <= REASON_MOST else None
