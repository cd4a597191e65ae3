"""A tap comes in: known or new, whose tag, when, how strong, and which rounds it belongs to.

Nothing that can be read is refused: what is odd is marked, what does not count is kept with its reason. So is a tap the same
tap however often it is uploaded, and what it is worth depends on the taps there are, not on the order they came in.
"""

import re
from hashlib import blake2b
from itertools import takewhile
from typing import Final

from gateway.core import arrivals, tags
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Event, Tap
from gateway.core.patrol import clocks, flags, registry, rounds, seals, sources, verdicts, voice
from gateway.core.patrol.memory import KNOWN_KEPT, TAPS_KEPT, GuardMemory, TagMemory, TapRecord, Use
from gateway.core.patrol.registry import Placed
from gateway.core.readings import TAP, take_event
from gateway.core.state import Reply
from gateway.core.values import HOUR, MINUTE, Millis, Scalar

LIVE: Millis = MINUTE
"""A tap received so soon after it was made came at once."""
SWEEP: Millis = 12 * HOUR
"""So often what is too old is left."""
TAGLESS: Final = "unknown_tag"
DOUBTFUL: Final = frozenset({"clock_suspect", "clock_jump", "time_impossible"})
"""What is to be said of a time that convicts no other tap."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def take(desk: Desk, one: Tap) -> None:
    """Judge a tap and answer whoever waits for that."""
    if one.retained:
        _answer(desk, one, "refused", "a retained tap says nothing of now")
        return
    source = desk.state.patrol.sources.get(one.source)
    made = clocks.made_at(one, source)
    sources.hear(desk, one.source, queued=one.queued, skew=None if one.sent is None else one.at - one.sent)
    _as_event(desk, one, made.ts)
    name, print_ = tap_id(one.source, one.id), _fingerprint(one)
    own = list(made.flags)
    known = _known(desk, name)
    if known is not None and known != print_:
        name = derive_id("tp", name, print_)
        own.append("id_reused")
        known = _known(desk, name)
    if known is not None:
        _answer(desk, one, "duplicate", "", name)
    else:
        _forget(desk)
        desk.state.patrol.known[name] = (desk.moment.now, print_)
        record = _record(desk, one, name, made.ts, own)
        desk.state.patrol.taps[name] = record
        _enter(desk, record)
        _answer(desk, one, "done", "", name)
    if one.source in desk.patrol.awaited:
        rounds.heard(desk, one.source)


def tap_id(source: str, key: str) -> str:
    """The id of a tap's record: a UUID is one everywhere, any other id is the reader's own."""
    return derive_id("tp", key.lower()) if _UUID.fullmatch(key) else derive_id("tp", source, key)


def _fingerprint(one: Tap) -> str:
    """What a tap says, but for its time: a reader that gives none is stamped anew each time it sends one again."""
    text = "\x1f".join((one.tag or "", one.url or "", one.code or "", one.guard or ""))
    return blake2b(text.encode(), digest_size=10).hexdigest()


def _known(desk: Desk, name: str) -> str | None:
    """The fingerprint under which the id came before, if that is remembered."""
    found = desk.state.patrol.known.get(name)
    return found[1] if found is not None and found[0] > desk.moment.now - KNOWN_KEPT else None


def _forget(desk: Desk) -> None:
    """Leave what is too old to matter, now and then: when it is left makes no difference, it is never looked at again."""
    patrol, now = desk.state.patrol, desk.moment.now
    if now < desk.patrol.swept_at + SWEEP:
        return
    desk.patrol.swept_at = now
    for name, _ in list(takewhile(lambda item: item[1][0] <= now - KNOWN_KEPT, patrol.known.items())):
        del patrol.known[name]
    old = takewhile(lambda record: record.received <= now - TAPS_KEPT, patrol.taps.values())
    for name in [name for name, one in patrol.sources.items() if one.contact <= now - KNOWN_KEPT]:
        del patrol.sources[name]
        desk.touch_patrol("sources", name)
    for record in [record for record in old if record.review != "pending"]:
        del patrol.taps[record.id]


def _answer(desk: Desk, one: Tap, status: str, words: str, name: str | None = None) -> None:
    if one.ask:
        desk.effects.replies.append(Reply(one.ask, status, words, [], name))


def _as_event(desk: Desk, one: Tap, ts: Millis) -> None:
    """For a reader of the site a tap is an event like others: it is heard, and its profile's rules see it."""
    device = desk.plan.devices.get(one.source)
    if device is None or device.virtual or TAP not in device.kind.events:
        return
    given = {"tag": one.tag, "url": one.url, "guard": one.guard}
    declared = device.kind.events[TAP].attributes
    attributes: dict[str, Scalar] = {
        name: value for name, value in given.items() if value is not None and name in declared
    }
    take_event(desk, Event(one.at, one.source, ts, one.id, TAP, attributes))


# --- what it is worth by itself ----------------------------------------------------------------------------------


def _record(desk: Desk, one: Tap, name: str, ts: Millis, own: list[str]) -> TapRecord:
    record = TapRecord(
        id=name,
        key=one.id,
        source=one.source,
        received=desk.moment.now,
        ts=ts,
        claimed=one.ts,
        how=one.how,
        sent=one.sent,
        guard=one.guard,
        by=one.by,
        version=0,
    )
    found = _identify(desk, one, record, own)
    record.checkpoint, record.asset = found.checkpoint, found.asset
    if found.flag:
        own.append(found.flag)
    if one.guard is not None:
        if desk.plan.patrol.guards and one.guard not in desk.plan.patrol.guards:
            own.append("unknown_guard")
        if one.by is not None and one.by != one.guard:
            own.append("other_guard")
    elif one.by is not None:
        record.guard = one.by
    record.flags = flags.in_order(own)
    record.grade = _grade(one, found, record)
    return record


def _identify(desk: Desk, one: Tap, record: TapRecord, own: list[str]) -> Placed:
    """Which tag it was, and what that stood for when it was made."""
    if one.seal is not None:
        seal = one.seal
        if seal.verdict != "good" or seal.uid is None:
            own.append(seal.verdict if seal.verdict in flags.FLAGS else "malformed_url")
            return _claimed(desk, seal.uid, record.ts)
        record.tag, record.counter, record.epoch, record.tamper = (
            seal.uid,
            seal.counter,
            seal.epoch,
            seal.tamper,
        )
        if seal.epoch < registry.epoch(desk, seal.uid, record.ts):
            own.append("old_epoch")
        if seal.tamper == "open":
            own.append("tampered")
        return registry.placed(desk, seal.uid, record.ts)
    if one.tag is not None:
        record.tag = tags.normal(one.tag)
        found = registry.placed(desk, record.tag, record.ts)
        if found.secure:
            own.append("seal_missing")
        return found
    checkpoint = desk.codes.get((one.code or "").upper())
    return Placed(checkpoint, flag="" if checkpoint is not None else TAGLESS)


def _claimed(desk: Desk, uid: str | None, ts: Millis) -> Placed:
    """The checkpoint that a forged address names, so that somebody is told of it there; none where it names no tag of ours."""
    found = Placed() if uid is None else registry.placed(desk, uid, ts)
    return Placed(found.checkpoint)


def _grade(one: Tap, found: Placed, record: TapRecord) -> str:
    """How strong the evidence is; what does not count is never better than the weakest.

    ===  =============================================================================
    A    cryptographic, and received at once
    B    cryptographic, uploaded late: its time is bounded by the tag's counter
    C    the bare id of a tag
    D    a label scanned or typed
    ===  =============================================================================
    """
    if not flags.count(record.flags):
        return "D"
    if one.seal is not None:
        return "A" if one.at - record.ts <= LIVE else "B"
    return "C" if one.how == "nfc" and one.tag is not None and not found.secure else "D"


# --- among the others --------------------------------------------------------------------------------------------


def _enter(desk: Desk, record: TapRecord) -> None:
    """Take a new tap among those there are: some of them may look different in its light."""
    touched = _enter_use(desk, record)
    verdicts.give(desk, record)
    _note_guard(desk, record)
    for tap in touched:
        other = desk.state.patrol.taps.get(tap)
        if other is not None and other.received > desk.moment.now - TAPS_KEPT:
            verdicts.review(desk, other)
    if record.counted and record.asset is not None and record.tag is not None:
        arrivals.tapped(desk, record.asset, record.tag, record.ts, record.guard)
    if "tampered" in record.flags and record.checkpoint is not None and record.tag is not None:
        tag = desk.state.patrol.tags.setdefault(record.tag, TagMemory())
        if not tag.tampered:
            tag.tampered = True
            desk.touch_patrol("tags", record.tag)
            voice.event(desk, record.checkpoint, "tag_torn", record.id, record.ts, {"tag": record.tag})


def _enter_use(desk: Desk, record: TapRecord) -> list[str]:
    if record.counter is None or record.tag is None or "old_epoch" in record.flags:
        return []
    memory = desk.state.patrol.tags.setdefault(record.tag, TagMemory())
    doubtful = not DOUBTFUL.isdisjoint(record.flags)
    use = Use(record.epoch or 1, record.counter, record.ts, record.id, record.received, doubtful)
    touched = seals.enter(memory, use)
    desk.touch_patrol("tags", record.tag)
    return touched


def _note_guard(desk: Desk, record: TapRecord) -> None:
    """Where the guard was last, and with which phone or reader."""
    if record.guard is None or not record.counted:
        return
    if desk.plan.patrol.guards and record.guard not in desk.plan.patrol.guards:
        return
    guard = desk.state.patrol.guards.setdefault(record.guard, GuardMemory())
    if guard.seen_at is None or record.ts >= guard.seen_at:
        before, guard.source = guard.source, record.source
        guard.seen_at = record.ts
        guard.checkpoint = record.checkpoint or guard.checkpoint
        desk.touch_patrol("guards", record.guard)
        if before is not None and before != record.source and before in desk.patrol.awaited:
            rounds.heard(desk, before)
