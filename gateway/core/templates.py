"""How work orders are opened: templates with their checklists and clocks, teams, and preventive work."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.core.recurrence import Recurrence
from gateway.core.values import DAY, Millis, Title

HOLD_REASONS = ("contractor", "customer", "parts", "permit", "weather")
"""What work may wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Service-level targets from the time of the report; None where nothing was promised."""

    accept: Millis | None = None
    arrive: Millis | None = None
    resolve: Millis | None = None


class StepKind(enum.StrEnum):
    """What a step of a checklist asks for."""

    CHECK = "check"
    """Done: ``true`` passed, ``false`` failed."""
    READING = "reading"
    """A number; outside its limits it has failed."""
    TEXT = "text"
    """Words."""
    PHOTO = "photo"
    """A picture attached to the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a work order's checklist."""

    name: str
    title: Title
    required: bool = True
    kind: StepKind = StepKind.CHECK
    unit: str = ""
    """UCUM, of a reading."""
    low: float | None = None
    """A reading below it has failed; None for no limit."""
    high: float | None = None
    corrective: str | None = None
    """The template of the order that is opened when the step fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How a work order is opened."""

    name: str
    title: Title
    priority: str
    """``emergency``, ``high``, ``normal`` or ``low``."""
    team: str | None = None
    clocks: Clocks = Clocks()
    calendar: str | None = None
    """The calendar in whose open time the clocks run; None for round the clock."""
    checklist: tuple[Step, ...] = ()
    allow_skips: bool = True
    """A small team goes from new straight to in_progress; each skipped stamp is recorded as skipped."""
    reopen_within: Millis = 14 * DAY
    accept_within: Millis | None = None
    """Assigned and not accepted for this long, the order goes back to triaged and that is told."""
    longest_hold: Mapping[str, Millis] = field(default_factory=dict)
    """By reason; a hold that reaches it ends by itself."""
    photos: int = 0
    """Pictures without which it is not done."""
    signature: bool = False
    """Whether somebody signs before it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who gets work orders: a team of the house or a contractor."""

    name: str
    title: Title
    contractor: bool = False
    rate: Decimal | None = None
    """Cost of an hour's work in the site's currency; None where it is not known."""
    targets: tuple[str, ...] = ()
    """Who is told of the team's new, late and returned orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preventive:
    """Work that comes again and again: one order for each device and due time, never two."""

    name: str
    title: Title
    template: str
    recurrence: Recurrence
    devices: tuple[str, ...] = ()
    """One order each; one for the site where there is none."""
    from_completion: bool = False
    """The next due time counts from when the last one was done, not from the calendar."""
    lead: Millis = 0
    """The order is opened so long before it is due."""
