"""Arrival proved by a tap on the asset's own tag."""

from gateway.core.desk import Desk
from gateway.core.inputs import Event


def tapped(desk: Desk, event: Event) -> None:
    """A reader has read a tag: if it is an asset's, its orders learn of it."""
