"""The table of the alert machine (ISA-18.2 / IEC 62682): which act leads from which state to which."""

import enum
from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.state import AlertState


class Act(enum.Enum):
    """What can happen to an alert."""

    RAISE = "raise"
    """The condition came true, or came back."""
    RISE = "rise"
    """A higher level became active, or an acknowledged alert asks again."""
    CLEAR = "clear"
    """The condition went, past deadband and delay; of a latched alert: a person reset it."""
    AUTO_CLEAR = "auto_clear"
    """The same while nobody is to be bothered: the rule acknowledges by itself, or people are not told."""
    ACK = "ack"
    UNSHELVE = "unshelve"
    """A person ended a shelf: they know of it."""
    EXIT = "exit"
    """Any other reason to keep quiet is over: a shelf's time is up, a test mode or an outage has ended."""


TABLE: Mapping[tuple[AlertState, Act], AlertState] = MappingProxyType(
    {
        (AlertState.NORMAL, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.ACK): AlertState.ACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.CLEAR): AlertState.RETURNED,
        (AlertState.UNACKNOWLEDGED, Act.AUTO_CLEAR): AlertState.NORMAL,
        (AlertState.UNACKNOWLEDGED, Act.RISE): AlertState.UNACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.UNSHELVE): AlertState.ACKNOWLEDGED,
        (AlertState.UNACKNOWLEDGED, Act.EXIT): AlertState.UNACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.CLEAR): AlertState.NORMAL,
        (AlertState.ACKNOWLEDGED, Act.AUTO_CLEAR): AlertState.NORMAL,
        (AlertState.ACKNOWLEDGED, Act.RISE): AlertState.UNACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.UNSHELVE): AlertState.ACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Act.EXIT): AlertState.UNACKNOWLEDGED,
        (AlertState.RETURNED, Act.ACK): AlertState.NORMAL,
        (AlertState.RETURNED, Act.RAISE): AlertState.UNACKNOWLEDGED,
        (AlertState.RETURNED, Act.UNSHELVE): AlertState.NORMAL,
        (AlertState.RETURNED, Act.EXIT): AlertState.NORMAL,
    }
)
"""Everything else is refused. An active alert is raised again only where a latch kept it after its condition went."""

ACTIVE = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)
