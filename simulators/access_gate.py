"""An access gate: people with credentials, a door that opens and closes, and those who do not behave."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from gateway.core.plan import Device
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Scalar
from simulators.daytime import busyness, hour_of_day
from simulators.device import DeviceModel, Reaction, World
from simulators.faults import Fault, FaultKind
from simulators.people import Person, residents
from simulators.sensors import Sensor

HELD_OPEN_AFTER: Millis = 30 * SECOND
"""When the gate itself says that the door is open too long."""
REFUSALS = (
    ("no_rights", 5),
    ("out_of_time_range", 4),
    ("unknown_credential", 4),
    ("expired", 2),
    ("incorrect_factor", 2),
    ("not_yet_active", 1),
)
"""Everyday reasons for a refusal, and how often each comes up."""


class AccessGate(DeviceModel):
    """One gate with its reader, lock and door contact."""

    own_faults: ClassVar[frozenset[FaultKind]] = frozenset(
        {FaultKind.FORCED_OPEN, FaultKind.DENIED_BURST, FaultKind.HELD_OPEN, FaultKind.DURESS}
    )

    sensors: ClassVar[Mapping[str, Sensor]] = MappingProxyType(
        {"supply_voltage": Sensor(drift=-3.0, noise=0.08, low=0.0, high=60.0)}
    )

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        # The gates of one building know the same people.
        self.people = residents(f"{world.seed}:{device.building or world.plan.site}:residents", 60)
        self.door = "closed"
        self.lock = "locked"
        self.alarm_state = "normal"
        self.reader_online = True
        self.passages = self.rng.randint(1_000, 500_000)
        self.denials = self.passages // self.rng.randint(25, 60)
        self.agenda.at("people", self.start + self.between(SECOND, 30 * SECOND), self._people)
        self.now_and_then("button", 5 * MINUTE, self._leave_by_button)
        self.now_and_then("tailgate", 12 * HOUR, self._tailgate)
        self.now_and_then("passback", 2 * DAY, self._passback)
        self.now_and_then("reader", 3 * DAY, self._lose_reader)
        self.now_and_then("new controller", 120 * DAY, self._reset_counters)

    def values(self, at: Millis) -> Mapping[str, Scalar]:
        """Every point."""
        load = 0.15 if self.lock == "unlocked" else 0.0
        hum = 0.05 * busyness(hour_of_day(at, self.zone))
        return {
            "door": self.door,
            "lock": self.lock,
            "alarm_state": self.alarm_state,
            "reader_online": self.reader_online,
            "supply_voltage": round(13.6 - load - hum + self.rng.uniform(-0.05, 0.05), 2),
            "passages": self.passages,
            "denials": self.denials,
        }

    def reactions(self) -> Mapping[FaultKind, Reaction]:
        """What the gate does when a fault begins and ends."""
        return {
            FaultKind.FORCED_OPEN: Reaction(self._force, self._close),
            FaultKind.DENIED_BURST: Reaction(self._try_card, lambda _: self.agenda.drop("cards")),
            FaultKind.HELD_OPEN: Reaction(lambda at: self._enter(at, self._somebody()), self._close),
            FaultKind.DURESS: Reaction(self._duress, lambda _: None),
        }

    # --- people

    def _people(self, at: Millis) -> None:
        mean = MINUTE / (0.5 + 4.0 * busyness(hour_of_day(at, self.zone))) / self.life.people
        self.agenda.at("people", at + self.wait(int(mean)), self._people)
        if not self.reader_online or self.door == "open":
            return
        if self.chance(0.03):
            reasons = [reason for reason, _ in REFUSALS]
            self._deny(at, self.rng.choices(reasons, [weight for _, weight in REFUSALS])[0])
        else:
            self._enter(at, self._somebody())

    def _enter(self, at: Millis, person: Person) -> None:
        self._say(at, "granted", person, direction=self.rng.choice(("in", "out")))
        self.passages += 1
        self._unlock(at)

    def _deny(self, at: Millis, reason: str) -> None:
        stranger = Person(f"X-{self.rng.randrange(10_000, 100_000)}", "")
        self._say(
            at, "denied", stranger if reason == "unknown_credential" else self._somebody(), reason=reason
        )
        self.denials += 1

    def _leave_by_button(self, at: Millis) -> None:
        if self.door == "closed":
            self.uplink.event(at, "request_to_exit", {"test": False})
            self._unlock(at)

    def _tailgate(self, at: Millis) -> None:
        self._say(at, "tailgating", self._somebody(), direction="in")
        self.passages += 1

    def _passback(self, at: Millis) -> None:
        self._say(at, "passback_detected", self._somebody(), direction="in")

    def _duress(self, at: Millis) -> None:
        """Somebody opens under threat: the door behaves as always."""
        self._say(at, "duress", self._somebody(), direction="in")
        self._unlock(at)

    def _somebody(self) -> Person:
        return self.rng.choice(self.people)

    def _say(self, at: Millis, event: str, person: Person, **attributes: Scalar) -> None:
        who: dict[str, Scalar] = {"credential": person.credential}
        if person.name:
            who["name"] = person.name
        self.uplink.event(at, event, {**who, **attributes, "test": False})

    # --- the door

    def _unlock(self, at: Millis) -> None:
        self.lock = "unlocked"
        self.agenda.at("door", at + self.between(500, 1_500), self._open)

    def _open(self, at: Millis) -> None:
        self.door = "open"
        self.lock = "locked"
        self.signal(at, "door", "lock")
        if self.has(FaultKind.HELD_OPEN):
            self.agenda.at("too long", at + HELD_OPEN_AFTER, self._too_long)
        else:
            self.agenda.at("door", at + self.between(2 * SECOND, 6 * SECOND), self._close)

    def _close(self, at: Millis) -> None:
        if self.has(FaultKind.HELD_OPEN) or self.has(FaultKind.FORCED_OPEN):
            return
        self.agenda.drop("door")
        self.agenda.drop("too long")
        self.door = "closed"
        self.lock = "locked"
        self.alarm_state = "normal"
        self.signal(at, "door", "lock", "alarm_state")

    def _too_long(self, at: Millis) -> None:
        if self.alarm_state == "normal":
            self.alarm_state = "door_open_too_long"
            self.report(at)

    def _force(self, at: Millis) -> None:
        self.door = "open"
        self.alarm_state = "forced_open"
        self.uplink.event(at, "forced_open", {"test": False})
        self.report(at)

    def _try_card(self, at: Millis) -> None:
        """One unknown card after the other, a few seconds apart."""
        self._deny(at, "unknown_credential")
        self.agenda.at("cards", at + self.between(SECOND, 3 * SECOND), self._try_card)

    # --- the reader

    def _lose_reader(self, at: Millis) -> None:
        self.reader_online = False
        self.report(at)
        self.agenda.at("reader returns", at + self.between(20 * SECOND, 3 * MINUTE), self._regain_reader)

    def _regain_reader(self, at: Millis) -> None:
        self.reader_online = True
        self.report(at)

    def _reset_counters(self, at: Millis) -> None:
        self.passages = 0
        self.denials = 0
        self.signal(at, "passages", "denials")
