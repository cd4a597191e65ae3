"""The dead-man timer: a guard on a round gives a sign, by a tap or a check-in, or is asked for, and then searched."""

from gateway.core.desk import Desk
from gateway.core.patrol import sources, voice
from gateway.core.patrol.judging import is_done
from gateway.core.patrol.memory import Round, RoundState
from gateway.core.timers import Timer
from gateway.core.values import Millis

_WORSE = ("ok", "quiet", "lost")


def sign(desk: Desk, one: Round, ts: Millis) -> None:
    """A guard on the round has given a sign of life at that time."""
    note(one, ts)
    follow(desk, one)


def note(one: Round, ts: Millis) -> None:
    """The same, where the round is looked at anyway."""
    if one.check_in is not None:
        one.contact_at = max(ts, one.contact_at or ts)


def follow(desk: Desk, one: Round) -> None:
    """Bring the round's contact in line with the time, and ask for the next look at it."""
    if one.check_in is None:
        return
    if sources.is_blind(desk, one):
        desk.await_once(
            None, one.id, "contact"
        )  # nobody could hear a sign; it is looked at again when one can
        return
    word, due = _contact(one, desk.moment.now, sources.clear_since(desk, one))
    desk.await_once(due, one.id, "contact")
    if word == one.contact:
        return
    one.contact = word
    one.version += 1
    desk.effects.rounds[one.id] = one
    kind = {"ok": "round.contact", "quiet": "round.guard_quiet", "lost": "round.guard_lost"}[word]
    desk.report(kind, about=one.id, device=one.route, since=one.contact_at)
    _speak(desk, one.route)


def come_due(desk: Desk, timer: Timer) -> None:
    """Nobody may have been heard for too long."""
    one = desk.state.patrol.rounds.get(timer.owner)
    if one is not None and desk.is_meant(timer):
        follow(desk, one)


def _contact(one: Round, now: Millis, clear: Millis) -> tuple[str, Millis | None]:
    """What the silence means now, and when it will mean more.

    It begins with the first sign on a round: who has not come is missed, not silent. Once the guard is lost, only a
    sign ends that, or the close of the round.
    """
    if one.check_in is None or one.contact_at is None or one.state is RoundState.CLOSED:
        return "ok", None
    since = max(one.contact_at, clear)
    quiet, lost = since + one.check_in, since + one.check_in + one.alarm_after
    if now < quiet and one.contact != "lost":
        return (
            "ok",
            quiet if one.state is RoundState.OPEN else None,
        )  # whether it is done then will be seen then
    over = one.state is not RoundState.OPEN or is_done(one)
    if over:
        return ("lost" if one.contact == "lost" and one.contact_at + one.check_in <= now else "ok"), None
    if now >= lost:
        return "lost", None
    return ("quiet", lost) if now >= quiet else ("ok", quiet)


def _speak(desk: Desk, route: str) -> None:
    """The route says the worst of its rounds."""
    rounds = desk.state.patrol.rounds.values()
    words = [one.contact for one in rounds if one.route == route]
    word = max(words, key=_WORSE.index, default="ok")
    memory = desk.state.patrol.routes.get(route)
    if memory is not None and memory.contact != word:
        memory.contact = word
        desk.touch_patrol("routes", route)
        voice.state(desk, route, "contact", word)


def end(desk: Desk, one: Round) -> None:
    """The round has left memory."""
    desk.await_once(None, one.id, "contact")
    memory = desk.state.patrol.routes.get(one.route)
    if memory is not None and memory.contact != "ok":
        _speak(desk, one.route)
