"""Out of service: a rule of a device, or the whole device, taken out by people and put back by people (ISA-18.2).

Where it covers life safety, one person asks and another confirms. A request nobody confirms lapses.
"""

from gateway.core import persons, quieting
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.plan import Device, Rule
from gateway.core.quiet import EVERY_RULE
from gateway.core.shelving import Answer, reason_of
from gateway.core.state import DeviceState, Outage
from gateway.core.timers import Timer
from gateway.core.values import DAY, HOUR, Json, Millis, show_duration

LAPSE: Millis = HOUR
"""How long a request waits for the second person."""
LONGEST: Millis = 366 * DAY
"""How far ahead an end may be named."""


def take_out(desk: Desk, device: Device, dev: DeviceState, command: Command) -> Answer:
    """Take ``rule``, or every rule where none is named, out of service; or confirm that another person asked so."""
    covered = _covered(device, command)
    if isinstance(covered, Answer):
        return covered
    key = command.args.get("rule") or EVERY_RULE
    standing = dev.outages.get(key)
    if standing is not None:
        return _confirm(desk, device, dev, key, standing, covered, command)
    why, until = reason_of(command), command.args.get("until")
    if why is None:
        return Answer("refused", "say why, in so many words")
    now = desk.moment.now
    if until is not None and (not isinstance(until, int) or not now < until <= now + LONGEST):
        return Answer("refused", "until lies in the future, at most a year from now")
    outage = Outage(by=command.actor, why=why, since=now, until=until)
    dev.outages[key] = outage
    desk.touch_device(dev, device.id)
    if any(not rule.shelvable for rule in covered):
        _await_end(desk, device.id, key, outage)
        for rule in _named(key, covered):
            desk.report(
                "alert.out_of_service_asked",
                device=device.id,
                rule=rule,
                actor=command.actor,
                why=why,
                until=until,
            )
        return Answer("done", "it is about life safety: another person must confirm it within an hour")
    _put_in_force(desk, device, dev, key, outage, covered, command.actor)
    return Answer("done")


def put_back(desk: Desk, device: Device, dev: DeviceState, command: Command) -> Answer:
    """Put ``rule``, or the device, back into service; a request that waits is withdrawn."""
    covered = _covered(device, command)
    if isinstance(covered, Answer):
        return covered
    key = command.args.get("rule") or EVERY_RULE
    if key not in dev.outages:
        return Answer("conflict", "it is not out of service")
    why = reason_of(command) or "put back"
    _end(desk, device, dev, key, covered, why, command.actor)
    return Answer("done")


def come_due(desk: Desk, device: Device, dev: DeviceState, key: str, due: Millis) -> None:
    """An outage may be over, or a request have waited for too long."""
    outage = dev.outages.get(key)
    if outage is None or _end_of(outage) != due:
        return
    covered = [rule for rule in device.kind.rules.values() if key in (EVERY_RULE, rule.name)]
    why = "time is up" if outage.confirmed_at is not None else "nobody confirmed it"
    _end(desk, device, dev, key, covered, why, None)


def drop(desk: Desk, device_id: str, dev: DeviceState, key: str, why: str) -> None:
    """The rule or the device is gone, and the outage with it."""
    outage = dev.outages.pop(key)
    desk.touch_device(dev, device_id)
    lasted = desk.moment.now - outage.since
    desk.report("alert.in_service", device=device_id, rule=key or None, why=why, lasted=lasted)


def take_back_forbidden(desk: Desk) -> None:
    """Another configuration calls life safety what one person alone had taken out of service: it comes back."""
    for name, dev in sorted(desk.state.devices.items()):
        if not dev.outages or name not in desk.plan.devices:
            continue
        device = desk.plan.devices[name]
        for key, outage in list(dev.outages.items()):
            covered = [rule for rule in device.kind.rules.values() if key in (EVERY_RULE, rule.name)]
            alone = outage.confirmed_by is not None and persons.is_same(outage.by, outage.confirmed_by)
            if alone and any(not rule.shelvable for rule in covered):
                _end(desk, device, dev, key, covered, "life safety", None)


def arm(desk: Desk, owner: str, dev: DeviceState) -> None:
    """Ask again for the end of each outage, after a restart."""
    for key, outage in dev.outages.items():
        _await_end(desk, owner, key, outage)


def _covered(device: Device, command: Command) -> list[Rule] | Answer:
    name = command.args.get("rule")
    if name is None:
        return list(device.kind.rules.values())
    rule = device.kind.rules.get(name) if isinstance(name, str) else None
    return Answer("not_found", f"{device.id} has no rule {name}") if rule is None else [rule]


def _confirm(
    desk: Desk,
    device: Device,
    dev: DeviceState,
    key: str,
    outage: Outage,
    covered: list[Rule],
    command: Command,
) -> Answer:
    if outage.confirmed_at is not None:
        return Answer("conflict", f"it was already taken out of service by {outage.by}: {outage.why}")
    if persons.is_same(command.actor, outage.by):
        return Answer("conflict", f"{outage.by} asked for it; another person must confirm it")
    until = command.args.get("until")
    if until is not None and (outage.until is None or not isinstance(until, int) or outage.until > until):
        asked = (
            "without an end" if outage.until is None else f"for {show_duration(outage.until - outage.since)}"
        )
        return Answer("conflict", f"{outage.by} asked for it {asked}; leave until out to confirm just that")
    desk.touch_device(dev, device.id)
    _put_in_force(desk, device, dev, key, outage, covered, command.actor)
    return Answer("done")


def _put_in_force(
    desk: Desk, device: Device, dev: DeviceState, key: str, outage: Outage, covered: list[Rule], actor: str
) -> None:
    outage.confirmed_by, outage.confirmed_at = actor, desk.moment.now
    _await_end(desk, device.id, key, outage)
    told: dict[str, Json] = {"why": outage.why, "until": outage.until, "asked_by": outage.by}
    if key == EVERY_RULE:
        desk.report("alert.out_of_service", device=device.id, actor=actor, cause=told)
    change = quieting.Change("alert.out_of_service", told, actor, always=key != EVERY_RULE)
    for rule in covered:
        quieting.review(desk, device, dev, rule, change)


def _end(
    desk: Desk,
    device: Device,
    dev: DeviceState,
    key: str,
    covered: list[Rule],
    why: str,
    actor: str | None,
) -> None:
    outage = dev.outages.pop(key)
    desk.touch_device(dev, device.id)
    lasted = desk.moment.now - (outage.confirmed_at or desk.moment.now)
    if key == EVERY_RULE:
        desk.report("alert.in_service", device=device.id, actor=actor, why=why, lasted=lasted)
    change = quieting.Change(
        "alert.in_service", {"why": why, "lasted": lasted}, actor, always=key != EVERY_RULE
    )
    for rule in covered:
        quieting.review(desk, device, dev, rule, change)


def _named(key: str, covered: list[Rule]) -> list[str | None]:
    return [None] if key == EVERY_RULE else [rule.name for rule in covered]


def _end_of(outage: Outage) -> Millis | None:
    return outage.since + LAPSE if outage.confirmed_at is None else outage.until


def _await_end(desk: Desk, owner: str, key: str, outage: Outage) -> None:
    due = _end_of(outage)
    if due is not None:
        desk.timers.add(Timer(due, owner, "outage", key))
