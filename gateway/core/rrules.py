"""What a rule of recurrence (RFC 5545, section 3.3.10) says, part by part, and what is wrong with one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from dateutil import rrule as lib

FREQUENCIES = {
    "YEARLY": lib.YEARLY,
    "MONTHLY": lib.MONTHLY,
    "WEEKLY": lib.WEEKLY,
    "DAILY": lib.DAILY,
    "HOURLY": lib.HOURLY,
    "MINUTELY": lib.MINUTELY,
}
RANGES = {
    "BYMONTH": range(1, 13),
    "BYMONTHDAY": range(-31, 32),
    "BYYEARDAY": range(-366, 367),
    "BYWEEKNO": range(-53, 54),
    "BYSETPOS": range(-366, 367),
    "BYHOUR": range(24),
    "BYMINUTE": range(60),
}
"""The numbers a part may list; where there are negative ones, which count from the end, 0 is none of them."""
PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *RANGES)
DAYS = {"MO": lib.MO, "TU": lib.TU, "WE": lib.WE, "TH": lib.TH, "FR": lib.FR, "SA": lib.SA, "SU": lib.SU}
MAX_COUNT = 10_000
MAX_INTERVAL = 1_000
MAX_YEARS = 100
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?")
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY", "HOURLY", "MINUTELY"),
    "BYMONTHDAY": ("YEARLY", "MONTHLY", "DAILY", "HOURLY", "MINUTELY"),
}
"""The frequencies a part goes with, by the table of section 3.3.10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule whose parts were checked."""

    frequency: int
    """As dateutil numbers them."""
    interval: int
    week_start: int
    """0 for Monday."""
    count: int | None
    until: datetime | None
    """Local wall time, inclusive."""
    numbers: Mapping[str, tuple[int, ...]]
    """By part."""
    weekdays: tuple[lib.weekday, ...]


@lru_cache(256)
def parse(text: str, zone: tzinfo) -> Rule:
    """Read a rule.

    Raises:
        ValueError: a part is unknown, given twice, out of range, or does not go with the others.
    """
    parts = _split(text)
    frequency = _frequency(parts)
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    weekdays = tuple(_weekday(one) for one in parts["BYDAY"].split(",")) if "BYDAY" in parts else ()
    numbers = {name: _numbers(name, parts[name]) for name in RANGES if name in parts}
    _check_together(frequency, parts, weekdays)
    return Rule(
        frequency=FREQUENCIES[frequency],
        interval=_positive(
            "INTERVAL", parts.get("INTERVAL", "1"), MAX_YEARS if frequency == "YEARLY" else MAX_INTERVAL
        ),
        week_start=_week_start(parts.get("WKST", "MO")),
        count=_positive("COUNT", parts["COUNT"], MAX_COUNT) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"], zone) if "UNTIL" in parts else None,
        numbers=numbers,
        weekdays=weekdays,
    )


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for item in text.upper().split(";"):
        name, equals, value = item.partition("=")
        if name.split(":")[0] == "DTSTART":
            raise ValueError("the start is given beside the rule, not in it (DTSTART)")
        if name == "BYSECOND":
            raise ValueError("BYSECOND: times are whole minutes")
        if name not in PARTS:
            raise ValueError(f"there is no part {name!r} (allowed: {', '.join(PARTS)})")
        if not equals or not value:
            raise ValueError(f"{name} has no value")
        if name in parts:
            raise ValueError(f"{name} is given twice")
        parts[name] = value
    return parts


def _frequency(parts: Mapping[str, str]) -> str:
    if "FREQ" not in parts:
        raise ValueError("FREQ is missing, such as FREQ=MONTHLY")
    if parts["FREQ"] == "SECONDLY":
        raise ValueError("FREQ=SECONDLY: a rule comes once a minute at most")
    if parts["FREQ"] not in FREQUENCIES:
        raise ValueError(f"there is no frequency {parts['FREQ']!r} (allowed: {', '.join(FREQUENCIES)})")
    return parts["FREQ"]


def _check_together(frequency: str, parts: Mapping[str, str], weekdays: tuple[lib.weekday, ...]) -> None:
    for name, allowed in _ONLY_WITH.items():
        if name in parts and frequency not in allowed:
            raise ValueError(f"{name} does not go with FREQ={frequency} (it goes with {', '.join(allowed)})")
    if any(day.n for day in weekdays) and (frequency not in ("YEARLY", "MONTHLY") or "BYWEEKNO" in parts):
        raise ValueError(
            "a numbered day in BYDAY, such as 1MO, needs months or years: FREQ=MONTHLY or FREQ=YEARLY"
        )
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts if name != "BYSETPOS"):
        raise ValueError("BYSETPOS chooses among what another BY… part gives, and there is none")


def _positive(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ValueError(f"{name} is a whole number from 1 to {most}, found {text!r}")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    allowed = RANGES[name]
    signed = allowed.start < 0
    found: set[int] = set()
    for item in text.split(","):
        if (
            not re.fullmatch(r"[+-]?\d{1,3}", item, re.ASCII)
            or int(item) not in allowed
            or (signed and int(item) == 0)
        ):
            shown = (
                f"1 to {allowed[-1]}, or -1 to {allowed[0]} from the end"
                if signed
                else f"{allowed[0]} to {allowed[-1]}"
            )
            raise ValueError(f"{name} lists whole numbers, {shown}; found {item!r}")
        found.add(int(item))
    return tuple(sorted(found))


def _weekday(text: str) -> lib.weekday:
    match = _BY_DAY.fullmatch(text)
    if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= RANGES["BYWEEKNO"][-1]):
        raise ValueError(f"BYDAY lists days such as MO, 1MO (the first) or -1FR (the last); found {text!r}")
    day = DAYS[match[2]]
    return day if match[1] is None else day(int(match[1]))


def _week_start(text: str) -> int:
    if text not in DAYS:
        raise ValueError(f"WKST is one of {', '.join(DAYS)}; found {text!r}")
    return list(DAYS).index(text)


def _until(text: str, zone: tzinfo) -> datetime:
    """A local date or time, or one in UTC; a date counts to its end."""
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - one message for all that is no time
        found = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - local
    except ValueError as exc:
        raise ValueError(
            f"UNTIL is a date or a local time, such as 20261231 or 20261231T180000; found {text!r}"
        ) from exc
    if match[3] is None:
        return found
    return (found.replace(tzinfo=UTC).astimezone(zone)).replace(tzinfo=None, fold=0)


PERIODS = {
    lib.MINUTELY: timedelta(minutes=1),
    lib.HOURLY: timedelta(hours=1),
    lib.DAILY: timedelta(days=1),
    lib.WEEKLY: timedelta(weeks=1),
    lib.MONTHLY: timedelta(days=31),
    lib.YEARLY: timedelta(days=366),
}
"""How long one step of each frequency takes, at the longest."""
