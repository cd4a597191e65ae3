"""What is remembered of patrol. One writer, the engine; on disk a row per tap, round, tag, source, guard and post."""

import enum

from msgspec import Struct, field

from gateway.core.values import DAY, Millis

TAPS_KEPT: Millis = 3 * DAY
"""So long after its receipt a tap may be judged anew in the light of others; one under review for longer."""
KNOWN_KEPT: Millis = 35 * DAY
"""So long after its receipt the same tap is recognised when it comes again."""


class RoundState(enum.StrEnum):
    """How far a round is."""

    OPEN = "open"
    """From ``early`` before its start on: taps count."""
    JUDGED = "judged"
    """Window and grace are over; what is uploaded now is a late upload."""
    CLOSED = "closed"
    """It changes no more."""


class RoundStop(Struct, array_like=True):
    """One stop of a round, its times worked out."""

    checkpoint: str
    opens: Millis
    closes: Millis
    least: Millis | None = None
    most: Millis | None = None


class Visit(Struct, omit_defaults=True):
    """A tap as its round sees it."""

    tap: str
    checkpoint: str
    ts: Millis
    """When it was made, corrected."""
    received: Millis
    source: str
    guard: str | None = None
    grade: str = "D"
    flag: str = ""
    """Why it does not count; empty where it does."""
    odd: str = ""
    """What of its clock makes the round doubtful; empty mostly."""
    made_up: bool = False
    """Entered afterwards and approved by a supervisor."""


class StopOutcome(Struct, omit_defaults=True):
    """What became of one stop."""

    checkpoint: str
    word: str
    """``pending``, ``on_time``, ``early``, ``late``, ``late_upload``, ``made_up``, ``skipped``, ``missed`` or ``unknown``."""
    ts: Millis | None = None
    tap: str | None = None
    guard: str | None = None
    grade: str | None = None
    reason: str = ""
    """Why it was skipped; ``one_person`` where the second guard was missing."""
    out_of_order: bool = False
    provisional: bool = False
    """Missed, but a reader or phone that may know better has not synced."""


class Oddity(Struct, omit_defaults=True):
    """Something about a round that a supervisor should look at."""

    kind: str
    """``out_of_order``, ``too_fast``, ``too_slow``, ``two_devices``, ``one_person``, or a flag of a tap that did not count."""
    checkpoint: str | None = None
    ts: Millis | None = None
    """When."""
    took: Millis | None = None
    """How long a leg took."""
    limit: Millis | None = None
    tap: str | None = None


class Round(Struct, omit_defaults=True):
    """One due instance of a route, frozen as the route was when it was created."""

    id: str
    route: str
    date: str
    """The shift it belongs to, as ``2026-11-23``, also past midnight."""
    key: str
    """The local wall time it was due at, as ``2026-11-23T22:00``."""
    start: Millis
    end: Millis
    opens_at: Millis
    """From when on taps count, as early."""
    judge_at: Millis
    """When the grace is over."""
    close_at: Millis
    """When no late upload is taken any more."""
    order: str
    stops: list[RoundStop]
    """In the order they are to be walked."""
    persons: int = 1
    within: Millis = 0
    accept: str = "D"
    readers: list[str] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)
    check_in: Millis | None = None
    alarm_after: Millis = 0
    state: RoundState = RoundState.OPEN
    visits: list[Visit] = field(default_factory=list)
    """In order of time."""
    skips: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Stops that were skipped: who said so, and why."""
    outcomes: list[StopOutcome] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    result: str = "pending"
    """``pending``, ``complete``, ``doubtful`` (complete, with oddities), ``incomplete``, ``unknown`` or ``cancelled``."""
    judged_at: Millis | None = None
    contact_at: Millis | None = None
    """The last tap or check-in of a guard on the round."""
    contact: str = "ok"
    """``ok``, ``quiet`` (asked for) or ``lost`` (alarm)."""
    slept: bool = False
    """The gateway came up only after its end: of a phone that nobody knows nothing could be heard."""
    version: int = 1


class TapRecord(Struct, omit_defaults=True):
    """A tap as it was judged. Kept for good, whatever it is worth."""

    id: str
    key: str
    """The id the client gave it."""
    source: str
    """The reader, or the phone."""
    received: Millis
    ts: Millis
    """When it was made: the device's time corrected by its skew, not after the receipt."""
    claimed: Millis
    """What the device's clock said."""
    how: str = "nfc"
    """``nfc``, ``qr``, ``typed`` or ``make_up``."""
    sent: Millis | None = None
    """What the device's clock said at the upload."""
    guard: str | None = None
    by: str | None = None
    """Who uploaded it, where the upload was by somebody known; who entered a make-up."""
    tag: str | None = None
    checkpoint: str | None = None
    asset: str | None = None
    """The device whose own tag it was."""
    grade: str = "D"
    counted: bool = False
    """Whether it is evidence."""
    flags: list[str] = field(default_factory=list)
    """What stands against it or beside it, in the order of :data:`gateway.core.patrol.flags.FLAGS`."""
    rounds: list[str] = field(default_factory=list)
    counter: int | None = None
    epoch: int | None = None
    tamper: str | None = None
    """What a TagTamper tag says of its seal: ``closed``, ``open``, ``unknown``; None without one."""
    review: str | None = None
    """``pending``, ``approved`` or ``rejected``; None where nobody needs to look."""
    reviewed_by: str | None = None
    reviewed_at: Millis | None = None
    why: str = ""
    """The reviewer's words, or why a make-up was entered."""
    version: int = 1


class Use(Struct, array_like=True):
    """One cryptographic tap of a tag."""

    epoch: int
    counter: int
    ts: Millis
    tap: str
    received: Millis
    doubtful: bool = False
    """Its time is not to be relied on, so it convicts no other."""


class Mapping(Struct, array_like=True):
    """From when on a tag was where; the next entry ends it."""

    since: Millis
    place: str | None
    """The checkpoint; None where it is retired."""
    secure: bool = False


class TagMemory(Struct, omit_defaults=True):
    """One tag: what was registered at run time, and how it was used."""

    history: list[Mapping] = field(default_factory=list)
    """Registered at run time, oldest first; before the first entry the site file decides."""
    epochs: list[tuple[Millis, int]] = field(default_factory=list)
    """Raised at run time: from when on which epoch."""
    uses: list[Use] = field(default_factory=list)
    """The last cryptographic taps, by epoch and counter."""
    floor: tuple[int, int] | None = None
    """Epoch and counter up to which uses were forgotten: what is not above it cannot be told from a replay."""
    title: str = ""
    """What was noted when it was registered."""
    tampered: bool = False
    version: int = 0


class Source(Struct, omit_defaults=True):
    """A reader or phone that uploads taps."""

    contact: Millis = 0
    """When it was last heard."""
    empty_at: Millis | None = None
    """When it was last known to hold nothing back: a tap uploaded later was made after it."""
    empty_before: Millis | None = None
    """The same before that: it bounds the other taps of the upload that emptied it."""
    queued: int | None = None
    """How many taps it said it still holds; None where it does not say."""
    skew: Millis | None = None
    """Receipt less its own time, as last measured."""
    whole_to: Millis | None = None
    """Up to when everything it read is known, as far as one can tell. What was certain stays so."""


class GuardMemory(Struct, omit_defaults=True):
    """One guard."""

    seen_at: Millis | None = None
    """The last tap or check-in, by its own time."""
    checkpoint: str | None = None
    source: str | None = None
    """The phone or reader last used."""
    token: str | None = None
    """SHA-256 of the token that the guard's phone shows; None where none was given out."""
    token_at: Millis | None = None
    version: int = 0


class PlaceMemory(Struct, omit_defaults=True):
    """One checkpoint: its last proofs, and what alarms stand at it."""

    proofs: list[tuple[Millis, str]] = field(default_factory=list)
    """Times and taps of the last proofs, oldest first."""
    watched_since: Millis | None = None
    """From when on gaps are counted, where there is no proof before."""
    missed: str = "no"
    """``no``, ``provisional``, ``yes`` or ``grave``."""
    missed_at: Millis | None = None
    """The end of the window that was missed."""
    missed_round: str | None = None
    gap: str = "no"
    """``no``, ``provisional``, ``long`` or ``grave``."""


class HandOver(Struct, omit_defaults=True):
    """A hand-over under way."""

    to: str
    since: Millis
    note: str = ""


class Duty(Struct, omit_defaults=True):
    """Who is on duty at a post."""

    guard: str | None = None
    since: Millis | None = None
    offer: HandOver | None = None
    version: int = 0


class RouteMemory(Struct, omit_defaults=True):
    """How far the due times of a route are dealt with."""

    at: Millis
    contact: str = "ok"
    """The worst of its rounds."""


class PatrolState(Struct):
    """The whole memory of patrol: what is live, and what is needed to judge what comes."""

    rounds: dict[str, Round] = field(default_factory=dict)
    taps: dict[str, TapRecord] = field(default_factory=dict)
    """Those of the last days and those under review, oldest first."""
    known: dict[str, tuple[Millis, str]] = field(default_factory=dict)
    """Receipt and fingerprint of every tap that may be uploaded again, by id, oldest first."""
    tags: dict[str, TagMemory] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    guards: dict[str, GuardMemory] = field(default_factory=dict)
    places: dict[str, PlaceMemory] = field(default_factory=dict)
    posts: dict[str, Duty] = field(default_factory=dict)
    routes: dict[str, RouteMemory] = field(default_factory=dict)
