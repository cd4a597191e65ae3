"""What a step leads to. The runtime commits all of it in one transaction."""

from typing import Any

from msgspec import Struct, field

from gateway.core.inputs import Event, Rejection
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.state import Alert, Reply
from gateway.core.values import Millis, TelemetryRow


class Outcome(Struct, frozen=True, omit_defaults=True):
    """Something that happened, in the order it happened: the history of alerts and orders, and what replay compares."""

    at: Millis
    kind: str
    """``alert.raised``, ``alert.cleared``, ``work_order.opened``, ``device.offline`` …"""
    device: str | None = None
    subject: str | None = None
    """The id of the alert or work order."""
    rule: str | None = None
    level: str | None = None
    actor: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Effects:
    """Collects what one step leads to, in order."""

    __slots__ = (
        "alerts",
        "devices",
        "events",
        "forgotten",
        "orders",
        "outcomes",
        "patrol",
        "rejections",
        "replies",
        "rounds",
        "rows",
        "scalars",
        "taps",
    )

    def __init__(self) -> None:
        self.rows: list[TelemetryRow] = []
        self.outcomes: list[Outcome] = []
        self.events: list[Event] = []
        self.rejections: list[Rejection] = []
        self.replies: list[Reply] = []
        self.devices: set[str] = set()
        """Ids of the devices whose state changed."""
        self.alerts: dict[str, Alert] = {}
        """Changed alerts by id, as they are at the end of the step."""
        self.orders: dict[str, WorkOrder] = {}
        self.forgotten: set[str] = set()
        """Work orders that ended for good and leave memory."""
        self.taps: dict[str, TapRecord] = {}
        """New and changed taps by id, as they are at the end of the step."""
        self.rounds: dict[str, Round] = {}
        """The same of rounds. Those that are closed have left memory."""
        self.patrol: set[tuple[str, str]] = set()
        """What else of patrol changed: field of :class:`gateway.core.patrol.memory.PatrolState` and key."""
        self.scalars = False
        """Whether the scalars changed by more than the time."""
