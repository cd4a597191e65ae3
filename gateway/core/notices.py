"""Who is told of an alert or a work order, and when: gathered by rule, repeated ever more rarely, escalated."""

from gateway.core.desk import Desk
from gateway.core.order_state import WorkOrder
from gateway.core.plan import Rule
from gateway.core.state import Alert


def announce(desk: Desk, alert: Alert, rule: Rule) -> None:
    """The alert has come before people: it waits to be told, life safety is told at once."""


def settle(desk: Desk, alert: Alert) -> None:
    """Nobody needs to be told of it any more: acknowledged, kept quiet, cleared or ended."""


def tell_team(desk: Desk, order: WorkOrder, why: str) -> None:
    """An order needs its team: ``opened``, ``breached`` or ``not_accepted``."""
