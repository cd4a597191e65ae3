"""A guard with a phone: walks the rounds of a route as they are due, and taps secure tags on the way.

Pure like the devices: seed and simulated time in, uploads out. :mod:`simulators.guards` sends them.
"""

import enum
import random
from collections.abc import Mapping, Sequence
from functools import partial

from gateway.core.patrol.routes import Route
from gateway.core.plan import SitePlan
from gateway.core.values import SECOND, Json, Millis
from simulators.agenda import Agenda
from simulators.errors import SimulationError
from simulators.ntag import SimulatedTag
from simulators.phone import Phone, Upload
from simulators.rounds import Walk, next_due, plan_walk


class Habit(enum.StrEnum):
    """How a guard does a round."""

    STEADY = "steady"
    """Every checkpoint, uploaded at once."""
    SKIPS = "skips"
    """All checkpoints but one."""
    NO_SIGNAL = "no_signal"
    """No signal from the second checkpoint on: the rest is uploaded after the round was judged."""
    REPLAYS = "replays"
    """Stays in the hut and sends an address again that another phone once read."""
    ABSENT = "absent"
    """Leaves it to others."""


class TagWall:
    """The tags of a site, where they hang; all phones tap the same ones.

    Args:
        plan: the site.
        secure: the secure tags by their id; a checkpoint without one gives the bare id of its tag.
    """

    def __init__(self, plan: SitePlan, secure: Mapping[str, SimulatedTag]) -> None:
        self._plan = plan
        self._secure = secure
        self._first: dict[str, str] = {}

    def read(self, checkpoint: str) -> dict[str, Json]:
        """Hold a phone to the tag of a checkpoint; empty where none hangs."""
        tags = self._plan.checkpoints[checkpoint].tags
        for tag in tags:
            if tag.id in self._secure:
                url = self._secure[tag.id].tap()
                self._first.setdefault(checkpoint, url)
                return {"url": url}
        return {"tag": tags[0].id} if tags else {}

    def copied(self, checkpoint: str) -> str | None:
        """The address that the first phone here read; None where none was yet."""
        return self._first.get(checkpoint)


class GuardPhone:
    """One guard on one route.

    Args:
        plan: the site.
        route: whose rounds are walked.
        wall: the tags.
        phone: what the phone calls itself.
        guard: who walks.
        habits: how the first round is done, the second, and so on; then from the first again.
        seed: the same seed and start give the same taps.
        start: the simulated moment at which the guard comes on duty, milliseconds UTC.

    Raises:
        SimulationError: the site has no such route, or no round of it is ever due.
    """

    def __init__(
        self,
        plan: SitePlan,
        route: str,
        wall: TagWall,
        *,
        phone: str,
        guard: str,
        habits: Sequence[Habit] = (Habit.STEADY,),
        seed: int,
        start: Millis,
    ) -> None:
        self._plan, self._wall = plan, wall
        self._route = _scheduled(plan, route)
        self._habits = habits
        self._rng = random.Random(f"{seed}:{start}:{phone}")
        self._agenda = Agenda()
        self._has_signal = True
        self._rounds = 0
        self.phone = Phone(phone, guard, f"{seed}:{start}")
        if Habit.REPLAYS in habits:
            self._agenda.at("duty", start + self._rng.randint(22 * SECOND, 30 * SECOND), self._replay)
        else:
            self._agenda.at("duty", start + self._rng.randint(4 * SECOND, 12 * SECOND), self._come_on_duty)
        self._await_round(start)

    def advance(self, now: Millis) -> Upload | None:
        """Live until ``now`` (inclusive); returns what the phone wants to upload then."""
        self._agenda.run(now)
        return self.phone.upload(now) if self._has_signal else None

    @property
    def next_due(self) -> Millis:
        """When the guard will do something next."""
        return self._agenda.next

    def _come_on_duty(self, at: Millis) -> None:
        """Tap the first tag of the route once, to see that phone and tag work; on no round it is a voluntary tap."""
        self._tap(self._route.checkpoints[0], at)

    def _await_round(self, after: Millis) -> None:
        found = next_due((self._route,), after)
        if found is not None:
            walk = plan_walk(self._plan, *found, self._rng)
            self._agenda.at("round", walk.start, lambda _at: self._begin(walk))

    def _begin(self, walk: Walk) -> None:
        habit = self._habits[self._rounds % len(self._habits)]
        self._rounds += 1
        self._await_round(walk.start)
        steps = list(walk.steps)
        if habit is Habit.ABSENT:
            return
        if habit is Habit.REPLAYS:
            self._agenda.at("replay", steps[len(steps) // 2].at, self._replay)
            return
        if habit is Habit.SKIPS and len(steps) > 1:
            del steps[self._rng.randrange(1, len(steps))]
        for number, step in enumerate(steps):
            self._agenda.at(f"stop {number}", step.at, partial(self._tap, step.checkpoint))
        if habit is Habit.NO_SIGNAL:
            self._agenda.at("signal lost", walk.steps[0].at + SECOND, self._lose_signal)
            back = walk.judged + self._rng.randint(10 * SECOND, 20 * SECOND)
            self._agenda.at("signal back", back, self._regain_signal)
        self._agenda.at("end", walk.end + SECOND, self._end)

    def _tap(self, checkpoint: str, at: Millis) -> None:
        read = self._wall.read(checkpoint)
        if read:
            self.phone.read(at, read)

    def _replay(self, at: Millis) -> None:
        copied = (self._wall.copied(name) for name in self._route.checkpoints)
        url = next((url for url in copied if url is not None), None)
        if url is not None:
            self.phone.read(at, {"url": url})

    def _lose_signal(self, _at: Millis) -> None:
        self._has_signal = False

    def _regain_signal(self, _at: Millis) -> None:
        self._has_signal = True

    def _end(self, _at: Millis) -> None:
        self.phone.report()


def _scheduled(plan: SitePlan, name: str) -> Route:
    route = plan.routes.get(name)
    if route is None or route.due is None:
        known = ", ".join(one.id for one in plan.routes.values() if one.due is not None) or "none"
        raise SimulationError(
            f"no round of a route {name!r} is ever due at {plan.site}; of these some are: {known}"
        )
    return route
