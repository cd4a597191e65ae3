"""The shape of what a site file says about work: teams, templates with their checklists, preventive work."""

import re
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from gateway.core.templates import HOLD_REASONS, StepKind
from gateway.core.values import DAY, MINUTE, Millis, show_duration
from gateway.site.cover import CoverEntry
from gateway.site.fields import (
    Duration,
    Id,
    Number,
    PositiveDuration,
    TitleText,
    between,
    positive_duration,
    shown,
)
from gateway.site.hours import Rrule, WallTime
from gateway.site.problems import unknown
from gateway.site.profile_file import Entry

_MONEY = re.compile(r"\d{1,9}(\.\d{1,4})?")
MAX_LEAD: Millis = 366 * DAY


def _money(value: object) -> Decimal:
    """An amount; written as text, since 0.1 is no exact number in a computer."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise ValueError(f'found {shown(value)}; an amount in quotes is needed, such as "180.00"')
    return Decimal(text)


def _holds(value: object) -> dict[str, Millis]:
    """One duration for every reason, or some reasons with theirs."""
    if not isinstance(value, dict):
        return dict.fromkeys(HOLD_REASONS, positive_duration(value))
    found: dict[str, Millis] = {}
    for reason, longest in value.items():
        if reason not in HOLD_REASONS:
            raise ValueError(unknown("reason to hold", str(reason), HOLD_REASONS))
        try:
            found[reason] = positive_duration(longest)
        except ValueError as exc:
            raise ValueError(f"{reason}: {exc}") from exc
    return found


_DURATION_SCHEMA: dict[str, Any] = {"type": "string"}
Money = Annotated[
    Decimal, PlainValidator(_money), WithJsonSchema({"type": ["string", "integer"], "examples": ["180.00"]})
]
Holds = Annotated[
    dict[str, Millis],
    PlainValidator(_holds),
    WithJsonSchema(
        {
            "anyOf": [
                _DURATION_SCHEMA,
                {
                    "type": "object",
                    "properties": dict.fromkeys(HOLD_REASONS, _DURATION_SCHEMA),
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class TeamEntry(Entry):
    """A team of the house or a contractor."""

    title: TitleText | None = None
    contractor: bool = False
    rate: Money | None = None
    notify: list[str] = Field(default_factory=list)


class ClocksEntry(Entry):
    """Service-level targets, all from the time of the report."""

    accept: PositiveDuration | None = None
    arrive: PositiveDuration | None = None
    resolve: PositiveDuration | None = None

    @model_validator(mode="after")
    def _rise(self) -> Self:
        given = [
            (name, value)
            for name in ("accept", "arrive", "resolve")
            if (value := getattr(self, name)) is not None
        ]
        for (one, first), (two, second) in pairwise(given):
            if second < first:
                raise ValueError(
                    f"{two} ({show_duration(second)}) ends before {one} ({show_duration(first)})"
                )
        return self


class StepEntry(Entry):
    """One line of a checklist."""

    name: Id
    title: TitleText | None = None
    required: bool = True
    kind: Annotated[StepKind, Field(strict=False)] = StepKind.CHECK
    unit: str = Field(default="", max_length=32)
    low: Number | None = None
    high: Number | None = None
    corrective: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        limited = [name for name in ("unit", "low", "high") if getattr(self, name) not in ("", None)]
        if limited and self.kind is not StepKind.READING:
            raise ValueError(f"{', '.join(limited)}: only a reading has this, and the kind is {self.kind}")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.corrective is None:
            return self
        if self.kind not in (StepKind.CHECK, StepKind.READING):
            raise ValueError(f"corrective: only a check or a reading can fail, and the kind is {self.kind}")
        if self.kind is StepKind.READING and self.low is None and self.high is None:
            raise ValueError("corrective: a reading without low or high never fails")
        return self


class TemplateEntry(Entry):
    """How a work order is opened."""

    title: TitleText | None = None
    priority: Literal["emergency", "high", "normal", "low"] = "normal"
    team: str | None = None
    clocks: ClocksEntry = ClocksEntry()
    calendar: str | None = None
    checklist: list[StepEntry] = Field(default_factory=list)
    allow_skips: bool = True
    reopen_within: Duration = 14 * DAY
    accept_within: Annotated[PositiveDuration, between(MINUTE, 366 * DAY)] | None = None
    longest_hold: Holds = Field(default_factory=dict)
    photos: int = Field(default=0, ge=0, le=100)
    signature: bool = False


class PreventiveEntry(CoverEntry):
    """Work that comes again and again."""

    title: TitleText | None = None
    template: str
    every: Rrule
    start: WallTime
    from_: Literal["due", "completion"] = Field(default="due", alias="from")
    lead: Annotated[Duration, between(0, MAX_LEAD)] = 0
