"""Work orders: from an alert or a person to the verified end.

The states form a chain; a small team may skip forward along it as far as done unless the template forbids, and every
stamp passed over is recorded as skipped. The other edges are named one by one with their guards.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core import clocks
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command
from gateway.core.order_state import Check, OrderState, WorkOrder
from gateway.core.plan import Rule
from gateway.core.state import Alert, DeviceState, Reply
from gateway.core.templates import Template
from gateway.core.timers import Timer
from gateway.core.values import DAY, Millis

CHAIN = (
    OrderState.NEW,
    OrderState.TRIAGED,
    OrderState.ASSIGNED,
    OrderState.ACCEPTED,
    OrderState.EN_ROUTE,
    OrderState.ON_SITE,
    OrderState.IN_PROGRESS,
    OrderState.DONE,
    OrderState.VERIFIED,
    OrderState.CLOSED,
)
DONE_AT = CHAIN.index(OrderState.DONE)
ENDED = (OrderState.CLOSED, OrderState.CANCELLED, OrderState.DUPLICATE)
REPORT_AGE: Millis = 30 * DAY
"""How far back a person may date a report."""
HOLD_REASONS = ("contractor", "customer", "parts", "permit", "weather")

Guard = Callable[[Desk, WorkOrder, Command], str | None]
"""Says why a move may not be made, or None."""


def _needs_reason(_desk: Desk, _order: WorkOrder, command: Command) -> str | None:
    return None if _text(command, "reason") else "give a reason"


def _needs_hold_reason(_desk: Desk, _order: WorkOrder, command: Command) -> str | None:
    if _text(command, "reason") not in HOLD_REASONS:
        return f"give a reason, one of {', '.join(HOLD_REASONS)}"
    resume_at = command.args.get("resume_at")
    if not isinstance(resume_at, int) or resume_at <= command.at:
        return "give resume_at: when work is expected to go on, in the future"
    return None


def _needs_original(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    original = _text(command, "duplicate_of")
    other = desk.state.orders.get(original)
    if other is None or other is order or other.state in ENDED:
        return "give duplicate_of: the id of another open work order"
    return None


def _needs_checklist(_desk: Desk, order: WorkOrder, _command: Command) -> str | None:
    open_steps = [step.name for step in order.checklist if step.required and step.done_at is None]
    return f"the checklist is not complete: {', '.join(open_steps)}" if open_steps else None


def _needs_other_eyes(_desk: Desk, order: WorkOrder, command: Command) -> str | None:
    if order.done_by == command.actor:
        return "the work must be verified by somebody other than the one who did it"
    return "the alert is still active" if order.alert_live else None


def _needs_reopen_window(desk: Desk, order: WorkOrder, command: Command) -> str | None:
    closed = order.stamps.get(OrderState.CLOSED)
    if closed is None or command.at - closed > order.reopen_within:
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
        **{(state, OrderState.CANCELLED): _needs_reason for state in CHAIN[:7]},
        (OrderState.ON_HOLD, OrderState.CANCELLED): _needs_reason,
        **{(state, OrderState.DUPLICATE): _needs_original for state in CHAIN[:7]},
        (OrderState.ON_HOLD, OrderState.DUPLICATE): _needs_original,
    }
)
"""Moves beside the chain."""

ENTRY: Mapping[OrderState, Guard] = MappingProxyType(
    {OrderState.DONE: _needs_checklist, OrderState.VERIFIED: _needs_other_eyes}
)
"""What must hold to enter a state along the chain."""


def next_states(order: WorkOrder) -> list[str]:
    """Where the order may be moved from where it is, guards aside."""
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


# --- from alerts -----------------------------------------------------------------------------------------------


def follow_alert(desk: Desk, dev: DeviceState, alert: Alert, rule: Rule) -> None:
    """An alert was raised or rose: attach it to the open order of its device and rule, or open one if it asks."""
    order = desk.state.orders.get(dev.orders.get(rule.name, ""))
    if order is not None:
        order.alert_live = True
        if alert.id not in order.alerts:
            order.alerts.append(alert.id)
            desk.report("work_order.attached", subject=order, alert=alert.id)
        desk.touch_order(order)
        alert.order = order.id
        return
    reached = [level for level in rule.work_order if level <= alert.level]
    template = desk.plan.templates.get(rule.work_order[max(reached)]) if reached else None
    if template is None:
        return
    order_id = derive_id(
        "wo", alert.id, alert.version
    )  # an alert whose order was cancelled may lead to another
    order = _new(desk, template, order_id, alert.raised_at)
    order.device, order.rule, order.level = alert.device, rule.name, alert.level
    order.alerts, order.alert_live = [alert.id], True
    dev.orders[rule.name] = order.id
    alert.order = order.id
    _open(desk, order, template, None)


def note_return(desk: Desk, alert: Alert) -> None:
    """The alert's condition is gone: that is noted on its order and closes nothing."""
    order = desk.state.orders.get(alert.order or "")
    if order is not None and order.alert_live:
        order.alert_live = False
        desk.touch_order(order)
        desk.report("work_order.alert_returned", subject=order, alert=alert.id)


def _new(desk: Desk, template: Template, order_id: str, reported_at: Millis) -> WorkOrder:
    return WorkOrder(
        id=order_id,
        template=template.name,
        title={"en": template.title.en, "zh": template.title.zh},
        priority=template.priority,
        state=OrderState.NEW,
        reported_at=reported_at,
        opened_at=desk.moment.now,
        team=template.team,
        allow_skips=template.allow_skips,
        reopen_within=template.reopen_within,
        stamps={OrderState.NEW: desk.moment.now},
        checklist=[
            Check(step.name, {"en": step.title.en, "zh": step.title.zh}, step.required)
            for step in template.checklist
        ],
        version=0,
    )


def _open(desk: Desk, order: WorkOrder, template: Template, actor: str | None) -> None:
    desk.state.orders[order.id] = order
    desk.touch_order(order)
    desk.report(
        "work_order.opened", subject=order, actor=actor, template=template.name, priority=order.priority
    )
    clocks.begin(desk, order, template.clocks)


# --- from people -----------------------------------------------------------------------------------------------


def open_by_hand(desk: Desk, command: Command) -> Reply:
    """A person opens an order from a template, for a device or for none."""
    template = desk.plan.templates.get(_text(command, "template"))
    if template is None:
        return Reply(command.id, "refused", "give template: one of the site's", sorted(desk.plan.templates))
    device = command.target or None
    if device is not None and device not in desk.plan.devices:
        return Reply(command.id, "not_found", f"no device {device}")
    reported = command.args.get("reported_at", desk.moment.now)
    if not isinstance(reported, int) or not 0 <= desk.moment.now - reported <= REPORT_AGE:
        return Reply(
            command.id, "refused", "reported_at must lie within the last 30 days and not in the future"
        )
    order = _new(desk, template, derive_id("wo", desk.plan.site, command.id, desk.moment.now), reported)
    order.device = device
    _open(desk, order, template, command.actor)
    return _done(command, order)


def assign(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Give the order to a team, a person, or both; a new or triaged order becomes assigned."""
    team, assignee = command.args.get("team", order.team), command.args.get("assignee", order.assignee)
    if order.state in (*ENDED, OrderState.DONE, OrderState.VERIFIED):
        return _refused(command, order, f"a work order that is {order.state} is not assigned any more")
    if team is not None and (not isinstance(team, str) or team not in desk.plan.teams):
        return _refused(command, order, f"no team {team}; the site has {', '.join(sorted(desk.plan.teams))}")
    if not (team or assignee) or not isinstance(assignee, str | None):
        return _refused(command, order, "give team, assignee, or both")
    if order.state is OrderState.NEW and not order.allow_skips:
        return _refused(command, order, "triage it first; its template allows no skipping")
    order.team, order.assignee = team, assignee
    desk.report("work_order.assigned", subject=order, actor=command.actor, team=team, assignee=assignee)
    if order.state in (OrderState.NEW, OrderState.TRIAGED):
        _enter(desk, order, OrderState.ASSIGNED, command)
    else:
        desk.touch_order(order)
    return _done(command, order)


def move(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Move the order to another state, if the table and its guards allow it."""
    wanted = command.args.get("to")
    if wanted not in next_states(order):
        return _refused(command, order, f"a work order that is {order.state} cannot become {wanted}")
    target = OrderState(str(wanted))
    guard = EDGES.get((order.state, target)) or ENTRY.get(target)
    problem = guard(desk, order, command) if guard else None
    if problem is not None:
        return _refused(command, order, problem)
    _enter(desk, order, target, command)
    return _done(command, order)


def check(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Tick off one step of the checklist, with its result."""
    name = command.args.get("step")
    step = next((step for step in order.checklist if step.name == name), None)
    if step is None:
        return _refused(command, order, f"no step {name}", [step.name for step in order.checklist])
    if order.state in (*ENDED, OrderState.DONE, OrderState.VERIFIED):
        return _refused(command, order, f"the work order is {order.state}")
    step.done_at, step.done_by, step.result = desk.moment.now, command.actor, command.args.get("result")
    desk.touch_order(order)
    desk.report(
        "work_order.step_done", subject=order, actor=command.actor, step=step.name, result=step.result
    )
    return _done(command, order)


def comment(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Add a word to the history."""
    text = _text(command, "text")
    if not text.strip():
        return _refused(command, order, "a comment needs a text")
    desk.touch_order(order)
    desk.report("work_order.commented", subject=order, actor=command.actor, text=text)
    return _done(command, order)


def _enter(desk: Desk, order: WorkOrder, target: OrderState, command: Command) -> None:
    before, now = order.state, desk.moment.now
    if before in CHAIN and target in CHAIN and (before, target) not in EDGES:
        passed = CHAIN[CHAIN.index(before) + 1 : CHAIN.index(target)]
        order.skipped.extend(str(state) for state in passed if state not in order.skipped)
    order.state = target
    order.stamps[target] = now
    reason = _text(command, "reason")
    order.hold_reason = reason if target is OrderState.ON_HOLD else None
    resume_at = command.args.get("resume_at")
    order.resume_at = resume_at if target is OrderState.ON_HOLD and isinstance(resume_at, int) else None
    if target is OrderState.DONE:
        order.done_by = command.actor
    if target in ENDED:
        order.closed_why = reason or str(target)
    if target is OrderState.DUPLICATE:
        order.duplicate_of = _text(command, "duplicate_of")
    if before is OrderState.CLOSED:
        order.reopened += 1
        for name in order.clocks.keys() & {"resolve"}:
            clocks.restart(order.clocks[name], now)
    clocks.follow(desk, order)
    desk.touch_order(order)
    desk.report(
        "work_order.moved", subject=order, actor=command.actor, was=str(before), reason=reason or None
    )
    _keep_index(desk, order)


def arm_forget(desk: Desk, order: WorkOrder) -> None:
    """Ask for the wake-up at which a closed order can no longer be reopened."""
    if order.state is OrderState.CLOSED:
        due = order.stamps[OrderState.CLOSED] + order.reopen_within
        desk.timers.add(Timer(due, order.id, "forget", ""))


def forget(desk: Desk, order: WorkOrder) -> None:
    """A closed order nobody may reopen any more leaves memory; it stays on disk."""
    closed = order.stamps.get(OrderState.CLOSED, 0)
    if order.state is OrderState.CLOSED and desk.moment.now - closed >= order.reopen_within:
        del desk.state.orders[order.id]
        desk.effects.forgotten.add(order.id)


def _keep_index(desk: Desk, order: WorkOrder) -> None:
    """One open order per device and rule; an ended one leaves memory once nobody may reopen it."""
    if order.state is OrderState.CLOSED:
        arm_forget(desk, order)
    elif order.state in ENDED:
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


def _text(command: Command, name: str) -> str:
    value = command.args.get(name)
    return value if isinstance(value, str) else ""


def _done(command: Command, order: WorkOrder) -> Reply:
    return Reply(command.id, "done", "", [], order.id, order.version)


def _refused(command: Command, order: WorkOrder, words: str, allowed: list[str] | None = None) -> Reply:
    able = next_states(order) if allowed is None else allowed
    return Reply(command.id, "conflict", words, able, order.id, order.version)


VERBS = MappingProxyType(
    {
        "work_order.assign": assign,
        "work_order.move": move,
        "work_order.check": check,
        "work_order.comment": comment,
    }
)
"""What a command can do to a work order; ``work_order.open`` makes one."""
