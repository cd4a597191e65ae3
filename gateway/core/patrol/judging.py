"""What the taps of a round mean, stop by stop.

Everything here is a function of the round and the set of its visits. In which order they came does not matter, only
whether one came before the round was judged: after that it is a late upload.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from gateway.core.patrol.memory import Oddity, Round, RoundState, RoundStop, StopOutcome, Visit
from gateway.core.persons import is_same
from gateway.core.values import SECOND, Millis

CLONED_WITHIN: Millis = 15 * SECOND
"""Two phones that tap the same checkpoints so close together are in one hand."""
CLONED_STOPS = 3
DOUBT = frozenset(
    {"too_fast", "two_devices", "clock_suspect", "clock_jump", "forged", "replay_suspected", "other_guard"}
)
"""Oddities that make a complete round doubtful."""
VISITED = ("on_time", "early", "late", "late_upload")
"""Somebody was there."""
_RANK = {"on_time": 0, "early": 1, "late": 2}

Distance: TypeAlias = Callable[[str, str], Millis]
"""The shortest time a person needs between two checkpoints."""


class Met(NamedTuple):
    """A visit that satisfies its stop, alone or, on a patrol of two, with the one beside it."""

    ts: Millis
    visit: Visit
    received: Millis
    """When the last tap it needs came in."""
    beside: Visit | None = None


def judge(one: Round, distance: Distance, *, unsynced: bool) -> None:
    """Work out outcomes, oddities and result anew.

    Args:
        one: the round; changed in place.
        distance: how long a person needs at least between two checkpoints.
        unsynced: a reader or phone that may hold taps of it has not been heard since its end.
    """
    counted = [visit for visit in one.visits if not visit.flag]
    by_place: dict[str, list[Visit]] = {}
    for visit in counted:
        by_place.setdefault(visit.checkpoint, []).append(visit)
    chosen: dict[str, Met] = {}
    outcomes: list[StopOutcome] = []
    for stop in one.stops:
        here = by_place.get(stop.checkpoint, ())
        met = _best(one, stop, here)
        if met is not None and not met.visit.made_up:
            chosen[stop.checkpoint] = met
        outcomes.append(_outcome(one, stop, met, alone=bool(here), unsynced=unsynced))
    one.oddities = _oddities(one, counted, chosen, outcomes, distance)
    one.outcomes = [*outcomes, *_extras(counted, chosen, outcomes)]
    one.result = _result(one, outcomes)


def expected(one: Round, ts: Millis, checkpoint: str) -> str:
    """What a tap at that time is for its stop: ``on_time``, ``early`` or ``late``; ``extra`` where it is none of the round's."""
    for stop in one.stops:
        if stop.checkpoint == checkpoint:
            return _timing(stop, ts)
    return "extra"


def is_done(one: Round) -> bool:
    """Whether every stop has been visited or skipped."""
    seen = {visit.checkpoint for visit in one.visits if not visit.flag} | one.skips.keys()
    return all(stop.checkpoint in seen for stop in one.stops)


def _timing(stop: RoundStop, ts: Millis) -> str:
    if ts < stop.opens:
        return "early"
    return "on_time" if ts <= stop.closes else "late"


def _best(one: Round, stop: RoundStop, here: Sequence[Visit]) -> Met | None:
    """The visit that speaks best for the stop: one that came in time before a late upload, a tap before a make-up."""
    if not here:
        return None
    real = [visit for visit in here if not visit.made_up]
    met = _together(real, one.within) if one.persons > 1 else [Met(v.ts, v, v.received) for v in real]
    if len(met) == 1:
        return met[0]
    if met:
        return min(met, key=lambda each: _order(one, stop, each))
    made_up = [visit for visit in here if visit.made_up]
    return Met(made_up[0].ts, made_up[0], made_up[0].received) if made_up else None


def _order(one: Round, stop: RoundStop, met: Met) -> tuple[bool, int, Millis, str]:
    timing = _timing(stop, met.ts)
    nearest = -met.ts if timing == "early" else met.ts
    return _is_late_upload(one, met.received), _RANK[timing], nearest, met.visit.tap


def _is_late_upload(one: Round, received: Millis) -> bool:
    return one.judged_at is not None and received >= one.judged_at


def _together(visits: Sequence[Visit], within: Millis) -> list[Met]:
    """Visits beside which another guard tapped soon enough; two taps of one guard are not two people."""
    found: list[Met] = []
    for index, later in enumerate(visits):
        for sooner in visits[:index]:
            if later.ts - sooner.ts > within or later.guard is None or sooner.guard is None:
                continue
            if not is_same(later.guard, sooner.guard):
                received = max(later.received, sooner.received)
                found.append(Met(later.ts, later, received, sooner))
    return found


def _outcome(one: Round, stop: RoundStop, met: Met | None, *, alone: bool, unsynced: bool) -> StopOutcome:
    name = stop.checkpoint
    if met is not None and not met.visit.made_up:
        late = _is_late_upload(one, met.received)
        word = "late_upload" if late else _timing(stop, met.ts)
        visit = met.visit
        return StopOutcome(
            checkpoint=name, word=word, ts=met.ts, tap=visit.tap, guard=visit.guard, grade=visit.grade
        )
    if name in one.skips:
        return StopOutcome(checkpoint=name, word="skipped", reason=one.skips[name][1])
    if met is not None:
        return StopOutcome(
            checkpoint=name, word="made_up", ts=met.ts, tap=met.visit.tap, guard=met.visit.guard
        )
    reason = "one_person" if alone else ""
    if one.state is RoundState.OPEN:
        return StopOutcome(checkpoint=name, word="pending", reason=reason)
    if one.state is RoundState.CLOSED and unsynced:
        return StopOutcome(checkpoint=name, word="unknown", reason=reason)
    return StopOutcome(checkpoint=name, word="missed", reason=reason, provisional=unsynced)


def _extras(
    counted: Sequence[Visit], chosen: dict[str, Met], outcomes: Sequence[StopOutcome]
) -> list[StopOutcome]:
    """Taps beyond the one that counts."""
    used = {one.tap for one in outcomes if one.tap}
    used |= {met.beside.tap for met in chosen.values() if met.beside is not None}
    return [
        StopOutcome(
            checkpoint=visit.checkpoint,
            word="extra",
            ts=visit.ts,
            tap=visit.tap,
            guard=visit.guard,
            grade=visit.grade,
        )
        for visit in counted
        if visit.tap not in used and not visit.made_up
    ]


# --- what a supervisor should look at ---------------------------------------------------------------------------


def _oddities(
    one: Round,
    counted: Sequence[Visit],
    chosen: dict[str, Met],
    outcomes: Sequence[StopOutcome],
    distance: Distance,
) -> list[Oddity]:
    real = [visit for visit in counted if not visit.made_up]
    found = _of_taps(one.visits)
    found += [Oddity(kind="one_person", checkpoint=each.checkpoint) for each in outcomes if each.reason == "one_person"]  # fmt: skip
    if one.order != "any":
        found += _out_of_order(one, chosen, outcomes)
    found += _too_fast(one, real, distance)
    found += _too_slow(one, chosen)
    if one.persons == 1:
        found += _two_devices(real, max(2, min(CLONED_STOPS, len(one.stops))))
    return found


def _of_taps(visits: Sequence[Visit]) -> list[Oddity]:
    kinds = ((visit.flag or visit.odd, visit) for visit in visits)
    return [
        Oddity(kind=kind, checkpoint=visit.checkpoint, ts=visit.ts, tap=visit.tap)
        for kind, visit in kinds
        if kind
    ]


def _out_of_order(one: Round, chosen: dict[str, Met], outcomes: Sequence[StopOutcome]) -> list[Oddity]:
    """Stops visited after one that stands behind them; the sequence goes on from the furthest point."""
    place = {stop.checkpoint: index for index, stop in enumerate(one.stops)}
    by_name = {outcome.checkpoint: outcome for outcome in outcomes}
    furthest = -1
    found: list[Oddity] = []
    for name, met in sorted(chosen.items(), key=lambda item: (item[1].ts, place[item[0]])):
        if place[name] < furthest:
            by_name[name].out_of_order = True
            found.append(Oddity(kind="out_of_order", checkpoint=name, ts=met.ts, tap=met.visit.tap))
        furthest = max(furthest, place[name])
    return found


def _too_fast(one: Round, real: Sequence[Visit], distance: Distance) -> list[Oddity]:
    """Legs no person can walk: many tags in seconds is how rounds are faked from a chair."""
    least = {
        (before.checkpoint, stop.checkpoint): stop.least
        for before, stop in zip(one.stops, one.stops[1:], strict=False)
    }
    last: dict[str, Visit] = {}
    found: list[Oddity] = []
    for visit in real:
        walker = visit.guard or visit.source
        before = last.get(walker)
        last[walker] = visit
        if before is None or before.checkpoint == visit.checkpoint:
            continue
        limit = max(
            least.get((before.checkpoint, visit.checkpoint)) or 0,
            distance(before.checkpoint, visit.checkpoint),
        )
        took = visit.ts - before.ts
        if took < limit:
            found.append(
                Oddity(
                    kind="too_fast", checkpoint=visit.checkpoint, ts=visit.ts, took=took, limit=limit, tap=visit.tap
                )
            )  # fmt: skip
    return found


def _too_slow(one: Round, chosen: dict[str, Met]) -> list[Oddity]:
    found: list[Oddity] = []
    for before, stop in zip(one.stops, one.stops[1:], strict=False):
        came, went = chosen.get(stop.checkpoint), chosen.get(before.checkpoint)
        if came is None or went is None or stop.most is None:
            continue
        took = came.ts - went.ts
        if took > stop.most:
            found.append(
                Oddity(kind="too_slow", checkpoint=stop.checkpoint, ts=came.ts, took=took, limit=stop.most)
            )
    return found


def _two_devices(real: Sequence[Visit], least: int) -> list[Oddity]:
    """The same sequence from two devices seconds apart, where one person was expected."""
    first: dict[str, dict[str, Visit]] = {}
    for visit in real:
        first.setdefault(visit.source, {}).setdefault(visit.checkpoint, visit)
    sources = sorted(first)
    found: list[Oddity] = []
    for index, one in enumerate(sources):
        for other in sources[index + 1 :]:
            pairs = [
                (visit, first[other][name]) for name, visit in first[one].items() if name in first[other]
            ]
            close = [visit for visit, twin in pairs if abs(visit.ts - twin.ts) <= CLONED_WITHIN]
            if len(close) >= least:
                found.append(Oddity(kind="two_devices", checkpoint=close[0].checkpoint, ts=close[0].ts))
    return found


def _result(one: Round, outcomes: Sequence[StopOutcome]) -> str:
    if one.result == "cancelled" or one.state is RoundState.OPEN:
        return one.result
    if any(each.word == "made_up" or (each.word == "missed" and not each.provisional) for each in outcomes):
        return "incomplete"
    if any(each.word in ("missed", "unknown") for each in outcomes):
        return "unknown"
    return "doubtful" if any(odd.kind in DOUBT for odd in one.oddities) else "complete"
