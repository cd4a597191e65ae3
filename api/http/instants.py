"""Times and durations as they are read and written: RFC 3339 with offset, and ``30s``, ``5m``, ``1h``."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from gateway.core.values import DAY, Millis
from gateway.site.fields import duration
from gateway.site.zones import zone

LATEST: Millis = 4_102_444_800_000
"""2100-01-01: a time beyond it is a mistake."""

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII)
_FORM = "a time is RFC 3339 with an offset, such as 2026-11-03T08:30:00+08:00, or milliseconds since 1970"


@lru_cache(maxsize=4_096)
def written(moment: Millis, timezone: str) -> str:
    """A moment in the site's time zone.

    Example:
        >>> written(1790000000000, "Asia/Shanghai")
        '2026-09-21T22:13:20.000+08:00'
    """
    whole, part = divmod(moment, 1_000)
    local = datetime.fromtimestamp(whole, zone(timezone)).replace(microsecond=part * 1_000)
    return local.isoformat(timespec="milliseconds")


def moment(value: object) -> Millis:
    """Read a time.

    Raises:
        ValueError: it has no offset, is no time at all, or lies before 1970 or after 2100.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and re.fullmatch(r"\d{1,16}", value, re.ASCII):
        found = int(value)
    elif isinstance(value, str) and (match := _RFC_3339.fullmatch(value)) is not None:
        found = _parsed(*match.groups())
    else:
        raise ValueError(f"found {ascii(value)[:60]}; {_FORM}")
    if not 0 <= found <= LATEST:
        raise ValueError(f"found {ascii(value)[:60]}; a time lies between 1970 and 2100")
    return found


def _parsed(day: str, clock: str, part: str | None, offset: str) -> Millis:
    # A plus sign that was not escaped in a query arrives as a space.
    offset = "+00:00" if offset in "Zz" else offset.replace(" ", "+")
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"found {day}T{clock}{offset}: {error}; {_FORM}") from None
    millis = int((part or ".0")[1:].ljust(3, "0")[:3])
    return int(whole.timestamp()) * 1_000 + millis


def span(value: object) -> Millis:
    """Read a duration of at least a millisecond and at most a year. Raises :class:`ValueError`."""
    found = duration(value)
    if not 1 <= found <= 366 * DAY:
        raise ValueError(f"found {ascii(value)[:60]}; a duration here lies between 1ms and 366d")
    return found


Moment = Annotated[
    Millis,
    BeforeValidator(moment),
    PlainSerializer(lambda value: value, return_type=int),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in a request: RFC 3339 with offset, or milliseconds."""

Span = Annotated[Millis, BeforeValidator(span), WithJsonSchema({"type": "string", "examples": ["1m"]})]
"""A duration in a request."""
