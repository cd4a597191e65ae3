"""Which tag was where, when, and in which epoch: the site file, and over it what was registered at run time."""

from typing import NamedTuple

from gateway.core import tags
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.patrol.memory import Mapping, TagMemory
from gateway.core.state import Reply
from gateway.core.values import DAY, Millis

BACKDATED: Millis = 30 * DAY
"""How far back a person may date a change of tags."""
EPOCH_MOST = 65_535
TITLE_MOST = 200


class Placed(NamedTuple):
    """What a tag stood for at a moment."""

    checkpoint: str | None = None
    asset: str | None = None
    """The device whose tag it is."""
    secure: bool = False
    flag: str = ""
    """``unknown_tag`` or ``retired_tag`` where it stood for nothing."""


def placed(desk: Desk, uid: str, ts: Millis) -> Placed:
    """What the tag stood for then."""
    memory = desk.state.patrol.tags.get(uid)
    if memory is not None:
        for entry in reversed(memory.history):
            if entry.since <= ts:
                if entry.place is None:
                    return Placed(flag="retired_tag")
                if entry.place in desk.plan.checkpoints:
                    return Placed(entry.place, secure=entry.secure)
                return Placed(flag="unknown_tag")
    known = desk.tags.get(uid, ())
    for checkpoint, tag in known:
        if tag.since <= ts and (tag.until is None or ts < tag.until):
            return Placed(checkpoint, secure=tag.secure)
    asset = desk.assets.get(uid)
    if asset is not None:
        return Placed(asset=asset)
    over = any(tag.until is not None and tag.until <= ts for _, tag in known)
    return Placed(flag="retired_tag" if over else "unknown_tag")


def epoch(desk: Desk, uid: str, ts: Millis) -> int:
    """The epoch of the tag's keys then."""
    memory = desk.state.patrol.tags.get(uid)
    raised = [number for since, number in (memory.epochs if memory is not None else ()) if since <= ts]
    return max([1, *raised, *(tag.epoch for _, tag in desk.tags.get(uid, ()) if tag.since <= ts)])


# --- what people change --------------------------------------------------------------------------------------------


def register(desk: Desk, command: Command) -> Reply:
    """A tag hangs at a checkpoint from now on, or from ``since``."""
    uid, checkpoint = tags.normal(command.target), command.args.get("checkpoint")
    since, problem = _since(desk, command)
    if problem:
        return Reply(command.id, "refused", problem, ["since"])
    if not _is_uid(uid):
        return Reply(
            command.id, "refused", "a tag's id is 4 to 10 bytes in hexadecimal, such as 04A22B1C3D5E80"
        )
    if checkpoint not in desk.plan.checkpoints:
        return Reply(command.id, "refused", f"no checkpoint {checkpoint}", sorted(desk.plan.checkpoints))
    title = command.args.get("title", "")
    if not isinstance(title, str) or len(title) > TITLE_MOST:
        return Reply(command.id, "refused", f"title is a text of at most {TITLE_MOST} characters", ["title"])
    if uid in desk.assets:
        return Reply(command.id, "conflict", f"this tag is on the device {desk.assets[uid]}")
    now = placed(desk, uid, since)
    secure = command.args.get("secure", False) is True
    if (now.checkpoint, now.secure) == (checkpoint, secure):
        return Reply(command.id, "conflict", f"this tag hangs at {checkpoint} already")
    memory = _memory(desk, uid)
    reply = _change(desk, command, uid, memory, Mapping(since, str(checkpoint), secure), "tag.registered")
    if reply.status == "done":
        memory.title = title or memory.title
    return reply


def retire(desk: Desk, command: Command) -> Reply:
    """A tag means nothing any more from now on, or from ``since``; what was made with it before stays good."""
    uid = tags.normal(command.target)
    since, problem = _since(desk, command)
    if problem:
        return Reply(command.id, "refused", problem, ["since"])
    now = placed(desk, uid, since)
    if now.flag:
        return Reply(command.id, "not_found", "no checkpoint has this tag then")
    if now.asset is not None:
        return Reply(
            command.id, "conflict", f"it is the tag of the device {now.asset}: the site file decides"
        )
    memory = _memory(desk, uid)
    return _change(desk, command, uid, memory, Mapping(since, None), "tag.retired", checkpoint=now.checkpoint)


def raise_epoch(desk: Desk, command: Command) -> Reply:
    """The tag was written anew: its counter begins again, and its old keys count no more."""
    uid = tags.normal(command.target)
    before = epoch(desk, uid, desk.moment.now)
    wanted = command.args.get("epoch", before + 1)
    if placed(desk, uid, desk.moment.now).checkpoint is None:
        return Reply(command.id, "not_found", "no checkpoint has this tag; register it first")
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not before < wanted <= EPOCH_MOST:
        return Reply(command.id, "refused", f"an epoch above {before}, at most {EPOCH_MOST}", ["epoch"])
    memory = _memory(desk, uid)
    memory.epochs.append((desk.moment.now, wanted))
    memory.tampered = False
    memory.version += 1
    desk.touch_patrol("tags", uid)
    desk.report("tag.epoch_raised", actor=command.actor, tag=uid, epoch=wanted)
    return Reply(command.id, "done", "", [], uid, memory.version)


def _change(
    desk: Desk, command: Command, uid: str, memory: TagMemory, entry: Mapping, kind: str, **told: str | None
) -> Reply:
    later = [one for one in memory.history if one.since > entry.since]
    if later:
        return Reply(command.id, "conflict", "it was changed after that moment already", ["since"])
    memory.history.append(entry)
    memory.version += 1
    desk.touch_patrol("tags", uid)
    place = entry.place or told.get("checkpoint")
    desk.report(kind, device=place, actor=command.actor, tag=uid, since=entry.since, secure=entry.secure)
    return Reply(command.id, "done", "", [], uid, memory.version)


def _memory(desk: Desk, uid: str) -> TagMemory:
    return desk.state.patrol.tags.setdefault(uid, TagMemory())


def _since(desk: Desk, command: Command) -> tuple[Millis, str]:
    since = command.args.get("since", desk.moment.now)
    if not isinstance(since, int) or isinstance(since, bool) or not 0 <= desk.moment.now - since <= BACKDATED:
        return 0, "since must lie within the last 30 days and not in the future"
    return since, ""


def _is_uid(uid: str) -> bool:
    return 8 <= len(uid) <= 20 and len(uid) % 2 == 0 and all(letter in "0123456789ABCDEF" for letter in uid)  # noqa: PLR2004 - 4 to 10 bytes
