"""A round from its due time to its close.

========  ==============================================================================================
state     what happens
========  ==============================================================================================
open      from ``early`` before the start to the end of the grace: taps count, nothing is missed yet
judged    what was not visited is missed, provisionally while a reader or phone has not synced; what is uploaded
          now counts as a late upload that a supervisor looks at
closed    nothing changes any more; what still nobody can know is unknown, and unknown is not kept
========  ==============================================================================================

Rounds that came due while the gateway was down are made up for when it is back, and judged once readers and phones have
had time to upload.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.local_time import instant, wall_time
from gateway.core.patrol import contact, judging, places, sources, voice
from gateway.core.patrol.memory import Round, RoundState, RoundStop, RouteMemory, StopOutcome
from gateway.core.patrol.routes import Route
from gateway.core.recurrence import Due
from gateway.core.timers import Timer
from gateway.core.values import Json, Millis, Scalar

PURPOSES = ("round", "judge", "close", "contact", "gap")
"""The timers of patrol."""
WORDS = ("on_time", "early", "late", "late_upload", "made_up", "skipped", "missed", "unknown", "extra")


# --- when they are looked at -------------------------------------------------------------------------------------


def watch(desk: Desk) -> None:
    """Ask for every wake-up the state implies, after a start or another plan."""
    for route in desk.plan.routes.values():
        _await_next(desk, route)
    for one in desk.state.patrol.rounds.values():
        desk.patrol.add(one)
        arm(desk, one)
    for checkpoint in dict.fromkeys([*desk.covering, *desk.state.patrol.places]):
        place = desk.state.patrol.places.get(checkpoint)
        if place is not None:
            desk.await_once(desk.state.scalars.now, checkpoint, "gap")


def rest(desk: Desk) -> None:
    """The gateway goes down: what comes due is dealt with when it is back."""
    for purpose, owner in list(desk.meant):
        if purpose in PURPOSES:
            desk.await_once(None, owner, purpose)


def take_up(desk: Desk) -> None:
    """The gateway is back, or another plan is in force: rounds that came due are opened, and all is looked at again."""
    for route in desk.plan.routes.values():
        if route.due is not None and route.id not in desk.state.patrol.routes:
            desk.state.patrol.routes[route.id] = RouteMemory(desk.moment.now)
            desk.touch_patrol("routes", route.id)
        _open_due(desk, route)
    look_again(desk)


def look_again(desk: Desk) -> None:
    """Devices can be seen again, or the plan changed: every round and every gap is judged as things stand now."""
    for _, one in sorted(desk.state.patrol.rounds.items()):
        arm(desk, one)
        contact.follow(desk, one)
    for checkpoint in desk.covering:
        if checkpoint in desk.plan.checkpoints:
            places.memory(desk, checkpoint)
            places.look(desk, checkpoint)


def adopt(desk: Desk) -> None:
    """Another plan is in force. Rounds go on as they were frozen; open ones of a route that is gone are cancelled."""
    rest(desk)
    for name, memory in desk.state.patrol.routes.items():
        if memory.at < desk.moment.now:
            memory.at = desk.moment.now  # up to now the old plan decided; of a route that comes back too
            desk.touch_patrol("routes", name)
    for _, one in sorted(desk.state.patrol.rounds.items()):
        if one.route not in desk.plan.routes and one.state is RoundState.OPEN:
            one.result = "cancelled"  # one that was judged stands: no plan takes back what was missed
            _close(desk, one)
    for checkpoint, place in list(desk.state.patrol.places.items()):
        if checkpoint not in desk.plan.checkpoints:
            del desk.state.patrol.places[checkpoint]
            desk.patrol.settle(checkpoint)
            desk.touch_patrol("places", checkpoint)
        elif place.gap != "no" and checkpoint not in desk.covering:
            places.look(desk, checkpoint)
    take_up(desk)


def arm(desk: Desk, one: Round) -> None:
    """Ask for the round's next wake-up."""
    due = _judge_due(desk, one) if one.state is RoundState.OPEN else None
    desk.await_once(due, one.id, "judge")
    desk.await_once(one.close_at if one.state is RoundState.JUDGED else None, one.id, "close")
    if one.state is RoundState.OPEN and one.contact_at is not None:
        desk.await_once(max(desk.moment.now, one.contact_at), one.id, "contact")
    if one.state is RoundState.JUDGED and any(outcome.provisional for outcome in one.outcomes):
        desk.patrol.wait(one.id, sources.unsynced(desk, sources.of_round(desk, one), one.end))


def _judge_due(desk: Desk, one: Round) -> Millis | None:
    """When the grace is over and everybody had time to upload; None while the readers cannot be heard."""
    if sources.is_blind(desk, one):
        return None
    return max(one.judge_at, sources.clear_since(desk, one) + desk.plan.boot_grace)


# --- opening -----------------------------------------------------------------------------------------------------


def come_due(desk: Desk, timer: Timer) -> None:
    """The next round of a route opens."""
    route = desk.plan.routes.get(timer.owner)
    if route is not None and desk.is_meant(timer):
        _open_due(desk, route)


def _await_next(desk: Desk, route: Route) -> None:
    memory = desk.state.patrol.routes.get(route.id)
    due = None if memory is None or route.due is None else route.due.after(memory.at)
    desk.await_once(None if due is None else due.at - route.early, route.id, "round")


def _open_due(desk: Desk, route: Route) -> None:
    memory = desk.state.patrol.routes.get(route.id)
    if memory is not None and route.due is not None:
        while (due := route.due.after(memory.at)) is not None and due.at - route.early <= desk.moment.now:
            memory.at = due.at
            desk.touch_patrol("routes", route.id)
            _open(desk, route, due)
    _await_next(desk, route)


def _open(desk: Desk, route: Route, due: Due) -> None:
    name = derive_id("rd", desk.plan.site, route.id, due.key)
    if name in desk.state.patrol.rounds:
        return
    end = ends_at(route, due)
    one = Round(
        id=name,
        route=route.id,
        date=_shift(desk, due),
        key=due.key,
        start=due.at,
        end=end,
        opens_at=due.at - route.early,
        judge_at=end + route.grace,
        close_at=end + route.grace + route.late_upload,
        order=route.order,
        stops=_stops(route, name, due.at, end),
        persons=route.persons,
        within=route.within,
        accept=route.accept,
        readers=list(route.readers),
        guards=list(route.guards),
        check_in=route.check_in,
        alarm_after=route.alarm_after,
        version=0,
    )
    desk.state.patrol.rounds[name] = one
    desk.patrol.add(one)
    _touch(desk, one)
    desk.report("round.opened", about=name, device=route.id, start=one.start, end=one.end, date=one.date)
    arm(desk, one)


def ends_at(route: Route, due: Due) -> Millis:
    """The end of the window: after a length, or when the local clock shows a time; not after the start is the next day."""
    if route.until is None or route.due is None:
        return due.at + (route.lasts or 0)
    zone = route.due.zone
    begin = wall_time(due.at, zone)
    hour, minute = route.until
    wall = begin.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    end = instant(wall, zone)
    return end if end > due.at else instant(wall + timedelta(days=1), zone)


def _shift(desk: Desk, due: Due) -> str:
    """The day of the shift: a round at two in the night belongs to the shift that began the evening before."""
    wall = datetime.fromisoformat(due.key)
    return (wall - timedelta(milliseconds=desk.plan.patrol.day_starts)).date().isoformat()


def _stops(route: Route, name: str, start: Millis, end: Millis) -> list[RoundStop]:
    """The stops with their times; drawn by the round's id where the order is random."""
    found = [
        RoundStop(
            stop.checkpoint,
            start if stop.opens is None else start + stop.opens,
            end if stop.closes is None else start + stop.closes,
            stop.least if stop.least is not None else route.least,
            stop.most if stop.most is not None else route.most,
        )
        for stop in route.stops
    ]
    if route.order == "random":
        found.sort(key=lambda stop: blake2b(f"{name}/{stop.checkpoint}".encode(), digest_size=8).digest())
    return found


# --- judging -----------------------------------------------------------------------------------------------------


def judge_due(desk: Desk, timer: Timer) -> None:
    """The grace of a round may be over."""
    one = desk.state.patrol.rounds.get(timer.owner)
    if one is None or one.state is not RoundState.OPEN or not desk.is_meant(timer):
        return
    due = _judge_due(desk, one)
    if due is None or due > desk.moment.now:
        arm(desk, one)
        return
    one.state, one.judged_at = RoundState.JUDGED, desk.moment.now
    one.slept = sources.clear_since(desk, one) > one.end
    reconsider(desk, one, "round.judged")
    contact.follow(desk, one)
    arm(desk, one)


def close_due(desk: Desk, timer: Timer) -> None:
    """No late upload is taken any more."""
    one = desk.state.patrol.rounds.get(timer.owner)
    if one is not None and one.state is RoundState.JUDGED and desk.is_meant(timer):
        _close(desk, one)


def _close(desk: Desk, one: Round) -> None:
    one.state = RoundState.CLOSED
    reconsider(desk, one, "round.closed")
    places.keep_miss(desk, one)
    del desk.state.patrol.rounds[one.id]
    desk.patrol.drop(one)
    for purpose in ("judge", "close"):
        desk.await_once(None, one.id, purpose)
    contact.end(desk, one)
    places.after(desk, one)


def reconsider(desk: Desk, one: Round, kind: str = "round.changed") -> None:
    """Judge the round by the taps there are now, and tell what changed; an open one is only told when it is judged."""
    if one.state is RoundState.OPEN:
        _touch(desk, one)
        if one.contact != "ok" or not desk.is_awaited(one.id, "contact"):
            contact.follow(desk, one)  # else it will be seen when the next look is due
        places.after(desk, one)
        return
    before = (one.result, one.outcomes, one.oddities)
    names = sources.of_round(desk, one)
    waiting = sources.unsynced(desk, names, one.end)
    if one.state is not RoundState.CLOSED or any(each.word == "missed" for each in one.outcomes):
        unsynced = bool(waiting) or (one.slept and not names)
        judging.judge(one, desk.distance, unsynced=unsynced)  # nothing else becomes another by the close
    if kind == "round.changed" and before == (one.result, one.outcomes, one.oddities):
        return
    _touch(desk, one)
    counts = tally(one.outcomes)
    told: dict[str, Json] = {name: number for name, number in counts.items() if number}
    desk.report(kind, about=one.id, device=one.route, cause=told, result=one.result, date=one.date)
    _record(desk, one, kind.removeprefix("round."), counts)
    doubts = sorted({odd.kind for odd in one.oddities} & judging.DOUBT)
    if doubts and kind != "round.closed":
        attributes: dict[str, Scalar] = {"round": one.id, "reasons": ", ".join(doubts)}
        voice.event(desk, one.route, "doubtful", f"{one.id}/{'+'.join(doubts)}", desk.moment.now, attributes)
    if one.state is RoundState.JUDGED:
        desk.patrol.miss(one)
        provisional = any(outcome.provisional for outcome in one.outcomes)
        desk.patrol.wait(one.id, waiting if provisional else ())
        places.after(desk, one)


def heard(desk: Desk, source: str) -> None:
    """A reader or phone was heard, or is its guard's no more: what waited for it may be certain now."""
    for name in sorted(desk.patrol.awaited.get(source, ())):
        one = desk.state.patrol.rounds.get(name)
        if one is not None:
            reconsider(desk, one)
        else:
            places.look(desk, name)


def tally(outcomes: list[StopOutcome]) -> dict[str, int]:
    """How many stops of each outcome."""
    counts = dict.fromkeys(WORDS, 0)
    for outcome in outcomes:
        counts[outcome.word] = counts.get(outcome.word, 0) + 1
    return counts


def _record(desk: Desk, one: Round, transition: str, counts: dict[str, int]) -> None:
    """As telemetry, at the round's start. Each transition has rows of its own: not every store replaces what it has."""
    due = len(one.stops) - counts["skipped"]
    visited = sum(counts[word] for word in judging.VISITED)
    fields: dict[str, Scalar] = {"id": one.id, "result": one.result, "stops": len(one.stops), **counts}
    fields["completion"] = visited / due if due else 1.0
    tags = {"site": desk.plan.site, "route": one.route, "transition": transition}
    voice.row(desk, "patrol_round", tags, one.start, fields)


def _touch(desk: Desk, one: Round) -> None:
    one.version += 1
    desk.effects.rounds[one.id] = one
