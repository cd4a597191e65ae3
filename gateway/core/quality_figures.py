"""The figures of alert quality in a period, after EEMUA 191 and ISA-18.2: rate, floods, top ten, stale, and their limits.

Time nobody observed is no time without alerts: it is left out of the time that rates and shares are taken of. Where
nothing can be said there is no figure, never a zero.
"""

import enum
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from gateway.core.quality import SLOT, Spell
from gateway.core.values import MINUTE, Millis

K = TypeVar("K", bound=Hashable)

WINDOW: Millis = 10 * MINUTE
"""Rates and floods are judged in windows of so long, on the hour of the site (EEMUA 191)."""
FLOOD_ABOVE = 10
"""More announced in one window than this is a flood."""
RATE_GOOD, RATE_MOST = 1.0, 2.0
"""Announced in a window on average: very likely acceptable up to the first, at most manageable up to the second."""
FLOOD_SHARE_MOST = 0.01
"""Floods take less than this share of the time."""
TOP = 10
TOP_SHARE_MOST = 0.05
"""The ten most frequent make less than this share of what is announced."""
STALE_MOST = 5
"""Fewer than so many stand for longer than a day, on any day."""
CRITICAL_MOST, ABOVE_INFO_MOST = 0.05, 0.20
"""Of what is announced, about 80 % are of low, 15 % of medium and 5 % of high priority."""


class Verdict(enum.StrEnum):
    """How a figure compares with its target."""

    GOOD = "good"
    MANAGEABLE = "manageable"
    OVER = "over"
    NO_DATA = "no_data"


class Period(NamedTuple):
    """A stretch of time, ``end`` exclusive."""

    start: Millis
    end: Millis


class Sums(NamedTuple):
    """What was counted in a period, of one device, rule, level and actor; absent counts are 0."""

    device: str
    rule: str
    level: str
    actor: str
    counts: Mapping[str, int]


class Times(NamedTuple):
    """A spell with its times; it goes on where it has no end."""

    spell: Spell
    device: str
    rule: str
    began: Millis
    ended: Millis | None

    def within(self, period: Period) -> Millis:
        """How much of it lies in a period, which may not reach into the future."""
        end = period.end if self.ended is None else min(self.ended, period.end)
        return max(0, end - max(self.began, period.start))


class Flood(NamedTuple):
    """Windows in a row with too much announced in each."""

    start: Millis
    end: Millis
    announced: int
    peak: int
    """The most in one window."""


class Rate(NamedTuple):
    """How much was announced in how much time; no mean where nothing was observed."""

    announced: int
    observed: Millis
    mean: float | None
    """In ten minutes."""
    peak: int | None
    floods: list[Flood]
    flood_time: Millis
    flood_share: float | None


def observed(period: Period, since: Millis | None, gaps: Iterable[Times]) -> list[Period]:
    """The parts of a period, which may not reach into the future, in which devices could be seen.

    Args:
        period: the whole.
        since: when they could be seen for the first time; None when never.
        gaps: when they could not; may overlap.
    """
    if since is None:
        return []
    found: list[Period] = []
    at = max(period.start, since)
    for gap in sorted(gaps, key=lambda one: one.began):
        if gap.began > at:
            found.append(Period(at, min(gap.began, period.end)))
        at = max(at, period.end if gap.ended is None else gap.ended)
    found.append(Period(at, period.end))
    return [one for one in found if one.start < one.end]


def overlap(parts: Iterable[Period], start: Millis, end: Millis) -> Millis:
    """How much of the time between two moments lies in any of the parts, which do not overlap."""
    return sum(max(0, min(one.end, end) - max(one.start, start)) for one in parts)


def window_of(slot: Millis, offset: Millis) -> Millis:
    """The beginning of the window a slot lies in, where local time is ahead of UTC by ``offset``."""
    local = slot + offset
    return local - local % WINDOW - offset


def rate(
    announced: Mapping[Millis, int], seen: Sequence[Period], offset_at: Callable[[Millis], Millis]
) -> Rate:
    """Rate and floods.

    Args:
        announced: how much in each slot.
        seen: the parts of the period in which devices could be seen.
        offset_at: how far local time is ahead of UTC at a moment.
    """
    windows: dict[Millis, int] = {}
    for slot, found in sorted(announced.items()):
        begin = window_of(slot, offset_at(slot))
        windows[begin] = windows.get(begin, 0) + found
    floods = _floods(windows)
    base = sum(one.end - one.start for one in seen)
    flood_time = sum(overlap(seen, one.start, one.end) for one in floods)
    total = sum(windows.values())
    if not base:
        return Rate(total, 0, None, None, floods, 0, None)
    peak = max(windows.values(), default=0)
    return Rate(total, base, total * WINDOW / base, peak, floods, flood_time, flood_time / base)


def _floods(windows: Mapping[Millis, int]) -> list[Flood]:
    floods: list[Flood] = []
    for begin, found in windows.items():
        if found <= FLOOD_ABOVE:
            continue
        if floods and floods[-1].end == begin:
            last = floods[-1]
            floods[-1] = Flood(last.start, begin + WINDOW, last.announced + found, max(last.peak, found))
        else:
            floods.append(Flood(begin, begin + WINDOW, found, found))
    return floods


def totals(sums: Iterable[Sums], group: Callable[[Sums], K | None]) -> dict[K, dict[str, int]]:
    """Counts added up by group; None leaves them out."""
    found: dict[K, dict[str, int]] = {}
    for one in sums:
        name = group(one)
        if name is None:
            continue
        total = found.setdefault(name, {})
        for count, value in one.counts.items():
            total[count] = total.get(count, 0) + value
    return found


def most(announced: Mapping[K, int], order: Callable[[K], str]) -> list[tuple[K, int]]:
    """The ten that announced the most; those that announced equally much by ``order``."""
    ranked = sorted(announced.items(), key=lambda one: (-one[1], order(one[0])))
    return [one for one in ranked[:TOP] if one[1]]


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None


def mean(total: Millis, count: int) -> float | None:
    """Milliseconds each; None of none."""
    return total / count if count else None


def judge_rate(value: float | None) -> Verdict:
    """Of announced in ten minutes on average."""
    if value is None:
        return Verdict.NO_DATA
    if value <= RATE_GOOD:
        return Verdict.GOOD
    return Verdict.MANAGEABLE if value <= RATE_MOST else Verdict.OVER


def judge_below(value: float | None, limit: float) -> Verdict:
    """Of a figure that is to stay below a limit."""
    if value is None:
        return Verdict.NO_DATA
    return Verdict.GOOD if value < limit else Verdict.OVER


def judge_none(value: float | None) -> Verdict:
    """Of a figure that is to be zero."""
    if value is None:
        return Verdict.NO_DATA
    return Verdict.OVER if value else Verdict.GOOD


def judge_mix(critical: int, warning: int, total: int) -> Verdict:
    """Of how what is announced is spread over the levels."""
    if not total:
        return Verdict.NO_DATA
    fits = critical <= CRITICAL_MOST * total and critical + warning <= ABOVE_INFO_MOST * total
    return Verdict.GOOD if fits else Verdict.OVER


def standing(spells: Iterable[Times], spell: Spell, period: Period) -> int:
    """How many of a kind touch a period."""
    return sum(
        one.spell is spell and one.began < period.end and (one.ended is None or one.ended > period.start)
        for one in spells
    )


def aligned(period: Period, offset_at: Callable[[Millis], Millis]) -> Period:
    """The smallest period of whole windows that holds another."""
    start = window_of(period.start - period.start % SLOT, offset_at(period.start))
    last = max(period.end, period.start + 1) - 1
    end = window_of(last - last % SLOT, offset_at(last)) + WINDOW
    return Period(start, end)
