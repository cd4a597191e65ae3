"""Every verb a command can have."""

from gateway.core import alert_acts, commands, work_orders
from gateway.core.patrol import acts

VERBS = tuple(
    sorted({*alert_acts.VERBS, *commands.DEVICE_VERBS, *work_orders.VERBS, *acts.VERBS, "work_order.open"})
)
"""Sorted."""
