"""A work order as it is remembered, with everything that was proved, measured and spent on it."""

import enum
from typing import Any

from msgspec import Struct, field

from gateway.core.templates import StepKind
from gateway.core.values import Level, Millis


class OrderState(enum.StrEnum):
    """Where a work order stands."""

    NEW = "new"
    TRIAGED = "triaged"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"


CHAIN = (
    OrderState.NEW,
    OrderState.TRIAGED,
    OrderState.ASSIGNED,
    OrderState.ACCEPTED,
    OrderState.EN_ROUTE,
    OrderState.ON_SITE,
    OrderState.IN_PROGRESS,
    OrderState.DONE,
    OrderState.VERIFIED,
    OrderState.CLOSED,
)
"""The way of an order that meets no obstacle."""
ENDED = (OrderState.CLOSED, OrderState.CANCELLED, OrderState.DUPLICATE)
SETTLED = (OrderState.DONE, OrderState.VERIFIED, *ENDED)
"""No work is done on it any more."""


class Proof(Struct, frozen=True, omit_defaults=True):
    """How a stamp is known. The strongest is a tap on the asset's own tag."""

    how: str
    """``tap`` or ``word``."""
    at: Millis
    """When the tag was read, by the reader's clock; or when it was said."""
    by: str | None = None
    tag: str | None = None


class Cost(Struct, omit_defaults=True):
    """One line of what the work cost. Money is text in decimal, such as ``125.50``, in the site's currency."""

    id: str
    kind: str
    """``part``, ``labour`` or ``other``."""
    text: str
    quantity: str
    """Pieces of a part; hours of labour."""
    price: str
    """Of one of them."""
    by: str
    at: Millis
    voided_by: str | None = None


class Attachment(Struct, frozen=True, omit_defaults=True):
    """A file that belongs to the order; its bytes lie beside the database under ``digest``."""

    id: str
    name: str
    media_type: str
    size: int
    """Bytes."""
    digest: str
    """SHA-256 in hexadecimal."""
    by: str
    at: Millis
    kind: str = "photo"
    """``photo``, ``signature`` or ``document``."""
    step: str | None = None
    """The step of the checklist it belongs to."""


class Signature(Struct, frozen=True, omit_defaults=True):
    """Who signed for the work."""

    name: str
    at: Millis
    by: str
    """The user on whose device it was signed."""
    attachment: str | None = None


class Clock(Struct, omit_defaults=True):
    """One service-level clock of a work order."""

    target: Millis
    """How long was promised."""
    started: Millis
    due: Millis
    """Moves later by every pause, and by every hour the calendar is closed."""
    stopped: Millis | None = None
    paused: Millis | None = None
    """Since when it stands still."""
    told: int = 0
    """The last share announced: 0, 50, 80 or 100 percent."""
    breached_at: Millis | None = None
    """Stays on record, also after a reopening; only a tap that proves the arrival was in time lifts it."""
    since: Millis | None = None
    """The start of the stretch that is running: the report, the reopening or the end of the last hold."""
    used: Millis = 0
    """Open time that had run before it."""


class Check(Struct, omit_defaults=True):
    """One line of the checklist as it was done."""

    name: str
    title: dict[str, str]
    required: bool = True
    kind: StepKind = StepKind.CHECK
    unit: str = ""
    low: float | None = None
    high: float | None = None
    corrective: str | None = None
    """The template of the order that a failure opens."""
    done_at: Millis | None = None
    done_by: str | None = None
    result: Any = None
    failed: bool = False
    order: str | None = None
    """The order its failure led to."""


class WorkOrder(Struct, omit_defaults=True):
    """Work to be done, with running clocks."""

    id: str
    template: str
    title: dict[str, str]
    priority: str
    state: OrderState
    reported_at: Millis
    """The alert's start, or the caller's time: all clocks run from here."""
    opened_at: Millis
    device: str | None = None
    rule: str | None = None
    level: Level | None = None
    alerts: list[str] = field(default_factory=list)
    """The occurrences that led to it, oldest first."""
    alert_live: bool = False
    """Whether the newest of them is still active."""
    team: str | None = None
    assignee: str | None = None
    allow_skips: bool = True
    reopen_within: Millis = 0
    stamps: dict[str, Millis] = field(default_factory=dict)
    """When each state was last entered."""
    skipped: list[str] = field(default_factory=list)
    """States passed over on the way."""
    clocks: dict[str, Clock] = field(default_factory=dict)
    checklist: list[Check] = field(default_factory=list)
    done_by: str | None = None
    hold_reason: str | None = None
    resume_at: Millis | None = None
    closed_why: str | None = None
    duplicate_of: str | None = None
    duplicates: list[str] = field(default_factory=list)
    """The orders that were ended as repeating this one."""
    reopened: int = 0
    calendar: str | None = None
    """In whose open time the clocks run."""
    accept_within: Millis | None = None
    longest_hold: dict[str, Millis] = field(default_factory=dict)
    hold_until: Millis | None = None
    """When the hold ends by itself."""
    proofs: dict[str, Proof] = field(default_factory=dict)
    """By state: how its stamp is known."""
    photos: int = 0
    """Pictures without which it is not done."""
    signature: bool = False
    """Whether somebody must sign."""
    signed: Signature | None = None
    attachments: list[Attachment] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    caused_by: str | None = None
    """The order whose failed step led to it."""
    preventive: str | None = None
    """The preventive item it belongs to."""
    due: str | None = None
    """Which occurrence of that, as local wall time."""
    due_at: Millis | None = None
    version: int = 1
