"""The table of a work order: which state leads to which, and what must hold for it.

The states form a chain; a small team may skip forward along it as far as done unless the template forbids, and every
stamp passed over is recorded as skipped. The other edges are named one by one with their guards.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core import persons, tags
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.order_state import CHAIN, ENDED, OrderState, WorkOrder
from gateway.core.state import AlertState
from gateway.core.templates import HOLD_REASONS
from gateway.core.values import HOUR, MINUTE, Millis

DONE_AT = CHAIN.index(OrderState.DONE)

Guard = Callable[[Desk, WorkOrder, Command], str | None]
"""Says why a move may not be made, or None."""


def text(command: Command, name: str) -> str:
    """An argument that is a text, without blanks around it; empty when it is missing or something else."""
    value = command.args.get(name)
    return value.strip() if isinstance(value, str) else ""


def _needs_reason(_desk: Desk, _order: WorkOrder, command: Command) -> str | None:
    return None if text(command, "reason") else "give a reason"


def _needs_hold_reason(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    reason, now = text(command, "reason"), desk.moment.now
    if reason not in HOLD_REASONS:
        return f"give a reason, one of {', '.join(HOLD_REASONS)}"
    resume_at = command.args.get("resume_at")
    if not isinstance(resume_at, int) or resume_at <= now:
        return "give resume_at: when work is expected to go on, in the future"
    longest = order.longest_hold.get(reason)
    if longest is not None and resume_at - now > longest:
        return f"work may wait for {reason} no longer than {_shown(longest)}: give an earlier resume_at"
    return None


def _shown(length: Millis) -> str:
    hours, minutes = length // HOUR, length % HOUR // MINUTE
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _needs_original(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    """No chains and no loops: what others repeat does not repeat another."""
    if order.duplicates:
        return f"other orders were ended as duplicates of this one: {', '.join(order.duplicates)}"
    other = desk.state.orders.get(text(command, "duplicate_of"))
    if other is None or other is order or other.state in ENDED:
        return "give duplicate_of: the id of another open work order"
    return None


def _needs_somebody(_desk: Desk, order: WorkOrder, _command: Command) -> str | None:
    return None if order.team or order.assignee else "assign it: give a team, an assignee, or both"


def _needs_own_tag(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    tag = command.args.get("tag")
    if tag is None:
        return None
    if order.device is None:
        return "the work order belongs to no device whose tag could be read"
    if not isinstance(tag, str) or desk.assets.get(tags.normal(tag)) != order.device:
        return f"this is not a tag of {order.device}"
    return None


def _needs_proof_of_work(_desk: Desk, order: WorkOrder, command: Command) -> str | None:
    """The checklist, the pictures and the signature; all that is missing is named at once."""
    missing = []
    unanswered = [step.name for step in order.checklist if step.required and step.done_at is None]
    if unanswered:
        missing.append(f"the checklist is not complete: {', '.join(unanswered)}")
    failed = [step.name for step in order.checklist if step.required and step.failed and step.order is None]
    if failed and not text(command, "reason"):
        missing.append(f"steps have failed: {', '.join(failed)}; repeat them or give a reason")
    pictures = sum(one.kind == "photo" for one in order.attachments)
    if pictures < order.photos:
        missing.append(f"pictures are missing: {pictures} of {order.photos} attached")
    if order.signature and order.signed is None:
        missing.append("nobody has signed")
    return "; ".join(missing) or None


def _needs_other_eyes(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    if any(persons.is_same(command.actor, name) for name in (order.done_by, order.assignee)):
        return "the work must be verified by somebody other than the one who did it"
    return "the alert is still active" if order.alert_live or _is_active(desk, order) else None


def _is_active(desk: Desk, order: WorkOrder) -> bool:
    """Whether the rule's alert stands, also where it is kept quiet and the order was not told."""
    dev = desk.state.devices.get(order.device or "")
    alert = None if dev is None else desk.state.alerts.get(dev.alerts.get(order.rule or "", ""))
    return alert is not None and alert.state in (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


def _needs_reopen_window(desk: Desk, order: WorkOrder, _command: Command) -> str | None:
    closed = order.stamps.get(OrderState.CLOSED)
    if closed is None or desk.moment.now - closed > order.reopen_within:
        return "the time in which it could be reopened is over; open a new order"
    dev = desk.state.devices.get(order.device or "")
    newer = None if dev is None else dev.orders.get(order.rule or "")
    return None if newer is None else f"another order is open for the same rule: {newer}"


EDGES: Mapping[tuple[OrderState, OrderState], Guard] = MappingProxyType(
    {
        (OrderState.ASSIGNED, OrderState.TRIAGED): _needs_reason,
        (OrderState.IN_PROGRESS, OrderState.ON_HOLD): _needs_hold_reason,
        (OrderState.DONE, OrderState.IN_PROGRESS): _needs_reason,
        (OrderState.CLOSED, OrderState.IN_PROGRESS): _needs_reopen_window,
        **{(state, OrderState.CANCELLED): _needs_reason for state in CHAIN[:DONE_AT]},
        (OrderState.ON_HOLD, OrderState.CANCELLED): _needs_reason,
        **{(state, OrderState.DUPLICATE): _needs_original for state in CHAIN[:DONE_AT]},
        (OrderState.ON_HOLD, OrderState.DUPLICATE): _needs_original,
    }
)
"""Moves beside the chain."""

ENTRY: Mapping[OrderState, Guard] = MappingProxyType(
    {
        OrderState.ASSIGNED: _needs_somebody,
        OrderState.ON_SITE: _needs_own_tag,
        OrderState.DONE: _needs_proof_of_work,
        OrderState.VERIFIED: _needs_other_eyes,
    }
)
"""What must hold to enter a state along the chain."""


def next_states(order: WorkOrder) -> list[str]:
    """Where a person may move the order from where it is, guards aside."""
    beside = [str(target) for source, target in EDGES if source is order.state]
    return [*(str(state) for state in _forward(order)), *beside]


def _forward(order: WorkOrder) -> tuple[OrderState, ...]:
    if order.state is OrderState.ON_HOLD:
        return (OrderState.IN_PROGRESS,)
    if order.state not in CHAIN:
        return ()
    here = CHAIN.index(order.state)
    if not order.allow_skips or here >= DONE_AT:
        return CHAIN[here + 1 : here + 2]
    return CHAIN[here + 1 : DONE_AT + 1]  # what is done still has to be verified, and that by somebody else
