"""What can be made to go wrong, when and for how long."""

import enum
from dataclasses import dataclass

from gateway.core.values import Millis


class FaultKind(enum.StrEnum):
    """The faults devices can be given; which device takes which, its model says."""

    # elevator
    MOTOR_OVERHEAT = "motor_overheat"
    """Cooling fails: the motor runs into the critical range within seconds and cools down afterwards."""
    ENTRAPMENT = "entrapment"
    """The car stops with people inside and closed doors, and somebody presses the alarm button."""
    DOOR_HELD_OPEN = "door_held_open"
    """Something blocks the car door."""
    MOVING_WITH_DOOR_OPEN = "moving_with_door_open"
    """The door contact reads open while the car runs."""
    LEVELLING = "levelling"
    """The car stops some 25 mm away from the landing."""
    # fire panel
    FIRE_ALARM = "fire_alarm"
    """Two detectors of one zone see fire; reset when the fault ends."""
    MAINS_LOSS = "mains_loss"
    """The panel runs on its batteries."""
    TROUBLE = "trouble"
    """An earth fault on a loop."""
    # access gate
    FORCED_OPEN = "forced_open"
    """The door is opened without a valid credential."""
    DENIED_BURST = "denied_burst"
    """Somebody tries one unknown card after the other."""
    HELD_OPEN = "held_open"
    """The door is wedged open after a granted entry."""
    DURESS = "duress"
    """Somebody opens under threat, with the code that says so."""
    # patrol reader
    BATTERY_LOW = "battery_low"
    """The battery of the hand-held reader collapses to a few per cent."""
    CLOCK_WRONG = "clock_wrong"
    """The reader's clock runs a minute and a half ahead, and the reader knows it."""
    SOS = "sos"
    """A guard calls for help."""
    # any device
    SILENT = "silent"
    """It sends nothing, and nobody says so."""
    OFFLINE = "offline"
    """Its connection breaks: the last will says ``offline``, and ``online`` follows when the fault ends."""
    STUCK = "stuck"
    """It reports on time, but always the same values."""
    MALFORMED = "malformed"
    """Its telemetry is broken, in one way after the other; see :mod:`simulators.malformed`."""
    DUPLICATE = "duplicate"
    """It sends everything twice."""
    CLOCK_SKEW = "clock_skew"
    """Its clock is an hour slow."""
    REORDER = "reorder"
    """Of two messages within five seconds the second arrives first."""
    RECONNECT_STORM = "reconnect_storm"
    """Its connection breaks and comes back every few seconds; at each return it sends its last report once more."""
    DRIFT = "drift"
    """One of its sensors wanders off within half a day, or within the fault where that is shorter, and is replaced then."""
    NOISE = "noise"
    """A loose contact: one of its sensors jumps about."""


WIRE_FAULTS = frozenset(
    {
        FaultKind.SILENT,
        FaultKind.OFFLINE,
        FaultKind.STUCK,
        FaultKind.MALFORMED,
        FaultKind.DUPLICATE,
        FaultKind.CLOCK_SKEW,
        FaultKind.REORDER,
        FaultKind.RECONNECT_STORM,
    }
)
"""Faults between the device and the broker."""

SENSOR_FAULTS = frozenset({FaultKind.DRIFT, FaultKind.NOISE})
"""Faults of what a device measures with; one without any numeric point shows nothing."""

COMMON_FAULTS = WIRE_FAULTS | SENSOR_FAULTS
"""What every model takes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one device. ``start`` is milliseconds after the simulation's start, ``duration`` milliseconds."""

    device: str
    kind: FaultKind
    start: Millis
    duration: Millis

    @property
    def end(self) -> Millis:
        """Milliseconds after the simulation's start."""
        return self.start + self.duration
