"""What no telemetry store may be given, whoever encoded it.

The codecs refuse these things first, at the door. The stores check again, because here a line break is a forged
reading (line protocol) and a NaN is a hole that no query survives.
"""

import math
import re

from gateway.core.values import Scalar, Series

EARLIEST = -9_223_372_036_854
LATEST = 9_223_372_036_854
"""Milliseconds that a 64-bit count of nanoseconds can hold: the years 1677 to 2262."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOOSE_BACKSLASH = re.compile(r"""\\(?=[,"= ]|$)""")
"""Line protocol has no way to escape a backslash in a name or tag, so there it would swallow what follows."""

_LOOSE = "at its end or before a comma, space, quote or equals sign"

RESERVED = frozenset({"time", "_field", "_measurement"})
"""Names that InfluxDB keeps for itself, as fields and as tags."""


def text_flaw(text: str) -> str | None:
    """Say why a text cannot be stored, or None."""
    found = _UNPRINTABLE.search(text)
    return (
        None
        if found is None
        else f"the text holds the character U+{ord(found[0]):04X}; control characters are not stored"
    )


def value_flaw(value: Scalar) -> str | None:
    """Say why a value cannot be stored, or None. Allowed are finite floats, 64-bit integers, booleans and plain text."""
    if isinstance(value, str):
        return text_flaw(value)
    if isinstance(value, float):
        return (
            None
            if math.isfinite(value)
            else f"{value} is not a number that can be stored; only finite ones are"
        )
    if isinstance(value, int):
        return None if INT_MIN <= value <= INT_MAX else f"{value} does not fit into 64 bits"
    return f"a {type(value).__name__} cannot be stored; float, int, bool and text can"  # type: ignore[unreachable]  # of no declared type


def name_flaw(what: str, name: str) -> str | None:
    """Say why a measurement, tag or field cannot carry this name, or None."""
    if not name:
        return f"the {what} has no name"
    if name in RESERVED:
        return f'the {what} is named "{name}", which InfluxDB keeps for itself'
    if _UNPRINTABLE.search(name):
        return f"the name of the {what} {name!r} holds control characters"
    if _LOOSE_BACKSLASH.search(name):
        return f"the name of the {what} {name!r} holds a backslash {_LOOSE}"
    return None


def series_flaw(series: Series) -> str | None:
    """Say why a series cannot exist, or None. A tag without a value counts as absent."""
    flaw = name_flaw("measurement", series.measurement)
    for name, value in series.tags:
        flaw = flaw or name_flaw("tag", name)
        if flaw is None and _UNPRINTABLE.search(value):
            flaw = f"the tag {name}={value!r} holds control characters"
        if flaw is None and _LOOSE_BACKSLASH.search(value):
            flaw = f"the tag {name}={value!r} holds a backslash {_LOOSE}"
    return flaw


def time_flaw(ts: int) -> str | None:
    """Say why a moment (ms) cannot be stored, or None."""
    return None if EARLIEST < ts < LATEST else f"the time {ts} ms lies outside the years 1677 to 2262"
