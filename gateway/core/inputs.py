"""Everything that can change state. Each input carries ``at``: when the gateway received it, never going back."""

from typing import Any, TypeAlias

from msgspec import Struct

from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Scalar


class Telemetry(Struct, frozen=True, gc=False):
    """Values of one device at one moment, each already checked against its point."""

    at: Millis
    device: str
    ts: Millis
    values: dict[str, Scalar]
    retained: bool = False
    stamped: bool = True
    """Whether the device gave the time; else ``ts`` is the time of receipt."""


class Event(Struct, frozen=True, gc=False):
    """Something a device reports. ``key`` makes it idempotent: its own id, else its type and time."""

    at: Millis
    device: str
    ts: Millis
    key: str
    type: str
    attributes: dict[str, Scalar]
    retained: bool = False


class Status(Struct, frozen=True, gc=False):
    """A device's connection as its birth message or last will tells it."""

    at: Millis
    device: str
    online: bool
    retained: bool = False


class Rejection(Struct, frozen=True, gc=False):
    """A payload, or a part of one, that could not be taken, and why. A value, never an exception."""

    at: Millis
    device: str | None
    """None when the topic names no device of this site."""
    topic: str
    reason: str
    """One of :data:`gateway.codecs.reasons.REASONS`: a short word to count by."""
    detail: str
    """What was found and what was expected, for a person."""
    payload: bytes


class Command(Struct, frozen=True, gc=False, kw_only=True):
    """What a person or an API client asks for, such as ``ack`` on an alert."""

    at: Millis
    id: str
    """Makes the command idempotent: the same id is answered, not carried out again."""
    actor: str
    verb: str
    """``alert.ack``, ``alert.reset``, ``work_order.open``, ``work_order.assign``, ``work_order.move`` …"""
    target: str
    """The id of the record; for ``work_order.open`` the device, or empty."""
    args: dict[str, Any]
    expect: int | None = None
    """The version of the record the caller saw; a newer one refuses the command."""


class Tick(Struct, frozen=True, gc=False):
    """Time has passed. Adding ticks anywhere changes nothing but when effects become visible."""

    at: Millis


class Started(Struct, frozen=True, gc=False):
    """The gateway came up. ``last`` is the last moment it is known to have been alive; None on the very first."""

    at: Millis
    last: Millis | None


class LinkLost(Struct, frozen=True, gc=False):
    """The gateway cannot see its devices from now on: broker gone, or the outbox full and reading stopped."""

    at: Millis
    reason: str


class LinkUp(Struct, frozen=True, gc=False):
    """The gateway sees its devices again."""

    at: Millis


class Configured(Struct, frozen=True, gc=False):
    """Another site plan is in force from now on."""

    at: Millis
    plan: SitePlan


Fact: TypeAlias = Telemetry | Event | Status | Rejection
"""What a codec makes of a message."""

Input: TypeAlias = Fact | Command | Tick | Started | LinkLost | LinkUp | Configured
