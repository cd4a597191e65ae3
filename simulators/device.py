"""What all simulated devices have in common: an agenda, an uplink, a report rhythm and faults."""

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from gateway.core.plan import Device, SitePlan
from gateway.core.values import SECOND, Millis, Scalar
from gateway.site.zones import zone
from simulators.agenda import Agenda, Callback
from simulators.errors import SimulationError
from simulators.faults import COMMON_FAULTS, SENSOR_FAULTS, WIRE_FAULTS, Fault, FaultKind
from simulators.publication import Publication, Topics
from simulators.sensors import Ailing, Sensor, sensors_of
from simulators.storm import Storm
from simulators.uplink import Uplink

OVERTAKEN_WITHIN: Millis = 5 * SECOND
"""How long a message can be held up on its way."""


class Life(NamedTuple):
    """How much goes on in a site. The demo's is the default: something for everybody within minutes."""

    people: float = 1.0
    """How many people there are beside a busy house's, above 0."""
    incidents: float = 1.0
    """How often happens what happens now and then (tests, works, tailgating), beside the demo; above 0."""


BUSY = Life()


class World(NamedTuple):
    """What every device of a simulation shares."""

    plan: SitePlan
    seed: int
    start: Millis
    """The simulated moment at which everything begins, milliseconds UTC."""
    life: Life = BUSY


class Reaction(NamedTuple):
    """What a device does when a fault begins and when it ends, each at that moment."""

    begin: Callback
    end: Callback


class DeviceModel(ABC):
    """One simulated device. Its behaviour depends on the seed, its own id and its faults, and on nothing else.

    A subclass sets its timers in ``__init__`` and answers :meth:`values`; the base class reports them every
    ``report_every`` of the profile, from a phase of its own so that a fleet does not speak in chorus.
    """

    own_faults: ClassVar[frozenset[FaultKind]] = frozenset()
    """The faults this kind of device takes beside :data:`~simulators.faults.COMMON_FAULTS`."""
    sensors: ClassVar[Mapping[str, Sensor]] = MappingProxyType({})
    """How its sensors fail, by point."""

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        self.device = device
        self.start = world.start
        self.zone = zone(world.plan.timezone)
        self.rng = random.Random(f"{world.seed}:{device.id}")
        self.agenda = Agenda()
        topics = Topics.of(world.plan.topic_root, world.plan.site, device.id)
        key = f"{world.seed}:{device.id}"
        self.uplink = Uplink(topics, device.id, self._hold, f"{key}:malformed")
        self.life = world.life
        self._ailing = Ailing(sensors_of(device.kind, self.sensors), f"{key}:sensors")
        self._storm = Storm(self.agenda, self.uplink, f"{key}:storm")
        self._active: Counter[FaultKind] = Counter()
        self._faults = 0
        self.agenda.at("birth", self.start + self.rng.randrange(SECOND), self._birth)
        for fault in faults:
            self.inject(fault)

    @abstractmethod
    def values(self, at: Millis) -> Mapping[str, Scalar]:
        """Every point of the profile as the device would report it at ``at``."""

    def catch_up(self, at: Millis) -> None:  # noqa: B027  a hook for what has a physics; most devices need none
        """Bring what changes continuously up to ``at``; called before a fault begins or ends."""

    def reactions(self) -> Mapping[FaultKind, Reaction]:
        """What the device does when one of its own faults begins and ends."""
        return {}

    @property
    def next_due(self) -> Millis:
        """When the device will do something next."""
        return self.agenda.next

    def advance(self, now: Millis) -> list[Publication]:
        """Live until ``now`` (inclusive) and hand over what was sent, in order. How often it is called changes nothing."""
        self.agenda.run(now)
        return self.uplink.take()

    def has(self, kind: FaultKind) -> bool:
        """Whether that fault is in force."""
        return bool(self._active) and self._active[kind] > 0

    def inject(self, fault: Fault) -> None:
        """Schedule a fault.

        Raises:
            SimulationError: the device does not take faults of this kind, or the fault lasts no time.
        """
        allowed = self.own_faults | COMMON_FAULTS
        if fault.kind not in allowed:
            words = ", ".join(sorted(allowed))
            raise SimulationError(
                f"{self.device.id} ({self.device.kind.profile}) has no fault {fault.kind}; it takes {words}"
            )
        if fault.duration <= 0 or fault.start < 0:
            raise SimulationError(
                f"fault {fault.kind} of {fault.device} starts {fault.start} ms after the start and lasts "
                f"{fault.duration} ms; a start of 0 or more and a duration above 0 are needed"
            )
        self._faults += 1
        name = f"fault {self._faults}"
        self.agenda.at(f"{name} begins", self.start + fault.start, lambda at: self._begin(fault, at))
        self.agenda.at(f"{name} ends", self.start + fault.end, lambda at: self._end(fault.kind, at))

    def report(self, at: Millis) -> None:
        """Report all points now."""
        self.telemetry(at, self.values(at))

    def telemetry(self, at: Millis, values: Mapping[str, Scalar]) -> None:
        """Send those of the values that the device's profile knows; a site may have a profile of its own."""
        points = self.device.kind.points
        values = self._ailing.readings(at, values)
        self.uplink.telemetry(at, {name: value for name, value in values.items() if name in points})

    def signal(self, at: Millis, *names: str) -> None:
        """Report a few points that have just changed."""
        values = self.values(at)
        self.telemetry(at, {name: values[name] for name in names})

    def now_and_then(self, name: str, mean: Millis, call: Callback) -> None:
        """Call ``call`` again and again at random moments, ``mean`` apart on average in the demo."""

        def happens(at: Millis) -> None:
            call(at)
            self.agenda.at(name, at + self.wait(apart), happens)

        apart = int(mean / self.life.incidents)
        self.agenda.at(name, self.start + self.wait(apart), happens)

    def wait(self, mean: Millis) -> Millis:
        """A random wait of at least a second, exponentially distributed around ``mean``."""
        return SECOND + int(self.rng.expovariate(1 / mean))

    def between(self, shortest: Millis, longest: Millis) -> Millis:
        """A random duration within the two, inclusive."""
        return self.rng.randint(shortest, longest)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.rng.random() < probability

    def _hold(self, at: Millis) -> None:
        """A message waits to be overtaken, but not for ever."""
        self.agenda.at("overtaken", at + OVERTAKEN_WITHIN, self.uplink.let_go)

    def _birth(self, at: Millis) -> None:
        self.uplink.status(at, online=True)
        self._report(at)

    def _report(self, at: Millis) -> None:
        self.report(at)
        self.agenda.at("report", at + self.device.kind.report_every, self._report)

    def _begin(self, fault: Fault, at: Millis) -> None:
        kind = fault.kind
        self.catch_up(at)
        self._active[kind] += 1
        if self._active[kind] > 1:
            return
        if kind is FaultKind.RECONNECT_STORM:
            self._storm.begin(at)
        elif kind in WIRE_FAULTS:
            self.uplink.begin(kind, at)
        elif kind in SENSOR_FAULTS:
            self._ailing.begin(kind, at, fault.duration)
        else:
            self.reactions()[kind].begin(at)

    def _end(self, kind: FaultKind, at: Millis) -> None:
        self.catch_up(at)
        self._active[kind] -= 1
        if self._active[kind] > 0:
            return
        if kind is FaultKind.RECONNECT_STORM:
            self._storm.end(at)
        elif kind in WIRE_FAULTS:
            self.uplink.end(kind, at)
            if kind is FaultKind.OFFLINE:
                self.report(at)
        elif kind in SENSOR_FAULTS:
            self._ailing.end(kind)
            self.report(at)
        else:
            self.reactions()[kind].end(at)
