"""What a person is answered who asked something of a work order."""

from collections.abc import Iterable

from gateway.core.inputs import Command
from gateway.core.order_state import WorkOrder
from gateway.core.order_table import next_states
from gateway.core.state import Reply

TEXT_MOST = 2_000
"""Characters of a text somebody gives."""


def done(command: Command, order: WorkOrder) -> Reply:
    """It was carried out."""
    return Reply(command.id, "done", "", [], order.id, order.version)


def conflict(command: Command, order: WorkOrder, words: str, allowed: Iterable[str] | None = None) -> Reply:
    """Not as the order stands; ``allowed``, or else where it may be moved, is what would be possible."""
    able = next_states(order) if allowed is None else list(allowed)
    return Reply(command.id, "conflict", words, able, order.id, order.version)


def refused(command: Command, order: WorkOrder, words: str, allowed: Iterable[str] = ()) -> Reply:
    """Never with these arguments."""
    return Reply(command.id, "refused", words, list(allowed), order.id, order.version)
