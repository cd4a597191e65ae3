"""What the site says of patrol: guards, tags, routes, coverage and posts, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.recurrence import Recurrence
from gateway.core.schedule import Schedule
from gateway.core.values import DAY, MINUTE, SECOND, Millis, Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Somebody who walks rounds. The id is what readers and phones send; it is a pseudonym where the site wants one."""

    id: str
    title: Title
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag where the site file puts it, and when. What is registered at run time is laid over it."""

    id: str
    """Upper-case hexadecimal without separators."""
    secure: bool = False
    """It proves itself (NTAG 424 DNA): its bare id is no evidence any more."""
    epoch: int = 1
    """Counts how often it was configured anew, which makes its counter start again."""
    since: Millis = 0
    """From here on, inclusive."""
    until: Millis | None = None
    """Up to here, exclusive; None while it is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One checkpoint of a route. Times count from the start of the round."""

    checkpoint: str
    opens: Millis | None = None
    """Not before; None for the start of the round."""
    closes: Millis | None = None
    """Not after; None for its end."""
    least: Millis | None = None
    """The shortest time a person needs from the stop before; None for the route's."""
    most: Millis | None = None
    """The longest it should take from the stop before; None for the route's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Checkpoints to be visited on one round, and when rounds are due."""

    id: str
    title: Title
    stops: tuple[Stop, ...]
    order: str = "strict"
    """``strict`` as listed, ``any`` order, or ``random``: drawn for each round and frozen with it."""
    readers: tuple[str, ...] = ()
    """The devices that tap on this route; empty where any may."""
    guards: tuple[str, ...] = ()
    """Who walks it; empty where anybody may."""
    due: Recurrence | None = None
    """When rounds begin; None where none is ever due: taps are then a voluntary patrol."""
    lasts: Millis | None = None
    """How long the window is; exactly one of this and ``until`` is set where rounds are due."""
    until: tuple[int, int] | None = None
    """Hour and minute of the local clock at which the window ends; not after the start means the next day."""
    early: Millis = 10 * MINUTE
    """A tap made so long before the start belongs to the round still, as early."""
    grace: Millis = 15 * MINUTE
    """After the end: a tap made in it is late, and what is uploaded in it counts as if it had come at once."""
    late_upload: Millis = DAY
    """After the grace: what was made in time and is uploaded now is accepted, and a supervisor looks at it."""
    persons: int = 1
    """2 for a patrol of two: two different guards at each stop."""
    within: Millis = 2 * MINUTE
    """How far apart the two may tap."""
    least: Millis | None = None
    """The shortest time of a leg, where the stop does not say."""
    most: Millis | None = None
    """The longest."""
    accept: str = "D"
    """The weakest grade of evidence that counts, ``A`` to ``D``."""
    check_in: Millis | None = None
    """Without tap or check-in for so long, a guard on the round is asked for (dead-man timer); None for never."""
    alarm_after: Millis = 5 * MINUTE
    """So long after that the alarm is raised."""

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """The checkpoints in their order."""
        return tuple(stop.checkpoint for stop in self.stops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every one of these checkpoints at least so often, judged by the largest gap and never by an average."""

    name: str
    title: Title
    checkpoints: tuple[str, ...]
    every: Millis
    grave: Millis | None = None
    """From this gap on it is grave; None for never."""
    during: Schedule | None = None
    """Only while this is open, from each opening anew; None for round the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A place of duty that is handed over from guard to guard."""

    id: str
    title: Title
    team: str | None = None
    """Whose open work orders belong to the hand-over; None for those of all."""
    keys: tuple[str, ...] = ()
    """What is handed over by hand: key rings, radios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patrol:
    """Everything about patrol that belongs to no single checkpoint or route."""

    guards: Mapping[str, Guard] = field(default_factory=dict)
    """Empty where the site names none: then any id is taken."""
    coverage: Mapping[str, Coverage] = field(default_factory=dict)
    posts: Mapping[str, Post] = field(default_factory=dict)
    least: Millis = 5 * SECOND
    """The shortest time between any two checkpoints."""
    distances: Mapping[frozenset[str], Millis] = field(default_factory=dict)
    """The same for a pair of them, both ways."""
    day_starts: Millis = 0
    """Rounds that begin before this time of the local day belong to the shift of the day before."""
