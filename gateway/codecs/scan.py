"""Checks on values one by one: the slow, thorough path that every codec can fall back on."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gateway.core.plan import Attribute, Point
from gateway.core.values import Millis, PointType, Scalar

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
TEXT_LIMIT = 1024
"""Characters in a text value."""
SHOWN = 80
"""Characters of a found value that an error repeats."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""C0, DEL and C1."""


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def whole(payload: bytes) -> bytes:
    """JSON whose half characters (lone surrogates) are replaced."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], payload)


class Fault(NamedTuple):
    """Why something was not taken."""

    reason: str
    detail: str


def parse_json(payload: bytes) -> object | Fault:
    """Decode JSON strictly: no NaN, no Infinity, UTF-8 only."""
    try:
        body: object = msgspec.json.decode(payload)
    except RecursionError:
        return Fault("too_deep", "the JSON is nested too deeply")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _json_fault(payload, str(error))
    return body


def _json_fault(payload: bytes, words: str) -> Fault:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return Fault("not_utf8", f"byte {error.start} is not UTF-8")
    if b"NaN" in payload or b"Infinity" in payload:
        return Fault("not_finite", "NaN and Infinity are no JSON numbers")
    if "out of range" in words:
        return Fault("not_finite", f"a number no float can hold: {words}")
    return Fault("not_json", words)


def parse_time(value: object, at: Millis, late: Millis, future: Millis) -> Millis | Fault:
    """Device time in milliseconds, if it is one and lies within the window around the time of receipt."""
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            return Fault("bad_time", f"ts {show(value)} is no RFC 3339 time")
        if moment.tzinfo is None:
            return Fault("bad_time", f"ts {show(value)} has no offset; write …Z or …+08:00")
        ts = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    elif isinstance(value, int) and not isinstance(value, bool):
        ts = value
    else:
        return Fault("bad_time", f"ts {show(value)} is neither integer milliseconds nor RFC 3339 text")
    if ts < at - late:
        hint = "; it looks like seconds, send milliseconds" if abs(ts * 1000 - at) < late else ""
        return Fault("time_too_old", f"ts {ts} is more than {late // 1000} s before its receipt{hint}")
    if ts > at + future:
        return Fault("time_in_future", f"ts {ts} is more than {future // 1000} s after its receipt")
    return ts


def check_value(point: Point, value: object) -> Scalar | Fault:
    """The value in the point's own type, or why it is none."""
    match point.type:
        case PointType.FLOAT | PointType.INT:
            return _check_number(point, value)
        case PointType.ENUM:
            if isinstance(value, str) and value in point.values:
                return value
            reason = "unknown_word" if isinstance(value, str) else "wrong_type"
            return Fault(reason, f"{point.name}: {show(value)} is not one of {', '.join(point.values)}")
        case _:
            return check_scalar(point.name, point.type, value)


def _check_number(point: Point, value: object) -> Scalar | Fault:
    number = check_scalar(point.name, point.type, value)
    if isinstance(number, Fault) or point.valid is None:
        return number
    low, high = point.valid
    if not isinstance(number, str) and low <= number <= high:
        return number
    return Fault(
        "out_of_range", f"{point.name}: {show(value)} is outside {low:g} to {high:g} {point.unit}".rstrip()
    )


def check_attribute(attribute: Attribute, value: object) -> Scalar | Fault:
    """The value in the attribute's own type, or why it is none."""
    if attribute.type is PointType.ENUM:
        if isinstance(value, str) and value in attribute.values:
            return value
        words = ", ".join(attribute.values)
        return Fault("unknown_word", f"{attribute.name}: {show(value)} is not one of {words}")
    return check_scalar(attribute.name, attribute.type, value)


def check_scalar(name: str, wanted: PointType, value: object) -> Scalar | Fault:
    """A value of a plain type, or why it is none."""
    wrong = Fault("wrong_type", f"{name}: {show(value)} is no {wanted}")
    if wanted is PointType.BOOL:
        return value if isinstance(value, bool) else wrong
    if wanted is PointType.TEXT:
        return check_text(name, value) if isinstance(value, str) else wrong
    if isinstance(value, bool) or not isinstance(value, int | float):
        return wrong
    if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        return Fault("integer_too_large", f"{name}: an integer past 64 bits")
    if wanted is PointType.FLOAT:
        number = float(value)
        return number if math.isfinite(number) else Fault("not_finite", f"{name}: {show(value)}")
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else wrong
    return value


def check_text(name: str, value: str) -> str | Fault:
    """A text without control characters and of bounded length, or why it is none."""
    if _CONTROL.search(value):
        return Fault("control_characters", f"{name}: control characters in the text")
    if len(value) > TEXT_LIMIT:
        return Fault(
            "wrong_type", f"{name}: a text of {len(value)} characters, at most {TEXT_LIMIT} are allowed"
        )
    return value


def check_owner(fields: Mapping[str, object], device: str, site: str) -> Fault | None:
    """The topic alone names the device: a payload that names another one is refused."""
    for name, own in (("device", device), ("device_id", device), ("site", site)):
        named = fields.get(name, own)
        if named != own:
            return Fault("device_mismatch", f"the payload says {name} {show(named)}, the topic says {own}")
    return None


def show(value: object) -> str:
    """A found value, shortened, as an error repeats it."""
    try:
        text = repr(value)
    except RecursionError:  # it could just be parsed, yet not be written again from deeper in the program
        return "something nested too deeply"
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
