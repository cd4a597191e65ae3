"""Work orders: from an alert or a person to the verified end. What people may ask of one, and what alerts do to it."""

from types import MappingProxyType

from gateway.core import answers, arrivals, attachments, checklists, costs, opening, tags, transitions
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command
from gateway.core.order_state import CHAIN, ENDED, SETTLED, OrderState, Proof, WorkOrder
from gateway.core.order_table import EDGES, ENTRY, next_states, text
from gateway.core.plan import Rule
from gateway.core.state import Alert, DeviceState, Reply
from gateway.core.templates import HOLD_REASONS
from gateway.core.values import DAY, Millis

__all__ = ["CHAIN", "EDGES", "ENDED", "HOLD_REASONS", "VERBS", "follow_alert", "next_states", "note_return"]

REPORT_AGE: Millis = 30 * DAY
"""How far back a person may date a report."""
NAME_MOST = 200
"""Characters of an assignee's name."""


# --- from alerts -----------------------------------------------------------------------------------------------


def follow_alert(desk: Desk, dev: DeviceState, alert: Alert, rule: Rule) -> None:
    """An alert was raised or rose: attach it to the open order of its device and rule, or open one if it asks."""
    order = desk.state.orders.get(dev.orders.get(rule.name, ""))
    if order is not None:
        _attach(desk, order, alert)
        return
    reached = [level for level in rule.work_order if level <= alert.level]
    template = desk.plan.templates.get(rule.work_order[max(reached)]) if reached else None
    if template is None:
        return
    order_id = derive_id(
        "wo", alert.id, alert.version
    )  # an alert whose order was cancelled may lead to another
    order = opening.draft(desk, template, order_id, alert.raised_at)
    order.device, order.rule, order.level = alert.device, rule.name, alert.level
    order.alerts, order.alert_live = [alert.id], True
    dev.orders[rule.name] = order.id
    alert.order = order.id
    opening.put_forth(desk, order, template)


def _attach(desk: Desk, order: WorkOrder, alert: Alert) -> None:
    """The trouble is back while its order is open. One that was verified already was not solved after all."""
    order.alert_live = True
    if alert.id not in order.alerts:
        order.alerts.append(alert.id)
        desk.report("work_order.attached", subject=order, alert=alert.id)
    alert.order = order.id
    if order.state is OrderState.VERIFIED:
        transitions.enter(desk, order, OrderState.IN_PROGRESS, None, "the alert came back")
    else:
        desk.touch_order(order)


def note_return(desk: Desk, alert: Alert) -> None:
    """The alert's condition is gone: that is noted on its order and closes nothing."""
    order = desk.state.orders.get(alert.order or "")
    if order is not None and order.alert_live:
        order.alert_live = False
        desk.touch_order(order)
        desk.report("work_order.alert_returned", subject=order, alert=alert.id)


# --- from people -----------------------------------------------------------------------------------------------


def open_by_hand(desk: Desk, command: Command) -> Reply:
    """A person opens an order from a template, for a device or for none."""
    template = desk.plan.templates.get(text(command, "template"))
    if template is None:
        return Reply(command.id, "refused", "give template: one of the site's", sorted(desk.plan.templates))
    device = command.target or None
    if device is not None and device not in desk.plan.devices:
        return Reply(command.id, "not_found", f"no device {device}")
    reported = command.args.get("reported_at", desk.moment.now)
    if not isinstance(reported, int) or not 0 <= desk.moment.now - reported <= REPORT_AGE:
        words = "reported_at must lie within the last 30 days and not in the future"
        return Reply(command.id, "refused", words, ["reported_at"])
    order_id = derive_id("wo", desk.plan.site, command.id, desk.moment.now)
    order = opening.draft(desk, template, order_id, reported)
    order.device = device
    opening.put_forth(desk, order, template, command.actor)
    return answers.done(command, order)


def assign(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Give the order to a team, a person, or both; a new or triaged order becomes assigned."""
    team, assignee = command.args.get("team", order.team), command.args.get("assignee", order.assignee)
    if order.state in SETTLED:
        return answers.conflict(
            command, order, f"a work order that is {order.state} is not assigned any more"
        )
    if team is not None and (not isinstance(team, str) or team not in desk.plan.teams):
        teams = sorted(desk.plan.teams)
        return answers.conflict(command, order, f"no team {team}; the site has {', '.join(teams)}", teams)
    if not (team or assignee) or not _is_name(assignee):
        return answers.conflict(command, order, "give team, assignee, or both", ["team", "assignee"])
    if order.state is OrderState.NEW and not order.allow_skips:
        return answers.conflict(command, order, "triage it first; its template allows no skipping")
    if command.expect is None and (holder := _other_holder(order, command.actor, team, assignee)):
        words = f"it is assigned to {holder}; give the version you saw ({order.version}) to assign it anew"
        return answers.conflict(command, order, words, [*next_states(order), "version"])
    anew = (team, assignee) != (order.team, order.assignee)
    order.team, order.assignee = team, assignee
    desk.report("work_order.assigned", subject=order, actor=command.actor, team=team, assignee=assignee)
    if order.state in (OrderState.NEW, OrderState.TRIAGED):
        transitions.enter(desk, order, OrderState.ASSIGNED, command.actor)
        return answers.done(command, order)
    if anew:
        transitions.ask_again(desk, order)
    desk.touch_order(order)
    return answers.done(command, order)


def _is_name(assignee: object) -> bool:
    return assignee is None or (isinstance(assignee, str) and 0 < len(assignee.strip()) <= NAME_MOST)


def _other_holder(order: WorkOrder, actor: str, team: str | None, assignee: str | None) -> str | None:
    """Who has it, where this would take it from somebody other than the one who asks."""
    if order.state in (OrderState.NEW, OrderState.TRIAGED):
        return None
    if order.assignee is not None:
        return order.assignee if assignee != order.assignee != actor else None
    return order.team if team != order.team else None


def move(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Move the order to another state, if the table and its guards allow it."""
    wanted = command.args.get("to")
    if wanted not in next_states(order):
        return answers.conflict(command, order, f"a work order that is {order.state} cannot become {wanted}")
    target = OrderState(str(wanted))
    guard = EDGES.get((order.state, target)) or ENTRY.get(target)
    problem = guard(desk, order, command) if guard else None
    if problem is not None:
        return answers.conflict(command, order, problem)
    _prepare(desk, order, target, command)
    transitions.enter(desk, order, target, command.actor, text(command, "reason"))
    return answers.done(command, order)


def _prepare(desk: Desk, order: WorkOrder, target: OrderState, command: Command) -> None:
    """What a move brings with it, all of it guarded before."""
    if target is OrderState.ON_HOLD:
        order.resume_at = command.args["resume_at"]
    elif target is OrderState.DUPLICATE:
        original = desk.state.orders[text(command, "duplicate_of")]
        order.duplicate_of = original.id
        original.duplicates.append(order.id)
        desk.touch_order(original)
    elif target is OrderState.ON_SITE:
        tag, now = command.args.get("tag"), desk.moment.now
        proof = Proof(how="word", at=now, by=command.actor)
        if tag is not None:
            proof = Proof(how="tap", at=now, by=command.actor, tag=tags.normal(tag))
        arrivals.record(desk, order, proof)


def comment(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Add a word to the history."""
    words = text(command, "text")
    if not words:
        return answers.conflict(command, order, "a comment needs a text", ["text"])
    desk.touch_order(order)
    desk.report("work_order.commented", subject=order, actor=command.actor, text=words)
    return answers.done(command, order)


VERBS = MappingProxyType(
    {
        "work_order.assign": assign,
        "work_order.move": move,
        "work_order.check": checklists.check,
        "work_order.comment": comment,
        "work_order.add_cost": costs.add,
        "work_order.void_cost": costs.void,
        "work_order.attach": attachments.attach,
        "work_order.sign": attachments.sign,
    }
)
"""What a command can do to a work order; ``work_order.open`` makes one."""
