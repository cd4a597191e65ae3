"""Sites as large as a load test asks for, and traffic as fast as a broker takes it."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from gateway.core.plan import Device, SitePlan
from gateway.core.values import Millis, Scalar
from simulators.errors import SimulationError
from simulators.fleet import Fleet
from simulators.publication import Publication, Topics, telemetry_payload

LARGEST = 1_000_000
"""Devices of a synthetic site."""
RARE = frozenset({"emergency_call_test"})
"""Points that are not part of a full report."""
VARIANTS = 8
"""Payload bodies recorded per kind of device; each message puts its own time in front."""


def blow_up(plan: SitePlan, devices: int) -> SitePlan:
    """A site like ``plan`` with that many devices: its own first, then copies of them in turn.

    What stands for its checkpoints, routes and guards is there once and is not counted.

    Raises:
        SimulationError: the number cannot be, or the plan has no device to copy.
    """
    if not 1 <= devices <= LARGEST:
        raise SimulationError(f"{devices} devices are not possible; between 1 and {LARGEST} are")
    patterns = list(plan.equipment.values())
    if not patterns:
        raise SimulationError(f"site {plan.site} has no device to copy")
    made: dict[str, Device] = {device.id: device for device in patterns[:devices]}
    for number, pattern in zip(range(len(patterns), devices), itertools.cycle(patterns), strict=False):
        name = copy_of(pattern.id, number)
        tags = tuple((key, name if key == "device" else value) for key, value in pattern.series.tags)
        made[name] = replace(pattern, id=name, series=pattern.series._replace(tags=tags))
    made |= {name: device for name, device in plan.devices.items() if device.virtual}
    return replace(plan, devices=made, digest=f"{plan.digest}x{devices}")


def copy_of(device: str, number: int) -> str:
    """The id of the copy of a device that is the so-manieth device of its site, counted from 0."""
    return f"{device[:50]}-{number}"


class Traffic:
    """Telemetry encoded beforehand, for load tests: a message costs one join of bytes.

    The values are those of healthy devices, as the models report them, so rules are judged and hardly one fires.

    Args:
        plan: whose devices send, in turn.
        seed: the same seed gives the same messages.
        points: at most so many points per message, in the profile's order; None is all of them.
    """

    def __init__(self, plan: SitePlan, *, seed: int = 0, points: int | None = 5) -> None:
        senders = plan.equipment
        if not senders:
            raise SimulationError(f"site {plan.site} has no device to send for")
        bodies: dict[int, Sequence[bytes]] = {}
        self._senders: list[tuple[str, Sequence[bytes]]] = []
        for device in senders.values():
            if id(device.kind) not in bodies:
                bodies[id(device.kind)] = _bodies(plan, device, seed, points)
            topic = Topics.of(plan.topic_root, plan.site, device.id).telemetry
            self._senders.append((topic, bodies[id(device.kind)]))

    def messages(self, start: Millis, every: Millis = 1) -> Iterator[Publication]:
        """Messages without end, one device after the other.

        Each device's ``ts`` rises by ``every`` milliseconds from one of its messages to the next, so none repeats.
        """
        for turn in itertools.count():
            at = start + turn * every
            head = b'{"ts":%d,' % at
            variant = turn % VARIANTS
            for topic, bodies in self._senders:
                yield Publication(topic, head + bodies[variant], at=at)


def _bodies(plan: SitePlan, device: Device, seed: int, points: int | None) -> list[bytes]:
    """What a healthy device of this kind reports, without the ``ts``."""
    fleet = Fleet(plan, seed=seed, start=0, only={device.id})
    names = list(device.kind.points)[:points]
    found: list[bytes] = []
    while len(found) < VARIANTS:
        for publication in fleet.advance(fleet.now + device.kind.report_every):
            report = _report(publication)
            if device.kind.points.keys() - report.keys() <= RARE:
                payload = telemetry_payload(0, {name: report[name] for name in names if name in report})
                found.append(payload.removeprefix(b'{"ts":0,'))
    return found[:VARIANTS]


def _report(publication: Publication) -> dict[str, Scalar]:
    """The values of a telemetry message, empty for any other."""
    if not publication.topic.endswith("/telemetry"):
        return {}
    return msgspec.json.decode(publication.payload, type=_Telemetry).values


class _Telemetry(msgspec.Struct):
    ts: int
    values: dict[str, Scalar]
