"""How simulated time follows the clock on the wall."""

import asyncio
import time

from gateway.core.values import SECOND, Millis

CATCH_UP: Millis = SECOND
"""At full speed the simulation goes ahead in steps of this."""


class Pace:
    """Maps simulated moments to the wall. A simulation that was held up catches up as fast as the broker takes it.

    Args:
        start: the simulated moment of now.
        speed: simulated seconds per second; 0 is as fast as possible.
    """

    def __init__(self, start: Millis, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    async def reach(self, moment: Millis) -> None:
        """Wait until that simulated moment; never waits at full speed, but lets others run."""
        wait = 0.0
        if self._speed:
            wait = self._began + (moment - self._start) / SECOND / self._speed - time.monotonic()
        await asyncio.sleep(max(0.0, wait))
