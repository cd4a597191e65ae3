"""The agenda of one simulated device: named timers that call it back in simulated time."""

from collections.abc import Callable
from typing import TypeAlias

from gateway.core.values import Millis

Callback: TypeAlias = Callable[[Millis], None]

NEVER: Millis = 1 << 62
"""Later than any simulated moment."""


class Agenda:
    """Timers by name. Setting a name again moves its timer; equal moments fire in the order they were set."""

    def __init__(self) -> None:
        self._timers: dict[str, tuple[Millis, int, str, Callback]] = {}
        # Numbers are given once, so that a comparison of timers never gets past them.
        self._order = 0

    def at(self, name: str, when: Millis, call: Callback) -> None:
        """Call ``call(when)`` once simulated time reaches ``when``."""
        self._order += 1
        self._timers[name] = (when, self._order, name, call)

    def drop(self, name: str) -> None:
        """Forget a timer; nothing happens when there is none."""
        self._timers.pop(name, None)

    def due(self, name: str) -> Millis:
        """When that timer fires, or :data:`NEVER`."""
        timer = self._timers.get(name)
        return NEVER if timer is None else timer[0]

    @property
    def next(self) -> Millis:
        """When the next timer fires, or :data:`NEVER`."""
        timers = self._timers
        return min(timers.values())[0] if timers else NEVER

    def run(self, until: Millis) -> None:
        """Fire every timer due at or before ``until`` in order, each at its own moment."""
        timers = self._timers
        while timers:
            when, _, name, call = min(timers.values())
            if when > until:
                return
            del timers[name]
            call(when)
