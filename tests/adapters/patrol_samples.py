"""Taps and rounds for the tests of their records, and how they get there."""

from collections.abc import Collection
from typing import Any

from gateway.adapters.sql.store import Store
from gateway.core.effects import Effects
from gateway.core.patrol.memory import PatrolState, Round, TapRecord
from gateway.core.state import Scalars, State

NOW = 1_790_000_000_000


def a_tap(name: str, received: int = NOW, **more: Any) -> TapRecord:  # noqa: ANN401 - fields of a tap
    """A tap received then, otherwise as given."""
    more.setdefault("ts", received - 5)
    return TapRecord(id=name, key=name, source="reader-1", received=received, claimed=received, **more)


def a_round(name: str, start: int = NOW, **more: Any) -> Round:  # noqa: ANN401 - fields of a round
    """A round that begins then, otherwise as given."""
    more = {"route": "night", "date": "2026-09-21", "order": "strict", "stops": [], **more}
    return Round(
        id=name,
        key=more["date"] + "T22:00",
        start=start,
        end=start + 1,
        opens_at=start,
        judge_at=start + 2,
        close_at=start + 3,
        **more,
    )


def state_of(found: PatrolState, now: int = NOW) -> State:
    """A memory of patrol as part of the whole."""
    return State(Scalars(now=now), patrol=found)


async def keep_taps(store: Store, *taps: TapRecord, now: int = NOW, known: bool = True) -> None:
    """Commit taps, new ones with their id as their fingerprint."""
    effects = Effects()
    effects.taps = {tap.id: tap for tap in taps}
    found = PatrolState(known={tap.id: (tap.received, tap.id) for tap in taps} if known else {})
    await store.commit([], effects, state_of(found, now))


async def keep_rounds(store: Store, *rounds: Round, live: Collection[str] = ()) -> None:
    """Commit rounds; only the live ones are in memory."""
    effects = Effects()
    effects.rounds = {one.id: one for one in rounds}
    found = PatrolState(rounds={one.id: one for one in rounds if one.id in live})
    await store.commit([], effects, state_of(found))
