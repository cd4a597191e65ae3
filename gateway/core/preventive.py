"""Work that comes again and again: one order for each device and due time, never two, never a silent drop.

An order's id derives from the site, the item, the device and the due time's key, so one due time cannot lead to two.
It is opened ``lead`` before it is due, and its clocks run from when it is due. The due times:

- From the calendar, the next order comes whether or not the one before is done: each due time is a promise of its own,
  and the record must show which were kept. The new order names an open one before it (``predecessor``).
- From completion, the next is due as the rule has it when it is started anew at the moment the last order was done, or
  given up: cancelled, or ended as a duplicate. While that order is open nothing is due; work that is found not to be
  done after all takes the next due time back.

Where several due times have passed while the gateway was down, one order is opened for the newest and the others are
told as ``preventive.missed``. What lies before an item, or its rule, came into force was never due.
"""

from collections.abc import Iterator
from itertools import takewhile

from gateway.core import opening
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.order_state import SETTLED, WorkOrder
from gateway.core.recurrence import Due
from gateway.core.state import Upkeep
from gateway.core.templates import Preventive
from gateway.core.timers import Timer
from gateway.core.values import Json

PURPOSE = "preventive"
TOLD_MOST = 100
"""Missed due times of one item and device told one by one; the last of these outcomes counts the rest."""


# --- when it is looked at ----------------------------------------------------------------------------------------


def watch(desk: Desk) -> None:
    """Ask for the wake-ups the state implies."""
    for item, device in _all(desk):
        _await(desk, item, device)


def rest(desk: Desk) -> None:
    """The gateway goes down: what comes due is not dealt with before it is back."""
    for purpose, owner in list(desk.meant):
        if purpose == PURPOSE:
            desk.await_once(None, owner, PURPOSE)


def take_up(desk: Desk) -> None:
    """The gateway is back, or runs for the first time: deal with what came due meanwhile."""
    for item, device in _all(desk):
        if _found(desk, item.name, device) is None:
            _keep(desk, item.name, device, Upkeep(desk.moment.now))
        _deal(desk, item, device)


def adopt(desk: Desk) -> None:
    """Another plan is in force; up to now all was dealt with by the old one.

    What is no longer in the plan asks for nothing any more; its open orders stay.
    """
    rest(desk)
    now = desk.moment.now
    for item, device in _all(desk):
        upkeep = _found(desk, item.name, device)
        if upkeep is None:
            _keep(desk, item.name, device, Upkeep(now))
        elif not item.from_completion and (due := _next(item, upkeep)) is not None and due.at <= now:
            upkeep.at = now
            _touch(desk, device)
        _deal(desk, item, device)


def come_due(desk: Desk, timer: Timer) -> None:
    """The time to open an order has come."""
    name, _, device = timer.owner.partition("/")
    if desk.is_meant(timer):
        _deal(desk, desk.plan.preventive[name], device)


def note(desk: Desk, order: WorkOrder) -> None:
    """An order has entered another state: where the next due time counts from its end, that may be known now."""
    device = order.device or ""
    upkeep = None if order.preventive is None else _found(desk, order.preventive, device)
    if order.preventive is None or upkeep is None or upkeep.key != order.due:
        return
    settled = order.state in SETTLED
    if settled is (upkeep.done_at is not None):
        return
    upkeep.done_at = desk.moment.now if settled else None
    _touch(desk, device)
    item = desk.plan.preventive.get(order.preventive)
    if item is not None and device in _devices(desk, item):
        _await(desk, item, device)


# --- what is due -------------------------------------------------------------------------------------------------


def _all(desk: Desk) -> Iterator[tuple[Preventive, str]]:
    """Every item with each of its devices, the empty one for the site."""
    for item in desk.plan.preventive.values():
        for device in _devices(desk, item):
            yield item, device


def _devices(desk: Desk, item: Preventive) -> tuple[str, ...]:
    return tuple(name for name in item.devices if name in desk.plan.devices) if item.devices else ("",)


def _next(item: Preventive, upkeep: Upkeep) -> Due | None:
    """The next due time; None while it is not known, and when there is none any more."""
    if not item.from_completion or not upkeep.key:
        return item.recurrence.after(upkeep.at)
    if upkeep.done_at is None:
        return None
    try:
        return item.recurrence.restarted(upkeep.done_at).after(upkeep.done_at)
    except ValueError:  # its UNTIL has passed
        return None


def _coming(item: Preventive, upkeep: Upkeep) -> Iterator[Due]:
    """The due times not dealt with yet."""
    due = _next(item, upkeep)
    while due is not None:
        if due.key != upkeep.key:  # else the same one, moved by other rules of daylight saving
            yield due
        due = None if item.from_completion else item.recurrence.after(due.at)


def _await(desk: Desk, item: Preventive, device: str) -> None:
    upkeep = _found(desk, item.name, device)
    due = None if upkeep is None else next(_coming(item, upkeep), None)
    desk.await_once(None if due is None else due.at - item.lead, f"{item.name}/{device}", PURPOSE)


def _deal(desk: Desk, item: Preventive, device: str) -> None:
    """Open an order for the newest due time that has passed, and for those so near that theirs is wanted already."""
    upkeep, now = _found(desk, item.name, device), desk.moment.now
    if upkeep is not None:
        dues = list(takewhile(lambda due: due.at - item.lead <= now, _coming(item, upkeep)))
        passed = sum(due.at <= now for due in dues)
        _tell_missed(desk, item, device, dues[: max(0, passed - 1)])
        for due in dues[max(0, passed - 1) :]:
            _open(desk, item, device, upkeep, due)
    _await(desk, item, device)


def _tell_missed(desk: Desk, item: Preventive, device: str, missed: list[Due]) -> None:
    for index, due in enumerate(missed[:TOLD_MOST], 1):
        more = len(missed) - TOLD_MOST if index == TOLD_MOST else 0
        rest: dict[str, Json] = {"more": more} if more else {}
        desk.report(
            "preventive.missed",
            device=device or None,
            cause=rest,
            item=item.name,
            due=due.key,
            due_at=due.at,
        )


def _open(desk: Desk, item: Preventive, device: str, upkeep: Upkeep, due: Due) -> None:
    before = desk.state.orders.get(_order_id(desk, item.name, device, upkeep.key))
    upkeep.at, upkeep.key, upkeep.done_at = due.at, due.key, None
    _touch(desk, device)
    template = desk.plan.templates[item.template]
    order = opening.draft(desk, template, _order_id(desk, item.name, device, due.key), due.at)
    if order.id in desk.state.orders:
        return
    order.device = device or None
    order.preventive, order.due, order.due_at = item.name, due.key, due.at
    standing = before is not None and before.state not in SETTLED
    detail: dict[str, Json] = {"predecessor": before.id} if before is not None and standing else {}
    opening.put_forth(desk, order, template, detail=detail)


def _order_id(desk: Desk, item: str, device: str, key: str) -> str:
    return derive_id("wo", desk.plan.site, item, device, key)


# --- what is remembered ------------------------------------------------------------------------------------------


def _kept(desk: Desk, device: str) -> dict[str, Upkeep]:
    """How far the items of a device have come, or those of the site."""
    if not device:
        return desk.state.scalars.preventive
    dev = desk.state.devices.get(device)
    return {} if dev is None else dev.preventive


def _found(desk: Desk, item: str, device: str) -> Upkeep | None:
    return _kept(desk, device).get(item)


def _keep(desk: Desk, item: str, device: str, upkeep: Upkeep) -> None:
    if device:
        desk.device(device)  # begins to exist here
    _kept(desk, device)[item] = upkeep
    _touch(desk, device)


def _touch(desk: Desk, device: str) -> None:
    if device:
        desk.effects.devices.add(device)
    else:
        desk.effects.scalars = True
