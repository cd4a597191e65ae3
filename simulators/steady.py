"""A lean fleet for load: every device reports on time with plausible values, and nothing else ever happens.

A message costs a join of bytes: the reports of each kind are taken from its model beforehand, all in the state it is in
most of the time, and each gets its own time. Counters stand still. There are no events and no faults.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple
from zlib import crc32

from gateway.core.plan import Device, SitePlan
from gateway.core.values import SECOND, Millis, PointType, Scalar
from simulators.any_device import AnyDevice
from simulators.device import Life, World
from simulators.fleet import MODELS, chosen
from simulators.publication import Publication, Topics, telemetry_payload

VARIANTS = 32
"""Reports of each kind; a device sends them one after the other, again and again."""
CALM = Life(incidents=1e-6)
"""Nothing out of the ordinary happens while they are taken."""
LOOKED_AT = 400
"""Reports of a living device out of which they are chosen."""


class _Sender(NamedTuple):
    telemetry: str
    status: str
    bodies: Sequence[bytes]
    """What follows the time, in the order in which this device sends it."""


class SteadyFleet:
    """The devices of a site plan, reporting evenly: no two at once as long as there is room.

    Args:
        plan: the site.
        seed: the same seed gives the same bytes.
        start: the simulated moment of the start, milliseconds UTC.
        only: ids of the devices to simulate; all when None.
        rate: messages a second of simulated time, all devices together; None is each device's own ``report_every``.

    Raises:
        SimulationError: ``only`` names a device that is not there.
    """

    def __init__(
        self,
        plan: SitePlan,
        *,
        seed: int,
        start: Millis,
        only: Collection[str] | None = None,
        rate: Fraction | None = None,
    ) -> None:
        self.plan = plan
        self.start = start
        self.now = start
        devices = list(chosen(plan, only).values())
        random.Random(f"{seed}:order").shuffle(devices)
        bodies: dict[int, Sequence[bytes]] = {}
        groups: dict[Millis, list[_Sender]] = {}
        for device in devices:
            kind = device.kind
            if id(kind) not in bodies:
                bodies[id(kind)] = _bodies(device, World(plan, seed, start, CALM))
            turn = crc32(f"{seed}:{device.id}".encode()) % VARIANTS
            found = bodies[id(kind)]
            topics = Topics.of(plan.topic_root, plan.site, device.id)
            sender = _Sender(topics.telemetry, topics.status, [*found[turn:], *found[:turn]])
            groups.setdefault(0 if rate else kind.report_every, []).append(sender)
        runs = [
            self._run(senders, SECOND / rate if rate else Fraction(every, len(senders)))
            for every, senders in sorted(groups.items())
        ]
        self._coming = runs[0] if len(runs) == 1 else heapq.merge(*runs, key=_moment)
        self._next = next(self._coming, None)

    def advance(self, now: Millis) -> list[Publication]:
        """Everything that is sent until ``now`` (inclusive), in order. How often this is called changes nothing."""
        sent: list[Publication] = []
        one = self._next
        while one is not None and one.at <= now:
            sent.append(one)
            one = next(self._coming, None)
        self._next = one
        self.now = max(self.now, now)
        return sent

    def _run(self, senders: Sequence[_Sender], apart: Fraction) -> Iterator[Publication]:
        """The messages of devices that report equally often, one device after the other, without end."""
        start, number = self.start, 0
        steps, of = apart.numerator, apart.denominator
        for turn in itertools.count():
            variant = turn % VARIANTS
            for topic, status, bodies in senders:
                at = start + number * steps // of
                number += 1
                if not turn:
                    yield Publication(status, b"online", retain=True, at=at)
                yield Publication(topic, b'{"ts":%d,' % at + bodies[variant], at=at)


def _moment(one: Publication) -> Millis:
    return one.at


def _bodies(device: Device, world: World) -> Sequence[bytes]:
    """Reports of a healthy device of this kind in its usual state, without the ``ts``."""
    kind = device.kind
    model = MODELS.get(kind.profile, AnyDevice)(device, world)
    words = [
        point.name for point in kind.points.values() if point.type not in (PointType.INT, PointType.FLOAT)
    ]
    counters = [point.name for point in kind.points.values() if point.counter]
    seen: list[Mapping[str, Scalar]] = []
    for number in range(1, LOOKED_AT + 1):
        at = world.start + number * kind.report_every
        model.advance(at)
        seen.append({name: value for name, value in model.values(at).items() if name in kind.points})
    state_of = [tuple(report.get(name) for name in words) for report in seen]
    usual, _ = Counter(state_of).most_common(1)[0]
    calm = [report for report, state in zip(seen, state_of, strict=True) if state == usual]
    still = {name: calm[0][name] for name in counters if name in calm[0]}
    reports = itertools.islice(itertools.cycle(calm), VARIANTS)
    return [telemetry_payload(0, {**report, **still}).removeprefix(b'{"ts":0,') for report in reports]
