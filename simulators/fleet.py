"""All simulated devices of a site, living in one simulated time."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from gateway.core.plan import Device, SitePlan
from gateway.core.values import Millis
from simulators.access_gate import AccessGate
from simulators.agenda import NEVER
from simulators.any_device import AnyDevice
from simulators.device import BUSY, DeviceModel, Life, World
from simulators.elevator import Elevator
from simulators.errors import SimulationError
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fire_panel import FirePanel
from simulators.patrol_reader import PatrolReader
from simulators.publication import Publication

MODELS: Mapping[str, type[DeviceModel]] = MappingProxyType(
    {
        "elevator": Elevator,
        "fire_panel": FirePanel,
        "access_gate": AccessGate,
        "patrol_reader": PatrolReader,
    }
)
"""The model of each profile; any other profile gets :class:`~simulators.any_device.AnyDevice`."""


SHOWN = 8
"""How many device ids an error names."""


class Fleet:
    """The devices of a site plan.

    Args:
        plan: the site.
        seed: the same seed gives the same bytes, device by device.
        start: the simulated moment of the start, milliseconds UTC.
        faults: what goes wrong, see :class:`~simulators.faults.Fault`.
        only: ids of the devices to simulate; all when None.
        life: how much goes on.

    Raises:
        SimulationError: a fault or ``only`` names a device that is not there, or a fault does not fit its device.
    """

    def __init__(
        self,
        plan: SitePlan,
        *,
        seed: int,
        start: Millis,
        faults: Iterable[Fault] = (),
        only: Collection[str] | None = None,
        life: Life = BUSY,
    ) -> None:
        self.plan = plan
        self.start = start
        self.now = start
        world = World(plan, seed, start, life)
        here = chosen(plan, only)
        by_device = defaultdict(list)
        for fault in faults:
            if fault.device not in here:
                raise SimulationError(f"fault {fault.kind} is for {_unknown(fault.device, here)}")
            by_device[fault.device].append(fault)
        self._models = {
            name: MODELS.get(device.kind.profile, AnyDevice)(device, world, by_device[name])
            for name, device in here.items()
        }
        self._order = {name: number for number, name in enumerate(self._models)}
        self._due = [(model.next_due, self._order[name], name) for name, model in self._models.items()]
        heapq.heapify(self._due)

    @property
    def devices(self) -> tuple[str, ...]:
        """The ids of the simulated devices."""
        return tuple(self._models)

    @property
    def next_due(self) -> Millis:
        """The simulated moment at which something happens next."""
        return self._due[0][0] if self._due else NEVER

    def advance(self, now: Millis) -> list[Publication]:
        """Let all devices live until ``now`` (inclusive) and merge what they send in order of time.

        Devices that send at the same moment come in the order of the plan. How often this is called changes nothing.
        """
        sent: list[tuple[Millis, int, int, Publication]] = []
        while self._due and self._due[0][0] <= now:
            _, order, name = self._due[0]
            model = self._models[name]
            for number, publication in enumerate(model.advance(now)):
                sent.append((publication.at, order, number, publication))
            heapq.heapreplace(self._due, (model.next_due, order, name))
        self.now = max(self.now, now)
        sent.sort()  # device and number are never both the same, so publications are not compared
        return [item[3] for item in sent]

    def inject(self, device: str, kind: FaultKind, duration: Millis) -> Fault:
        """Start a fault now, for ``duration`` milliseconds of simulated time; returns it as scheduled.

        Raises:
            SimulationError: the device is not there or does not take this fault.
        """
        model = self._models.get(device)
        if model is None:
            raise SimulationError(f"fault {kind} is for {_unknown(device, self._models)}")
        fault = Fault(device, kind, self.now + 1 - self.start, duration)
        model.inject(fault)
        self._due = [(model.next_due, self._order[name], name) for name, model in self._models.items()]
        heapq.heapify(self._due)
        return fault


def taken_by(device: Device) -> frozenset[FaultKind]:
    """The faults a device can be given."""
    return MODELS.get(device.kind.profile, AnyDevice).own_faults | COMMON_FAULTS


def chosen(plan: SitePlan, only: Collection[str] | None) -> Mapping[str, Device]:
    """The devices to simulate: all, or those that ``only`` names. Raises :class:`SimulationError` for a stranger."""
    known = plan.equipment
    if only is None:
        return known
    for name in sorted(only):
        if name not in known:
            raise SimulationError(f"asked to simulate {_unknown(name, known)}")
    return {name: device for name, device in known.items() if name in only}


def _unknown(name: str, known: Collection[str]) -> str:
    shown = ", ".join(sorted(known)[:SHOWN]) or "none"
    more = ", …" if len(known) > SHOWN else ""
    return f"a device {name!r} that is not there; there are {len(known)}: {shown}{more}"
