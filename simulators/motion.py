"""How a car moves and how its machine warms up: closed formulas, so a moment can be asked for in any step width."""

import math
from dataclasses import dataclass

from gateway.core.values import SECOND, Millis

ACCELERATION = 1.0
"""m/s2, comfortable for passengers."""
BRAKING = 2.5
"""m/s2 of an emergency stop."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a ride with one acceleration (m/s2), from ``speed`` (m/s), for ``seconds``."""

    seconds: float
    speed: float
    acceleration: float

    def covered(self, seconds: float) -> float:
        """Metres after that many seconds of the stretch."""
        return self.speed * seconds + self.acceleration * seconds * seconds / 2


@dataclass(frozen=True, slots=True)
class Ride:
    """One movement of a car along the shaft, from ``origin`` metres above the lowest landing."""

    departed: Millis
    origin: float
    sense: int
    """+1 up, -1 down."""
    stretches: tuple[Stretch, ...]

    @property
    def arrives(self) -> Millis:
        """The moment the car stands."""
        return self.departed + math.ceil(sum(part.seconds for part in self.stretches) * SECOND)

    @property
    def top_speed(self) -> float:
        """The highest speed of the ride, m/s."""
        return max(max(part.speed, part.speed + part.acceleration * part.seconds) for part in self.stretches)

    def at(self, moment: Millis) -> tuple[float, float]:
        """Position in metres and speed in m/s, upwards positive."""
        seconds = max(0.0, (moment - self.departed) / SECOND)
        covered = 0.0
        if moment >= self.arrives:
            return self.origin + self.sense * sum(part.covered(part.seconds) for part in self.stretches), 0.0
        for part in self.stretches:
            if seconds < part.seconds:
                speed = part.speed + part.acceleration * seconds
                return self.origin + self.sense * (covered + part.covered(seconds)), self.sense * speed
            covered += part.covered(part.seconds)
            seconds -= part.seconds
        return self.origin + self.sense * covered, 0.0


def ride(departed: Millis, origin: float, target: float, rated: float) -> Ride:
    """A ride between two positions: speed up, run at the rated speed where the way is long enough, slow down."""
    way = abs(target - origin)
    top = min(rated, math.sqrt(way * ACCELERATION))
    ramp = top / ACCELERATION
    run = (way - top * ramp) / top
    parts = (Stretch(ramp, 0.0, ACCELERATION), Stretch(run, top, 0.0), Stretch(ramp, top, -ACCELERATION))
    return Ride(departed, origin, 1 if target > origin else -1, parts)


def emergency_stop(now: Millis, moving: Ride) -> Ride:
    """The rest of a ride once the brake has dropped at ``now``."""
    position, speed = moving.at(now)
    return Ride(now, position, moving.sense, (Stretch(abs(speed) / BRAKING, abs(speed), -BRAKING),))


@dataclass(slots=True)
class WarmBody:
    """A machine that warms up towards what its work asks for, with one time constant."""

    temperature: float
    """Cel"""
    since: Millis

    def settle(self, now: Millis, towards: float, seconds: float) -> None:
        """Let it warm up or cool down until ``now``.

        Args:
            now: the moment to go to.
            towards: the temperature it would reach in the end, Cel.
            seconds: the time constant.
        """
        share = math.exp(-(now - self.since) / SECOND / seconds)
        self.temperature = towards + (self.temperature - towards) * share
        self.since = now
