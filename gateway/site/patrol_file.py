"""The shape of what a site file says of patrol: guards, tags, routes, coverage and posts."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, show_duration
from gateway.site.cover import Names
from gateway.site.fields import (
    Duration,
    Id,
    PositiveDuration,
    Text,
    TitleText,
    between,
    duration,
    shown,
)
from gateway.site.hours import ClockTime, HoursOrName, Rrule, WallTime
from gateway.site.profile_file import Entry, LevelName

LONGEST_WINDOW: Millis = 48 * HOUR
"""Of one round."""
_TAG = re.compile(r"[0-9A-F]{8,20}")


def _tag(value: object) -> str:
    """A tag's id in one form: ``04:a2:2b 1c-3d5e80`` is ``04A22B1C3D5E80``."""
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}; put the tag's id in quotes")  # noqa: TRY004 - pydantic wants ValueError
    found = re.sub(r"[\s:-]", "", value).upper()
    if not _TAG.fullmatch(found) or len(found) % 2:
        raise ValueError(
            f"found {shown(value)}; a tag's id is 4 to 10 bytes in hexadecimal, such as 04A22B1C3D5E80"
        )
    return found


def _tag_or_id(value: object) -> object:
    """A plain id is short for a tag without times."""
    return value if isinstance(value, dict) else {"id": _tag(value)}


def _stop_or_id(value: object) -> object:
    """A plain id is short for a stop without times of its own."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic wants ValueError
            f"found {shown(value)}; a checkpoint's id is needed (in quotes where it looks like a number), or"
            " {id: ..., from: ..., until: ..., leg: ...}"
        )
    return {"id": value}


def _leg(value: object) -> tuple[Millis, Millis]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - least and most
        raise ValueError(
            f"found {shown(value)}; the least and the most time of a leg are needed, such as [15s, 20m]"
        )
    least, most = (duration(item) for item in value)
    if least >= most:
        raise ValueError(
            f"found [{show_duration(least)}, {show_duration(most)}]; the first must be shorter than the second"
        )
    if most > DAY:
        raise ValueError(f"found {show_duration(most)}; a leg takes at most 1d")
    return least, most


def _pair(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(item, str) for item in value):  # noqa: PLR2004 - from and to
        raise ValueError(f"found {shown(value)}; the ids of two checkpoints are needed, such as [gate, roof]")
    one, two = value
    if one == two:
        raise ValueError(f"found {one!r} twice; a distance lies between two different checkpoints")
    return one, two


class _OrText:
    """Lets the JSON Schema of a mapping take its short form too."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


Tag = Annotated[str, PlainValidator(_tag), WithJsonSchema({"type": "string"})]
Leg = Annotated[
    tuple[Millis, Millis],
    PlainValidator(_leg),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}),
]
Pair = Annotated[
    tuple[str, str],
    PlainValidator(_pair),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}),
]


class TagEntry(Entry):
    """A tag at a checkpoint, and when it was there."""

    id: Tag
    secure: bool = False
    epoch: int = Field(default=1, ge=1, le=65_535)
    from_: WallTime | None = Field(default=None, alias="from")
    until: WallTime | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError(
                f"until ({self.until:%Y-%m-%d %H:%M}) must be after from ({self.from_:%Y-%m-%d %H:%M})"
            )
        return self


class StopEntry(Entry):
    """One checkpoint of a route; its times count from the start of the round."""

    id: str
    from_: Annotated[Duration, between(0, LONGEST_WINDOW)] | None = Field(default=None, alias="from")
    until: Annotated[PositiveDuration, between(0, LONGEST_WINDOW)] | None = None
    leg: Leg | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until is not None and self.until <= (self.from_ or 0):
            raise ValueError(
                f"until ({show_duration(self.until)}) must be after from ({show_duration(self.from_ or 0)})"
            )
        return self


Tags = list[Annotated[TagEntry, BeforeValidator(_tag_or_id), _OrText()]]
Stops = Annotated[list[Annotated[StopEntry, BeforeValidator(_stop_or_id), _OrText()]], Field(min_length=1)]


class GuardEntry(Entry):
    """Somebody who walks rounds."""

    title: TitleText | None = None
    team: str | None = None


class RouteEntry(Entry):
    """Checkpoints of one round, and when rounds are due."""

    id: Id
    title: TitleText | None = None
    checkpoints: Stops
    order: Literal["strict", "any", "random"] = "strict"
    reader: str | None = None
    readers: Names | None = None
    guards: Names | None = None
    every: Rrule | None = None
    start: WallTime | None = None
    lasts: Annotated[PositiveDuration, between(MINUTE, LONGEST_WINDOW)] | None = None
    until: ClockTime | None = None
    early: Annotated[Duration, between(0, 12 * HOUR)] = 10 * MINUTE
    grace: Annotated[Duration, between(0, 12 * HOUR)] = 15 * MINUTE
    late_upload: Annotated[Duration, between(0, 14 * DAY)] = DAY
    persons: Literal[1, 2] = 1
    within: Annotated[PositiveDuration, between(SECOND, HOUR)] = 2 * MINUTE
    leg: Leg | None = None
    accept: Literal["A", "B", "C", "D"] = "D"
    check_in: Annotated[PositiveDuration, between(MINUTE, 12 * HOUR)] | None = None
    alarm_after: Annotated[Duration, between(0, 12 * HOUR)] = 5 * MINUTE

    @model_validator(mode="after")
    def _has_its_times(self) -> Self:
        if self.reader is not None and self.readers is not None:
            raise ValueError("found reader and readers; write all of them in readers")
        given = [name for name in ("start", "lasts", "until", "check_in") if getattr(self, name) is not None]
        if self.every is None:
            if given:
                raise ValueError(
                    f"found {' and '.join(given)} without every, the rule by which rounds are due"
                )
            return self
        if self.start is None:
            raise ValueError("every needs its start beside it, such as 2026-01-01 22:00")
        if (self.lasts is None) is (self.until is None):
            found = "neither lasts nor until" if self.lasts is None else "lasts and until"
            raise ValueError(f'found {found}; one of them is needed: lasts: 90m, or until: "06:00"')
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if "alarm_after" in self.model_fields_set and self.check_in is None:
            raise ValueError("alarm_after counts from check_in, which is not given")
        if "within" in self.model_fields_set and self.persons == 1:
            raise ValueError("within is for how far apart two may tap, and persons is 1")
        return self


class CoverageEntry(Entry):
    """Every one of these checkpoints at least so often."""

    title: TitleText | None = None
    checkpoints: Names | None = None
    every: Annotated[PositiveDuration, between(MINUTE, 366 * DAY)]
    grave: Annotated[PositiveDuration, between(MINUTE, 366 * DAY)] | None = None
    during: HoursOrName | None = None

    @model_validator(mode="after")
    def _gets_worse(self) -> Self:
        if self.grave is not None and self.grave <= self.every:
            raise ValueError(
                f"grave ({show_duration(self.grave)}) must be longer than every ({show_duration(self.every)})"
            )
        return self


class PostEntry(Entry):
    """A place of duty that is handed over."""

    title: TitleText | None = None
    team: str | None = None
    keys: list[Text] = Field(default_factory=list)


class DistanceEntry(Entry):
    """The shortest time between two checkpoints, both ways."""

    pair: Pair = Field(alias="between")
    least: Annotated[PositiveDuration, between(1, DAY)]


class PatrolEntry(Entry):
    """Everything about patrol that belongs to no single checkpoint or route."""

    coverage: dict[Id, CoverageEntry] = Field(default_factory=dict)
    posts: dict[Id, PostEntry] = Field(default_factory=dict)
    least: Annotated[Duration, between(0, HOUR)] = 5 * SECOND
    distances: list[DistanceEntry] = Field(default_factory=list)
    day_starts: ClockTime | None = None
    work_orders: dict[str, dict[LevelName, str]] = Field(default_factory=dict)
