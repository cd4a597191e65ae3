"""Whether devices can be seen: the broker is there, and the outbox has room for what they say."""

import logging

from gateway.core.inputs import LinkLost, LinkUp
from gateway.ports import Link
from gateway.turn import Turn

log = logging.getLogger(__name__)

ROOM = 0.8
"""A full outbox counts as full until it is down to this share of its cap."""


class Sight:
    """Follows link and outbox, and tells the engine what that means for what can be known.

    Args:
        outbox_cap: bytes of readings that may wait for the telemetry store before reading stops.
    """

    def __init__(self, outbox_cap: int) -> None:
        self._cap = outbox_cap
        self.link_up = False
        self.reason = "the broker has not been reached yet"
        self.blocked = False
        """Whether reading has stopped because the outbox is full."""
        self._before = self.link_up, self.reason, self.blocked

    def heed_outbox(self, waiting: int, turn: Turn) -> None:
        """Stop reading when too many bytes wait, go on when there is room again."""
        blocked = waiting > (self._cap * ROOM if self.blocked else self._cap)
        if blocked is self.blocked:
            return
        self.blocked = blocked
        full = f"the telemetry outbox is full ({waiting >> 20} MiB wait): nothing is read until it drains"
        log.warning("%s", full if blocked else "the telemetry outbox has room again: reading goes on")
        if self.link_up:
            turn.record(LinkLost(turn.at, "the telemetry outbox is full") if blocked else LinkUp(turn.at))

    def follow(self, link: Link, turn: Turn) -> None:
        """The broker came or went."""
        changed = link.up is not self.link_up
        if changed or link.reason != self.reason:
            log.warning("%s", "the broker is connected" if link.up else link.reason)
        self.link_up, self.reason = link
        if changed:
            turn.record(LinkUp(turn.at) if link.up else LinkLost(turn.at, link.reason))

    def remember(self) -> None:
        """A turn begins: this is what the records say."""
        self._before = self.link_up, self.reason, self.blocked

    def recall(self) -> None:
        """Go back to that, after a turn that was not committed."""
        self.link_up, self.reason, self.blocked = self._before
