"""What a simulation is made of: devices that live in simulated time, and how far it has come."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.core.values import Millis
from simulators.publication import Publication


class Progress(NamedTuple):
    """How far a simulation is."""

    now: Millis
    """Simulated moment, milliseconds UTC."""
    published: int
    """Publications the broker has acknowledged, or lines that are written."""
    reconnects: int


class Living(Protocol):
    """Some devices: :class:`~simulators.fleet.Fleet`, :class:`~simulators.steady.SteadyFleet`, a scenario."""

    @property
    def now(self) -> Millis:
        """Up to when they have lived, milliseconds UTC."""
        ...

    def advance(self, now: Millis) -> Sequence[Publication]:
        """Let them live until ``now`` (inclusive): what they send, in order of time."""
        ...
