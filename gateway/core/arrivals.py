"""Arrival on site, by word or proved by a tap on the asset's own tag.

A tap says when somebody stood there, by the reader's clock, and may be uploaded hours later. It stops the clocks at
its own time: a breach that was recorded meanwhile, while the technician stood before the asset without signal, is lifted.
"""

from gateway.core import clocks, transitions
from gateway.core.desk import Desk
from gateway.core.order_state import CHAIN, ENDED, OrderState, Proof, WorkOrder
from gateway.core.values import MINUTE, Json, Millis

LATE: Millis = MINUTE
"""A tap received so long after it was made is told as late."""

ASKED = (OrderState.ASSIGNED, OrderState.ACCEPTED, OrderState.EN_ROUTE)
"""Somebody is to come: whoever taps has come, whatever the template says of skipping."""
UNASKED = (OrderState.NEW, OrderState.TRIAGED)
THERE = CHAIN[CHAIN.index(OrderState.ON_SITE) : CHAIN.index(OrderState.CLOSED)]


def tapped(desk: Desk, device: str, tag: str, ts: Millis, guard: str | None) -> None:
    """Somebody has read the asset's own tag, and that counts: its open orders learn of it.

    To be called once for each tap. A tap from before an order was opened says nothing about it.
    """
    proof = Proof(how="tap", at=min(ts, desk.moment.now), by=guard or None, tag=tag)
    concerned = [order for order in desk.state.orders.values() if order.device == device]
    for order in sorted(concerned, key=lambda order: order.id):
        if order.state not in ENDED and proof.at >= order.opened_at:
            _learn(desk, order, proof)


def _learn(desk: Desk, order: WorkOrder, proof: Proof) -> None:
    """What one order makes of a tap: a move, a stronger proof, or a word in its history."""
    moves = order.state in ASKED or order.state in UNASKED
    if not moves and not _is_stronger(order, proof):
        return
    strict = order.state in UNASKED and not order.allow_skips
    if strict or (order.assignee is not None and order.assignee != proof.by):
        _tell(desk, order, proof, counted=False)
        return
    _take(desk, order, proof)
    if moves:
        transitions.enter(desk, order, OrderState.ON_SITE, proof.by)
    else:
        desk.touch_order(order)


def _is_stronger(order: WorkOrder, proof: Proof) -> bool:
    """Whether it proves better than what is known when they arrived.

    A tap beats a word, and an earlier tap a later one. Once work has begun, only a tap from before that counts: a
    later one is no arrival.
    """
    known = order.proofs.get(OrderState.ON_SITE)
    if known is not None and known.how == "tap" and known.at <= proof.at:
        return False
    stamps = [order.stamps[state] for state in THERE if state in order.stamps]
    return order.state is OrderState.ON_SITE or (bool(stamps) and proof.at <= min(stamps))


def record(desk: Desk, order: WorkOrder, proof: Proof) -> None:
    """A person says that they are there, by word or with the tag they have read; the order enters the state next."""
    _take(desk, order, proof)


def _take(desk: Desk, order: WorkOrder, proof: Proof) -> None:
    """Keep the proof and stop the clocks at its time."""
    order.proofs[OrderState.ON_SITE] = proof
    _tell(desk, order, proof, counted=True)
    for name in clocks.arrive(order, proof.at):
        desk.report(
            "work_order.breach_lifted", subject=order, actor=proof.by, clock=name, tag=proof.tag, ts=proof.at
        )


def _tell(desk: Desk, order: WorkOrder, proof: Proof, *, counted: bool) -> None:
    late = desk.moment.now - proof.at
    detail: dict[str, Json] = {"how": proof.how, "tag": proof.tag, "by": proof.by, "ts": proof.at}
    if late >= LATE:
        detail["late"] = late
    if not counted:
        detail |= {"counted": False, "assignee": order.assignee}
    desk.report("work_order.arrived", subject=order, actor=proof.by, cause=detail)
