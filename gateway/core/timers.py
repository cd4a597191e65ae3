"""Due times in order. An entry is a hint: its owner decides whether it is still meant."""

import heapq
from typing import NamedTuple

from gateway.core.values import Millis


class Timer(NamedTuple):
    """Ordered by time, then owner, then purpose: equal times never depend on the order of insertion."""

    due: Millis
    owner: str
    """A device or work-order id."""
    purpose: str
    key: str


class Timers:
    """A heap of timers. Cancelling is forgetting: stale entries are dropped by their owners when they come up."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[Timer] = []

    def add(self, timer: Timer) -> None:
        """Remember a timer; adding one twice is harmless."""
        heapq.heappush(self._heap, timer)

    def again(self, timer: Timer, due: Millis) -> None:
        """The same timer at another time. Past the constructor, which takes most of the time of asking for one."""
        _, owner, purpose, key = timer
        heapq.heappush(self._heap, tuple.__new__(Timer, (due, owner, purpose, key)))

    def next_due(self) -> Millis | None:
        """The earliest due time, which may turn out stale; None when there is none."""
        return self._heap[0].due if self._heap else None

    def pop_due(self, now: Millis) -> Timer | None:
        """The earliest timer due at or before ``now``, taken out."""
        if self._heap and self._heap[0].due <= now:
            return heapq.heappop(self._heap)
        return None
