"""A device of any profile: plausible wandering values for its points, for kinds that have no model of their own."""

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.core.plan import Device, Point
from gateway.core.values import Millis, PointType, Scalar
from simulators.device import DeviceModel, World
from simulators.faults import Fault

WANDER: Final = 0.02
"""Share of a point's usual range that one report moves a value by, at most."""
DEFAULT_RANGE: Final = (0.0, 100.0)


class AnyDevice(DeviceModel):
    """Reports every point of its profile and raises no event."""

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self._values = {point.name: self._first(point) for point in device.kind.points.values()}

    def values(self, at: Millis) -> Mapping[str, Scalar]:  # noqa: ARG002  it has no physics that would need the time
        """Every point, each a small step away from its last value."""
        for point in self.device.kind.points.values():
            self._values[point.name] = self._next(point, self._values[point.name])
        return dict(self._values)

    def _first(self, point: Point) -> Scalar:
        low, high = usual_range(point)
        match point.type:
            case PointType.BOOL:
                return False
            case PointType.ENUM:
                return point.values[0]
            case PointType.TEXT:
                return "ok"
            case PointType.INT:
                return self.rng.randint(0, 1_000) if point.counter else round((low + high) / 2)
            case PointType.FLOAT:
                return 0.0 if point.counter else round(self.rng.uniform(low, high), 2)

    def _next(self, point: Point, last: Scalar) -> Scalar:
        if point.type not in (PointType.INT, PointType.FLOAT) or isinstance(last, str):
            return last
        if point.counter:
            return last + self.rng.randint(0, 3)
        low, high = usual_range(point)
        step = (high - low) * WANDER * self.rng.uniform(-1.0, 1.0)
        value = min(high, max(low, last + step))
        return round(value) if point.type is PointType.INT else round(value, 2)


def usual_range(point: Point) -> tuple[float, float]:
    """The middle third of the valid range: where a healthy device stays."""
    low, high = point.valid or DEFAULT_RANGE
    third = (high - low) / 3
    return low + third, high - third
