"""Value types every room shares: levels, scalars, titles and series."""

import enum
from typing import NamedTuple, TypeAlias

from msgspec import Struct

Scalar: TypeAlias = bool | int | float | str
"""What one point of a device can hold."""

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A decoded JSON value."""

Millis: TypeAlias = int
"""Milliseconds: a moment since 1970-01-01T00:00Z, or a duration."""

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR


def show_duration(millis: Millis) -> str:
    """A duration as it is written in the owner's files.

    Example:
        >>> show_duration(5_400_000)
        '1h30m'
    """
    text = ""
    for unit, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (1, "ms")):
        count, millis = divmod(millis, unit)
        if count:
            text += f"{count}{letter}"
    return text or "0s"


class Level(enum.IntEnum):
    """How bad an alert is. The order is the order of severity."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """The lower-case name used in files and over HTTP."""
        return self.name.lower()


class PointType(enum.StrEnum):
    """The type of a point; it never changes once readings are stored."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    ENUM = "enum"
    TEXT = "text"


class Title(NamedTuple):
    """A text a person reads, in both languages."""

    en: str
    zh: str


class Series(NamedTuple):
    """One device (or one kind of record) in the telemetry store."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    """Sorted by name; never holds personal data."""


class TelemetryRow(NamedTuple):
    """The fields of one series at one moment."""

    series: Series
    ts: Millis
    fields: dict[str, Scalar]


class Seal(Struct, frozen=True, omit_defaults=True):
    """What the address of a cryptographic tag proved, found out when it came in; a replay has no keys."""

    verdict: str
    """``good``, or the flag that stands against it: ``forged``, ``lrp``, ``malformed_url`` or ``no_key``."""
    uid: str | None = None
    """The tag's id in upper-case hexadecimal, of a forged address the one it claims; None where it cannot be known."""
    counter: int | None = None
    epoch: int = 1
    """Of the keys the tag was written with."""
    tamper: str | None = None
    """A TagTamper's word: ``closed``, ``open`` (torn now or once) or ``unknown``; None on other tags."""
    words: str = ""
    """What was found, for a person."""


class Message(Struct, frozen=True, array_like=True, gc=False):
    """One MQTT message as it arrived, before anybody looked inside.

    ``received`` is set only on a message taken out of quarantine for a retry: the moment the gateway first saw
    it, which stands in for a missing device time. ``seals`` is set in the journal only: what the addresses of tags
    in it proved, by address.
    """

    topic: str
    payload: bytes
    retained: bool = False
    received: Millis | None = None
    seals: dict[str, Seal] | None = None
