"""What people ask of patrol: look at a tap, enter one afterwards, skip a stop, check in, call for help."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command
from gateway.core.patrol import contact, duty, registry, rounds, sources, verdicts, voice
from gateway.core.patrol.memory import GuardMemory, Round, TapRecord
from gateway.core.persons import is_same
from gateway.core.state import Reply
from gateway.core.values import DAY, Json, Scalar

WORDS_MOST = 500
"""Characters of a reason."""
NAME_MOST = 64


def review(desk: Desk, command: Command) -> Reply:
    """A supervisor approves a tap or rejects it; nobody decides about their own."""
    record = desk.state.patrol.taps.get(command.target)
    if record is None:
        return Reply(command.id, "not_found", "no tap under review has this id, and none of the last days")
    decision, why = command.args.get("decision"), _words(command, "why")
    if decision not in ("approve", "reject"):
        return _refused(command, record, "give decision: approve or reject", ["approve", "reject"])
    if command.expect is not None and command.expect != record.version:
        words = f"somebody else changed it: you saw version {command.expect}, it is now at {record.version}"
        return Reply(command.id, "conflict", words, [], record.id, record.version)
    if any(is_same(command.actor, name) for name in _names(desk, record.guard, record.by)):
        return _conflict(command, record, "who made it or entered it does not review it")
    if decision == "reject" and not why:
        return _refused(command, record, "say why it is rejected", ["why"])
    word = "approved" if decision == "approve" else "rejected"
    if record.review == word:
        return _conflict(command, record, f"it was {word} already by {record.reviewed_by}")
    record.review, record.reviewed_by, record.reviewed_at = word, command.actor, desk.moment.now
    record.why = why or record.why
    told: dict[str, Json] = {"why": why} if why else {}
    desk.report(
        "tap.reviewed",
        about=record.id,
        device=record.checkpoint,
        actor=command.actor,
        cause=told,
        decision=word,
    )
    verdicts.review(desk, record)
    desk.effects.taps[record.id] = record
    record.version += 1
    return Reply(command.id, "done", "", [], record.id, record.version)


def _names(desk: Desk, *guards: str | None) -> list[str]:
    """What these people go by: their ids, and their names in the site file."""
    given = [name for name in guards if name]
    known = [desk.plan.patrol.guards[name].title for name in given if name in desk.plan.patrol.guards]
    return [*given, *(text for title in known for text in (title.en, title.zh))]


def make_up(desk: Desk, command: Command) -> Reply:
    """A tap entered afterwards for a stop that was missed; it counts once a supervisor has approved it, and never as on time."""
    one = desk.state.patrol.rounds.get(command.target)
    if one is None:
        return Reply(command.id, "not_found", "no live round has this id; it may be closed")
    checkpoint, guard = command.args.get("checkpoint"), command.args.get("guard")
    names = [stop.checkpoint for stop in one.stops]
    ts, why = command.args.get("ts", desk.moment.now), _words(command, "why")
    if checkpoint not in names:
        return _on_round(command, one, "refused", f"the round has no stop {checkpoint}", names)
    if not isinstance(guard, str) or not _is_guard(desk, guard):
        return _on_round(command, one, "refused", f"no guard {guard}", sorted(desk.plan.patrol.guards))
    if not isinstance(ts, int) or isinstance(ts, bool) or not one.opens_at <= ts <= desk.moment.now:
        return _on_round(command, one, "refused", "ts lies before the round or in the future", ["ts"])
    if not why:
        return _on_round(command, one, "refused", "say why it is entered afterwards", ["why"])
    name = derive_id("tp", one.id, checkpoint, command.id)
    record = TapRecord(
        id=name,
        key=command.id,
        source="",
        received=desk.moment.now,
        ts=ts,
        claimed=ts,
        how="make_up",
        guard=guard,
        by=command.actor,
        checkpoint=str(checkpoint),
        rounds=[one.id],
        review="pending",
        why=why,
        version=0,
    )
    desk.state.patrol.taps[name] = record
    verdicts.enter_make_up(desk, one, record)
    return Reply(command.id, "done", "", [], name, record.version)


def skip(desk: Desk, command: Command) -> Reply:
    """A stop cannot be visited, and somebody says why: closed for works, flooded, held by the police."""
    one = desk.state.patrol.rounds.get(command.target)
    if one is None:
        return Reply(command.id, "not_found", "no live round has this id; it may be closed")
    checkpoint, why = command.args.get("checkpoint"), _words(command, "why")
    names = [stop.checkpoint for stop in one.stops if stop.checkpoint not in one.skips]
    if checkpoint not in names:
        return _on_round(command, one, "refused", f"the round has no stop {checkpoint} to skip", names)
    if not why:
        return _on_round(command, one, "refused", "say why it is skipped", ["why"])
    if any(visit.checkpoint == checkpoint and not visit.flag for visit in one.visits):
        return _on_round(command, one, "conflict", f"{checkpoint} was visited on this round", names)
    one.skips[str(checkpoint)] = (command.actor, why)
    desk.report("round.skipped", about=one.id, device=str(checkpoint), actor=command.actor, why=why)
    rounds.reconsider(desk, one)
    desk.effects.rounds[one.id] = one
    return _on_round(command, one, "done", "")


def check_in(desk: Desk, command: Command) -> Reply:
    """A guard says: I am well. It starts the dead-man timer of their rounds anew."""
    guard = command.target
    if not _is_guard(desk, guard):
        return Reply(command.id, "not_found", f"no guard {guard}", sorted(desk.plan.patrol.guards))
    now = desk.moment.now
    known = desk.state.patrol.guards.setdefault(guard, GuardMemory())
    known.seen_at = max(now, known.seen_at or 0)
    desk.touch_patrol("guards", guard)
    concerned = [one for _, one in sorted(desk.state.patrol.rounds.items()) if _walks(one, guard)]
    for one in concerned:
        one.version += 1
        desk.effects.rounds[one.id] = one
        contact.sign(desk, one, now)
    desk.report("guard.checked_in", device=guard, actor=command.actor)
    return Reply(command.id, "done", "", [], guard)


def _walks(one: Round, guard: str) -> bool:
    """Whether the guard is on the round: who has tapped on it, else anybody who may walk it."""
    walkers = {visit.guard for visit in one.visits if visit.guard is not None}
    return guard in (walkers or one.guards)


def call_for_help(desk: Desk, command: Command) -> Reply:
    """SOS: an alert that nobody can mute, at its original time however late it comes. The same key again is one call."""
    guard = command.target
    if guard not in desk.plan.patrol.guards:
        return Reply(command.id, "not_found", f"no guard {guard}", sorted(desk.plan.patrol.guards))
    key, ts, sent = command.args.get("key"), command.args.get("ts"), command.args.get("sent")
    if not isinstance(key, str) or not 0 < len(key) <= NAME_MOST:
        return Reply(
            command.id, "refused", "give key: an id of the call, the same when it is sent again", ["key"]
        )
    now = desk.moment.now
    made = ts if isinstance(ts, int) and not isinstance(ts, bool) else now
    if isinstance(sent, int) and not isinstance(sent, bool):
        made += now - sent
    made = min(made, now)
    if made < now - DAY:
        made = now  # help may still be needed: its time is not believed, the call is
    attributes: dict[str, Scalar] = {
        "test": command.args.get("test") is True,
        "silent": command.args.get("silent") is True,
        **({"checkpoint": place} if isinstance(place := command.args.get("checkpoint"), str) else {}),
    }
    voice.event(desk, guard, "sos", key, made, attributes)
    alert = desk.state.devices[guard].alerts.get("sos") if guard in desk.state.devices else None
    return Reply(command.id, "done", "", [], alert)


def give_token(desk: Desk, command: Command) -> Reply:
    """A guard's phone gets a token; only its hash is kept. None takes the old one back."""
    guard, token = command.target, command.args.get("sha256")
    if not _is_guard(desk, guard):
        return Reply(command.id, "not_found", f"no guard {guard}", sorted(desk.plan.patrol.guards))
    if token is not None and (not isinstance(token, str) or len(token) != 64):  # noqa: PLR2004 - of SHA-256 in hexadecimal
        return Reply(command.id, "refused", "sha256 is the hash of a token, or null", ["sha256"])
    known = desk.state.patrol.guards.setdefault(guard, GuardMemory())
    known.token, known.token_at = token, desk.moment.now
    known.version += 1
    desk.touch_patrol("guards", guard)
    kind = "guard.token_revoked" if token is None else "guard.token_given"
    desk.report(kind, device=guard, actor=command.actor)
    return Reply(command.id, "done", "", [], guard, known.version)


def report_in(desk: Desk, command: Command) -> Reply:
    """A phone says how many taps it still holds, with nothing to upload: what waited for it may be certain now."""
    queued, sent = command.args.get("queued"), command.args.get("sent")
    number = queued if isinstance(queued, int) and not isinstance(queued, bool) and queued >= 0 else None
    skew = desk.moment.now - sent if isinstance(sent, int) and not isinstance(sent, bool) else None
    sources.hear(desk, command.target, queued=number, skew=skew)
    rounds.heard(desk, command.target)
    return Reply(command.id, "done", "", [], command.target)


# --- answers -----------------------------------------------------------------------------------------------------


def _is_guard(desk: Desk, name: str) -> bool:
    known = desk.plan.patrol.guards
    return name in known if known else 0 < len(name) <= NAME_MOST


def _words(command: Command, name: str) -> str:
    value = command.args.get(name)
    return value.strip()[:WORDS_MOST] if isinstance(value, str) else ""


def _conflict(command: Command, record: TapRecord, words: str) -> Reply:
    return Reply(command.id, "conflict", words, [], record.id, record.version)


def _refused(command: Command, record: TapRecord, words: str, allowed: list[str]) -> Reply:
    return Reply(command.id, "refused", words, allowed, record.id, record.version)


def _on_round(
    command: Command, one: Round, status: str, words: str, allowed: list[str] | None = None
) -> Reply:
    return Reply(command.id, status, words, allowed or [], one.id, one.version)


VERBS: Final[Mapping[str, Callable[[Desk, Command], Reply]]] = MappingProxyType(
    {
        "duty.begin": duty.begin,
        "duty.confirm": duty.confirm,
        "duty.offer": duty.offer,
        "duty.withdraw": duty.withdraw,
        "guard.check_in": check_in,
        "guard.sos": call_for_help,
        "guard.token": give_token,
        "round.make_up": make_up,
        "round.skip": skip,
        "source.report": report_in,
        "tag.raise_epoch": registry.raise_epoch,
        "tag.register": registry.register,
        "tag.retire": registry.retire,
        "tap.review": review,
    }
)
"""What a command can do to patrol."""
