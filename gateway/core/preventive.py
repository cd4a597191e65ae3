"""Work that comes again and again: one order for each device and due time, never two, never a silent drop."""

from gateway.core.desk import Desk


def watch(desk: Desk) -> None:
    """Ask for a wake-up at the next due time of each item, after a start or another plan."""
