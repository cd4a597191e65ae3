"""Scenarios that ship with the simulators, and any scenario file: their device side, played anywhere."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.core.plan import SitePlan
from gateway.core.values import Json, Millis
from gateway.rehearsal import Scenario, read
from gateway.rehearsal.timeline import publications
from gateway.site.bundle import read_text
from gateway.site.document import parse
from gateway.site.problems import unknown
from simulators.errors import SimulationError
from simulators.publication import Publication, may_be_published

FOLDER = Path(__file__).parent / "scenarios"
SUFFIX = ".scenario.yaml"
OF_DEVICES = ("values", "ramp", "event", "silence", "status", "tap", "taps", "raw")
"""Actions of devices; all others are people's, or befall the gateway."""


class Ready(NamedTuple):
    """A scenario that ships with the simulators."""

    name: str
    title: str


class Story(NamedTuple):
    """A scenario file that can be played."""

    file: Path
    scenarios: Sequence[Scenario]
    site: Path | None
    """The site file it is told on; None where the site stands in the file itself or is made up around a profile."""

    @property
    def plan(self) -> SitePlan:
        """The site of its first scenario."""
        return self.scenarios[0].plan

    @property
    def length(self) -> Millis:
        """How long all its scenarios take, one after the other."""
        return sum(_length(one) for one in self.scenarios)


def ready() -> Sequence[Ready]:
    """All that ship, by name."""
    return [
        Ready(file.name.removesuffix(SUFFIX), read(file).scenarios[0].title)
        for file in sorted(FOLDER.glob(f"*{SUFFIX}"))
    ]


def story(given: str) -> Story:
    """The scenario of that name, or in that file.

    Raises:
        SimulationError: there is none.
        SiteError: the file is wrong.
    """
    shipped = FOLDER / f"{given}{SUFFIX}"
    if given.endswith((".yaml", ".yml")) or "/" in given:
        file = Path(given)
    elif shipped.is_file():
        file = shipped
    else:
        names = [one.name.removesuffix(SUFFIX) for one in sorted(FOLDER.glob(f"*{SUFFIX}"))]
        raise SimulationError(f"{unknown('scenario', given, names)}; or give a file that ends in {SUFFIX}")
    found = read(file)
    if not found.scenarios:
        raise SimulationError(f"{file} holds no scenario")
    data: Json = parse(file.name, read_text(file, file.name)).data
    site = data.get("site") if isinstance(data, dict) else None
    return Story(file, found.scenarios, file.parent / site if isinstance(site, str) else None)


class Telling:
    """The device side of a story as devices that live: its scenarios one after the other.

    Args:
        told: the story.
        start: the simulated moment of its beginning, milliseconds UTC.
        plan: the site whose devices speak; its own when None.

    Raises:
        SimulationError: ``plan`` lacks a device of the story, or has another kind of device under its id.
    """

    def __init__(self, told: Story, *, start: Millis, plan: SitePlan | None = None) -> None:
        if plan is not None:
            _check(told, plan)
        self.plan = told.plan if plan is None else plan
        self.now = start
        self._coming = _publications(told, start, self.plan)
        self._next = next(self._coming, None)

    def advance(self, now: Millis) -> list[Publication]:
        """Everything the devices send until ``now`` (inclusive). How often this is called changes nothing."""
        sent: list[Publication] = []
        while self._next is not None and self._next.at <= now:
            sent.append(self._next)
            self._next = next(self._coming, None)
        self.now = max(self.now, now)
        return sent


def _publications(told: Story, start: Millis, plan: SitePlan) -> Iterator[Publication]:
    for one in told.scenarios:
        own = f"{one.plan.topic_root}/{one.plan.site}/"
        there = f"{plan.topic_root}/{plan.site}/"
        for sent in publications(one, one.plan, start):
            topic = there + sent.topic.removeprefix(own) if sent.topic.startswith(own) else sent.topic
            if not may_be_published(topic):
                raise SimulationError(
                    f"{told.file.name}: no broker takes a message with the topic {topic[:80]!r}"
                )
            yield Publication(topic, sent.payload, sent.qos, sent.retain, start + sent.at)
        start += _length(one)


def _length(one: Scenario) -> Millis:
    return one.steps[-1].at if one.steps else 0


def _check(told: Story, plan: SitePlan) -> None:
    for one in told.scenarios:
        for step in one.steps:
            name = step.given.get("reader", step.device)
            if step.action not in OF_DEVICES or {"phone", "topic"} & step.given.keys() or name is None:
                continue
            meant, found = step.plan.devices[str(name)], plan.equipment.get(str(name))
            if found is None:
                words = unknown("device", str(name), plan.equipment)
                raise SimulationError(f"{told.file.name}: site {plan.site}: {words}")
            if found.kind.profile != meant.kind.profile:
                raise SimulationError(
                    f"{told.file.name}: {name} is of the profile {meant.kind.profile}; at site {plan.site} it is of "
                    f"{found.kind.profile}"
                )
