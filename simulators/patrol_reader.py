"""A hand-held patrol reader: a guard walks rounds with it and taps tags, often where there is no signal.

Where rounds of its routes are due, those are walked, each in its window. Else one round follows the other.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from gateway.core.places import Checkpoint
from gateway.core.plan import Device, SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Scalar
from simulators.device import DeviceModel, Reaction, World
from simulators.faults import Fault, FaultKind
from simulators.rounds import Walk, next_due, plan_walk
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
        self.plan = world.plan
        own = [route for route in world.plan.routes.values() if device.id in route.readers]
        self.scheduled = [route for route in own if route.due is not None]
        """Its routes whose rounds are due at times of their own."""
        self.rounds = _rounds(world.plan, device.id, world.start) or (
            made_up_tags(f"{world.seed}:{world.plan.site}"),
        )
        self._round = self.rng.randrange(len(self.rounds))
        self.guard = self.rng.choice(_guards(world.plan))
        self._ids = random.Random(f"{world.seed}:{world.start}:{device.id}:taps")
        self.firmware = self.rng.choice(FIRMWARE)
        self.battery = self.rng.uniform(55.0, 98.0)
        self.carried_since = self.start
        self.charging = False
        self.count = self.rng.randint(0, 20_000)
        self.stored: list[dict[str, Scalar]] = []
        self.signal_here = True
        self.drift = self.rng.uniform(-3.0, 3.0)
        self._stop = 0
        if self.scheduled:
            self._await_round(self.start)
        else:
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

    def _await_round(self, after: Millis) -> None:
        """Mean to walk the next round that begins after this; one that came due during another is left to others."""
        found = next_due(self.scheduled, after)
        if found is not None:
            walk = plan_walk(self.plan, *found, self.rng)
            self.agenda.at("tap", walk.steps[0].at, lambda at: self._walk(walk, 0, at))

    def _walk(self, walk: Walk, number: int, at: Millis) -> None:
        """Tap at one stop of a round and go on to the next one."""
        checkpoint = self.plan.checkpoints[walk.steps[number].checkpoint]
        tag = _plain_tag(checkpoint, at)
        if tag is not None:
            self._read(at, tag, walk.route.guards)
        if number + 1 < len(walk.steps):
            self.agenda.at("tap", walk.steps[number + 1].at, lambda at: self._walk(walk, number + 1, at))
        else:
            self._await_round(at)

    def _tap(self, at: Millis) -> None:
        """Tap the next tag of the round; after the last one the guard rests, then walks the next round."""
        self._read(at, self.rounds[self._round][self._stop])
        pause = self.between(40 * SECOND, 2 * MINUTE)
        self._stop += 1
        if self._stop == len(self.rounds[self._round]):
            self._stop = 0
            self._round = (self._round + 1) % len(self.rounds)
            pause += int(self.between(10 * MINUTE, 20 * MINUTE) / self.life.people)
        self.agenda.at("tap", at + pause, self._tap)

    def _read(self, at: Millis, tag: str, guards: Sequence[str] = ()) -> None:
        """Hold the reader to a tag; one of ``guards`` has it, where the route names any."""
        self.stored.append(
            {
                "ts": self.uplink.clock(at),
                "id": str(uuid.UUID(int=self._ids.getrandbits(128), version=4)),
                "tag": tag,
                "guard": self.guard if not guards or self.guard in guards else guards[0],
            }
        )
        self.count += 1
        self._upload(at)

    def _upload(self, at: Millis) -> None:
        if self.signal_here and self.stored and not self.uplink.quiet:
            sent = self.uplink.clock(at)
            self.uplink.taps(at, [{**tap, "sent": sent} for tap in self.stored])
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


def _rounds(plan: SitePlan, reader: str, at: Millis) -> tuple[tuple[str, ...], ...]:
    """The tags of each round this reader walks: its own routes, else every route, else all checkpoints."""
    own = [route for route in plan.routes.values() if reader in route.readers]
    walks = [route.checkpoints for route in own or plan.routes.values()] or [tuple(plan.checkpoints)]
    rounds = (
        tuple(
            tag
            for name in walk
            if name in plan.checkpoints and (tag := _plain_tag(plan.checkpoints[name], at)) is not None
        )
        for walk in walks
    )
    return tuple(walk for walk in rounds if walk)


def _plain_tag(checkpoint: Checkpoint, at: Millis) -> str | None:
    """The tag a reader is held to: one whose bare id is evidence, where there is any."""
    hanging = [tag for tag in checkpoint.tags if tag.since <= at and (tag.until is None or at < tag.until)]
    return next((tag.id for tag in sorted(hanging, key=lambda tag: tag.secure)), None)


def _guards(plan: SitePlan) -> Sequence[str]:
    """Who may have a reader in hand: guards that no route asks for by name; made-up ones where the site names none."""
    named = {guard for route in plan.routes.values() for guard in route.guards}
    known = [guard for guard in plan.patrol.guards if guard not in named]
    return known or list(plan.patrol.guards) or [f"g-{number:02}" for number in range(1, 13)]


def made_up_tags(key: str, count: int = 12) -> tuple[str, ...]:
    """Tag ids for a site that names none, the same in every run."""
    rng = random.Random(key)
    return tuple(f"04{rng.getrandbits(48):012X}" for _ in range(count))
