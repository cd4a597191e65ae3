"""Service-level clocks: from the report to accepted, on site and done, with a word at 50, 80 and 100 percent."""

from gateway.core.desk import Desk
from gateway.core.order_state import Clock, OrderState, WorkOrder
from gateway.core.templates import Clocks
from gateway.core.timers import Timer
from gateway.core.values import Millis

SHARES = (50, 80, 100)
"""Percent of the target at which a clock speaks; at the last one it is breached."""

STOPS: dict[str, tuple[OrderState, ...]] = {
    "accept": (
        OrderState.ACCEPTED,
        OrderState.EN_ROUTE,
        OrderState.ON_SITE,
        OrderState.IN_PROGRESS,
        OrderState.DONE,
        OrderState.VERIFIED,
        OrderState.CLOSED,
    ),
    "arrive": (
        OrderState.ON_SITE,
        OrderState.IN_PROGRESS,
        OrderState.DONE,
        OrderState.VERIFIED,
        OrderState.CLOSED,
    ),
    "resolve": (OrderState.DONE, OrderState.VERIFIED, OrderState.CLOSED),
}
"""The states that stop each clock: the one it is named for, or a later one where that was skipped."""


def begin(desk: Desk, order: WorkOrder, promised: Clocks) -> None:
    """Start every promised clock at the time of the report."""
    for name in STOPS:
        target: Millis | None = getattr(promised, name)
        if target is not None:
            start = order.reported_at
            order.clocks[name] = Clock(target=target, started=start, due=start + target)
    arm(desk, order)


def arm(desk: Desk, order: WorkOrder) -> None:
    """Ask for a wake-up at the next share of each running clock."""
    for name, clock in order.clocks.items():
        due = next_due(clock)
        if due is not None:
            desk.timers.add(Timer(due, order.id, "clock", name))


def next_due(clock: Clock) -> Millis | None:
    """When the clock speaks next; None while it stands or when it has said all."""
    if clock.stopped is not None or clock.paused is not None:
        return None
    for share in SHARES:
        if share > clock.told:
            return clock.due - clock.target * (100 - share) // 100
    return None


def come_due(desk: Desk, order: WorkOrder, name: str) -> None:
    """Say the share that has been reached, if one has."""
    clock = order.clocks.get(name)
    if clock is None or (due := next_due(clock)) is None or due > desk.moment.now:
        return
    clock.told = next(share for share in SHARES if share > clock.told)
    desk.touch_order(order)
    if clock.told == SHARES[-1]:
        clock.breached_at = clock.breached_at or desk.moment.now
        desk.report("work_order.breached", subject=order, clock=name, target=clock.target)
    else:
        desk.report("work_order.clock_warned", subject=order, clock=name, share=clock.told)
    arm(desk, order)


def follow(desk: Desk, order: WorkOrder) -> None:
    """Stop, pause or go on with the clocks as the order's new state asks; only ``resolve`` pauses, only on hold."""
    now = desk.moment.now
    for name, clock in order.clocks.items():
        stops = order.state in STOPS[name] or order.state in (OrderState.CANCELLED, OrderState.DUPLICATE)
        if stops:
            if clock.paused is not None:
                _go_on(clock, now)
            if clock.stopped is None:
                clock.stopped = now
        elif name == "resolve":
            _follow_resolve(clock, order.state, now)
    arm(desk, order)


def _follow_resolve(clock: Clock, state: OrderState, now: Millis) -> None:
    if state is OrderState.ON_HOLD:
        clock.paused = now
        return
    if clock.paused is not None:
        _go_on(clock, now)
    clock.stopped = None  # the verification failed or the order was reopened: it was not resolved after all


def _go_on(clock: Clock, now: Millis) -> None:
    if clock.paused is not None:
        clock.due += now - clock.paused
        clock.paused = None


def restart(clock: Clock, now: Millis) -> None:
    """A reopened order gets its full time again; a breach stays on record."""
    clock.started, clock.due = now, now + clock.target
    clock.stopped, clock.paused, clock.told = None, None, 0
