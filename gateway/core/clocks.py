"""Service-level clocks: from the report to accepted, on site and done, with a word at 50, 80 and 100 percent.

They run in the open time of the order's calendar, or round the clock where it has none.
"""

from gateway.core import notices
from gateway.core.desk import Desk
from gateway.core.order_state import Clock, OrderState, WorkOrder
from gateway.core.schedule import WorkingTime
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


class RoundTheClock:
    """Always open: for orders without a calendar, or whose calendar is no longer in the site's files."""

    def is_open(self, _at: Millis) -> bool:
        """Always."""
        return True

    def next_change(self, _at: Millis) -> Millis | None:
        """Never."""
        return None

    def add(self, start: Millis, length: Millis) -> Millis:
        """All time passes."""
        return start + length

    def between(self, start: Millis, end: Millis) -> Millis:
        """All of the time between."""
        return max(0, end - start)


ALWAYS: WorkingTime = RoundTheClock()


def hours(desk: Desk, order: WorkOrder) -> WorkingTime:
    """The time in which the order's clocks run."""
    return desk.plan.calendars.get(order.calendar or "", ALWAYS)


def begin(desk: Desk, order: WorkOrder, promised: Clocks) -> None:
    """Start every promised clock at the time of the report."""
    start = order.reported_at
    for name in STOPS:
        target: Millis | None = getattr(promised, name)
        if target is not None:
            due = hours(desk, order).add(start, target)
            order.clocks[name] = Clock(target=target, started=start, due=due, since=start)
    arm(desk, order)


def arm(desk: Desk, order: WorkOrder) -> None:
    """Ask for a wake-up at the next share of each running clock."""
    for name, clock in order.clocks.items():
        due = next_due(clock, hours(desk, order))
        if due is not None:
            desk.timers.add(Timer(due, order.id, "clock", name))


def next_due(clock: Clock, open_time: WorkingTime) -> Millis | None:
    """When the clock speaks next; None while it stands or when it has said all."""
    if clock.stopped is not None or clock.paused is not None or clock.told == SHARES[-1]:
        return None
    share = _next_share(clock)
    if share == SHARES[-1]:
        return clock.due
    return open_time.add(_since(clock), max(0, clock.target * share // 100 - clock.used))


def _next_share(clock: Clock) -> int:
    return next(share for share in SHARES if share > clock.told)


def _since(clock: Clock) -> Millis:
    """The start of the running stretch. A record of an older version has none: its clock runs round the clock."""
    return clock.due - clock.target if clock.since is None else clock.since


def come_due(desk: Desk, order: WorkOrder, name: str) -> None:
    """Say the share that has been reached, if one has."""
    clock = order.clocks.get(name)
    if clock is None or (due := next_due(clock, hours(desk, order))) is None or due > desk.moment.now:
        return
    clock.told = _next_share(clock)
    desk.touch_order(order)
    if clock.told == SHARES[-1]:
        clock.breached_at = clock.breached_at or desk.moment.now
        desk.report("work_order.breached", subject=order, clock=name, target=clock.target)
        notices.tell_team(desk, order, "breached")
    else:
        desk.report("work_order.clock_warned", subject=order, clock=name, share=clock.told)
    arm(desk, order)


def follow(desk: Desk, order: WorkOrder) -> None:
    """Stop, pause or go on with the clocks as the order's new state asks; only ``resolve`` pauses, only on hold."""
    now, open_time = desk.moment.now, hours(desk, order)
    for name, clock in order.clocks.items():
        if order.state in STOPS[name] or order.state in (OrderState.CANCELLED, OrderState.DUPLICATE):
            _go_on(clock, open_time, now)
            if clock.stopped is None:
                clock.stopped = now
        elif name == "resolve":
            _follow_resolve(clock, order.state, open_time, now)
    arm(desk, order)


def _follow_resolve(clock: Clock, state: OrderState, open_time: WorkingTime, now: Millis) -> None:
    if state is OrderState.ON_HOLD:
        clock.paused = now
        if clock.since is not None:
            clock.used += open_time.between(clock.since, now)
        return
    _go_on(clock, open_time, now)
    if clock.stopped is not None:
        clock.stopped = (
            None  # the verification failed or the order was reopened: it was not resolved after all
        )
        _reckon(clock, open_time)


def _go_on(clock: Clock, open_time: WorkingTime, now: Millis) -> None:
    if clock.paused is None:
        return
    if clock.since is None:
        clock.due += now - clock.paused
    else:
        clock.since = max(now, clock.started)  # the clocks of preventive work start when it is due
        _reckon(clock, open_time)
    clock.paused = None


def _reckon(clock: Clock, open_time: WorkingTime) -> None:
    """When the rest of the time will have run. Of one that has run out the due time stays."""
    if clock.since is not None and clock.used < clock.target and clock.told < SHARES[-1]:
        clock.due = open_time.add(clock.since, clock.target - clock.used)


def restart(desk: Desk, order: WorkOrder) -> None:
    """A reopened order gets its full time again; a breach stays on record."""
    clock = order.clocks.get("resolve")
    if clock is not None:
        now = desk.moment.now
        clock.started = clock.since = now
        clock.due = hours(desk, order).add(now, clock.target)
        clock.stopped, clock.paused, clock.told, clock.used = None, None, 0, 0


def reckon(desk: Desk, order: WorkOrder) -> None:
    """Another plan is in force: the calendar may have other hours now. What was said and breached stays."""
    open_time, before = hours(desk, order), [clock.due for clock in order.clocks.values()]
    for clock in order.clocks.values():
        if clock.stopped is None and clock.paused is None:
            _reckon(clock, open_time)
    if before != [clock.due for clock in order.clocks.values()]:
        desk.touch_order(order)
    arm(desk, order)


def arrive(order: WorkOrder, at: Millis) -> list[str]:
    """Somebody was on site then, which may have been some time ago: the clocks that this stops stopped then.

    Returns:
        The clocks whose breach is lifted by it.
    """
    lifted = []
    for name in ("accept", "arrive"):
        clock = order.clocks.get(name)
        if clock is None or (clock.stopped is not None and (name == "accept" or clock.stopped <= at)):
            continue
        clock.stopped = max(at, clock.started)
        if clock.breached_at is not None and clock.stopped < clock.due:
            clock.breached_at = None
            lifted.append(name)
    return lifted
