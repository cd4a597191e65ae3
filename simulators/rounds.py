"""The rounds a simulated guard walks: when they are due, in which order, and at what pace a person gets round."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import NamedTuple

from gateway.core.ids import derive_id
from gateway.core.local_time import instant, wall_time
from gateway.core.patrol.routes import Route, Stop
from gateway.core.plan import SitePlan
from gateway.core.recurrence import Due
from gateway.core.values import MINUTE, SECOND, Millis

SHARE = 0.75
"""How much of a window a walk takes on average, at the most."""
SHORTEST: Millis = 40 * SECOND
LONGEST: Millis = 2 * MINUTE
"""A leg where the window leaves time for it."""


class Step(NamedTuple):
    """A checkpoint is reached."""

    at: Millis
    checkpoint: str


class Walk(NamedTuple):
    """One round, as a guard means to walk it."""

    route: Route
    start: Millis
    end: Millis
    """The window."""
    steps: tuple[Step, ...]

    @property
    def judged(self) -> Millis:
        """When its grace is over."""
        return self.end + self.route.grace


def next_due(routes: Iterable[Route], after: Millis) -> tuple[Route, Due] | None:
    """The first round of these routes that begins after a moment; of two at once the one listed first."""
    found: tuple[Route, Due] | None = None
    for route in routes:
        due = None if route.due is None else route.due.after(after)
        if due is not None and (found is None or due.at < found[1].at):
            found = route, due
    return found


def plan_walk(plan: SitePlan, route: Route, due: Due, rng: random.Random) -> Walk:
    """A round from stop to stop: within its window, no leg shorter or longer than a person may take."""
    end = _end(route, due)
    stops = _in_order(plan.site, route, due)
    share = SHARE * (end - due.at) / len(stops)
    at = due.at + rng.randint(SECOND, max(SECOND, int(share)))
    steps: list[Step] = []
    for number, stop in enumerate(stops):
        if number:
            at += _leg(plan, route, stops[number - 1], stop, share, rng)
        if stop.opens is not None and at < due.at + stop.opens:
            at = due.at + stop.opens + rng.randint(SECOND, 5 * SECOND)
        steps.append(Step(at, stop.checkpoint))
    return Walk(route, due.at, end, tuple(steps))


def _leg(plan: SitePlan, route: Route, before: Stop, stop: Stop, share: float, rng: random.Random) -> Millis:
    pause = rng.uniform(min(SHORTEST, 0.8 * share), min(LONGEST, 1.2 * share))
    apart = plan.patrol.distances.get(frozenset((before.checkpoint, stop.checkpoint)), plan.patrol.least)
    least = max(stop.least if stop.least is not None else route.least or 0, apart)
    most = stop.most if stop.most is not None else route.most
    if most is not None:
        pause = min(pause, 0.9 * most)
    return int(max(pause, 1.1 * least))


def _end(route: Route, due: Due) -> Millis:
    if route.until is None or route.due is None:
        return due.at + (route.lasts or 0)
    hour, minute = route.until
    wall = wall_time(due.at, route.due.zone).replace(
        hour=hour, minute=minute, second=0, microsecond=0, fold=0
    )
    end = instant(wall, route.due.zone)
    return end if end > due.at else instant(wall + timedelta(days=1), route.due.zone)


def _in_order(site: str, route: Route, due: Due) -> Sequence[Stop]:
    """The stops as the gateway asks for them: it draws the order of a random round from the round's id."""
    if route.order != "random":
        return route.stops
    name = derive_id("rd", site, route.id, due.key)
    return sorted(
        route.stops, key=lambda stop: blake2b(f"{name}/{stop.checkpoint}".encode(), digest_size=8).digest()
    )
