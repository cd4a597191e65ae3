"""Run a simulated site against a broker, or into a traffic file: what ``fgw simulate`` and ``fgw demo`` call."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TypedDict, Unpack

from gateway.core.plan import SitePlan
from gateway.core.values import SECOND, Millis
from gateway.site.plan_builder import load_site
from gateway.site.zones import zone
from simulators.ensemble import ensemble
from simulators.errors import SimulationError
from simulators.faults import Fault
from simulators.living import Living, Progress
from simulators.pace import CATCH_UP, Pace
from simulators.publisher import Publisher, publisher
from simulators.rate import simulated
from simulators.scale import blow_up
from simulators.traffic_file import write_traffic

__all__ = ["Cast", "Progress", "beginning", "play", "simulate", "simulate_into"]

STEP: Millis = 250
"""Simulated milliseconds per step in real time: how late a publication may leave."""
FULL_SPEED = 0.0
FILE_BEGIN = (2026, 1, 5)
"""A Monday: the first day of a traffic file that is to begin nowhere in particular, so that it is the same every time."""


class Cast(TypedDict, total=False):
    """Which devices live and what goes wrong with them: arguments of :func:`simulators.ensemble.ensemble`."""

    seed: int
    """The same seed gives the same traffic; 0 where it is not given."""
    only: Collection[str] | None
    """Simulate these devices only; None is all of them."""
    faults: Sequence[Fault] | None
    """What goes wrong; None is the demo's schedule, an empty list a site without faults."""
    orders: Sequence[str]
    """Faults besides, such as ``stuck:lift-1@5m+10m``, see :func:`simulators.fault_orders.fault_orders`."""
    lean: bool
    """Reports alone, as cheap as can be, see :class:`~simulators.steady.SteadyFleet`; nothing goes wrong."""


async def simulate(  # noqa: PLR0913  keyword-only, one for each flag of the command
    *,
    site: SitePlan | Path,
    url: str,
    devices: int | None = None,
    speed: float = 1.0,
    duration: float | None = None,
    start: Millis | None = None,
    rate: Fraction | None = None,
    connections: int = 1,
    own: Collection[str] = (),
    progress: Callable[[Progress], None] | None = None,
    **cast: Unpack[Cast],
) -> Progress:
    """Let the devices of a site live and publish over MQTT until ``duration`` is over, or for ever.

    Args:
        site: a site plan, or the site file to load it from.
        url: the broker, ``mqtt://host:port``.
        devices: blow the site up to so many, see :func:`simulators.scale.blow_up`; None is as many as there are.
        speed: simulated seconds per second; 1 is real time, 0 as fast as the broker takes it.
        duration: simulated seconds; None runs until cancelled.
        start: simulated start, ms UTC; by default now, or so that it ends now: nothing may come from the future.
        rate: messages a second on the wall, all devices together, see :func:`simulators.rate.paced`.
        connections: how many MQTT connections the devices share.
        own: devices with a connection and a last will of their own.
        progress: called once a step; the last state is also returned.
        cast: see :class:`Cast`.

    Raises:
        SimulationError: an argument cannot be, or no broker answers.
        SiteError: the site file is wrong.
    """
    plan = _plan(site, devices)
    begin = beginning(speed, duration, start)
    end = None if duration is None else begin + round(duration * SECOND)
    wanted = None if rate is None else simulated(rate, speed)
    living = ensemble(plan, start=begin, end=end, rate=wanted, **cast)
    async with publisher(url, plan, connections=connections, own=own) as line:
        return await play(living, line, speed=speed, end=end, progress=progress)


def simulate_into(
    file: Path,
    *,
    site: SitePlan | Path,
    duration: float,
    devices: int | None = None,
    start: Millis | None = None,
    rate: Fraction | None = None,
    progress: Callable[[Progress], None] | None = None,
    **cast: Unpack[Cast],
) -> Progress:
    """Write what the devices of a site send as a traffic file; the same arguments give the same bytes.

    Args:
        file: the file; ``.gz`` and ``.zst`` are compressed.
        site: a site plan, or the site file to load it from.
        duration: simulated seconds.
        devices: as for :func:`simulate`.
        start: simulated start, ms UTC; by default midnight of Monday, 5 January 2026, where the site is.
        rate: messages a simulated second, all devices together.
        progress: called now and then; the last state is also returned.
        cast: see :class:`Cast`.

    Raises:
        SimulationError: an argument cannot be.
        SiteError: the site file is wrong.
        TrafficError: the file cannot be written.
    """
    plan = _plan(site, devices)
    _check_duration(duration)
    if start is None:
        start = round(datetime(*FILE_BEGIN, tzinfo=zone(plan.timezone)).timestamp() * SECOND)
    end = start + round(duration * SECOND)
    living = ensemble(plan, start=start, end=end, rate=rate, **cast)
    return write_traffic(living, file, end, progress)


async def play(
    fleet: Living,
    line: Publisher,
    *,
    speed: float = 1.0,
    end: Millis | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Let a fleet live until ``end`` (inclusive; None is for ever) and publish all it sends; see :func:`simulate`.

    Faults may be injected into the fleet meanwhile.
    """
    pace = Pace(fleet.now, speed)
    step = max(1, round(STEP * speed)) if speed else CATCH_UP
    state = Progress(fleet.now, 0, 0)
    while end is None or fleet.now < end:
        moment = fleet.now + step if end is None else min(end, fleet.now + step)
        await pace.reach(moment)
        for publication in fleet.advance(moment):
            await line.send(publication)
        state = Progress(moment, line.sent, line.reconnects)
        if progress is not None:
            progress(state)
    await line.drained()
    return Progress(state.now, line.sent, line.reconnects)


def _plan(site: SitePlan | Path, devices: int | None) -> SitePlan:
    plan = load_site(site) if isinstance(site, Path) else site
    return plan if devices is None else blow_up(plan, devices)


def _check_duration(duration: float | None) -> None:
    if duration is not None and not 0 < duration < float("inf"):
        raise SimulationError(f"a duration of {duration} s is not possible; give more than 0")


def beginning(speed: float, duration: float | None, start: Millis | None = None) -> Millis:
    """When a simulation against a broker begins, milliseconds UTC: now, or so that it ends now.

    Raises:
        SimulationError: the speed or the duration cannot be.
    """
    if not speed >= FULL_SPEED or speed == float("inf"):
        raise SimulationError(
            f"a speed of {speed} is not possible; give 1 for real time, 60, or 0 for full speed"
        )
    _check_duration(duration)
    if start is not None:
        return start
    now = time.time_ns() // 1_000_000
    if speed == 1.0:
        return now
    if duration is None:
        raise SimulationError(
            "a speed other than 1 needs a duration or a start: readings must not be from the future"
        )
    lived = 1 - 1 / speed if speed else 1.0
    return now - round(duration * SECOND * max(0.0, lived))
