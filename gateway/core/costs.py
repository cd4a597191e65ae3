"""What the work cost: parts, hours and the rest, in the site's currency. A line is never changed, only voided."""

import re
from decimal import ROUND_HALF_UP, Decimal

from gateway.core import answers
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command
from gateway.core.order_state import Cost, WorkOrder
from gateway.core.order_table import text
from gateway.core.state import Reply

KINDS = ("part", "labour", "other")
LINES_MOST = 200
"""Lines on one order."""
CENT = Decimal("0.01")
QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


def add(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Add a line; also after the order was closed, while it is remembered. Labour has its team's rate as price."""
    kind, words = text(command, "kind"), text(command, "text")
    if kind not in KINDS:
        return answers.refused(command, order, f"give kind: one of {', '.join(KINDS)}", KINDS)
    if not 0 < len(words) <= answers.TEXT_MOST:
        return answers.refused(command, order, "give text: what was paid for", ["text"])
    quantity, price = text(command, "quantity"), _price(desk, order, command)
    if not QUANTITY.fullmatch(quantity):
        fault = "give quantity as a text such as 1.5: not negative, 9 digits and 4 decimals at most"
        return answers.refused(command, order, fault, ["quantity"])
    if not PRICE.fullmatch(price):
        return answers.refused(command, order, _wanted_price(order, kind), ["price"])
    if len(order.costs) >= LINES_MOST:
        return answers.conflict(command, order, f"a work order takes {LINES_MOST} lines of cost at most")
    name = derive_id("co", order.id, order.version)
    one = Cost(name, kind, words, quantity, price, command.actor, desk.moment.now)
    order.costs.append(one)
    desk.touch_order(order)
    told = {"kind": kind, "text": words, "quantity": quantity, "price": price, "cost": name}
    desk.report("work_order.cost_added", subject=order, actor=command.actor, cause=told)
    return answers.done(command, order)


def _price(desk: Desk, order: WorkOrder, command: Command) -> str:
    """What was given; for labour without a price the rate of the order's team."""
    if text(command, "kind") != "labour" or command.args.get("price") is not None:
        return text(command, "price")
    team = desk.plan.teams.get(order.team or "")
    return "" if team is None or team.rate is None else f"{team.rate.quantize(CENT, ROUND_HALF_UP):f}"


def _wanted_price(order: WorkOrder, kind: str) -> str:
    fault = "give price as a text such as 180.00: not negative, 9 digits and 2 decimals at most"
    return f"{fault}; no rate is known for the team {order.team}" if kind == "labour" else fault


def void(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Take a line back; it stays to be seen."""
    wanted = text(command, "cost")
    one = next((cost for cost in order.costs if cost.id == wanted), None)
    valid = [cost.id for cost in order.costs if cost.voided_by is None]
    if one is None:
        return answers.refused(command, order, "give cost: the id of one of its lines", valid)
    if one.voided_by is not None:
        return answers.conflict(command, order, f"it was already taken back by {one.voided_by}", valid)
    one.voided_by = command.actor
    desk.touch_order(order)
    desk.report("work_order.cost_voided", subject=order, actor=command.actor, cost=one.id)
    return answers.done(command, order)


def amount(cost: Cost) -> Decimal:
    """What one line comes to, rounded half up to the cent; nothing where it was taken back."""
    if cost.voided_by is not None:
        return Decimal("0.00")
    return (Decimal(cost.quantity) * Decimal(cost.price)).quantize(CENT, ROUND_HALF_UP)


def totals(order: WorkOrder) -> dict[str, Decimal]:
    """The sum of each kind, for all kinds."""
    return {
        kind: sum((amount(cost) for cost in order.costs if cost.kind == kind), Decimal("0.00"))
        for kind in KINDS
    }


def total(order: WorkOrder) -> Decimal:
    """What the whole order came to."""
    return sum((amount(cost) for cost in order.costs), Decimal("0.00"))
