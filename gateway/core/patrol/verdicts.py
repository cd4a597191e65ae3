"""What a tap is worth among the others, and what its rounds and its checkpoint make of that."""

from bisect import insort
from typing import Final

from gateway.core.desk import Desk
from gateway.core.patrol import contact, flags, places, rounds, seals, voice
from gateway.core.patrol.memory import Round, RoundState, TapRecord, Visit
from gateway.core.patrol.routes import Route
from gateway.core.values import Json, Millis, Scalar, Series, TelemetryRow

SUSPECT: Final = frozenset({"forged", "replay_suspected", "old_epoch", "other_guard"})
"""Flags that somebody should be told of at once."""
ODD: Final = ("clock_suspect", "clock_jump")
GRADES: Final = "ABCD"


def give(desk: Desk, record: TapRecord) -> None:
    """Judge a new tap and put it into its rounds."""
    found = _rounds_of(desk, record)
    record.rounds = [one.id for one in found]
    if any(one.state is RoundState.JUDGED for one in found):
        record.flags = flags.in_order([*record.flags, "late_upload"])
        record.review = "pending"
    elif not found and record.checkpoint is not None:
        word = "too_late" if _came_too_late(desk, record) else "voluntary"
        record.flags = flags.in_order([*record.flags, word])
        if word == "too_late":
            record.review = "pending"
    if found and all(_is_weak(record, one) for one in found):
        record.flags = flags.in_order([*record.flags, "too_weak"])
    _settle(desk, record)
    _commit(desk, record, "tap.judged")
    if record.counted and record.checkpoint is not None:
        places.prove(desk, record.checkpoint, record.ts, record.id)
    for one in found:
        _visit(desk, one, record)
    if not SUSPECT.isdisjoint(record.flags) and record.checkpoint is not None:
        _warn(desk, record)


def enter_make_up(desk: Desk, one: Round, record: TapRecord) -> None:
    """A make-up is entered; it counts for its round once it is approved, and proves nothing at its checkpoint before."""
    _settle(desk, record)
    _commit(desk, record, "tap.judged")
    _visit(desk, one, record)


def review(desk: Desk, record: TapRecord) -> None:
    """Judge a tap again: another one came that contradicts it, or a supervisor has looked at it."""
    before = (record.counted, list(record.flags))
    _settle(desk, record)
    if (record.counted, record.flags) == before:
        return
    _commit(desk, record, "tap.rejudged")
    if record.checkpoint is not None and record.counted is not before[0] and record.how != "make_up":
        if record.counted:
            places.prove(desk, record.checkpoint, record.ts, record.id)
        else:
            places.disprove(desk, record.checkpoint, record.id)
    for name in record.rounds:
        one = desk.state.patrol.rounds.get(name)
        if one is not None:
            one.visits = [visit for visit in one.visits if visit.tap != record.id]
            _visit(desk, one, record)
    if (
        record.checkpoint is not None
        and "replay_suspected" in record.flags
        and "replay_suspected" not in before[1]
    ):
        _warn(desk, record)


def _settle(desk: Desk, record: TapRecord) -> None:
    """Flags that depend on others, and what follows from all of them."""
    kept = [flag for flag in record.flags if flag not in ("replay_suspected", "unapproved", "rejected")]
    memory = desk.state.patrol.tags.get(record.tag or "")
    is_used = record.counter is not None and "old_epoch" not in record.flags
    if is_used and memory is not None and seals.is_replay(memory, record.id):
        kept.append("replay_suspected")
    if record.how == "make_up" and record.review != "approved":
        kept.append("unapproved")
    if record.review == "rejected":
        kept.append("rejected")
    record.flags = flags.in_order(kept)
    record.counted = record.review == "approved" or flags.count(record.flags)
    if not record.counted:
        record.grade = "D"
    elif record.grade == "D":
        record.grade = _strength(record)  # it was held back by a suspicion that is gone


def _strength(record: TapRecord) -> str:
    """How strong a tap is that was held back at first."""
    if record.counter is not None:
        return "B"
    return (
        "C" if record.how == "nfc" and record.tag is not None and "seal_missing" not in record.flags else "D"
    )


def _commit(desk: Desk, record: TapRecord, kind: str) -> None:
    record.version += 1
    desk.effects.taps[record.id] = record
    told: dict[str, Json] = {
        "grade": record.grade,
        "counted": record.counted,
        "flags": [*record.flags],
        "checkpoint": record.checkpoint,
        "ts": record.ts,
        "rounds": [*record.rounds],
    }
    desk.report(
        kind, about=record.id, device=record.checkpoint or record.asset, actor=record.guard, cause=told
    )
    _record_row(desk, record, kind.removeprefix("tap."))


def _record_row(desk: Desk, record: TapRecord, transition: str) -> None:
    if record.checkpoint is None:
        return
    series = desk.tap_series.get((record.checkpoint, transition))
    if series is None:  # another plan is in force since
        tags = {"checkpoint": record.checkpoint, "site": desk.plan.site, "transition": transition}
        series = Series("patrol_tap", tuple(tags.items()))
    fields: dict[str, Scalar] = {
        "id": record.id,
        "grade": record.grade,
        "counted": record.counted,
        "how": record.how,
        "late_ms": record.received - record.ts,
        "flags": ",".join(record.flags),
    }
    desk.effects.rows.append(TelemetryRow(series, record.ts, fields))


def _warn(desk: Desk, record: TapRecord) -> None:
    reason = next(flag for flag in record.flags if flag in SUSPECT)
    attributes: dict[str, Scalar] = {"reason": reason, "tap": record.id}
    voice.event(
        desk, record.checkpoint or "", "tap_suspect", f"{record.id}/{reason}", desk.moment.now, attributes
    )


# --- its rounds --------------------------------------------------------------------------------------------------


def _rounds_of(desk: Desk, record: TapRecord) -> list[Round]:
    """The live rounds it belongs to: of each route one, whose window holds its time or is nearest."""
    if record.checkpoint is None:
        return []
    found: dict[str, Round] = {}
    for one in desk.patrol.at(record.checkpoint):
        if one.opens_at <= record.ts <= one.judge_at and may_walk(one, record.source, record.guard):
            rival = found.get(one.route)
            if rival is None or _distance(one, record.ts) < _distance(rival, record.ts):
                found[one.route] = one
    return list(found.values())


def may_walk(one: Round | Route, source: str, guard: str | None) -> bool:
    """Whether the round or route is this reader's or this guard's."""
    if not one.readers and not one.guards:
        return True
    return source in one.readers or (guard is not None and guard in one.guards)


def _distance(one: Round, ts: Millis) -> Millis:
    return max(one.start - ts, ts - one.end, 0)


def _came_too_late(desk: Desk, record: TapRecord) -> bool:
    """Whether there was a round for it that is closed."""
    for route in desk.plan.routes.values():
        if route.due is None or all(stop.checkpoint != record.checkpoint for stop in route.stops):
            continue
        due = route.due.last(record.ts + route.early)
        if due is None or not may_walk(route, record.source, record.guard):
            continue
        judged = rounds.ends_at(route, due) + route.grace
        if record.ts <= judged and judged + route.late_upload <= record.received:
            return True
    return False


def _is_weak(record: TapRecord, one: Round) -> bool:
    return GRADES.index(record.grade) > GRADES.index(one.accept)


def _visit(desk: Desk, one: Round, record: TapRecord) -> None:
    """Put the tap into its round as it is worth now."""
    flag = "" if record.counted else next(name for name in record.flags if not flags.FLAGS[name].counts)
    if record.counted and _is_weak(record, one) and record.review != "approved":
        flag = "too_weak"
    visit = Visit(
        tap=record.id,
        checkpoint=record.checkpoint or "",
        ts=record.ts,
        received=record.received,
        source=record.source,
        guard=record.guard,
        grade=record.grade,
        flag=flag,
        odd=next((name for name in ODD if name in record.flags), ""),
        made_up=record.how == "make_up",
    )
    insort(one.visits, visit, key=_time)
    is_sign = record.counted and not visit.made_up
    if is_sign:
        contact.note(one, record.ts)
    rounds.reconsider(desk, one)
    if is_sign and one.state is not RoundState.OPEN:
        contact.follow(desk, one)


def _time(visit: Visit) -> tuple[Millis, str]:
    return visit.ts, visit.tap
