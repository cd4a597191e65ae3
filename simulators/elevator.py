"""A passenger elevator: what a car reports, how its machine warms up, and what can go wrong with it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from gateway.core.plan import Device
from gateway.core.values import DAY, MINUTE, SECOND, Millis, Scalar
from simulators.car import CAPACITY, STOREY, Car, Door
from simulators.daytime import busyness, daily_swing, hour_of_day
from simulators.device import Reaction, World
from simulators.faults import Fault, FaultKind
from simulators.motion import WarmBody, emergency_stop
from simulators.passengers import Passenger
from simulators.sensors import Sensor

RESCUE_SPEED = 0.3
"""m/s when a car is brought to a landing by hand."""
LANDING_ZONE = 0.05
"""Metres around a landing within which the doors may open."""
HOT = 75.0
"""Cel above which the machine room's fans run at full speed."""
ALARM_AGAIN: Millis = 2 * MINUTE
"""How long trapped people wait before they press the button again."""


class Elevator(Car):
    """A car with its machine, its counters and its emergency telephone."""

    own_faults: ClassVar[frozenset[FaultKind]] = frozenset(
        {
            FaultKind.MOTOR_OVERHEAT,
            FaultKind.ENTRAPMENT,
            FaultKind.DOOR_HELD_OPEN,
            FaultKind.MOVING_WITH_DOOR_OPEN,
            FaultKind.LEVELLING,
        }
    )

    sensors: ClassVar[Mapping[str, Sensor]] = MappingProxyType(
        {
            "motor_temp": Sensor(drift=45.0, noise=1.0, low=-40.0, high=200.0),
            "drive_temp": Sensor(drift=50.0, noise=1.0, low=-40.0, high=200.0),
            "machine_room_temp": Sensor(drift=14.0, noise=0.4, low=-20.0, high=80.0),
            "supply_voltage": Sensor(drift=-28.0, noise=2.0, low=0.0, high=500.0),
            "vibration_vertical": Sensor(drift=0.15, noise=0.02, low=0.0, high=20.0),
            "levelling_error": Sensor(drift=9.0, noise=1.0, low=-500.0, high=500.0),
        }
    )

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self.motor = WarmBody(self.rng.uniform(34.0, 46.0), self.start)
        self.drive = WarmBody(self.rng.uniform(30.0, 38.0), self.start)
        self.agenda.at("self-test", self.start + self.between(SECOND, 2 * MINUTE), self._self_test)
        self.now_and_then("new controller", 90 * DAY, self._reset_counters)

    @property
    def fault(self) -> str:
        """The controller's own diagnosis."""
        if not self.halted or self.ride:
            return "none"
        return "car_stopped_outside_landing_zone" if self.off_landing > LANDING_ZONE else "door_opening"

    def values(self, at: Millis) -> Mapping[str, Scalar]:
        """Every point but the self-test of the emergency telephone, which is sent once for each test."""
        speed = self.advance_position(at)
        self.catch_up(at)
        open_contact = self.ride is not None and self.has(FaultKind.MOVING_WITH_DOOR_OPEN)
        direction = "stopped" if self.ride is None else "up" if self.ride.sense > 0 else "down"
        return {
            "floor": self.floor,
            "speed": round(speed, 2) + 0.0,  # never -0.0
            "direction": direction,
            "moving": self.ride is not None,
            "door": (Door.OPEN if open_contact else self.door).value,
            "mode": "normal",
            "fault": self.fault,
            "occupied": bool(self.demand.riding),
            "load": round(self.demand.weight / CAPACITY * 100, 1),
            "levelling_error": round(self.levelling_error, 1) + 0.0,
            "vibration_vertical": round(self.vibration[0], 3),
            "vibration_horizontal": round(self.vibration[1], 3),
            "motor_temp": round(self.motor.temperature, 1),
            "drive_temp": round(self.drive.temperature, 1),
            "machine_room_temp": round(self._room(at) + 0.08 * (self.drive.temperature - 30.0), 1),
            "supply_voltage": round(self._supply(at), 1),
            "trips": self.trips,
            "door_cycles": self.door_cycles,
        }

    def reactions(self) -> Mapping[FaultKind, Reaction]:
        """What the car does when a fault begins and ends."""
        return {
            FaultKind.MOTOR_OVERHEAT: Reaction(self.report, self.report),
            FaultKind.ENTRAPMENT: Reaction(self._trap, self._rescue),
            FaultKind.DOOR_HELD_OPEN: Reaction(self._block_door, self._free_door),
            FaultKind.MOVING_WITH_DOOR_OPEN: Reaction(self._show_open_contact, self.report),
            FaultKind.LEVELLING: Reaction(self._level_again, self._level_again),
        }

    # --- the machine

    def catch_up(self, at: Millis) -> None:
        """Let motor and drive follow the work done since the last look."""
        room = self._room(at)
        # The counterweight balances half the load: a full and an empty car are the hardest to move.
        work = 0.6 + 0.4 * abs(self.demand.weight / CAPACITY - 0.5) * 2 if self.ride else 0.0
        self.drive.settle(at, room + 4.0 + 30.0 * work, 300.0)
        if self.has(FaultKind.MOTOR_OVERHEAT):
            self.motor.settle(at, room + 120.0, 20.0)
        else:
            self.motor.settle(at, room + 8.0 + 42.0 * work, 120.0 if self.motor.temperature > HOT else 900.0)

    def _room(self, at: Millis) -> float:
        """What the machine room would be at without the machine, by the time of day."""
        return 26.0 + 3.5 * daily_swing(hour_of_day(at, self.zone))

    def _supply(self, at: Millis) -> float:
        """Line voltage: a little lower when the house is busy."""
        noise = max(-3.0, min(3.0, self.rng.gauss(0.0, 0.8)))
        return 382.0 - 4.0 * busyness(hour_of_day(at, self.zone)) + noise

    def _self_test(self, at: Millis) -> None:
        passed = not self.chance(1 / 500)
        self.telemetry(at, {"emergency_call_test": "passed" if passed else "failed"})
        self.agenda.at("self-test", at + DAY, self._self_test)

    def _reset_counters(self, at: Millis) -> None:
        self.trips = 0
        self.door_cycles = 0
        self.signal(at, "trips", "door_cycles")

    # --- people trapped

    def _trap(self, at: Millis) -> None:
        self.halted = True
        self.agenda.drop("start")
        if not self.demand.riding:
            self.demand.riding.append(Passenger(self.floor, self.demand.lowest, 75.0))
        if self.ride:
            self.catch_up(at)
            self.ride = emergency_stop(at, self.ride)
            self.agenda.at("arrive", self.ride.arrives, self._hang)
        elif self.door is not Door.CLOSED:
            self.shut(at)
        else:
            self.agenda.drop("door")
        self.report(at)
        self.agenda.at("alarm button", at + self.between(4 * SECOND, 8 * SECOND), self._press_alarm)

    def _hang(self, at: Millis) -> None:
        self.advance_position(at)
        self.stop(at)
        self.report(at)

    def _press_alarm(self, at: Millis) -> None:
        self.uplink.event(at, "passenger_alarm", {"test": False})
        self.agenda.at("alarm button", at + ALARM_AGAIN, self._press_alarm)

    def _rescue(self, at: Millis) -> None:
        """Bring the car to the nearest landing; everybody gets out there."""
        self.agenda.drop("alarm button")
        self.advance_position(at)
        self.stop(at)
        self.halted = False
        self.demand.riding = [Passenger(who.origin, self.floor, who.weight) for who in self.demand.riding]
        self.uplink.event(at, "passengers_released", {})
        if self.off_landing > LANDING_ZONE:
            self.travel(at, self.floor, RESCUE_SPEED)
        else:
            self.position = self.floor * STOREY
            self.open(at)
        self.report(at)

    # --- the door

    def _block_door(self, at: Millis) -> None:
        if self.ride is None and not self.halted and self.door in (Door.CLOSED, Door.CLOSING):
            self.open(at)

    def _free_door(self, at: Millis) -> None:
        if self.door is Door.OPEN and not self.halted:
            self.agenda.at("door", at + SECOND, self.close)

    def _show_open_contact(self, at: Millis) -> None:
        if self.ride:
            self.report(at)
        elif not self.demand.wanted() - {self.floor}:
            away = 0 if self.floor != 0 else self.demand.highest
            self.demand.waiting.append(Passenger(away, self.demand.lowest, 75.0))
            self.wake(at)

    # --- levelling

    def levelling(self) -> float:
        """How far the car stops from the landing, mm; some 25 with worn ropes or a wrong encoder."""
        if self.has(FaultKind.LEVELLING):
            return self.rng.choice((-1, 1)) * self.rng.uniform(18.0, 28.0)
        return super().levelling()

    def _level_again(self, at: Millis) -> None:
        if self.ride is None:
            self.levelling_error = self.levelling()
            self.report(at)
