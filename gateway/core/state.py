"""Everything the engine remembers. One writer, the engine; on disk a row per device, alert and work order."""

import enum
from typing import Any

from msgspec import Struct, field

from gateway.core.values import Level, Millis, Scalar


class Phase(enum.IntEnum):
    """Where one level of a rule stands on one device. An idle level has no state at all."""

    PENDING = 1
    """The condition is true, its ``for`` is running."""
    ACTIVE = 2
    CLEARING = 3
    """The condition is gone, the clear delay is running."""


class Hold(Struct, array_like=True):
    """A running ``for``. Exactly one of the two is set: ``left`` while nobody can see the device."""

    due: Millis | None = None
    left: Millis | None = None

    def pause(self, now: Millis) -> None:
        """Stand still. One that has come due already stays due."""
        if self.due is not None and self.due > now:
            self.left, self.due = self.due - now, None

    def resume(self, now: Millis) -> Millis | None:
        """Go on; the new due time, or None where it was not standing still."""
        if self.left is None:
            return None
        self.due, self.left = now + self.left, None
        return self.due


class LevelState(Struct, array_like=True):
    """One level of a rule on one device; ``hold`` runs while pending or clearing."""

    phase: Phase
    hold: Hold | None = None


class Tally(Struct, array_like=True):
    """The last matching events of a ``count`` condition and until when it is true."""

    recent: list[Millis] = field(default_factory=list)
    until: Hold | None = None


class DeviceState(Struct, omit_defaults=True):
    """What is known of one device. Keys of ``levels`` are ``rule/level``, of the rest ``rule/level/path``."""

    last: dict[str, tuple[Millis, Scalar]] = field(default_factory=dict)
    """The newest judged value of each point with its device time."""
    heard: Millis | None = None
    """When the gateway last received anything that was not retained."""
    unstamped: Millis = 0
    """The time of the last reading that came without one; the next one of the same moment gets the moment after."""
    online: bool | None = None
    frozen: bool = False
    """Communication is lost: holds stand still and conditions count as unknown."""
    levels: dict[str, LevelState] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    """Running ``for`` of parts inside a condition."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    trails: dict[str, list[tuple[Millis, float]]] = field(default_factory=dict)
    """Recent values of points under a rate condition."""
    heard_points: dict[str, Millis] = field(default_factory=dict)
    """Receipt times of the points that have a silence rule of their own."""
    awaited: dict[str, Millis] = field(default_factory=dict)
    """Since when a first word is awaited: of a point by its name, of the device by the empty one."""
    events: dict[str, Millis] = field(default_factory=dict)
    """Keys of the last events with their times, oldest first."""
    horizon: Millis = 0
    """Events at or before this time may have been forgotten and move nothing any more."""
    occurrences: dict[str, int] = field(default_factory=dict)
    """How many occurrences each rule has had."""
    alerts: dict[str, str] = field(default_factory=dict)
    """The live alert of each rule."""
    orders: dict[str, str] = field(default_factory=dict)
    """The open work order of each rule."""
    rejected: dict[str, int] = field(default_factory=dict)
    """How often something from this device was refused, by reason."""


class AlertState(enum.StrEnum):
    """ISA-18.2: where the condition and the operator stand."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"


class Cause(Struct, frozen=True, omit_defaults=True):
    """What was true at the moment of raising, kept on the occurrence and never looked up later."""

    ts: Millis
    """Device time of the reading or event; the due time where a timer raised it."""
    point: str | None = None
    value: Scalar | None = None
    limit: Scalar | None = None
    unit: str = ""
    event: str | None = None
    key: str | None = None
    """Which event it was."""
    attributes: dict[str, Scalar] = field(default_factory=dict)


class Alert(Struct, omit_defaults=True):
    """One occurrence of a rule on a device, from its raising to its end."""

    id: str
    device: str
    rule: str
    level: Level
    state: AlertState
    raised_at: Millis
    cause: Cause
    worst: Level = Level.INFO
    count: int = 1
    """How often the condition came back within this occurrence."""
    gone: bool = False
    """A latched alert whose condition has gone: it may be reset."""
    acked_at: Millis | None = None
    acked_by: str | None = None
    cleared_at: Millis | None = None
    reset_by: str | None = None
    ended_at: Millis | None = None
    ended_why: str | None = None
    """``cleared``, ``acknowledged``, ``rule removed`` or ``device removed``."""
    order: str | None = None
    version: int = 1


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


class Clock(Struct, omit_defaults=True):
    """One service-level clock of a work order."""

    target: Millis
    """How long was promised."""
    started: Millis
    due: Millis
    """Moves later by every pause."""
    stopped: Millis | None = None
    paused: Millis | None = None
    """Since when it stands still."""
    told: int = 0
    """The last share announced: 0, 50, 80 or 100 percent."""
    breached_at: Millis | None = None
    """Stays on record, also after a reopening."""


class Check(Struct, omit_defaults=True):
    """One line of the checklist as it was done."""

    name: str
    title: dict[str, str]
    required: bool = True
    done_at: Millis | None = None
    done_by: str | None = None
    result: Any = None


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
    reopened: int = 0
    version: int = 1


class Reply(Struct, frozen=True, omit_defaults=True):
    """The answer to a command."""

    command: str
    status: str
    """``done``, ``not_found``, ``conflict`` (the record has moved on) or ``refused`` (never allowed like this)."""
    detail: str = ""
    allowed: list[str] = field(default_factory=list)
    """What would be allowed now."""
    subject: str | None = None
    """The id of the record it changed or opened."""
    version: int | None = None


class Scalars(Struct, omit_defaults=True):
    """The small part of the state that belongs to no record."""

    now: Millis = 0
    """The time of the last input."""
    observing: bool = False
    """Whether devices can be seen: the gateway runs, the broker is there, the outbox has room."""
    lost_at: Millis | None = None
    seen_since: Millis = 0
    """Since when observing has gone on without a break."""
    gaps: list[tuple[Millis, Millis]] = field(default_factory=list)
    """The last stretches nobody observed."""
    rejected: dict[str, int] = field(default_factory=dict)
    """How often something that names no device of the site was refused, by reason."""
    replies: dict[str, Reply] = field(default_factory=dict)
    """The answers to the last commands, by command id, oldest first."""


class State(Struct):
    """The whole memory: what is live. Ended alerts and closed orders are on disk only."""

    scalars: Scalars = field(default_factory=Scalars)
    devices: dict[str, DeviceState] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    orders: dict[str, WorkOrder] = field(default_factory=dict)
