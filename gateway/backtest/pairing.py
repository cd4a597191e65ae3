"""Which episode of one run is the same occurrence as which of the other.

Only episodes of the same rule on the same device are paired, each with at most one:

1. Those that came up in the same millisecond are a pair; of several, in their order.
2. Of the others, two that stood at a common moment are candidates: one came up while the other stood, its last moment
   included. The candidates whose beginnings are nearest to each other become a pair first; at equal distance the one
   that came up earlier in the run of the site now, then the one earlier in the run of the candidate.
3. What is left has no counterpart: removed where the site now has it, added where the candidate has it.

So a pair has either the same beginning or a known shift, and nothing is called moved that never stood together.

Whatever touches the window through the beginning of either is reported. So for every rule ::

    now       = pairs that began in the window by the site now  + removed
    candidate = pairs that began in the window by the candidate + added

The warm-up is paired too: an alert that the candidate moves over the edge of the window is moved, not added.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from gateway.backtest.episodes import Episode
from gateway.core.quality_figures import Period
from gateway.core.values import Millis

Source: TypeAlias = tuple[str, str]
"""Device and rule."""


class Pair(NamedTuple):
    """An occurrence as it was, as it would have been, or both; at least one of the two is there."""

    now: Episode | None
    candidate: Episode | None

    @property
    def either(self) -> Episode:
        """One of the two, for what both have in common."""
        found = self.now or self.candidate
        if found is None:
            raise ValueError("a pair of nothing")
        return found

    @property
    def shift(self) -> Millis:
        """How much later the candidate brings it up; negative for earlier, 0 where there is no pair."""
        if self.now is None or self.candidate is None:
            return 0
        return self.candidate.raised_at - self.now.raised_at

    @property
    def added(self) -> bool:
        """The candidate alone has it."""
        return self.now is None

    @property
    def removed(self) -> bool:
        """The site now alone has it."""
        return self.candidate is None

    @property
    def moved(self) -> bool:
        """Both have it, at other times."""
        return self.shift != 0

    @property
    def level_changed(self) -> bool:
        """Both have it, and the worst it came to differs."""
        return self.now is not None and self.candidate is not None and self.now.level != self.candidate.level

    @property
    def hushed(self) -> bool:
        """Both have it; the site now put it before people, the candidate keeps it quiet."""
        return self._told() == (True, False)

    @property
    def voiced(self) -> bool:
        """Both have it; the site now kept it quiet, the candidate puts it before people."""
        return self._told() == (False, True)

    @property
    def same(self) -> bool:
        """Both have it, and nothing of the above differs."""
        paired = self.now is not None and self.candidate is not None
        return paired and not (self.moved or self.level_changed or self.hushed or self.voiced)

    def _told(self) -> tuple[bool, bool] | None:
        if self.now is None or self.candidate is None:
            return None
        return self.now.announced_at is not None, self.candidate.announced_at is not None


def compare(now: Iterable[Episode], candidate: Iterable[Episode], window: Period) -> list[Pair]:
    """Every pair and every one without a counterpart that began in the window by either run, in order of time.

    Args:
        now: of the site now, the warm-up included.
        candidate: of the candidate.
        window: what is judged.
    """
    ours, theirs = _by_source(now), _by_source(candidate)
    found = [
        pair
        for source in sorted({*ours, *theirs})
        for pair in _paired(ours.get(source, []), theirs.get(source, []))
        if began_in(pair.now, window) or began_in(pair.candidate, window)
    ]
    return sorted(found, key=_place)


def began_in(one: Episode | None, window: Period) -> bool:
    """Whether there is one and it came up in the window."""
    return one is not None and window.start <= one.raised_at < window.end


def _place(pair: Pair) -> tuple[Millis, str, str, Millis]:
    first, other = pair.either, pair.candidate or pair.either
    return min(first.raised_at, other.raised_at), first.device, first.rule, other.raised_at


def _by_source(episodes: Iterable[Episode]) -> dict[Source, list[Episode]]:
    found: dict[Source, list[Episode]] = {}
    for one in episodes:
        found.setdefault((one.device, one.rule), []).append(one)
    for some in found.values():
        some.sort(key=lambda one: one.raised_at)
    return found


def _paired(now: Sequence[Episode], candidate: Sequence[Episode]) -> Iterator[Pair]:
    """All of both, of one source, each in order of time."""
    partner = _at_once(now, candidate)
    taken = set(partner.values())
    for index, other in _nearest_first(now, candidate):
        if index not in partner and other not in taken:
            partner[index] = other
            taken.add(other)
    for index, one in enumerate(now):
        match = partner.get(index)
        yield Pair(one, None if match is None else candidate[match])
    yield from (Pair(None, one) for index, one in enumerate(candidate) if index not in taken)


def _at_once(now: Sequence[Episode], candidate: Sequence[Episode]) -> dict[int, int]:
    """Those that came up in the same millisecond, by their places."""
    places: dict[Millis, list[int]] = {}
    for index, one in enumerate(candidate):
        places.setdefault(one.raised_at, []).append(index)
    found: dict[int, int] = {}
    for index, one in enumerate(now):
        same = places.get(one.raised_at)
        if same:
            found[index] = same.pop(0)
    return found


def _nearest_first(now: Sequence[Episode], candidate: Sequence[Episode]) -> list[tuple[int, int]]:
    """The places of all that stood at a common moment, those with the nearest beginnings first."""
    met: list[tuple[Millis, int, int]] = []
    first = 0
    for index, one in enumerate(now):
        while first < len(candidate) and _over_by(candidate[first], one.raised_at):
            first += 1
        for other in range(first, len(candidate)):
            begun = candidate[other].raised_at
            if one.until is not None and begun > one.until:
                break
            if not _over_by(candidate[other], one.raised_at):
                met.append((abs(begun - one.raised_at), index, other))
    return [(index, other) for _, index, other in sorted(met)]


def _over_by(one: Episode, at: Millis) -> bool:
    return one.until is not None and one.until < at
