"""Sensors that fail the way sensors do: they wander off over hours, or jump about with a loose contact."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from gateway.core.values import HOUR, Millis, Scalar
from simulators.faults import FaultKind

DRIFT_TAKES: Millis = 12 * HOUR
"""After which a wandering sensor stays where it is."""


class Sensor(NamedTuple):
    """How the sensor of one point fails, in the point's unit."""

    drift: float
    """How far it wanders: far enough to cross a limit of its rule."""
    noise: float
    """Standard deviation of a reading, also on the way."""
    low: float
    high: float
    """Between which it can show anything at all."""


class Ailing:
    """The failing sensors of one device. Its random numbers are its own, so a healthy device is none the wiser.

    Args:
        sensors: how each fails, by point; none where the device has none.
        seed: the same seed gives the same readings.
    """

    def __init__(self, sensors: Mapping[str, Sensor], seed: str) -> None:
        self._sensors = sensors
        self._rng = random.Random(seed)
        self._failing: dict[FaultKind, tuple[str, Millis]] = {}

    def begin(self, kind: FaultKind, at: Millis) -> None:
        """One of the sensors begins to drift or to jump."""
        if self._sensors:
            self._failing[kind] = self._rng.choice(sorted(self._sensors)), at

    def end(self, kind: FaultKind) -> None:
        """It was replaced."""
        self._failing.pop(kind, None)

    def readings(self, at: Millis, values: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """What the sensors show for these values."""
        if not self._failing:
            return values
        shown = dict(values)
        for kind, (point, since) in self._failing.items():
            if point in shown:
                shown[point] = self._reading(kind, self._sensors[point], at - since, float(shown[point]))
        return shown

    def _reading(self, kind: FaultKind, sensor: Sensor, passed: Millis, value: float) -> float:
        if kind is FaultKind.DRIFT:
            value += sensor.drift * min(1.0, passed / DRIFT_TAKES)
        value += self._rng.gauss(0.0, sensor.noise * (3.0 if kind is FaultKind.NOISE else 1.0))
        return round(min(sensor.high, max(sensor.low, value)), 3)
