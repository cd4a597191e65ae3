"""Chatter: an alert that comes and goes too often is held up and told once, until it is calm (EEMUA 191)."""

from collections.abc import Mapping

from gateway.core.desk import Desk
from gateway.core.plan import Flapping
from gateway.core.state import DeviceState, Flutter
from gateway.core.timers import Timer
from gateway.core.values import Millis


def chattering(dev: DeviceState, rule: str) -> bool:
    """Whether the rule's transitions are hidden now."""
    flutter = dev.flutters.get(rule)
    return flutter is not None and flutter.since is not None


def count(desk: Desk, owner: str, dev: DeviceState, rule: str, limit: Flapping) -> bool:
    """Count a transition that is told; True when it is the one too many, and chattering begins.

    What comes and goes in one moment, as the alert of an event does, is one transition.
    """
    now = desk.moment.now
    flutter = dev.flutters.setdefault(rule, Flutter())
    recent = [at for at in flutter.recent if now - limit.within < at < now]
    flutter.recent = [*recent, now][-limit.transitions :]
    desk.effects.devices.add(owner)
    if flutter.since is not None or len(flutter.recent) < limit.transitions:
        return False
    flutter.since, flutter.hidden = now, 0
    _await_calm(desk, owner, rule, now + limit.within)
    return True


def hide(desk: Desk, owner: str, dev: DeviceState, rule: str, limit: Flapping) -> None:
    """Count a transition that is not told: calm has to wait."""
    flutter, now = dev.flutters[rule], desk.moment.now
    flutter.hidden += 1
    flutter.recent = [*flutter.recent, now][-limit.transitions :]
    desk.effects.devices.add(owner)


def calm_at(dev: DeviceState, rule: str, limit: Flapping) -> Millis | None:
    """When a chattering rule will be calm if nothing else happens; None when it does not chatter."""
    flutter = dev.flutters.get(rule)
    if flutter is None or flutter.since is None:
        return None
    return flutter.recent[-1] + limit.within


def still_moving(desk: Desk, owner: str, dev: DeviceState, rule: str, limit: Flapping) -> bool:
    """Whether it is too early to call a chattering rule calm; then it is looked at again when it may be.

    While nobody can see the device, nothing is known of its transitions: :func:`seen_again` goes on from there.
    """
    due = calm_at(dev, rule, limit)
    if due is None or dev.frozen or not desk.state.scalars.observing:
        return True
    if due > desk.moment.now:
        _await_calm(desk, owner, rule, due)
        return True
    return False


def seen_again(desk: Desk, owner: str, dev: DeviceState, limits: Mapping[str, Flapping]) -> None:
    """The device can be seen again: calm counts from here."""
    for rule, flutter in dev.flutters.items():
        if flutter.since is not None and rule in limits:
            flutter.recent = [*flutter.recent[1:], desk.moment.now]
            _await_calm(desk, owner, rule, desk.moment.now + limits[rule].within)
            desk.effects.devices.add(owner)


def settle(desk: Desk, owner: str, dev: DeviceState, rule: str) -> Flutter:
    """The rule is calm again; returns how it chattered."""
    flutter = dev.flutters.pop(rule)
    desk.effects.devices.add(owner)
    return flutter


def arm(desk: Desk, owner: str, dev: DeviceState, rule: str, limit: Flapping) -> None:
    """Ask again for the wake-up of a chattering rule, after a restart."""
    due = calm_at(dev, rule, limit)
    if due is not None:
        _await_calm(desk, owner, rule, due)


def _await_calm(desk: Desk, owner: str, rule: str, due: Millis) -> None:
    desk.timers.add(Timer(due, owner, "calm", rule))
