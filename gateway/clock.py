"""The one place that reads a clock: milliseconds that never go back, even if the machine's clock does."""

import time
from collections.abc import Callable

from gateway.core.values import Millis

SLEW = 20
"""After the machine's clock was set back, ours loses one part in this many until both agree again."""


class Clock:
    """Wall-clock time, made to go forwards only.

    When the machine's clock is set forward, so is ours. When it is set back, ours goes on, a little slower, until the
    machine's has caught up: durations stay right to 5 % and nothing stands still.

    Args:
        last: the latest moment known from the records.
        wall: reads the machine's clock in milliseconds.
        steady: reads a clock that cannot be set, in milliseconds.
    """

    def __init__(
        self,
        last: Millis = 0,
        wall: Callable[[], Millis] = lambda: time.time_ns() // 1_000_000,
        steady: Callable[[], Millis] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._base, self._since = last, steady()

    def now(self) -> Millis:
        """The moment it is."""
        wall, steady = self._wall(), self._steady()
        elapsed = steady - self._since
        if wall >= self._base + elapsed:
            self._base, self._since = wall, steady
            return wall
        return self._base + elapsed - elapsed // SLEW

    @property
    def ahead(self) -> Millis:
        """How far ours is ahead of the machine's clock, because that was set back; 0 normally."""
        return max(0, self.now() - self._wall())
