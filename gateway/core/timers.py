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


STRETCH: Millis = 1_000
"""Looks that are nearly always in vain are gathered in stretches of so long."""


class Timers:
    """A heap of timers. Cancelling is forgetting: stale entries are dropped by their owners when they come up.

    Beside it stand *looks*, nearly all of which find that their device has spoken meanwhile. They wait in lists, a stretch
    of time each; at its beginning their owner lays them further ahead, or onto the heap where they may come true within it.
    """

    __slots__ = ("_first", "_heap", "_looks")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._looks: dict[Millis, list[Timer]] = {}
        """By the beginning of the stretch they are due in."""
        self._first: Millis | None = None
        """The earliest of these."""

    def add(self, timer: Timer) -> None:
        """Remember a timer; adding one twice is harmless."""
        heapq.heappush(self._heap, timer)

    def look(self, timer: Timer) -> None:
        """Remember a look."""
        begin = timer[0] - timer[0] % STRETCH
        waiting = self._looks.get(begin)
        if waiting is not None:
            waiting.append(timer)
            return
        self._looks[begin] = [timer]
        if self._first is None or begin < self._first:
            self._first = begin

    def stretch(self, now: Millis) -> list[Timer] | None:
        """The looks of the earliest stretch that has begun, taken out, unless a timer is due before it."""
        first = self._first
        if first is None or first > now or (self._heap and self._heap[0].due < first):
            return None
        found = self._looks.pop(first)
        self._first = min(self._looks, default=None)
        return found

    def next_due(self) -> Millis | None:
        """The earliest due time, which may turn out stale; None when there is none."""
        first = self._first
        if not self._heap:
            return first
        due = self._heap[0].due
        return due if first is None or due < first else first

    def pop_due(self, now: Millis) -> Timer | None:
        """The earliest timer due at or before ``now``, taken out."""
        if self._heap and self._heap[0].due <= now:
            return heapq.heappop(self._heap)
        return None
