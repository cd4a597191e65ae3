"""The mechanics of an elevator car: doors, rides and the people who get in and out."""

import enum
import random
from collections.abc import Iterable

from gateway.core.plan import Device
from gateway.core.values import MINUTE, SECOND, Millis
from simulators.agenda import NEVER
from simulators.daytime import busyness, hour_of_day
from simulators.device import DeviceModel, World
from simulators.faults import Fault, FaultKind
from simulators.motion import Ride, ride
from simulators.passengers import Demand

STOREY = 3.4
"""Metres from floor to floor."""
CAPACITY = 1000.0
"""kg; nobody boards beyond it, so the load stays at or below 100 %."""
OVERSPEED_MARGIN = 1.152
"""The profile's overspeed limit over the rated speed."""
BRAKE_RELEASE: Millis = 600
OPENING: Millis = 2_200
CLOSING: Millis = 2_600
DWELL: Millis = 3_000
EACH_PERSON: Millis = 800
LEVELLING_SPREAD = 2.0
"""Standard deviation of a good car's stops, mm."""


class Door(enum.StrEnum):
    """The car door, in the profile's words."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


class Car(DeviceModel):
    """A car that goes where collective control sends it.

    The cycle is: doors close, the car starts, runs, stops, the doors open, people change, and so on while somebody
    wants it; then it stands with closed doors until the next person comes.
    """

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self.demand = Demand(*served_floors(world, device))
        self.rated = device.kind.params.get("overspeed_up", 2.88) / OVERSPEED_MARGIN
        self.door = Door.CLOSED
        self.ride: Ride | None = None
        self.position = self.rng.randint(0, self.demand.highest) * STOREY
        """Metres above floor 0."""
        self.heading = 1
        self.halted = False
        """Stopped by a fault; nobody gets in or out."""
        self.levelling_error = self.levelling()
        self.vibration = (self.rng.uniform(0.12, 0.18), self.rng.uniform(0.08, 0.11))
        self.roughness = self.rng.uniform(0.9, 1.1)
        self.trips = self.rng.randint(20_000, 400_000)
        self.door_cycles = int(self.trips * self.rng.uniform(1.05, 1.3))
        self.agenda.at("people", self.start + self.between(SECOND, 20 * SECOND), self._people)

    @property
    def floor(self) -> int:
        """The landing the car stands at, or the nearest one while it runs or hangs between two."""
        return round(self.position / STOREY)

    @property
    def off_landing(self) -> float:
        """Metres between the car and the nearest landing."""
        return abs(self.position - self.floor * STOREY)

    def advance_position(self, at: Millis) -> float:
        """Bring the position up to date; returns the speed in m/s, upwards positive."""
        if self.ride is None:
            return 0.0
        self.position, speed = self.ride.at(at)
        return speed

    def levelling(self) -> float:
        """How far a healthy car stops from the landing, mm."""
        return max(-6.0, min(6.0, self.rng.gauss(0.0, LEVELLING_SPREAD)))

    # --- people

    def _people(self, at: Millis) -> None:
        hour = hour_of_day(at, self.zone)
        self.demand.arrive(self.rng, hour)
        mean = MINUTE / (0.3 + 1.7 * busyness(hour)) / self.life.people
        self.agenda.at("people", at + self.wait(int(mean)), self._people)
        self.wake(at)

    def wake(self, at: Millis) -> None:
        """A car that stands with closed doors looks whether somebody wants it."""
        if self.halted or self.ride or self.door is not Door.CLOSED or self.agenda.due("start") != NEVER:
            return
        wanted = self.demand.wanted()
        if not self.demand.riding and self.floor in wanted:
            self.open(at)
        elif wanted:
            self.agenda.at("start", at + BRAKE_RELEASE, self._depart)

    # --- rides

    def _depart(self, at: Millis) -> None:
        stop = self.demand.next_stop(self.floor, self.heading)
        if stop is None:
            self.wake(at)
            return
        floor, self.heading = stop
        self.travel(at, floor, self.rated)

    def travel(self, at: Millis, floor: int, speed: float) -> None:
        """Run to a landing at no more than ``speed`` m/s."""
        self.catch_up(at)
        self.ride = ride(at, self.position, floor * STOREY, speed)
        self.agenda.at("arrive", self.ride.arrives, self._arrive)
        self.signal(at, "moving", "direction", "door", "floor", "speed", "occupied")

    def _arrive(self, at: Millis) -> None:
        self.advance_position(at)
        top = self.ride.top_speed if self.ride else 0.0
        self.stop(at)
        self.trips += 1
        self.levelling_error = self.levelling()
        self.vibration = (
            max(0.02, (0.07 + 0.04 * top) * self.roughness + self.rng.gauss(0.0, 0.01)),
            max(0.02, (0.05 + 0.02 * top) * self.roughness + self.rng.gauss(0.0, 0.006)),
        )
        self.signal(
            at,
            *("moving", "direction", "door", "floor", "speed", "trips", "levelling_error"),
            *("vibration_vertical", "vibration_horizontal"),
        )
        self.agenda.at("door", at + self.between(200, 500), self.open)

    def stop(self, at: Millis) -> None:
        """The car stands where it is now."""
        self.catch_up(at)
        self.ride = None
        self.agenda.drop("arrive")

    # --- doors

    def open(self, at: Millis) -> None:
        """Start to open the doors."""
        self.door = Door.OPENING
        self.agenda.drop("start")
        self.agenda.at("door", at + OPENING, self._opened)
        self.signal(at, "door", "moving")

    def _opened(self, at: Millis) -> None:
        self.door = Door.OPEN
        moved = self.demand.exchange(self.floor, CAPACITY)
        self.agenda.at("door", at + DWELL + EACH_PERSON * moved, self.close)
        self.signal(at, "door", "moving", "occupied", "load")

    def close(self, at: Millis) -> None:
        """Start to close the doors, unless somebody still gets in or something is in the way."""
        if self.has(FaultKind.DOOR_HELD_OPEN):
            return
        late = self.demand.exchange(self.floor, CAPACITY)
        if late:
            self.agenda.at("door", at + EACH_PERSON * late, self.close)
            self.signal(at, "occupied", "load")
            return
        self.shut(at)

    def shut(self, at: Millis) -> None:
        """Close the doors whatever is in the way; one time in thirty the light curtain sends them back."""
        self.door = Door.CLOSING
        if not self.halted and self.chance(1 / 30):
            self.agenda.at("door", at + CLOSING // 2, self.open)
        else:
            self.agenda.at("door", at + CLOSING, self._closed)
        self.signal(at, "door", "moving")

    def _closed(self, at: Millis) -> None:
        self.door = Door.CLOSED
        self.door_cycles += 1
        self.signal(at, "door", "moving", "occupied", "door_cycles")
        self.wake(at)


def served_floors(world: World, device: Device) -> tuple[int, int]:
    """The lowest and the highest floor by index, 0 the ground floor: as the site's building has them, else made up."""
    building = world.plan.buildings.get(device.building or "")
    names = tuple(building.floors) if building else ()
    below = sum(1 for name in names if name.upper().startswith("B"))
    if len(names) - below > 1:
        return -below, len(names) - below - 1
    # All cars of a building serve the same floors, without asking one another.
    house = random.Random(f"{world.seed}:{device.building or device.id}")
    return -house.randint(1, 2), house.randint(12, 28)
