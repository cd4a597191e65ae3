"""Everything the engine remembers. One writer, the engine; on disk a row per device, alert and work order."""

import enum

from msgspec import Struct, field

from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import PatrolState
from gateway.core.plan import Setting
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


class Shelf(Struct, omit_defaults=True):
    """A rule of one device that a person set aside for a while. Its time runs from the act, whatever happens."""

    by: str
    why: str
    since: Millis
    until: Millis
    one_shot: bool = False
    """Ends with the next clear, if that comes first."""


class Outage(Struct, omit_defaults=True):
    """A rule of one device, or all of them, taken out of service."""

    by: str
    why: str
    since: Millis
    """When it was asked for; it is in force from ``confirmed_at`` on."""
    until: Millis | None = None
    """None: until somebody puts it back."""
    confirmed_by: str | None = None
    """Life safety needs a second person; elsewhere the one who asked."""
    confirmed_at: Millis | None = None


class Flutter(Struct, omit_defaults=True):
    """How a rule of one device flaps."""

    recent: list[Millis] = field(default_factory=list)
    """Its last transitions, oldest first."""
    since: Millis | None = None
    """Since when it counts as chattering."""
    hidden: int = 0
    """Transitions that were not told since then."""


class Upkeep(Struct, omit_defaults=True):
    """How far a preventive item has come, for one device or for the site."""

    at: Millis
    """Due times up to here are dealt with: the last of them, or when the item came into force."""
    key: str = ""
    """Which due time the last order was opened for; empty before the first one."""
    done_at: Millis | None = None
    """When that order was done or given up; None while it is open."""


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
    status_at: Millis = 0
    """When its connection was last told of."""
    shelves: dict[str, Shelf] = field(default_factory=dict)
    """By rule."""
    outages: dict[str, Outage] = field(default_factory=dict)
    """By rule; the empty one means every rule of the device."""
    flutters: dict[str, Flutter] = field(default_factory=dict)
    """By rule."""
    params: dict[str, Setting] = field(default_factory=dict)
    """What was changed at run time, over the parameters of the files."""
    behind: bool = False
    """The device through which it is heard is lost: nothing is known of it, and its own silence means nothing."""
    lit_at: Millis = 0
    """When that device came back; silence counts from here at the earliest."""
    preventive: dict[str, Upkeep] = field(default_factory=dict)
    """By preventive item; kept should the item or the device leave, so that no due time is dealt with twice."""
    version: int = 0
    """Counts what people did to the device itself: parameters, shelves, service."""


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
    suppressed: str | None = None
    """Why nobody is told: ``shelved``, ``out_of_service``, ``by_design`` or ``maintenance``; None when they are."""
    suppressed_at: Millis | None = None
    chattering: bool = False
    assignee: str | None = None
    team: str | None = None
    re_alarm_at: Millis | None = None
    """When an acknowledged alert asks again."""
    asked_at: Millis = 0
    """When it last became unacknowledged: the time to acknowledge and the escalation count from here."""
    active_since: Millis = 0
    """When its condition last came true: how long it stands, and staleness, count from here."""
    stale: bool = False
    told: list[str] = field(default_factory=list)
    """Which attributes of a repeated event were told, so that another zone is never taken for chatter."""
    step: int = 0
    """How many steps of its escalation have been taken since then."""
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


class Called(Struct, array_like=True):
    """An alert that people were told of and nobody has acknowledged."""

    level: Level
    """At which it was told."""
    since: Millis
    """From when its escalation counts."""
    step: int = 0
    """How many steps of it have been taken or passed over."""


class NoticeGroup(Struct, omit_defaults=True):
    """What is told together: the alerts of one rule under one call-out; or an order its team could not be told of yet."""

    waiting: dict[str, Millis] = field(default_factory=dict)
    """What is to be told, in order, with the moment from which its escalation counts."""
    told: dict[str, Called] = field(default_factory=dict)
    """Live alerts that were told and wait for somebody."""
    due: Millis | None = None
    """When what waits is told."""
    spoke_at: Millis | None = None
    """When something new was last told."""
    repeat_at: Millis | None = None
    repeats: int = 0
    """How often it has been repeated unchanged."""


class Scalars(Struct, omit_defaults=True):
    """The small part of the state that belongs to no record."""

    now: Millis = 0
    """The time of the last input."""
    observing: bool = False
    """Whether devices can be seen: the gateway runs, the broker is there, the outbox has room."""
    lost_at: Millis | None = None
    seen_since: Millis = 0
    """Since when observing has gone on without a break."""
    started_at: Millis = 0
    """When the gateway last came up."""
    gaps: list[tuple[Millis, Millis]] = field(default_factory=list)
    """The last stretches nobody observed."""
    rejected: dict[str, int] = field(default_factory=dict)
    """How often something that names no device of the site was refused, by reason."""
    replies: dict[str, Reply] = field(default_factory=dict)
    """The answers to the last commands, by command id, oldest first."""
    groups: dict[str, NoticeGroup] = field(default_factory=dict)
    """Notices being gathered, by call-out and rule."""
    preventive: dict[str, Upkeep] = field(default_factory=dict)
    """Preventive items of the site itself, by name; those of a device are with the device."""


class State(Struct):
    """The whole memory: what is live. Ended alerts and closed orders are on disk only."""

    scalars: Scalars = field(default_factory=Scalars)
    devices: dict[str, DeviceState] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    orders: dict[str, WorkOrder] = field(default_factory=dict)
    patrol: PatrolState = field(default_factory=PatrolState)
