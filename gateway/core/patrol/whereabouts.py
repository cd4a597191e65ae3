"""Which live rounds a checkpoint or a source belongs to: found anew after a start, kept up after that."""

from collections.abc import Iterable

from gateway.core.patrol.memory import Round
from gateway.core.values import Millis


class Whereabouts:
    """An index of the live rounds, and of what waits for a word of a reader or phone."""

    __slots__ = ("_at", "awaited")

    def __init__(self) -> None:
        self._at: dict[str, dict[str, Round]] = {}
        self.awaited: dict[str, dict[str, None]] = {}
        """Rounds and checkpoints whose misses and gaps are provisional until it is heard, by reader or phone."""

    def add(self, one: Round) -> None:
        """A round is live from now on."""
        for stop in one.stops:
            self._at.setdefault(stop.checkpoint, {})[one.id] = one

    def drop(self, one: Round) -> None:
        """It is live no more."""
        for stop in one.stops:
            self._at.get(stop.checkpoint, {}).pop(one.id, None)
        self.settle(one.id)

    def at(self, checkpoint: str) -> list[Round]:
        """The live rounds with this checkpoint, oldest first."""
        found = self._at.get(checkpoint)
        return sorted(found.values(), key=_age) if found else []

    def wait(self, one: str, sources: Iterable[str]) -> None:
        """A round or checkpoint waits for these and no others."""
        self.settle(one)
        for name in sources:
            self.awaited.setdefault(name, {})[one] = None

    def settle(self, one: str) -> None:
        """It waits for nobody."""
        for name in [name for name, waiting in self.awaited.items() if one in waiting]:
            del self.awaited[name][one]
            if not self.awaited[name]:
                del self.awaited[name]


def _age(one: Round) -> tuple[Millis, str]:
    return one.start, one.id
