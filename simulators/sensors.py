"""Sensors that fail the way sensors do: they wander off over hours, or jump about with a loose contact."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from gateway.core.plan import Kind, Point
from gateway.core.values import HOUR, Millis, PointType, Scalar
from simulators.faults import FaultKind

DRIFT_TAKES: Millis = 12 * HOUR
"""After which a wandering sensor stays where it is; sooner where the fault is shorter."""
DEFAULT_RANGE = (0.0, 100.0)
"""Of a point whose profile names none."""
COUNTED = 2.0**52
"""How far a counter may have counted."""


class Sensor(NamedTuple):
    """How the sensor of one point fails, in the point's unit."""

    drift: float
    """How far it wanders: far enough to cross a limit of its rule."""
    noise: float
    """Standard deviation of a reading, also on the way."""
    low: float
    high: float
    """Between which it can show anything at all."""
    whole: bool = False
    """Whether it shows whole numbers only."""


class Failing(NamedTuple):
    """One sensor that fails since a moment, and how long it takes to be as wrong as it gets."""

    point: str
    since: Millis
    takes: Millis


def sensors_of(kind: Kind, modelled: Mapping[str, Sensor]) -> Mapping[str, Sensor]:
    """The sensors that can fail on a device: those of its model, else its first numeric point.

    A number that is no counter comes before a counter; a kind without any number has none.
    """
    known = {name: sensor for name, sensor in modelled.items() if name in kind.points}
    if known:
        return known
    numeric = [point for point in kind.points.values() if point.type in (PointType.INT, PointType.FLOAT)]
    first = min(numeric, key=lambda point: point.counter, default=None)
    return {} if first is None else {first.name: _plain(first)}


def _plain(point: Point) -> Sensor:
    """A sensor that can wander from the middle of its range to the end of it."""
    low, high = point.valid or DEFAULT_RANGE
    whole = point.type is PointType.INT
    noise = max((high - low) * 0.02, 1.0 if whole else 0.0)
    return Sensor((high - low) * 0.6, noise, low, COUNTED if point.counter else high, whole=whole)


class Ailing:
    """The failing sensors of one device. Its random numbers are its own, so a healthy device is none the wiser.

    Args:
        sensors: how each fails, by point; none where the device has none.
        seed: the same seed gives the same readings.
    """

    def __init__(self, sensors: Mapping[str, Sensor], seed: str) -> None:
        self._sensors = sensors
        self._rng = random.Random(seed)
        self._failing: dict[FaultKind, Failing] = {}

    def begin(self, kind: FaultKind, at: Millis, duration: Millis) -> None:
        """One of the sensors begins to drift or to jump, for so many milliseconds."""
        if self._sensors:
            point = self._rng.choice(sorted(self._sensors))
            self._failing[kind] = Failing(point, at, min(DRIFT_TAKES, duration))

    def end(self, kind: FaultKind) -> None:
        """It was replaced."""
        self._failing.pop(kind, None)

    def readings(self, at: Millis, values: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """What the sensors show for these values."""
        if not self._failing:
            return values
        shown = dict(values)
        for kind, failing in self._failing.items():
            point = failing.point
            if point in shown:
                far = min(1.0, (at - failing.since) / failing.takes)
                shown[point] = self._reading(kind, self._sensors[point], far, float(shown[point]))
        return shown

    def _reading(self, kind: FaultKind, sensor: Sensor, far: float, value: float) -> float:
        if kind is FaultKind.DRIFT:
            value += sensor.drift * far
        value += self._rng.gauss(0.0, sensor.noise * (3.0 if kind is FaultKind.NOISE else 1.0))
        value = min(sensor.high, max(sensor.low, value))
        return round(value) if sensor.whole else round(value, 3)
