"""Readers and phones: when each was heard, and whether it may hold taps that nobody has seen yet."""

from collections.abc import Iterable

from gateway.core.desk import Desk
from gateway.core.patrol.memory import Round, Source
from gateway.core.values import Millis

STORED = "stored_taps"
"""The point in which a reader says how many taps it has not uploaded."""


def hear(desk: Desk, name: str, *, queued: int | None, skew: Millis | None) -> Source:
    """It has uploaded something; ``queued`` is how many taps it says it still holds."""
    source = desk.state.patrol.sources.get(name)
    if source is None:
        source = desk.state.patrol.sources[name] = Source()
    source.contact, source.queued = desk.moment.now, queued
    source.skew = source.skew if skew is None else skew
    if queued == 0 and source.empty_at != desk.moment.now:
        source.empty_before, source.empty_at = source.empty_at, desk.moment.now
    if queued == 0 or (queued is None and name not in desk.plan.devices):
        source.whole_to = desk.moment.now  # a phone that does not say holds nothing
    desk.touch_patrol("sources", name)
    return source


def hear_reader(desk: Desk, name: str) -> None:
    """A hand-held reader has reported: that it holds nothing, or nothing about that."""
    dev = desk.state.devices.get(name)
    if dev is None or dev.heard is None:
        return
    stored = dev.last.get(STORED)
    if stored is not None and stored[1] != 0:
        return
    known = dev.heard if stored is None else min(stored[0], dev.heard)
    source = desk.state.patrol.sources.setdefault(name, Source())
    if source.whole_to is None or source.whole_to < known:
        source.whole_to = known
        source.contact = max(source.contact, dev.heard)
        desk.touch_patrol("sources", name)


def is_synced(desk: Desk, name: str, since: Millis) -> bool:
    """Whether everything it read before that moment is known, as far as one can tell."""
    source = desk.state.patrol.sources.get(name)
    if source is not None and source.whole_to is not None and source.whole_to >= since:
        return True
    dev = desk.state.devices.get(name)
    if dev is None or name not in desk.plan.devices or dev.heard is None or dev.heard < since:
        return False
    stored = dev.last.get(STORED)
    return stored is None or (stored[1] == 0 and stored[0] >= since)


def of_round(desk: Desk, one: Round) -> list[str]:
    """The readers and phones that may hold taps of the round.

    Those that tapped on it; where nobody has, or a second person is missing, every reader of the route and the phones its guards used last.
    """
    found = dict.fromkeys(visit.source for visit in one.visits if not visit.made_up)
    if len(found) < one.persons:
        found |= dict.fromkeys(one.readers)
        guards = desk.state.patrol.guards
        found |= dict.fromkeys(
            phone
            for name in one.guards
            if (guard := guards.get(name)) is not None and (phone := guard.source) is not None
        )
    return list(found)


def unsynced(desk: Desk, names: Iterable[str], since: Millis) -> list[str]:
    """Those of them that may know more."""
    return [name for name in names if not is_synced(desk, name, since)]


def is_blind(desk: Desk, one: Round) -> bool:
    """Whether the readers of the round cannot be heard now; phones come over HTTP."""
    return not desk.state.scalars.observing and _has_reader(desk, one)


def clear_since(desk: Desk, one: Round) -> Millis:
    """Since when they could be heard without a break."""
    scalars = desk.state.scalars
    return scalars.seen_since if _has_reader(desk, one) else scalars.started_at


def _has_reader(desk: Desk, one: Round) -> bool:
    return any(name in desk.plan.devices for name in one.readers)
