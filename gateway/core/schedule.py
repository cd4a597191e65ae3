"""What calendars and windows of time answer; :mod:`gateway.core.calendars` has them."""

from typing import Protocol

from gateway.core.values import Millis


class Schedule(Protocol):
    """Open at some times and closed at others, in the site's local time."""

    def is_open(self, at: Millis) -> bool:
        """Whether it is open at that moment; the start of a stretch is inside, its end outside."""

    def next_change(self, at: Millis) -> Millis | None:
        """The first moment after ``at`` at which it opens or closes; None when it never does again."""


class WorkingTime(Schedule, Protocol):
    """A schedule by which durations are counted: only its open time passes."""

    def add(self, start: Millis, length: Millis) -> Millis:
        """When ``length`` of open time will have passed since ``start``; the start itself where it is nothing."""

    def between(self, start: Millis, end: Millis) -> Millis:
        """The open time between two moments; 0 where the end is not after the start."""
