"""Who is on duty at a post. The incoming guard confirms what is open; the outgoing one stays on duty until then."""

from typing import Final, NamedTuple

from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.order_state import SETTLED
from gateway.core.patrol.memory import Duty, HandOver
from gateway.core.patrol.routes import Post
from gateway.core.persons import is_same
from gateway.core.state import Reply, State

KINDS: Final = ("alerts", "orders", "keys")
NOTE_MOST = 2_000


class Open(NamedTuple):
    """What belongs to a hand-over now."""

    alerts: tuple[str, ...]
    """Live alerts, incidents among them."""
    orders: tuple[str, ...]
    """Open work orders of the post's team."""
    keys: tuple[str, ...]


def open_at(state: State, post: Post) -> Open:
    """What the incoming guard has to confirm."""
    orders = [
        order.id
        for _, order in sorted(state.orders.items())
        if order.state not in SETTLED and (post.team is None or order.team == post.team)
    ]
    return Open(tuple(sorted(state.alerts)), tuple(orders), post.keys)


def begin(desk: Desk, command: Command) -> Reply:
    """A guard takes a post where nobody is on duty."""
    found = _post(desk, command)
    if isinstance(found, Reply):
        return found
    post, duty = found
    if duty.guard is not None:
        words = f"{duty.guard} is on duty at {post.id}; the post is handed over, not taken"
        return _conflict(command, post, duty, words, ["offer"])
    guard = command.args.get("guard", command.actor)
    if not _may_serve(desk, guard):
        return _conflict(command, post, duty, f"no guard {guard}", sorted(desk.plan.patrol.guards))
    _hand(desk, post, duty, str(guard))
    desk.report("duty.begun", about=post.id, actor=command.actor, guard=str(guard))
    return _done(command, post, duty)


def offer(desk: Desk, command: Command) -> Reply:
    """The guard on duty offers the post to the next one."""
    found = _post(desk, command)
    if isinstance(found, Reply):
        return found
    post, duty = found
    to, note = command.args.get("to"), command.args.get("note", "")
    if duty.guard is None or not is_same(duty.guard, command.actor):
        holder = duty.guard or "nobody"
        return _conflict(command, post, duty, f"only who is on duty hands over, and that is {holder}")
    if not _may_serve(desk, to) or is_same(str(to), duty.guard):
        return _conflict(command, post, duty, f"give to: another guard than {duty.guard}", ["to"])
    if not isinstance(note, str) or len(note) > NOTE_MOST:
        return _conflict(command, post, duty, f"note is a text of at most {NOTE_MOST} characters", ["note"])
    duty.offer = HandOver(str(to), desk.moment.now, note.strip())
    _touch(desk, post, duty)
    desk.report("duty.offered", about=post.id, actor=command.actor, to=str(to), note=note.strip() or None)
    return _done(command, post, duty)


def withdraw(desk: Desk, command: Command) -> Reply:
    """The hand-over is called off, by either of the two."""
    found = _post(desk, command)
    if isinstance(found, Reply):
        return found
    post, duty = found
    if duty.offer is None:
        return _conflict(command, post, duty, "no hand-over is under way")
    if not is_same(command.actor, duty.guard) and not is_same(command.actor, duty.offer.to):
        return _conflict(command, post, duty, "only the two who hand over call it off")
    duty.offer = None
    _touch(desk, post, duty)
    desk.report("duty.withdrawn", about=post.id, actor=command.actor)
    return _done(command, post, duty)


def confirm(desk: Desk, command: Command) -> Reply:
    """The incoming guard has seen everything that is open, item by item; what came up meanwhile is asked for too."""
    found = _post(desk, command)
    if isinstance(found, Reply):
        return found
    post, duty = found
    if duty.offer is None or not is_same(command.actor, duty.offer.to):
        words = (
            "no hand-over is under way" if duty.offer is None else f"the post was offered to {duty.offer.to}"
        )
        return _conflict(command, post, duty, words)
    now = open_at(desk.state, post)
    for kind in KINDS:
        given = command.args.get(kind, [])
        seen = {str(one) for one in given} if isinstance(given, list) else set()
        missing = [one for one in getattr(now, kind) if one not in seen]
        if missing:
            return _conflict(command, post, duty, f"{kind} not confirmed: {', '.join(missing)}", missing)
    before, guard = duty.guard, duty.offer.to
    _hand(desk, post, duty, guard)
    counts = {kind: len(getattr(now, kind)) for kind in KINDS}
    desk.report("duty.handed_over", about=post.id, actor=command.actor, cause=counts, was=before, guard=guard)
    return _done(command, post, duty)


def _hand(desk: Desk, post: Post, duty: Duty, guard: str) -> None:
    duty.guard, duty.since, duty.offer = guard, desk.moment.now, None
    _touch(desk, post, duty)


def _touch(desk: Desk, post: Post, duty: Duty) -> None:
    duty.version += 1
    desk.state.patrol.posts[post.id] = duty
    desk.touch_patrol("posts", post.id)


def _post(desk: Desk, command: Command) -> tuple[Post, Duty] | Reply:
    post = desk.plan.patrol.posts.get(command.target)
    if post is None:
        return Reply(command.id, "not_found", f"no post {command.target}", sorted(desk.plan.patrol.posts))
    duty = desk.state.patrol.posts.get(post.id) or Duty()
    if command.expect is not None and command.expect != duty.version:
        words = f"somebody else changed it: you saw version {command.expect}, it is now at {duty.version}"
        return _conflict(command, post, duty, words)
    return post, duty


def _may_serve(desk: Desk, guard: object) -> bool:
    known = desk.plan.patrol.guards
    return isinstance(guard, str) and bool(guard) and (not known or guard in known)


def _conflict(
    command: Command, post: Post, duty: Duty, words: str, allowed: list[str] | None = None
) -> Reply:
    return Reply(command.id, "conflict", words, allowed or [], post.id, duty.version)


def _done(command: Command, post: Post, duty: Duty) -> Reply:
    return Reply(command.id, "done", "", [], post.id, duty.version)
