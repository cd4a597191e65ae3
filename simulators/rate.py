"""So many messages a second: how often each device then has to report."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.core.plan import Device, Kind, SitePlan
from gateway.core.values import MINUTE, SECOND, Millis
from simulators.device import BUSY, Life
from simulators.errors import SimulationError
from simulators.fleet import Fleet

FASTEST: Final = 1_000_000
"""Messages a second that can be asked for."""
WATCHED: Millis = 10 * MINUTE
"""How long some devices are watched beforehand for what they say beside their reports."""
SETTLED: Millis = 10 * MINUTE
"""After which births and first tests are over."""
SAMPLE: Final = 6
"""So many of each kind."""
SHARE: Final = Fraction(1, 2)
"""Of the rate, for what is said beside the reports."""
ROUNDS: Final = 8
"""How often a calmer site is tried."""
FORM = "write messages a second, such as 5000/s or 0.5/s"
_RATE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(?:/\s*s)?\s*", re.ASCII)


def parse_rate(text: str) -> Fraction:
    """Read ``5000/s`` or ``5000`` as messages a second.

    Raises:
        SimulationError: it is something else, nothing, or more than a million.
    """
    match = _RATE.fullmatch(text)
    rate = Fraction(match[1]) if match else Fraction(0)
    if match is None or not 0 < rate <= FASTEST:
        raise SimulationError(
            f"a rate of {text!r} is not possible; {FORM}, more than 0 and at most {FASTEST}/s"
        )
    return rate


def simulated(rate: Fraction, speed: float) -> Fraction:
    """Messages a simulated second, for a rate on the wall.

    Raises:
        SimulationError: the simulation goes at full speed, where a second has no length.
    """
    if not speed:
        raise SimulationError("a rate needs a speed; at speed 0 messages go as fast as the broker takes them")
    return rate / Fraction(speed)


class Paced(NamedTuple):
    """What makes the devices of a site send at a rate."""

    plan: SitePlan
    """The site with devices that report so often."""
    life: Life
    """How much goes on in it."""


def paced(plan: SitePlan, rate: Fraction, *, seed: int, start: Millis) -> Paced:
    """The same site sending ``rate`` messages a simulated second altogether.

    All devices then report equally often. What they say beside their reports (a door that opens, an event, a tap) is
    watched for a while beforehand and counted in; it changes with the time of day, so the rate is met on average.
    Where that alone would be more than half of the rate, less goes on at the site.

    Raises:
        SimulationError: they send more than the rate however little goes on, or a device would report more than 1,000
            times a second.
    """
    devices = list(plan.equipment.values())
    life = BUSY
    for _ in range(ROUNDS):
        beside = _beside(plan, devices, life, seed=seed, start=start)
        if beside <= rate * SHARE:
            break
        calmer = float(rate * SHARE / beside) * 0.8
        life = Life(life.people * calmer, life.incidents * calmer)
    if rate <= beside:
        raise SimulationError(
            f"{len(devices)} devices send about {float(beside):.3g} messages a simulated second beside their reports, "
            f"and the rate leaves them {float(rate):.3g}: ask for a higher rate, a lower speed, fewer devices, or a "
            "lean fleet"
        )
    every = round(SECOND * len(devices) / (rate - beside))
    if every < 1:
        raise SimulationError(
            f"at a rate of {float(rate):.6g} messages a simulated second each of {len(devices)} devices would report more "
            "than 1,000 times a second; ask for a lower rate, a higher speed, more devices, or a lean fleet"
        )
    kinds: dict[int, Kind] = {}
    made = dict(plan.devices)
    for device in devices:
        kind = kinds.setdefault(id(device.kind), replace(device.kind, report_every=every))
        made[device.id] = replace(device, kind=kind)
    return Paced(replace(plan, devices=made), life)


def _beside(plan: SitePlan, devices: Sequence[Device], life: Life, *, seed: int, start: Millis) -> Fraction:
    """Messages a simulated second that are no reports."""
    by_kind: dict[int, list[Device]] = defaultdict(list)
    for device in devices:
        by_kind[id(device.kind)].append(device)
    total = Fraction(0)
    for alike in by_kind.values():
        watched = alike[:SAMPLE]
        only = {device.id for device in watched}
        fleet = Fleet(plan, seed=seed, start=start, only=only, life=life)
        fleet.advance(start + SETTLED)
        sent = len(fleet.advance(start + SETTLED + WATCHED))
        reports = len(watched) * (WATCHED // watched[0].kind.report_every)
        total += Fraction(max(0, sent - reports) * len(alike), len(watched))
    return total * SECOND / WATCHED
