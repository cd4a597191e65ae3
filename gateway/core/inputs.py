"""Everything that can change state. Each input carries ``at``: when the gateway received it, never going back."""

from typing import Any, TypeAlias

from msgspec import Struct

from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Scalar, Seal


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


class Tap(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A guard has read a tag, by a reader or a phone, now or hours ago."""

    at: Millis
    id: str
    """The client's UUID: three uploads are one tap. Readers may use ids of their own, unique to the reader."""
    source: str
    """The reader's device id, or the phone's own id."""
    ts: Millis
    """What the device's clock said when the tag was read."""
    tag: str | None = None
    """The bare id of the tag, as it was sent."""
    url: str | None = None
    """The address a cryptographic tag gave, as it was read."""
    seal: Seal | None = None
    """What that address proved."""
    code: str | None = None
    """The code of the checkpoint, from its label."""
    how: str = "nfc"
    """``nfc``, ``qr`` or ``typed``."""
    guard: str | None = None
    sent: Millis | None = None
    """What the device's clock said when it uploaded this."""
    before: Millis | None = None
    """``ts`` of the tap before it in the same upload."""
    queued: int | None = None
    """How many taps the device still holds after this upload; None where it does not say."""
    by: str | None = None
    """The guard whose token the upload came with; None where it came with none."""
    retained: bool = False
    ask: str = ""
    """Under which name a judgement is waited for; empty where nobody waits."""


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


Fact: TypeAlias = Telemetry | Event | Status | Tap | Rejection
"""What a codec makes of a message."""

Input: TypeAlias = Fact | Command | Tick | Started | LinkLost | LinkUp | Configured
