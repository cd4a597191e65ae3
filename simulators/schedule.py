"""What goes wrong in the demo, and when: something for everybody within the first minute, and more later."""

import itertools
import random
from collections import defaultdict
from collections.abc import Sequence

from gateway.core.plan import SitePlan
from gateway.core.values import HOUR, MINUTE, SECOND, Millis
from simulators.errors import SimulationError
from simulators.faults import Fault, FaultKind
from simulators.fleet import MODELS

OPENING: tuple[tuple[str, FaultKind, Millis, Millis], ...] = (
    # profile, fault, start, duration; each of these raises its alert within seconds
    ("access_gate", FaultKind.DENIED_BURST, 6 * SECOND, 15 * SECOND),
    ("patrol_reader", FaultKind.CLOCK_WRONG, 9 * SECOND, 3 * MINUTE),
    ("fire_panel", FaultKind.TROUBLE, 12 * SECOND, 2 * MINUTE),
    ("elevator", FaultKind.LEVELLING, 15 * SECOND, 2 * MINUTE),
    ("access_gate", FaultKind.FORCED_OPEN, 20 * SECOND, 40 * SECOND),
    ("elevator", FaultKind.ENTRAPMENT, 24 * SECOND, 4 * MINUTE),
    ("fire_panel", FaultKind.FIRE_ALARM, 40 * SECOND, 3 * MINUTE),
    ("elevator", FaultKind.MOTOR_OVERHEAT, 50 * SECOND, 3 * MINUTE),
    ("patrol_reader", FaultKind.BATTERY_LOW, 70 * SECOND, 8 * MINUTE),
    ("access_gate", FaultKind.HELD_OPEN, 90 * SECOND, 2 * MINUTE),
    ("fire_panel", FaultKind.MAINS_LOSS, 2 * MINUTE, 6 * MINUTE),
    ("elevator", FaultKind.DOOR_HELD_OPEN, 150 * SECOND, 4 * MINUTE),
    ("elevator", FaultKind.MALFORMED, 3 * MINUTE, MINUTE),
    ("elevator", FaultKind.OFFLINE, 4 * MINUTE, 3 * MINUTE),
    ("access_gate", FaultKind.SILENT, 5 * MINUTE, 4 * MINUTE),
    ("patrol_reader", FaultKind.SOS, 7 * MINUTE, MINUTE),
    ("elevator", FaultKind.MOVING_WITH_DOOR_OPEN, 8 * MINUTE, MINUTE),
)
"""The first ten minutes."""

LATER: dict[FaultKind, tuple[Millis, Millis, Millis]] = {
    # how far apart on average in the whole site, and the shortest and longest duration
    FaultKind.DENIED_BURST: (25 * MINUTE, 12 * SECOND, 30 * SECOND),
    FaultKind.HELD_OPEN: (20 * MINUTE, 40 * SECOND, 4 * MINUTE),
    FaultKind.FORCED_OPEN: (90 * MINUTE, 20 * SECOND, 2 * MINUTE),
    FaultKind.DURESS: (5 * HOUR, 10 * SECOND, MINUTE),
    FaultKind.LEVELLING: (40 * MINUTE, 2 * MINUTE, 15 * MINUTE),
    FaultKind.DOOR_HELD_OPEN: (30 * MINUTE, 70 * SECOND, 5 * MINUTE),
    FaultKind.MOTOR_OVERHEAT: (60 * MINUTE, 2 * MINUTE, 10 * MINUTE),
    FaultKind.ENTRAPMENT: (120 * MINUTE, 4 * MINUTE, 25 * MINUTE),
    FaultKind.MOVING_WITH_DOOR_OPEN: (4 * HOUR, 30 * SECOND, 2 * MINUTE),
    FaultKind.FIRE_ALARM: (2 * HOUR, 2 * MINUTE, 10 * MINUTE),
    FaultKind.TROUBLE: (90 * MINUTE, 2 * MINUTE, 30 * MINUTE),
    FaultKind.MAINS_LOSS: (3 * HOUR, 2 * MINUTE, 80 * MINUTE),
    FaultKind.BATTERY_LOW: (2 * HOUR, 5 * MINUTE, 20 * MINUTE),
    FaultKind.CLOCK_WRONG: (3 * HOUR, 2 * MINUTE, 10 * MINUTE),
    FaultKind.SOS: (4 * HOUR, 10 * SECOND, MINUTE),
    FaultKind.SILENT: (60 * MINUTE, 2 * MINUTE, 8 * MINUTE),
    FaultKind.OFFLINE: (60 * MINUTE, 40 * SECOND, 5 * MINUTE),
    FaultKind.MALFORMED: (2 * HOUR, 20 * SECOND, MINUTE),
    FaultKind.DUPLICATE: (90 * MINUTE, 30 * SECOND, 5 * MINUTE),
    FaultKind.STUCK: (3 * HOUR, 2 * MINUTE, 20 * MINUTE),
}
"""After the opening: rare enough to be read, frequent enough that something is always going on."""

WIRE_PROFILES = ("access_gate", "elevator")
"""Whose connections fail in the demo; a silent fire panel would be an emergency of its own."""


def demo_schedule(plan: SitePlan, seed: int, length: Millis = 12 * HOUR) -> list[Fault]:
    """The faults of a demo of that length, in order of their start; the same for the same site and seed.

    Raises:
        SimulationError: the site has no device with a model, so nothing could go wrong.
    """
    devices: dict[str, list[str]] = defaultdict(list)
    for device in plan.equipment.values():
        if device.kind.profile in MODELS:
            devices[device.kind.profile].append(device.id)
    if not devices:
        raise SimulationError(f"site {plan.site} has none of the devices a demo needs: {', '.join(MODELS)}")
    opening = _opening(devices)
    busy_until = max((fault.end for fault in opening), default=0)
    faults = opening + _later(devices, random.Random(f"{seed}:{plan.site}:faults"), busy_until, length)
    return sorted(faults, key=lambda fault: (fault.start, fault.device, fault.kind))


def _opening(devices: dict[str, list[str]]) -> list[Fault]:
    """One device after the other takes its part, so that a small site gets everything too."""
    turns = {profile: itertools.cycle(names) for profile, names in devices.items()}
    return [
        Fault(next(turns[profile]), kind, start, duration)
        for profile, kind, start, duration in OPENING
        if profile in turns
    ]


def _later(devices: dict[str, list[str]], rng: random.Random, start: Millis, length: Millis) -> list[Fault]:
    faults = []
    for kind, (apart, shortest, longest) in LATER.items():
        takers = _takers(kind, devices)
        at = start + int(rng.expovariate(1 / apart))
        while takers and at < length:
            duration = rng.randint(shortest, longest)
            faults.append(Fault(rng.choice(takers), kind, at, duration))
            at += duration + int(rng.expovariate(1 / apart))
    return faults


def _takers(kind: FaultKind, devices: dict[str, list[str]]) -> Sequence[str]:
    own = [profile for profile in devices if kind in MODELS[profile].own_faults]
    profiles = own or [profile for profile in devices if profile in WIRE_PROFILES]
    return [name for profile in profiles for name in devices[profile]]
