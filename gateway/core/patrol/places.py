"""Checkpoints: their last proofs, what rounds missed there, and how long nobody has been there.

What is missing is an alert of the checkpoint. It is *provisional* while a reader or phone that may know better has not
been heard, grave at an important checkpoint or after a grave gap, and over with the next proof or a late upload.
"""

from bisect import insort

from gateway.core.desk import Desk
from gateway.core.patrol import sources, voice
from gateway.core.patrol.memory import PlaceMemory, Round, RoundState
from gateway.core.patrol.routes import Coverage
from gateway.core.timers import Timer
from gateway.core.values import MINUTE, Millis

PROOFS_MOST = 16
"""Proofs remembered of a checkpoint, so that one that is disproved leaves the one before it."""
IN_TOUCH: Millis = 15 * MINUTE
"""A reader or phone heard so shortly before a limit hides no tap that matters."""
_WORSE = ("no", "provisional", "yes", "grave")
_LONGER = ("no", "provisional", "long", "grave")
_WEAKER = {"long": "provisional", "grave": "long"}
"""What is said of a gap while a reader or phone may know better; what was certain stays so."""


def memory(desk: Desk, checkpoint: str) -> PlaceMemory:
    """What is remembered of a checkpoint; it begins to be watched here."""
    place = desk.state.patrol.places.get(checkpoint)
    if place is None:
        place = desk.state.patrol.places[checkpoint] = PlaceMemory(watched_since=desk.moment.now)
        desk.touch_patrol("places", checkpoint)
    return place


def prove(desk: Desk, checkpoint: str, ts: Millis, tap: str) -> None:
    """Somebody was there at that time."""
    place = memory(desk, checkpoint)
    before = place.proofs[-1][0] if place.proofs else place.watched_since or 0
    insort(place.proofs, (ts, tap))
    del place.proofs[:-PROOFS_MOST]
    is_calm = place.gap == place.missed == "no" and not desk.patrol.is_waiting(checkpoint)
    if is_calm and place.proofs[-1][0] >= before and desk.is_awaited(checkpoint, "gap"):
        desk.touch_patrol(
            "places", checkpoint
        )  # a proof puts the limit off: it will be seen when the next look is due
    else:
        _follow(desk, checkpoint, place)


def disprove(desk: Desk, checkpoint: str, tap: str) -> None:
    """That tap proves nothing after all."""
    place = memory(desk, checkpoint)
    place.proofs = [proof for proof in place.proofs if proof[1] != tap]
    _follow(desk, checkpoint, place)


def _follow(desk: Desk, checkpoint: str, place: PlaceMemory) -> None:
    desk.touch_patrol("places", checkpoint)
    if place.missed != "no":
        settle(desk, checkpoint)
    look(desk, checkpoint)


def after(desk: Desk, one: Round) -> None:
    """A round has changed, and with it what its checkpoints miss and whose word they wait for."""
    if one.state is not RoundState.OPEN:
        remembered = desk.state.patrol.places
        for checkpoint in [stop.checkpoint for stop in one.stops]:
            place = remembered.get(checkpoint)
            if desk.patrol.missing(checkpoint) or (place is not None and place.missed != "no"):
                settle(desk, checkpoint)
    for checkpoint in desk.patrol.waiting_at(one):
        look(desk, checkpoint)


# --- missed on a round -------------------------------------------------------------------------------------------


def settle(desk: Desk, checkpoint: str) -> None:
    """Bring what was missed here in line with the rounds that were judged, and with the proofs since."""
    if checkpoint not in desk.plan.checkpoints:
        return
    place, missing = memory(desk, checkpoint), desk.patrol.missing(checkpoint)
    proved = place.proofs[-1][0] if place.proofs else -1
    sure = _word(desk, checkpoint)
    misses = [
        (miss.closes, miss.round, "provisional" if miss.provisional else sure)
        for miss in missing
        if miss.closes > proved
    ]
    kept = place.missed_round not in desk.state.patrol.rounds
    if kept and place.missed != "no" and (place.missed_at or 0) > proved:
        misses.append((place.missed_at or 0, place.missed_round or "", place.missed))
    at, name, word = max(
        misses, key=lambda miss: (_WORSE.index(miss[2]), miss[0]), default=(None, None, "no")
    )
    if (place.missed, place.missed_at, place.missed_round) == (word, at, name):
        return
    changed = place.missed != word
    place.missed, place.missed_at, place.missed_round = word, at, name
    desk.touch_patrol("places", checkpoint)
    if changed:
        voice.state(desk, checkpoint, "missed", word)


def _word(desk: Desk, checkpoint: str) -> str:
    """What a miss there is called once it is certain."""
    found = desk.plan.checkpoints.get(checkpoint)
    return "grave" if found is not None and found.important else "yes"


def keep_miss(desk: Desk, one: Round) -> None:
    """The round is closed: what it missed for good stands until somebody comes; what could not be known was not kept."""
    for checkpoint in dict.fromkeys(stop.checkpoint for stop in one.stops):
        place = desk.state.patrol.places.get(checkpoint)
        if place is not None and place.missed_round == one.id and place.missed == "provisional":
            place.missed = _word(desk, checkpoint)
            desk.touch_patrol("places", checkpoint)
            voice.state(desk, checkpoint, "missed", place.missed)


# --- nobody there for too long -----------------------------------------------------------------------------------


def look(desk: Desk, checkpoint: str) -> None:
    """Judge the gap at a checkpoint as it is now, and ask to look again when it may have grown too long."""
    rules = desk.covering.get(checkpoint, ())
    place = desk.state.patrol.places.get(checkpoint)
    if not rules:
        desk.patrol.settle(checkpoint)
        if place is not None and place.gap != "no":
            _say_gap(desk, checkpoint, place, "no")
        return
    place = memory(desk, checkpoint)
    now, scalars = desk.moment.now, desk.state.scalars
    ready = scalars.seen_since + desk.plan.boot_grace
    seen = scalars.observing and now >= ready
    if not seen:
        if scalars.observing:
            desk.await_once(ready, checkpoint, "gap")
        return  # what nobody could see is neither kept nor missed
    word, dues, waiting = "no", [], dict[str, None]()
    for rule in rules:
        reached, due = _limits(rule, place, now)
        for limit, found in reached:
            unheard = _may_hold(desk, checkpoint, limit)
            waiting |= dict.fromkeys(unheard)
            is_sure = not unheard or _LONGER.index(found) <= _LONGER.index(place.gap)
            word = max(word, found if is_sure else _WEAKER[found], key=_LONGER.index)
        if due is not None:
            dues.append(due)
    if waiting or desk.patrol.is_waiting(checkpoint):
        desk.patrol.wait(checkpoint, waiting)
    desk.await_once(min(dues, default=None), checkpoint, "gap")
    if word != place.gap:
        _say_gap(desk, checkpoint, place, word)


def come_due(desk: Desk, timer: Timer) -> None:
    """A gap may have grown too long."""
    if desk.is_meant(timer):
        look(desk, timer.owner)


def _say_gap(desk: Desk, checkpoint: str, place: PlaceMemory, word: str) -> None:
    place.gap = word
    desk.touch_patrol("places", checkpoint)
    voice.state(desk, checkpoint, "gap", word)


def _limits(
    rule: Coverage, place: PlaceMemory, now: Millis
) -> tuple[list[tuple[Millis, str]], Millis | None]:
    """The limits of one rule that the gap has reached, and when it will reach the next. Exactly at the limit counts."""
    since = place.proofs[-1][0] if place.proofs else (place.watched_since or now)
    if rule.during is not None:
        if not rule.during.is_open(now):
            opening = rule.during.next_change(now)
            return [], None if opening is None else opening + rule.every
        since = max(since, _opened(rule, since, now))
    limits = [(since + rule.every, "long")]
    if rule.grave is not None:
        limits.append((since + rule.grave, "grave"))
    reached = [limit for limit in limits if now >= limit[0]]
    due = next((due for due, _ in limits if due > now), None)
    if rule.during is not None and (closing := rule.during.next_change(now)) is not None:
        due = closing if due is None else min(due, closing)
    return reached, due


def _opened(rule: Coverage, since: Millis, now: Millis) -> Millis:
    """When the stretch that is open now began, if that was after the last proof."""
    schedule, at = rule.during, since
    if schedule is None:
        return since
    opened = since
    while (change := schedule.next_change(at)) is not None and change <= now:
        if schedule.is_open(change):
            opened = change
        at = change
    return opened


def _may_hold(desk: Desk, checkpoint: str, limit: Millis) -> list[str]:
    """The readers and phones on a round here that were not heard shortly before the limit, so that they may hold a tap."""
    names: dict[str, None] = {}
    for one in desk.patrol.at(checkpoint):
        if one.state is RoundState.OPEN and one.start <= limit:
            names |= dict.fromkeys(sources.of_round(desk, one))
    return sources.unsynced(desk, names, limit - IN_TOUCH)
