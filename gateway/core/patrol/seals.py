"""Cryptographic taps of one tag against each other.

The tag counts its taps, so counter and time must agree: sorted by counter, times never go back, across all devices. A
tap whose counter is lower than that of another made earlier is an old one sent again, and so is the second of two with
one counter. This looks at the set of taps and not at the order they came in: two phones of which one was offline are
no contradiction. What was forgotten leaves a floor; what is not above it cannot be told from a replay.
"""

from bisect import bisect_left
from itertools import islice

from gateway.core.patrol.memory import TagMemory, Use
from gateway.core.values import SECOND, Millis

USES_MOST = 256
"""Uses remembered of a tag."""
TWINS_MOST = 4
"""Copies remembered of one counter: who sends one tap a thousand times makes the tag forget nothing else."""
TIE: Millis = 10 * SECOND
"""Times of different devices are not compared more finely."""


def enter(memory: TagMemory, use: Use) -> list[str]:
    """Remember a use; returns the taps whose verdict it may have changed, itself not among them."""
    uses = memory.uses
    place = bisect_left(uses, _key(use), key=_key)
    uses.insert(place, use)
    touched: list[str] = []
    if not use.doubtful:
        for index in range(place - 1, -1, -1):
            other = uses[index]
            if other.epoch != use.epoch or (other.ts <= use.ts + TIE and not other.doubtful):
                break  # what lies below contradicts this one already
            touched.append(other.tap)
    twins = _twins(memory, use)
    touched += [other.tap for other in twins if other is not use]
    if len(twins) > TWINS_MOST:
        uses.remove(twins[-1])
    if len(uses) > USES_MOST:
        gone = uses.pop(0)
        memory.floor = (gone.epoch, gone.counter)
    if not touched:
        return touched
    left = {other.tap for other in uses}
    return [tap for tap in dict.fromkeys(touched) if tap in left]


def _twins(memory: TagMemory, use: Use) -> list[Use]:
    """Every use with this counter, the original first."""
    begin = bisect_left(memory.uses, (use.epoch, use.counter), key=_counter)
    found: list[Use] = []
    for other in islice(memory.uses, begin, None):
        if _counter(other) != _counter(use):
            break
        found.append(other)
    return found


def is_replay(memory: TagMemory, tap: str) -> bool:
    """Whether a use just entered, or remembered still, contradicts the others."""
    uses = memory.uses
    place = next((index for index in range(len(uses) - 1, -1, -1) if uses[index].tap == tap), None)
    if place is None:
        return True  # below the floor, or one of many copies
    use = uses[place]
    if memory.floor is not None and (use.epoch, use.counter) <= memory.floor:
        return True
    for index in range(place + 1, len(uses)):
        other = uses[index]
        if other.epoch != use.epoch:
            break
        if not other.doubtful and other.counter > use.counter and other.ts < use.ts - TIE:
            return True
    return place > 0 and _counter(uses[place - 1]) == _counter(use)


def _key(use: Use) -> tuple[int, int, Millis, str]:
    """Of two with one counter the one made first comes first: it is the original."""
    return use.epoch, use.counter, use.ts, use.tap


def _counter(use: Use) -> tuple[int, int]:
    return use.epoch, use.counter
