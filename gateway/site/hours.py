"""Times as the owner writes them: opening hours of a week, dates, local wall times, rules of recurrence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from gateway.site.fields import check_name, shown
from gateway.site.problems import unknown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY = "daily"
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WALL = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}):(\d{2})")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_DAY_MINUTES = 24 * 60
_SPAN_FORM = 'hours are written "08:00-18:00", with 24:00 for the end of the day'
_RRULE = re.compile(r"[A-Z0-9;=,+-]{1,500}")
_RRULE_FORM = (
    "a rule of recurrence (RFC 5545) is needed, such as FREQ=MONTHLY;BYMONTHDAY=1, its start beside it"
)
_DAY_FORM = "days are mon, tue … sun, a range such as mon-fri, several such as mon,wed, or daily"

Minutes: TypeAlias = int
"""Since local midnight."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of a week."""

    days: tuple[tuple[tuple[Minutes, Minutes], ...], ...]
    """From Monday on, the stretches of each day. An end not after its start is on the next day."""

    def __str__(self) -> str:
        written = (f"{name} {_show(spans)}" for name, spans in zip(DAYS, self.days, strict=True) if spans)
        return "; ".join(written)


@dataclass(frozen=True, slots=True)
class Active:
    """When a rule is judged: while a calendar is open, or ``outside`` it."""

    hours: str | Hours
    outside: bool = False


def _show(spans: tuple[tuple[Minutes, Minutes], ...]) -> str:
    return ", ".join("-".join(f"{end // 60:02}:{end % 60:02}" for end in span) for span in spans)


def _span(value: object) -> tuple[Minutes, Minutes]:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"found {shown(value)}; {_SPAN_FORM}")
    hour, minute, end_hour, end_minute = (part for part in match.groups() if part is not None)
    return int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)


def spans(value: object) -> tuple[tuple[Minutes, Minutes], ...]:
    """Read ``08:00-18:00`` or a list of such stretches of one day.

    Raises:
        ValueError: it is something else, or two of them overlap.
    """
    found = sorted(_span(item) for item in (value if isinstance(value, list) else [value]))
    if not found:
        raise ValueError(f"found an empty list; {_SPAN_FORM}")
    for (start, end), (later, _) in pairwise(found):
        if later < (end if end > start else end + _DAY_MINUTES):
            raise ValueError(f"found {_show(tuple(found))}, which overlap; join them into one")
    return tuple(found)


def _days(key: str) -> list[int]:
    """The days, from 0 for Monday, that a key such as ``mon-fri`` names."""
    if key == DAILY:
        return list(range(7))
    found: list[int] = []
    for part in re.split(r"\s*,\s*", key):
        ends = part.split("-")
        odd = next((name for name in ends if name not in DAYS), None)
        if odd is not None or len(ends) > 2:  # noqa: PLR2004 - first and last
            named = unknown("day", part if odd is None else odd, (*DAYS, DAILY)).partition(" (allowed")[0]
            raise ValueError(f"{named}; {_DAY_FORM}")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found += [day % 7 for day in range(first, last + 1 if last >= first else last + 8)]
    return found


def hours(value: object) -> Hours:
    """Read ``{mon-fri: ["08:00-12:00", "13:00-18:00"], sat: "09:00-12:00"}``.

    Raises:
        ValueError: it is something else, empty, or gives a day twice.
    """
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f'found {shown(value)}; hours by day are needed, such as {{mon-fri: "08:00-18:00"}}')
    week: dict[int, tuple[tuple[Minutes, Minutes], ...]] = {}
    for key, given in value.items():
        try:
            stretches = spans(given)
        except ValueError as exc:
            raise ValueError(f"{key}: {exc}") from exc
        for day in _days(key):
            if day in week:
                raise ValueError(f"{DAYS[day]} is given twice; write all its hours in one list")
            week[day] = stretches
    return Hours(tuple(week.get(day, ()) for day in range(7)))


def _hours_or_name(value: object) -> Hours | str:
    if isinstance(value, str):
        return check_name(value)
    if isinstance(value, Mapping):
        return hours(value)
    raise ValueError(
        f'found {shown(value)}; the name of a calendar is needed, or hours such as {{mon-fri: "08:00-18:00"}}'
    )


def _active(value: object) -> Active:
    if not isinstance(value, Mapping) or "outside" not in value:
        return Active(_hours_or_name(value))
    odd = [str(key) for key in value if key != "outside"]
    if odd:
        raise ValueError(f"found {', '.join(odd)} beside 'outside'; it stands alone")
    return Active(_hours_or_name(value["outside"]), outside=True)


def _date(value: object) -> date:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError  # noqa: TRY301 - one message for all that is no date
        found = date.fromisoformat(value)
    except ValueError as exc:
        raise ValueError(
            f"found {shown(value)}; a date of the calendar is needed, such as 2026-10-01"
        ) from exc
    _check_year(found)
    return found


def _wall_time(value: object) -> datetime:
    match = _WALL.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - one message for all that is no wall time
        found = datetime.fromisoformat(f"{match[1]}T{match[2]}:{match[3]}")
    except ValueError as exc:
        form = "a local date and time is needed, such as 2026-01-05 09:00"
        raise ValueError(f"found {shown(value)}; {form}") from exc
    _check_year(found)
    return found


def _clock_time(value: object) -> tuple[int, int]:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'found {shown(value)}; a local time of day is needed, such as "06:00"')
    return int(match[1]), int(match[2])


def _check_year(found: date) -> None:
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"found the year {found.year}; {_FIRST_YEAR} to {_LAST_YEAR} are allowed")


def _rrule(value: object) -> str:
    if not isinstance(value, str) or not _RRULE.fullmatch(value):
        raise ValueError(f"found {shown(value)}; {_RRULE_FORM}")
    return value


_SPANS_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}
_HOURS_SCHEMA: dict[str, Any] = {"type": "object", "additionalProperties": _SPANS_SCHEMA, "minProperties": 1}
_NAMED_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, _HOURS_SCHEMA]}
_ACTIVE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        _HOURS_SCHEMA,
        {"type": "object", "properties": {"outside": _NAMED_SCHEMA}, "required": ["outside"]},
    ]
}

WeekHours = Annotated[Hours, PlainValidator(hours), WithJsonSchema(_HOURS_SCHEMA)]
"""Opening hours by day of the week."""
HoursOrName = Annotated[Hours | str, PlainValidator(_hours_or_name), WithJsonSchema(_NAMED_SCHEMA)]
"""The name of a calendar of the site, or hours written out."""
ActiveHours = Annotated[Active, PlainValidator(_active), WithJsonSchema(_ACTIVE_SCHEMA)]
LocalDate = Annotated[date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
WallTime = Annotated[
    datetime, PlainValidator(_wall_time), WithJsonSchema({"type": "string", "examples": ["2026-01-05 09:00"]})
]
"""A local date and time of day, without a zone."""
ClockTime = Annotated[
    tuple[int, int], PlainValidator(_clock_time), WithJsonSchema({"type": "string", "examples": ["06:00"]})
]
"""Hour and minute of the local clock."""
Rrule = Annotated[
    str, PlainValidator(_rrule), WithJsonSchema({"type": "string", "examples": ["FREQ=WEEKLY;BYDAY=MO"]})
]
"""A rule of recurrence (RFC 5545), looked at more closely where its start is known."""
