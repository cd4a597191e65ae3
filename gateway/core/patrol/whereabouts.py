"""Which live rounds a checkpoint or a source belongs to: found anew after a start, kept up after that."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.core.patrol.memory import Round, RoundState
from gateway.core.values import Millis

NOTHING: Mapping[str, "Miss"] = {}


class Miss(NamedTuple):
    """What a judged round misses at one of its checkpoints."""

    closes: Millis
    """The end of the window that was missed."""
    round: str
    provisional: bool


class Whereabouts:
    """An index of the live rounds, of what they miss, and of what waits for a word of a reader or phone."""

    __slots__ = ("_at", "_missing", "_short", "_waiting", "awaited", "swept_at")

    def __init__(self) -> None:
        self._at: dict[str, list[Round]] = {}
        self._missing: dict[str, dict[str, Miss]] = {}
        self._short: set[str] = set()
        self._waiting: dict[str, tuple[str, ...]] = {}
        self.swept_at: Millis = 0
        """When what is too old was left last."""
        self.awaited: dict[str, dict[str, None]] = {}
        """Rounds and checkpoints whose misses and gaps are provisional until it is heard, by reader or phone."""

    def add(self, one: Round) -> None:
        """A round is live from now on."""
        for stop in one.stops:
            here = self._at.setdefault(stop.checkpoint, [])
            place = bisect_left(here, _age(one), key=_age)
            if not _is_at(here, place, one):
                here.insert(place, one)
        self.miss(one)

    def drop(self, one: Round) -> None:
        """It is live no more."""
        for stop in one.stops:
            here = self._at.get(stop.checkpoint, [])
            place = bisect_left(here, _age(one), key=_age)
            if _is_at(here, place, one):
                del here[place]
            self._missing.get(stop.checkpoint, {}).pop(one.id, None)
        self._short.discard(one.id)
        self.settle(one.id)

    def at(self, checkpoint: str) -> Sequence[Round]:
        """The live rounds with this checkpoint, oldest first."""
        return self._at.get(checkpoint, ())

    def miss(self, one: Round) -> None:
        """The round was judged, perhaps anew: this is what it misses."""
        if one.state is not RoundState.JUDGED:
            return
        missed = {each.checkpoint: each for each in one.outcomes if each.word == "missed"}
        if not missed and one.id not in self._short:
            return
        self._short.add(one.id)
        for stop in one.stops:
            outcome = missed.get(stop.checkpoint)
            if outcome is not None:
                found = Miss(stop.closes, one.id, outcome.provisional)
                self._missing.setdefault(stop.checkpoint, {})[one.id] = found
            elif stop.checkpoint in self._missing:
                self._missing[stop.checkpoint].pop(one.id, None)

    def missing(self, checkpoint: str) -> Iterable[Miss]:
        """What the judged rounds miss there."""
        return self._missing.get(checkpoint, NOTHING).values()

    def wait(self, one: str, sources: Iterable[str]) -> None:
        """A round or checkpoint waits for these and no others."""
        self.settle(one)
        names = tuple(sources)
        if names:
            self._waiting[one] = names
        for name in names:
            self.awaited.setdefault(name, {})[one] = None

    def is_waiting(self, one: str) -> bool:
        """Whether the round or checkpoint waits for anybody."""
        return one in self._waiting

    def waiting_at(self, one: Round) -> list[str]:
        """The checkpoints of a round that wait for somebody."""
        if not self._waiting:
            return []
        return [stop.checkpoint for stop in one.stops if stop.checkpoint in self._waiting]

    def settle(self, one: str) -> None:
        """It waits for nobody."""
        for name in self._waiting.pop(one, ()):
            del self.awaited[name][one]
            if not self.awaited[name]:
                del self.awaited[name]


def _age(one: Round) -> tuple[Millis, str]:
    return one.start, one.id


def _is_at(here: Sequence[Round], place: int, one: Round) -> bool:
    return place < len(here) and here[place].id == one.id
