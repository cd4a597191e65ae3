"""The inside of a fire alarm panel: its state, its zones in alarm, its power supply."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from gateway.core.plan import Device
from gateway.core.values import DAY, MINUTE, SECOND, Millis, Scalar
from simulators.device import DeviceModel, Reaction, World
from simulators.faults import Fault, FaultKind
from simulators.people import residents
from simulators.sensors import Sensor

FLOAT_VOLTAGE = 27.2
"""V of a full battery on charge."""
EMPTY_VOLTAGE = 22.0
FULL_VOLTAGE = 25.8
"""V on load, empty and full."""
STANDBY: Millis = DAY
"""How long a full battery carries the panel."""
RECHARGE: Millis = DAY // 2
LOW_VOLTAGE = 23.0
DEAD_VOLTAGE = 22.2
DETECTION = ("smoke", "heat", "multi_sensor", "manual_call_point")


class Panel(DeviceModel):
    """A panel whose state follows from what is active, the most serious first."""

    own_faults: ClassVar[frozenset[FaultKind]] = frozenset(
        {FaultKind.FIRE_ALARM, FaultKind.MAINS_LOSS, FaultKind.TROUBLE}
    )

    sensors: ClassVar[Mapping[str, Sensor]] = MappingProxyType(
        {"battery_voltage": Sensor(drift=-4.5, noise=0.1, low=0.0, high=60.0)}
    )

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self.zones = tuple(f"Z{number:02}" for number in range(1, self.rng.randint(8, 24) + 1))
        self.operators = residents(f"{world.seed}:{device.id}:operators", 3)
        self.alarms: set[str] = set()
        self.pre_alarms: set[str] = set()
        self.disabled: set[str] = set()
        self.testing: str | None = None
        self.test_alarm = False
        self.loop_fault = False
        self.bell_fault = False
        self.charge = self.rng.uniform(0.95, 1.0)
        self.charged_at = self.start
        self.link_up = True
        self.duty = "idle"
        self._burning = self.zones[0]
        self.now_and_then("dust", DAY, self._dust)

    @property
    def mains_lost(self) -> bool:
        """Whether the panel runs on its battery."""
        return self.has(FaultKind.MAINS_LOSS)

    @property
    def trouble(self) -> bool:
        """Whether a fault is shown at the panel."""
        return self.has(FaultKind.TROUBLE) or self.loop_fault or self.bell_fault

    @property
    def state(self) -> str:
        """The panel's state in the profile's words, the most serious first."""
        if self.alarms:
            return "fault_alarm" if self.trouble else "alarm"
        if self.pre_alarms:
            return "fault_pre_alarm" if self.trouble else "pre_alarm"
        ranked = (
            (self.trouble, "fault"),
            (self.test_alarm, "test_alarm"),
            (self.testing is not None, "test_active"),
            (self.mains_lost, "emergency_power"),
            (bool(self.disabled), "blocked"),
        )
        return next((word for active, word in ranked if active), "quiet")

    @property
    def voltage(self) -> float:
        """Battery voltage: float charge on mains, falling with the charge on load."""
        if self.mains_lost:
            return EMPTY_VOLTAGE + (FULL_VOLTAGE - EMPTY_VOLTAGE) * self.charge
        return FLOAT_VOLTAGE - 0.8 * (1.0 - self.charge)

    def values(self, at: Millis) -> Mapping[str, Scalar]:
        """Every point."""
        self.catch_up(at)
        voltage = self.voltage
        battery = "fault" if voltage < DEAD_VOLTAGE else "low" if voltage < LOW_VOLTAGE else "normal"
        return {
            "state": self.state,
            "mains_lost": self.mains_lost,
            "battery": battery,
            "battery_voltage": round(voltage, 2),
            "earth_fault": self.has(FaultKind.TROUBLE),
            "loop_fault": self.loop_fault,
            "bell_circuit_fault": self.bell_fault,
            "disabled_zones": len(self.disabled),
            "alarm_zones": len(self.alarms),
            "centre_link": "up" if self.link_up else "down",
            "duty_check": self.duty,
        }

    def catch_up(self, at: Millis) -> None:
        """Discharge or charge the battery up to now."""
        passed = at - self.charged_at
        change = -passed / STANDBY if self.mains_lost else passed / RECHARGE
        self.charge = max(0.0, min(1.0, self.charge + change))
        self.charged_at = at

    def reactions(self) -> Mapping[FaultKind, Reaction]:
        """What the panel does when a fault begins and ends."""
        return {
            FaultKind.FIRE_ALARM: Reaction(self._smell_smoke, self._reset),
            FaultKind.MAINS_LOSS: Reaction(lambda at: self.say_trouble(at, "supply", "E12"), self.report),
            FaultKind.TROUBLE: Reaction(lambda at: self.say_trouble(at, "earth", "E31"), self.report),
        }

    # --- fire

    def _smell_smoke(self, at: Millis) -> None:
        """The first detector warns, the alarm follows within seconds, a second detector confirms it."""
        self._burning = self.rng.choice(self.zones)
        self.pre_alarms.add(self._burning)
        self.detect(at, "pre_alarm", self._burning, "smoke")
        self.agenda.at("fire", at + self.between(1 * SECOND, 3 * SECOND), self._alarm)
        self.agenda.at("second detector", at + self.between(6 * SECOND, 15 * SECOND), self._alarm)

    def _alarm(self, at: Millis) -> None:
        self.pre_alarms.discard(self._burning)
        self.alarms.add(self._burning)
        self.detect(at, "fire_alarm", self._burning, self.rng.choice(DETECTION))

    def _reset(self, at: Millis) -> None:
        self.agenda.drop("fire")
        self.agenda.drop("second detector")
        zones = sorted(self.alarms | self.pre_alarms)
        self.alarms.clear()
        self.pre_alarms.clear()
        self.uplink.event(at, "silenced", {"operator": self.operator()})
        for zone in zones:
            self.uplink.event(at, "restored", {"zone": zone, "test": False})
        self.uplink.event(at, "panel_reset", {"operator": self.operator()})
        self.report(at)

    def _dust(self, at: Millis) -> None:
        """Dust or steam: a pre-alarm that goes by itself."""
        zone = self.rng.choice(self.zones)
        if self.alarms or zone == self.testing:
            return
        self.pre_alarms.add(zone)
        self.detect(at, "pre_alarm", zone, "smoke")
        self.agenda.at("dust settles", at + self.between(MINUTE, 3 * MINUTE), self._dust_settles)

    def _dust_settles(self, at: Millis) -> None:
        if self.has(FaultKind.FIRE_ALARM):
            return
        for zone in sorted(self.pre_alarms):
            self.uplink.event(at, "restored", {"zone": zone, "test": False})
        self.pre_alarms.clear()
        self.report(at)

    def detect(self, at: Millis, event: str, zone: str, kind: str, *, test: bool = False) -> None:
        """The event goes out before anything else."""
        detector = f"{zone}-D{self.rng.randint(1, 30):02}"
        self.uplink.event(at, event, {"zone": zone, "detector": detector, "kind": kind, "test": test})
        self.report(at)

    def say_trouble(self, at: Millis, kind: str, code: str) -> None:
        """Tell of a fault, and report the points that show it."""
        self.uplink.event(at, "trouble", {"kind": kind, "code": code, "test": False})
        self.report(at)

    def operator(self) -> str:
        """The name of whoever is at the panel."""
        return self.rng.choice(self.operators).name
