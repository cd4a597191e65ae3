"""A well-kept site lives through days of virtual time: its devices, its people, its broker and its gateway.

No broker and no clock: what the devices say is decoded and judged one message at a time. Of a fortnight of a thousand
devices at ten seconds' reports (121 million messages) only what moves something is kept: devices report every ten
minutes and on every change, and a fiftieth of the people are about. What is lost with that, ``full_rate`` has: whatever
shows between two reports only, such as a value that crosses its limit for seconds, and silence shorter than half an hour.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import msgspec
import yaml

from gateway.codecs.decoder import Decoder
from gateway.core.effects import Effects, Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Fact, Input, LinkLost, LinkUp, Started, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Message, Millis
from gateway.site import SiteBundle, build_plan, read_bundle
from simulators.device import BUSY
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.mishaps import WELL_KEPT, mishaps
from simulators.publication import Publication
from simulators.schedule import demo_schedule
from tests.simulators.crew import Crew
from tests.simulators.listening import START
from tests.simulators.sites import ROOT
from tests.simulators.witness import Witness

SITE = ROOT / "simulators" / "sites" / "riverside" / "site.yaml"
REPORTS = {"elevator": "10m", "fire_panel": "10m", "access_gate": "10m", "patrol_reader": "30m"}


class Size(NamedTuple):
    """How much is simulated."""

    devices: int
    length: Millis
    seed: int = 11
    full_rate: bool = False
    """At the profiles' own report intervals, with everybody about and the faults of the demo on top."""


@cache
def site(devices: int, *, full_rate: bool) -> SitePlan:
    """Riverside with as many devices as asked, in the mixture it has; each as if the owner had written it.

    The rounds of the demonstration are left out: there is nobody with a phone, and one is due every minute.
    """
    bundle = read_bundle(SITE)
    document: dict[str, Any] = yaml.safe_load(bundle.files["site.yaml"])
    patterns = document["devices"]
    document["devices"] = [
        pattern
        if turn == 0
        else {**{key: pattern[key] for key in pattern if key != "tags"}, "id": f"{pattern['id']}-{turn}"}
        for turn in range(devices // len(patterns) + 1)
        for pattern in patterns
    ][:devices]
    document["routes"] = [route for route in document["routes"] if "MINUTELY" not in route["every"]]
    files = {**bundle.files, "site.yaml": yaml.safe_dump(document, allow_unicode=True)}
    for profile, every in REPORTS.items():
        name = f"shipped:{profile}.yaml"
        if name in files and not full_rate:
            shipped = next(line for line in files[name].splitlines() if line.startswith("report_every:"))
            files[name] = files[name].replace(shipped, f"report_every: {every}", 1)
    return build_plan(SiteBundle("site.yaml", files))


class Trouble(NamedTuple):
    """Something that befalls the gateway: nobody sees the devices from ``at`` until ``until``."""

    at: Millis
    until: Millis
    restart: bool
    """The gateway itself was down, and the broker kept what came; else the broker was, and it is lost."""


def troubles(size: Size) -> list[Trouble]:
    """A restart every three days and a broker that is gone now and then; both once in the first ten hours."""
    rng = random.Random(f"{size.seed}:troubles")
    found, at = [], START + min(3 * HOUR, size.length // 3)
    for number in range(99):
        lasts = rng.randint(20 * SECOND, 3 * MINUTE) if number % 2 else rng.randint(MINUTE, 25 * MINUTE)
        lasts = min(lasts, size.length // 20)
        found.append(Trouble(at, at + lasts, restart=bool(number % 2)))
        at += max(size.length // 9, rng.randint(20 * HOUR, 40 * HOUR) if size.length > 2 * DAY else 0)
    return [one for one in found if one.until < START + size.length - MINUTE]


@dataclass
class Run:
    """One life of a site."""

    size: Size
    restart: Callable[["Run"], State] = field(default=lambda run: copy_of(run.engine))
    """What the gateway remembers after a restart."""
    pause: Callable[["Run"], None] = lambda _run: None
    """Called every simulated hour."""
    messages: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    effects: Effects = field(default_factory=Effects)
    """What has not been committed."""

    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.plan = site(self.size.devices, full_rate=self.size.full_rate)
        self.engine = Engine(self.plan, State())
        self.decoder = Decoder(self.plan)
        self.crew = Crew(self.plan, self.size.seed)
        self.witness = Witness(self.plan)

    def live(self, more: Iterable[Fault] = ()) -> None:
        """From the first start to the end, with some faults on top."""
        size, end = self.size, START + self.size.length
        faults = [*mishaps(self.plan, size.seed, size.length), *more]
        if size.full_rate:
            faults += demo_schedule(self.plan, size.seed, size.length)
        fleet = Fleet(
            self.plan, seed=size.seed, start=START, faults=faults, life=BUSY if size.full_rate else WELL_KEPT
        )
        self.feed(Started(START, None))
        self.feed(LinkUp(START))
        at = START
        for trouble in troubles(size):
            self._until(fleet, at, trouble.at)
            at = trouble.until
            self._suffer(fleet, trouble)
        self._until(fleet, at, end)
        self.feed(Tick(end))

    def _until(self, fleet: Fleet, at: Millis, end: Millis) -> None:
        """An undisturbed stretch, an hour at a time."""
        while at < end:
            at = min(at + HOUR, end)
            for sent in fleet.advance(at):
                self._act(sent.at)
                self._hear(sent, sent.at)
            self._act(at)
            self.witness.sweep(self.engine)
            self.pause(self)

    def _suffer(self, fleet: Fleet, trouble: Trouble) -> None:
        if not trouble.restart:
            self.feed(LinkLost(trouble.at, "broker gone"))
        missed = fleet.advance(trouble.until)
        if trouble.restart:
            last = self.engine.state.scalars.now
            self.pause(self)
            self.engine = Engine(self.plan, self.restart(self))
            self.feed(Started(trouble.until, last))
        self.feed(LinkUp(trouble.until))
        self.witness.blink()
        for sent in missed if trouble.restart else self._after_outage(missed):
            self._hear(sent, trouble.until)

    def _after_outage(self, missed: list[Publication]) -> Iterator[Publication]:
        """The broker gives what it had retained, as it is now, and every device says that it is back."""
        status = {sent.topic: sent for sent in missed if sent.retain}
        for name in self.plan.equipment:
            topic = f"{self.plan.topic_root}/{self.plan.site}/{name}/status"
            offline = topic in status and status[topic].payload == b"offline"
            yield Publication(topic, b"offline" if offline else b"online", retain=True)
            if not offline:
                yield Publication(topic, b"online")

    def _hear(self, sent: Publication, at: Millis) -> None:
        self.messages += 1
        retained = sent.retain and sent.at == 0
        for fact in self.decoder.decode(Message(sent.topic, sent.payload, retained), at):
            self.hear(fact)

    def hear(self, fact: Fact) -> None:
        """Timers first, so that the witness has seen nothing yet of what comes after them."""
        due = self.engine.next_due()
        if due is not None and due <= fact.at:
            self.feed(Tick(fact.at))
        self.witness.take(fact, self.engine)
        self.feed(fact)
        self.witness.after(fact, self.engine)

    def _act(self, until: Millis) -> None:
        """What people do up to a moment, each at its own."""
        while (command := self.crew.next(until, self.engine)) is not None:
            due = self.engine.next_due()
            if due is not None and due <= command.at:
                self.feed(Tick(command.at))
            replies = self.feed(command).replies
            self.crew.answered(command, replies[-1])

    def feed(self, one: Input) -> Effects:
        """Let the engine take one input; everybody sees what comes of it."""
        effects = self.engine.step((one,))
        add(self.effects, effects)
        for outcome in effects.outcomes:
            self.witness.judge(outcome, self.engine)
            self.crew.see(outcome)
        self.outcomes += effects.outcomes
        return effects


def add(whole: Effects, part: Effects) -> None:
    """What two steps lead to, one after the other. Rows of telemetry are left out: no figure is made from them."""
    whole.outcomes += part.outcomes
    whole.events += part.events
    whole.rejections += part.rejections
    whole.replies += part.replies
    whole.devices |= part.devices
    whole.alerts |= part.alerts
    whole.orders |= part.orders
    whole.forgotten |= part.forgotten
    whole.taps |= part.taps
    whole.rounds |= part.rounds
    whole.patrol |= part.patrol
    whole.scalars |= part.scalars


def copy_of(engine: Engine) -> State:
    """What an engine's state would be read back as."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state), type=State)
