"""A work order enters a state: stamps, clocks, wake-ups, and the index of what is open.

Two moves come of time alone: an order that is not accepted goes back, and a hold ends when it has lasted longest.
"""

from gateway.core import clocks, notices, preventive
from gateway.core.desk import Desk
from gateway.core.order_state import CHAIN, ENDED, OrderState, WorkOrder
from gateway.core.order_table import EDGES
from gateway.core.timers import Timer
from gateway.core.values import Millis


def enter(desk: Desk, order: WorkOrder, target: OrderState, actor: str | None, reason: str = "") -> None:
    """Bring the order to that state, whose guards hold."""
    before, now = order.state, desk.moment.now
    if before in CHAIN and target in CHAIN and (before, target) not in EDGES:
        passed = CHAIN[CHAIN.index(before) + 1 : CHAIN.index(target)]
        order.skipped.extend(str(state) for state in passed if state not in order.skipped)
    order.state = target
    order.stamps[target] = now
    _note(order, before, actor, reason, now)
    if before is OrderState.CLOSED:
        order.reopened += 1
        clocks.restart(desk, order)
    clocks.follow(desk, order)
    desk.touch_order(order)
    desk.report("work_order.moved", subject=order, actor=actor, was=str(before), reason=reason or None)
    _keep_index(desk, order)
    _arm_state(desk, order)
    preventive.note(desk, order)


def _note(order: WorkOrder, before: OrderState, actor: str | None, reason: str, now: Millis) -> None:
    """What the order remembers of its state beside the stamp."""
    held = order.state is OrderState.ON_HOLD
    longest = order.longest_hold.get(reason) if held else None
    order.hold_reason = reason if held else None
    order.hold_until = None if longest is None else now + longest
    order.resume_at = order.resume_at if held else None
    if order.state is OrderState.TRIAGED:
        order.assignee = None
    elif order.state is OrderState.DONE:
        order.done_by = actor
    elif order.state in ENDED:
        order.closed_why = reason or str(order.state)
    elif order.state is OrderState.IN_PROGRESS and before is not OrderState.ON_HOLD:
        order.signed = None  # it stood for the work as it was before; the history keeps it
        order.closed_why = None


def _keep_index(desk: Desk, order: WorkOrder) -> None:
    """One open order per device and rule; an ended one leaves memory once nobody may reopen it."""
    if order.state in ENDED and order.state is not OrderState.CLOSED:
        del desk.state.orders[order.id]
        desk.effects.forgotten.add(order.id)
    if order.device is None or order.rule is None:
        return
    dev = desk.state.devices.get(order.device)
    if dev is None:
        return
    if order.state in ENDED:
        if dev.orders.get(order.rule) == order.id:
            del dev.orders[order.rule]
    else:
        dev.orders.setdefault(order.rule, order.id)
    desk.effects.devices.add(order.device)


# --- what comes of time alone ------------------------------------------------------------------------------------


def arm(desk: Desk, order: WorkOrder) -> None:
    """Ask for every wake-up the order implies."""
    clocks.arm(desk, order)
    _arm_state(desk, order)


def _arm_state(desk: Desk, order: WorkOrder) -> None:
    if order.state is OrderState.CLOSED:
        due = order.stamps[OrderState.CLOSED] + order.reopen_within
        desk.timers.add(Timer(due, order.id, "forget", ""))
    elif (accept_due := _accept_due(desk, order)) is not None:
        desk.timers.add(Timer(accept_due, order.id, "accept", ""))
    elif order.hold_until is not None:
        desk.timers.add(Timer(order.hold_until, order.id, "hold", ""))


def ask_again(desk: Desk, order: WorkOrder) -> None:
    """Somebody else was asked: the time to accept counts from now."""
    if order.state is OrderState.ASSIGNED:
        order.stamps[OrderState.ASSIGNED] = desk.moment.now
        _arm_state(desk, order)


def _accept_due(desk: Desk, order: WorkOrder) -> Millis | None:
    """Until when it must be accepted, in open time from when it was last assigned."""
    if order.state is not OrderState.ASSIGNED or order.accept_within is None:
        return None
    return clocks.hours(desk, order).add(order.stamps[OrderState.ASSIGNED], order.accept_within)


def not_accepted(desk: Desk, order: WorkOrder) -> None:
    """Nobody took it in time: it goes back to be given to somebody else, and that is told."""
    due = _accept_due(desk, order)
    if due is None or due > desk.moment.now:
        return
    desk.report(
        "work_order.not_accepted",
        subject=order,
        team=order.team,
        assignee=order.assignee,
        after=order.accept_within,
    )
    enter(desk, order, OrderState.TRIAGED, None, "not accepted in time")
    notices.tell_team(desk, order, "not_accepted")


def end_hold(desk: Desk, order: WorkOrder) -> None:
    """Nothing waits for ever: the work goes on, and its clock with it."""
    if order.hold_until is None or order.hold_until > desk.moment.now:
        return
    desk.report("work_order.hold_ended", subject=order, why=order.hold_reason)
    enter(desk, order, OrderState.IN_PROGRESS, None, "the longest hold is over")


def forget(desk: Desk, order: WorkOrder) -> None:
    """A closed order nobody may reopen any more leaves memory; it stays on disk."""
    closed = order.stamps.get(OrderState.CLOSED, 0)
    if order.state is OrderState.CLOSED and desk.moment.now - closed >= order.reopen_within:
        del desk.state.orders[order.id]
        desk.effects.forgotten.add(order.id)


def adopt(desk: Desk) -> None:
    """Another plan is in force, perhaps with other calendars: every due time is reckoned anew."""
    for _, order in sorted(desk.state.orders.items()):
        clocks.reckon(desk, order)
        _arm_state(desk, order)
