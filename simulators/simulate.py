"""Run a simulated site against a broker: what ``fgw simulate`` and ``fgw demo`` call."""

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, SECOND, Millis
from gateway.site.plan_builder import load_site
from simulators.errors import SimulationError
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.pace import CATCH_UP, Pace
from simulators.publisher import Publisher, publisher
from simulators.scale import blow_up
from simulators.schedule import demo_schedule

STEP: Millis = 250
"""Simulated milliseconds per step in real time: how late a publication may leave."""
FULL_SPEED = 0.0
WEEK: Millis = 7 * DAY
"""How much of the schedule a simulation without an end draws up."""


class Progress(NamedTuple):
    """How far a simulation is."""

    now: Millis
    """Simulated moment, milliseconds UTC."""
    published: int
    """Publications the broker has acknowledged."""
    reconnects: int


async def simulate(  # noqa: PLR0913  keyword-only, one for each flag of the command
    *,
    site: SitePlan | Path,
    url: str,
    seed: int = 0,
    speed: float = 1.0,
    devices: int | None = None,
    only: Collection[str] | None = None,
    duration: float | None = None,
    start: Millis | None = None,
    faults: Sequence[Fault] | None = None,
    connections: int = 1,
    own: Collection[str] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Let the devices of a site live and publish over MQTT until ``duration`` is over, or for ever.

    Args:
        site: a site plan, or the site file to load it from.
        url: the broker, ``mqtt://host:port``.
        seed: the same seed gives the same traffic.
        speed: simulated seconds per second; 1 is real time, 0 as fast as the broker takes it.
        devices: blow the site up to so many, see :func:`simulators.scale.blow_up`.
        only: simulate these devices only.
        duration: simulated seconds; None runs until cancelled.
        start: simulated start, ms UTC; by default now, or so that it ends now: nothing may come from the future.
        faults: what goes wrong; None is the demo's schedule, an empty list a site without faults.
        connections: how many MQTT connections the devices share.
        own: devices with a connection and a last will of their own.
        progress: called once a step; the last state is also returned.

    Raises:
        SimulationError: an argument cannot be, or no broker answers.
        SiteError: the site file is wrong.
    """
    plan = load_site(site) if isinstance(site, Path) else site
    if devices is not None:
        plan = blow_up(plan, devices)
    begin = _start(speed, duration, start)
    end = None if duration is None else begin + round(duration * SECOND)
    if faults is None:
        planned = demo_schedule(plan, seed, WEEK if end is None else end - begin)
        faults = [fault for fault in planned if only is None or fault.device in only]
    fleet = Fleet(plan, seed=seed, start=begin, faults=faults, only=only)
    async with publisher(url, plan, connections=connections, own=own) as line:
        return await play(fleet, line, speed=speed, end=end, progress=progress)


async def play(
    fleet: Fleet,
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


def _start(speed: float, duration: float | None, start: Millis | None) -> Millis:
    if not speed >= FULL_SPEED or speed == float("inf"):
        raise SimulationError(
            f"a speed of {speed} is not possible; give 1 for real time, 60, or 0 for full speed"
        )
    if duration is not None and not 0 < duration < float("inf"):
        raise SimulationError(f"a duration of {duration} s is not possible; give more than 0")
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
