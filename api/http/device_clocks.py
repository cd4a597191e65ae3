"""Times by the clock of a phone, which may stand in 1970 or beyond any calendar: taken as they are, corrected elsewhere."""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from api.http.context import Context
from gateway.codecs.scan import Fault, parse_time
from gateway.codecs.tap_json import ANY_TIME
from gateway.core.values import Millis

SHOWN_MOST: Millis = 253_402_214_400_000
"""9999-12-31: what lies beyond has no place in a calendar."""


def device_time(value: object) -> Millis:
    """Read a time, however wrong it may be. Raises :class:`ValueError` where it is none."""
    found = parse_time(value, 0, ANY_TIME, ANY_TIME)
    if isinstance(found, Fault):
        raise ValueError(found.detail.removeprefix("ts "))  # noqa: TRY004 - pydantic wants ValueError
    return found


DeviceTime = Annotated[
    Millis, BeforeValidator(device_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A time by a device's clock in a request: RFC 3339 with offset, or milliseconds."""


def calendar_time(asked: Context, moment: Millis | None) -> str | None:
    """A moment as it is written; None where there is none, or no calendar has it."""
    if moment is None or not 0 <= moment < SHOWN_MOST:
        return None
    return asked.written(moment)
