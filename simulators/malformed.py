"""Telemetry that no gateway can take: broken firmware, half-written buffers, a gateway in between that mixes things up."""

import enum
import random
from collections.abc import Mapping

from gateway.core.values import Millis, Scalar
from simulators.publication import telemetry_payload


class Shape(enum.StrEnum):
    """The ways in which a payload is broken."""

    CUT_OFF = "cut_off"
    """It ends in the middle."""
    NOT_UTF8 = "not_utf8"
    """Bytes that are no text."""
    WRONG_TYPE = "wrong_type"
    """One value is of another type than the profile says; those beside it are right."""
    NOT_FINITE = "not_finite"
    """One value is ``NaN``, which is no JSON."""
    UNKNOWN_POINT = "unknown_point"
    """One value has a name the profile does not know; those beside it are right."""
    ANOTHER_DEVICE = "another_device"
    """It names another device than its topic."""


SHAPES = tuple(Shape)


class BrokenPress:
    """Prints broken telemetry for one device: every shape in turn, in an order of its own.

    Args:
        device: its id.
        seed: the same seed gives the same payloads.
    """

    def __init__(self, device: str, seed: str) -> None:
        self._device = device
        self._seed = seed
        self._rng: random.Random | None = None
        self._left: list[Shape] = []

    def telemetry(self, ts: Millis, values: Mapping[str, Scalar]) -> bytes:
        """A report of these values, broken in one of the ways."""
        # A generator of random numbers is 2.5 kB, too much for each of many healthy devices.
        rng = self._rng = self._rng or random.Random(self._seed)
        if not self._left:
            self._left = rng.sample(SHAPES, len(SHAPES))
        payload = telemetry_payload(ts, values)
        shape = self._left.pop() if values else Shape.CUT_OFF
        match shape:
            case Shape.CUT_OFF:
                return payload[: rng.randint(1, len(payload) - 1)]
            case Shape.NOT_UTF8:
                place = rng.randint(1, len(payload) - 1)
                return payload[:place] + b"\xff\xfe" + payload[place:]
            case Shape.ANOTHER_DEVICE:
                return b'{"device":"%s-x",' % self._device.encode() + payload[1:]
            case _:
                return self._one_value(ts, values, shape, rng)

    def _one_value(self, ts: Millis, values: Mapping[str, Scalar], shape: Shape, rng: random.Random) -> bytes:
        name = rng.choice(list(values))
        if shape is Shape.UNKNOWN_POINT:
            return telemetry_payload(
                ts, {key + "_2" if key == name else key: value for key, value in values.items()}
            )
        if shape is Shape.WRONG_TYPE:
            wrong = 4242 if isinstance(values[name], str) else str(values[name])
            return telemetry_payload(ts, {**values, name: wrong})
        marked = telemetry_payload(ts, {**values, name: "\x00"})
        return marked.replace(b'"\\u0000"', b"NaN")
