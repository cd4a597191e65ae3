"""What rounds come to: how many were kept, route by route, and what about them a person should look at."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.core.patrol.memory import Oddity, Round, RoundStop, StopOutcome
from gateway.core.plan import SitePlan
from gateway.core.values import Millis

RESULTS: Final = ("complete", "doubtful", "incomplete", "unknown", "cancelled")
"""What can become of a round, in the order it is told. Beside them, ``pending``."""
STOPS: Final = (
    "on_time",
    "early",
    "late",
    "late_upload",
    "made_up",
    "skipped",
    "missed",
    "unknown",
    "cancelled",
)
"""What can become of a stop: as :class:`StopOutcome` has it, and ``cancelled`` with its round. Beside them, ``pending``."""
VISITED: Final = ("on_time", "early", "late", "late_upload")
"""Which of them are visits. A make-up is none."""
TOLD: Final = ("early", "late", "late_upload", "made_up", "skipped", "missed", "unknown")
"""Which of them are exceptions, each named in the list."""
PENDING: Final = "pending"


class Finding(NamedTuple):
    """One exception."""

    kind: str
    """An outcome of :data:`TOLD`, ``cancelled`` for a whole round, or the kind of an :class:`Oddity`."""
    date: str
    """The shift."""
    key: str
    """When its round was due, local wall time."""
    route: str
    checkpoint: str | None = None
    ts: Millis | None = None
    """When it was made, or by when it should have been."""
    took: Millis | None = None
    """How long the leg took; how much too early, too late, or later uploaded than made."""
    limit: Millis | None = None
    """How long the leg may take."""
    text: str = ""
    """A reason somebody gave, or a word of the record."""
    provisional: bool = False
    """A reader or phone that may know better has not synced."""


@dataclass(slots=True)
class Tally:
    """Rounds and stops of one route, or of all, by what became of them."""

    rounds: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)

    @property
    def rounds_due(self) -> int:
        """Rounds that are judged; those still open are not due yet."""
        return self.rounds.total() - self.rounds[PENDING]

    @property
    def stops_due(self) -> int:
        """Stops of those rounds."""
        return self.stops.total() - self.stops[PENDING]

    @property
    def visited(self) -> int:
        """Stops somebody was at in person and on this round."""
        return sum(self.stops[word] for word in VISITED)

    @property
    def expected(self) -> int:
        """Stops due less those skipped with a reason and those of cancelled rounds."""
        return self.stops_due - self.stops["skipped"] - self.stops["cancelled"]

    @property
    def completion(self) -> float | None:
        """Visited of expected, 0 to 1; None where nothing was expected. Unknown and made up are not kept."""
        return self.visited / self.expected if self.expected else None


@dataclass(slots=True)
class Walked:
    """All rounds of a period, taken in one by one.

    Args:
        plan: the site; its routes are told even without a round.
    """

    plan: SitePlan
    total: Tally = field(default_factory=Tally)
    routes: dict[str, Tally] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)
    """By checkpoint."""
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.routes.update((name, Tally()) for name in self.plan.routes)

    def take(self, one: Round) -> None:
        """Count a round and its stops."""
        tally = self.routes.setdefault(one.route, Tally())
        result = one.result if one.result in (*RESULTS, PENDING) else "unknown"
        stops = list(_words(one, result))
        for each in (self.total, tally):
            each.rounds[result] += 1
            each.stops.update(word for word, _, _ in stops)
        if result == "cancelled":
            self.findings.append(Finding("cancelled", one.date, one.key, one.route, ts=one.start))
            return
        for word, stop, outcome in stops:
            if word == "missed":
                self.missed[stop.checkpoint] += 1
            if word in TOLD:
                self.findings.append(_told(one, word, stop, outcome))
        self.findings.extend(_odd(one, oddity) for oddity in one.oddities)

    def told(self) -> tuple[Finding, ...]:
        """All findings by shift, round and time; those without a time at the end of their round."""
        self.findings.sort(
            key=lambda one: (one.date, one.key, one.route, one.ts is None, one.ts or 0, one.kind)
        )
        return tuple(self.findings)


def _words(one: Round, result: str) -> Iterator[tuple[str, RoundStop, StopOutcome | None]]:
    """What became of each stop. One of which nothing is said is unknown once its round is judged."""
    outcomes = {outcome.checkpoint: outcome for outcome in one.outcomes if outcome.word != "extra"}
    for stop in one.stops:
        outcome = outcomes.get(stop.checkpoint)
        if result in ("cancelled", PENDING):
            yield result, stop, outcome
        elif outcome is None or outcome.word not in STOPS:
            yield "unknown", stop, outcome
        else:
            yield outcome.word, stop, outcome


def _told(one: Round, word: str, stop: RoundStop, outcome: StopOutcome | None) -> Finding:
    found = Finding(word, one.date, one.key, one.route, stop.checkpoint)
    if outcome is None:
        return found._replace(ts=stop.closes)
    ts = outcome.ts if outcome.ts is not None else stop.closes if word in ("missed", "unknown") else None
    return found._replace(
        ts=ts,
        took=_off_by(one, word, stop, outcome),
        text=outcome.reason,
        provisional=outcome.provisional,
    )


def _off_by(one: Round, word: str, stop: RoundStop, outcome: StopOutcome) -> Millis | None:
    if outcome.ts is None:
        return None
    match word:
        case "early":
            return max(0, stop.opens - outcome.ts)
        case "late":
            return max(0, outcome.ts - stop.closes)
        case "late_upload":
            received = (visit.received for visit in one.visits if visit.tap == outcome.tap)
            return next((at - outcome.ts for at in received), None)
        case _:
            return None


def _odd(one: Round, oddity: Oddity) -> Finding:
    return Finding(
        oddity.kind,
        one.date,
        one.key,
        one.route,
        oddity.checkpoint,
        oddity.ts,
        oddity.took,
        oddity.limit,
    )
