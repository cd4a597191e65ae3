"""Which file a moment belongs to, and which moments belong to a file. All in UTC."""

import re
from datetime import UTC, date, datetime
from typing import Final

from gateway.core.values import DAY, Millis

_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DECEMBER: Final = 12


def _date(ts: Millis) -> date:
    return date.fromordinal(_EPOCH + ts // DAY)


def _midnight(year: int, month: int, day: int) -> Millis:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


def day_file(ts: Millis) -> str:
    """``2026-11-23``."""
    return _date(ts).isoformat()


def minutes_file(ts: Millis) -> str:
    """``minutes-2026-11``."""
    return f"minutes-{_date(ts).isoformat()[:7]}"


def hours_file(ts: Millis) -> str:
    """``hours-2026``."""
    return f"hours-{_date(ts).isoformat()[:4]}"


def is_day(name: str) -> bool:
    """Whether a file holds the readings of a day."""
    return _DAY.fullmatch(name) is not None


def span(name: str) -> tuple[Millis, Millis]:
    """Start (inclusive) and end (exclusive) of a day's, a month's or a year's file.

    Raises:
        ValueError: the name is none of them.
    """
    kind, _, rest = name.partition("-")
    if kind == "hours":
        year = int(rest)
        return _midnight(year, 1, 1), _midnight(year + 1, 1, 1)
    if kind == "minutes":
        year, month = (int(part) for part in rest.split("-"))
        following = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
        return _midnight(year, month, 1), _midnight(*following, 1)
    start = (date.fromisoformat(name).toordinal() - _EPOCH) * DAY
    return start, start + DAY
