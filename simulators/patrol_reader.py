"""A hand-held patrol reader: a guard walks rounds with it and taps tags, often where there is no signal."""

import random
import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from gateway.core.plan import Device, SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Scalar
from simulators.device import DeviceModel, Reaction, World
from simulators.faults import Fault, FaultKind
from simulators.sensors import Sensor

CLOCK_AHEAD: Millis = 90 * SECOND
"""What a wrong clock is ahead by: more than the profile's limit, less than what the gateway refuses as future."""
DRAIN = 6.0
"""% an hour while it is carried."""
CHARGE = 60.0
"""% an hour in its dock."""
COLLAPSED = 7.0
"""% a worn battery falls to."""
DOCK_BELOW = 30.0
UNDOCK_ABOVE = 95.0
FIRMWARE = ("2.4.1", "2.4.3", "2.5.0")


class PatrolReader(DeviceModel):
    """One reader in a guard's hand."""

    own_faults: ClassVar[frozenset[FaultKind]] = frozenset(
        {FaultKind.BATTERY_LOW, FaultKind.CLOCK_WRONG, FaultKind.SOS}
    )

    sensors: ClassVar[Mapping[str, Sensor]] = MappingProxyType(
        {"clock_offset": Sensor(drift=65.0, noise=1.0, low=-31_536_000.0, high=31_536_000.0)}
    )

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self.rounds = _rounds(world.plan, device.id) or (made_up_tags(f"{world.seed}:{world.plan.site}"),)
        self._round = self.rng.randrange(len(self.rounds))
        self.guard = f"g-{self.rng.randint(1, 12):02}"
        self.firmware = self.rng.choice(FIRMWARE)
        self.battery = self.rng.uniform(55.0, 98.0)
        self.carried_since = self.start
        self.charging = False
        self.count = self.rng.randint(0, 20_000)
        self.stored: list[dict[str, Scalar]] = []
        self.signal_here = True
        self.drift = self.rng.uniform(-3.0, 3.0)
        self._stop = 0
        self.agenda.at("tap", self.start + self.between(5 * SECOND, 40 * SECOND), self._tap)
        self.now_and_then("basement", 45 * MINUTE, self._lose_signal)
        self.now_and_then("fall", 20 * DAY, self._fall)

    def values(self, at: Millis) -> Mapping[str, Scalar]:
        """Every point."""
        self.catch_up(at)
        return {
            "battery": round(self.battery, 1),
            "charging": self.charging,
            "firmware": self.firmware,
            "stored_taps": len(self.stored),
            "clock_offset": round(self.drift + self.uplink.skew / SECOND, 1),
            "taps": self.count,
        }

    def catch_up(self, at: Millis) -> None:
        """Drain or charge the battery up to now, and dock or undock the reader when it is time."""
        hours = (at - self.carried_since) / HOUR
        self.battery += CHARGE * hours if self.charging else -DRAIN * hours
        highest = COLLAPSED if self.has(FaultKind.BATTERY_LOW) else 100.0
        self.battery = max(1.0, min(highest, self.battery))
        self.carried_since = at
        if not self.has(FaultKind.BATTERY_LOW):
            self.charging = self.battery < (UNDOCK_ABOVE if self.charging else DOCK_BELOW)

    def report(self, at: Millis) -> None:
        """Report all points, if there is signal."""
        if self.signal_here:
            super().report(at)

    def reactions(self) -> Mapping[FaultKind, Reaction]:
        """What the reader does when a fault begins and ends."""
        return {
            FaultKind.BATTERY_LOW: Reaction(self._collapse, self._change_battery),
            FaultKind.CLOCK_WRONG: Reaction(self._lose_time, self._set_clock),
            FaultKind.SOS: Reaction(self._call_for_help, self.report),
        }

    # --- rounds

    def _tap(self, at: Millis) -> None:
        """Tap the next tag of the round; after the last one the guard rests, then walks the next round."""
        tap: dict[str, Scalar] = {
            "ts": self.uplink.clock(at),
            "id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            "tag": self.rounds[self._round][self._stop],
            "guard": self.guard,
        }
        self.stored.append(tap)
        self.count += 1
        self._upload(at)
        pause = self.between(40 * SECOND, 2 * MINUTE)
        self._stop += 1
        if self._stop == len(self.rounds[self._round]):
            self._stop = 0
            self._round = (self._round + 1) % len(self.rounds)
            pause += int(self.between(10 * MINUTE, 20 * MINUTE) / self.life.people)
        self.agenda.at("tap", at + pause, self._tap)

    def _upload(self, at: Millis) -> None:
        if self.signal_here and self.stored and not self.uplink.quiet:
            self.uplink.taps(at, self.stored)
            self.stored = []

    def _lose_signal(self, at: Millis) -> None:
        """Down to the basement: taps are stored from here on."""
        self.signal_here = False
        self.agenda.at("upstairs", at + self.between(2 * MINUTE, 12 * MINUTE), self._regain_signal)

    def _regain_signal(self, at: Millis) -> None:
        self.signal_here = True
        self.report(at)
        self._upload(at)
        self.report(at)

    # --- what goes wrong

    def _fall(self, at: Millis) -> None:
        self.uplink.event(at, "fall", {"guard": self.guard})

    def _collapse(self, at: Millis) -> None:
        self.signal_here = True
        self.charging = False
        self.battery = COLLAPSED
        self.report(at)

    def _change_battery(self, at: Millis) -> None:
        self.battery = 98.0
        self.uplink.event(at, "powered_on", {})
        self.report(at)

    def _lose_time(self, at: Millis) -> None:
        self.signal_here = True
        self.uplink.skew += CLOCK_AHEAD
        self.report(at)

    def _set_clock(self, at: Millis) -> None:
        offset = self.uplink.skew / SECOND
        self.uplink.skew -= CLOCK_AHEAD
        self.uplink.event(at, "clock_set", {"offset": -offset})
        self.report(at)

    def _call_for_help(self, at: Millis) -> None:
        self.signal_here = True
        self.uplink.event(at, "sos", {"guard": self.guard, "test": False})


def _rounds(plan: SitePlan, reader: str) -> tuple[tuple[str, ...], ...]:
    """The tags of each round this reader walks: its own routes, else every route, else all checkpoints."""
    own = [route for route in plan.routes.values() if route.reader == reader]
    walks = [route.checkpoints for route in own or plan.routes.values()] or [tuple(plan.checkpoints)]
    rounds = (
        tuple(tag for name in walk if name in plan.checkpoints for tag in plan.checkpoints[name].tags[:1])
        for walk in walks
    )
    return tuple(walk for walk in rounds if walk)


def made_up_tags(key: str, count: int = 12) -> tuple[str, ...]:
    """Tag ids for a site that names none, the same in every run."""
    rng = random.Random(key)
    return tuple(f"04{rng.getrandbits(48):012X}" for _ in range(count))
