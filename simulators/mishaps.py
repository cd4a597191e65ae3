"""What goes wrong in a well-kept site, and how often: months between the same trouble of one device, not minutes."""

import random

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis
from simulators.device import Life
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fleet import MODELS

WELL_KEPT = Life(people=0.02, incidents=1 / 40)
"""Few people, so that a fortnight of a thousand devices can be lived through; what happens now and then, every few weeks."""

MISHAPS: dict[FaultKind, tuple[int, Millis, Millis]] = {
    # days between two of one device on average, and the shortest and longest duration
    FaultKind.MOTOR_OVERHEAT: (90, 10 * MINUTE, 40 * MINUTE),
    FaultKind.ENTRAPMENT: (365, 8 * MINUTE, 40 * MINUTE),
    FaultKind.DOOR_HELD_OPEN: (10, 70 * SECOND, 5 * MINUTE),
    FaultKind.MOVING_WITH_DOOR_OPEN: (1500, 30 * SECOND, 5 * MINUTE),
    FaultKind.LEVELLING: (90, HOUR, 6 * HOUR),
    FaultKind.FIRE_ALARM: (180, 3 * MINUTE, 30 * MINUTE),
    FaultKind.MAINS_LOSS: (60, MINUTE, 90 * MINUTE),
    FaultKind.TROUBLE: (60, 30 * MINUTE, 8 * HOUR),
    FaultKind.FORCED_OPEN: (365, 20 * SECOND, 2 * MINUTE),
    FaultKind.DENIED_BURST: (30, 12 * SECOND, 40 * SECOND),
    FaultKind.HELD_OPEN: (7, 20 * SECOND, 4 * MINUTE),
    FaultKind.DURESS: (3000, 10 * SECOND, MINUTE),
    FaultKind.BATTERY_LOW: (60, 10 * MINUTE, 3 * HOUR),
    FaultKind.CLOCK_WRONG: (90, HOUR, 8 * HOUR),
    FaultKind.SOS: (365, 10 * SECOND, MINUTE),
    FaultKind.SILENT: (60, 20 * MINUTE, 4 * HOUR),
    FaultKind.OFFLINE: (20, 10 * SECOND, 20 * MINUTE),
    FaultKind.STUCK: (90, HOUR, 12 * HOUR),
    FaultKind.MALFORMED: (120, 10 * MINUTE, HOUR),
    FaultKind.DUPLICATE: (30, 10 * MINUTE, 2 * HOUR),
    FaultKind.CLOCK_SKEW: (120, 30 * MINUTE, 12 * HOUR),
    FaultKind.REORDER: (30, 10 * MINUTE, 6 * HOUR),
    FaultKind.DRIFT: (60, 12 * HOUR, 48 * HOUR),
    FaultKind.NOISE: (90, HOUR, 24 * HOUR),
}
"""Estimates of ours for a site that is looked after; no source gives such figures for all of them."""


def mishaps(plan: SitePlan, seed: int, length: Millis) -> list[Fault]:
    """The faults of a site within so many milliseconds, in order of their start; the same for the same site and seed.

    One device has one of a kind at a time; different ones may fall together.
    """
    faults: list[Fault] = []
    for device in plan.equipment.values():
        rng = random.Random(f"{seed}:{device.id}:mishaps")
        model = MODELS.get(device.kind.profile)
        taken = COMMON_FAULTS if model is None else model.own_faults | COMMON_FAULTS
        for kind, (apart, shortest, longest) in MISHAPS.items():
            at = int(rng.expovariate(1 / (apart * DAY)))
            while kind in taken and at < length:
                duration = rng.randint(shortest, longest)
                faults.append(Fault(device.id, kind, at, duration))
                at += duration + int(rng.expovariate(1 / (apart * DAY)))
    return sorted(faults, key=lambda fault: (fault.start, fault.device, fault.kind))
