"""Alert quality of one run, added up in memory as a data directory adds it up on disk."""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import NamedTuple

from gateway.core.effects import Outcome
from gateway.core.local_time import EPOCH, wall_time
from gateway.core.quality import SLOT, Change, Key, Spell, fold
from gateway.core.quality_figures import Period, Rate, Sums, Times, observed, rate
from gateway.core.values import Millis


class Quality(NamedTuple):
    """What the figures of a window are made from; the same four fields as what a data directory keeps of a period."""

    since: Millis | None
    """When devices were seen for the first time; None when they never were."""
    announced: dict[Millis, int]
    """By slot."""
    sums: list[Sums]
    spells: list[Times]
    """Those that touch the window, the oldest first."""

    def seen(self, window: Period) -> list[Period]:
        """The parts of the window in which devices could be seen."""
        gaps = [one for one in self.spells if one.spell is Spell.UNOBSERVED]
        return observed(window, self.since, gaps)

    def rate(self, window: Period, zone: tzinfo) -> Rate:
        """How much was announced in how much time, in windows of ten minutes on the hour of the zone."""
        return rate(self.announced, self.seen(window), offset_at(zone))


def offset_at(zone: tzinfo) -> Callable[[Millis], Millis]:
    """How far local time is ahead of UTC at a moment, in whole slots."""

    def offset(at: Millis) -> Millis:
        found = (wall_time(at, zone) - EPOCH).total_seconds() * 1000
        return (round(found) - at) // SLOT * SLOT

    return offset


class QualityCount:
    """Collects the counts and spells of one run.

    Args:
        start: of the window, on a slot; what came before counts only for spells that go on.
    """

    def __init__(self, start: Millis) -> None:
        if start % SLOT:
            raise ValueError(f"a window begins on a slot of {SLOT} ms; found {start}")
        self._start = start
        self._counts: dict[Key, dict[str, int]] = {}
        self._spells: list[Times] = []
        self._lasting: dict[tuple[Spell, str, str], int] = {}

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """What happened next, in order."""
        folded = fold(outcomes)
        for key, counts in folded.counts.items():
            if key.slot >= self._start:
                total = self._counts.setdefault(key, {})
                for name, value in counts.items():
                    total[name] = total.get(name, 0) + value
        for change in folded.changes:
            self._apply(change)

    def _apply(self, change: Change) -> None:
        name = change.spell, change.device, change.rule
        place = self._lasting.pop(name, None)
        if place is not None:
            self._spells[place] = self._spells[place]._replace(ended=change.at)
        if change.begins:
            self._lasting[name] = len(self._spells)
            self._spells.append(Times(change.spell, change.device, change.rule, change.at, None))

    def quality(self, since: Millis | None) -> Quality:
        """All of it; ``since`` is when devices were seen for the first time."""
        announced: dict[Millis, int] = {}
        sums: dict[tuple[str, str, str, str], dict[str, int]] = {}
        for key, counts in sorted(self._counts.items()):
            if "announced" in counts:
                announced[key.slot] = announced.get(key.slot, 0) + counts["announced"]
            total = sums.setdefault((key.device, key.rule, key.level, key.actor), {})
            for name, value in counts.items():
                total[name] = total.get(name, 0) + value
        spells = [one for one in self._spells if one.ended is None or one.ended > self._start]
        spells.sort(key=lambda one: one.began)
        return Quality(since, announced, [Sums(*key, total) for key, total in sorted(sums.items())], spells)
