"""The figures of a patrol report: records in, numbers out. Pure; every stream of records is read once.

Two things to know. A round is counted on the shift it belongs to, a tap at the time it was made. And nothing that is
unknown counts as kept: it stays in what was due, and is not in what was visited.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from gateway.core.local_time import first_moment, wall_time
from gateway.core.patrol.flags import FLAGS
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.patrol.routes import Coverage
from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, Millis
from gateway.reports.gaps import CoverageFigures, Gap, Span, Watch, merged
from gateway.reports.rounds import Finding, Tally, Walked

LATE_SYNC: Millis = MINUTE
"""A tap received later than this after it was made was uploaded late."""
GRADES = "ABCD"
NO_REASON = "no_reason"
"""Stands for the reason of a tap that does not count and has no flag that says why."""


class Proof(NamedTuple):
    """One tap at a checkpoint, as the report needs it."""

    checkpoint: str
    ts: Millis
    """When it was made."""
    received: Millis
    grade: str
    """``A`` to ``D``."""
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a report is made from. The streams may come straight from a cursor, one after the other in this order."""

    rounds: Iterable[Round] = ()
    """At least those of the shifts in the period; others are passed over."""
    proofs: Iterable[Proof] = ()
    """By checkpoint, then by time: those of the period, and the last that counts before it at each checkpoint.

    A make-up is none: nobody proved to be there."""
    taps: Iterable[TapRecord] = ()
    """At least those that do not count or wait for a review; others are passed over."""
    unobserved: Sequence[tuple[Millis, Millis]] = ()
    """From when until when the gateway did not observe."""


class CheckpointFigures(NamedTuple):
    """One checkpoint."""

    checkpoint: str
    visits: int
    """Taps in the period that count."""
    missed: int
    """On judged rounds."""
    longest: Gap | None
    """None where the period has not begun."""
    coverage: tuple[CoverageFigures, ...]


class Pending(NamedTuple):
    """A tap that waits for a supervisor."""

    id: str
    ts: Millis
    checkpoint: str | None
    guard: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolFigures:
    """Everything a report says, without a word of it."""

    period: Span
    now: Millis
    digest: str
    """SHA-256 over the site's digest, the period and every record that was used."""
    total: Tally
    routes: Mapping[str, Tally]
    """Those of the site in its order, then those it has no more."""
    checkpoints: tuple[CheckpointFigures, ...]
    """In the same order."""
    findings: tuple[Finding, ...]
    """By shift, round and time."""
    taps: int
    """Taps in the period that count."""
    late_sync: int
    """Of these, received more than :data:`LATE_SYNC` after they were made."""
    grades: Mapping[str, int]
    """Of these."""
    uncounted: Mapping[str, int]
    """Taps that do not count, each under the first reason that stands against it."""
    pending: tuple[Pending, ...]
    """By time."""
    unobserved: tuple[Span, ...]
    """Within what can be known."""

    @property
    def until(self) -> Millis:
        """Up to when anything can be known: the end of the period, or now; never before its start."""
        return _known(self.period, self.now).end


def month_span(month: str, timezone: str) -> Span:
    """A calendar month in local time.

    Args:
        month: such as ``2026-10``.
        timezone: IANA name.

    Raises:
        ValueError: it is no month.
    """
    try:
        first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - wall time of the site
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    except ValueError:
        raise ValueError(f"found {month!r}; a month is written as 2026-10") from None
    zone = ZoneInfo(timezone)
    return Span(first_moment(first, zone), first_moment(after, zone))


def patrol_figures(plan: SitePlan, period: Span, now: Millis, evidence: Evidence) -> PatrolFigures:
    """The figures of a period, as far as they are known at the time of making.

    Args:
        plan: the site in force at the end of the period.
        period: from and until, in milliseconds.
        now: the time of making.
        evidence: what it is made from.

    Raises:
        ValueError: the proofs are not in order.
    """
    known = _known(period, now)
    unobserved = merged(evidence.unobserved, known)
    seal = _Seal(plan, period, unobserved)
    walked = Walked(plan)
    first, last = _dates(plan, period)
    for one in evidence.rounds:
        if first <= one.date <= last:
            seal.add(one)
            walked.take(one)
    visits = _Visits(plan, known, unobserved, seal)
    visits.read(evidence.proofs)
    doubts = _Doubts(period, seal)
    doubts.read(evidence.taps)
    return PatrolFigures(
        period=period,
        now=now,
        digest=seal.digest(),
        total=walked.total,
        routes=walked.routes,
        checkpoints=tuple(visits.figures(walked.missed)),
        findings=walked.told(),
        taps=visits.taps,
        late_sync=visits.late_sync,
        grades=visits.grades,
        uncounted=doubts.uncounted,
        pending=tuple(sorted(doubts.pending, key=lambda tap: (tap.ts, tap.id))),
        unobserved=unobserved,
    )


def _known(period: Span, now: Millis) -> Span:
    return Span(period.start, max(period.start, min(period.end, now)))


def _dates(plan: SitePlan, period: Span) -> tuple[str, str]:
    """The first and last local date of a period, as shifts are named."""
    zone = ZoneInfo(plan.timezone)
    first, last = (wall_time(at, zone).date().isoformat() for at in (period.start, period.end - 1))
    return first, last


class _Seal:
    """Takes the digest of what is used while it passes by."""

    def __init__(self, plan: SitePlan, period: Span, unobserved: tuple[Span, ...]) -> None:
        self._hash = hashlib.sha256()
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self.add([plan.site, plan.digest, period, unobserved])

    def add(self, record: object) -> None:
        self._hash.update(self._encode(record))

    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass(slots=True)
class _Visits:
    """Counts proofs, and finds the gaps between them a checkpoint at a time."""

    plan: SitePlan
    known: Span
    unobserved: tuple[Span, ...]
    seal: _Seal
    taps: int = 0
    late_sync: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    found: dict[str, CheckpointFigures] = field(default_factory=dict)
    rules: dict[str, list[Coverage]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for rule in self.plan.patrol.coverage.values():
            for checkpoint in rule.checkpoints:
                self.rules.setdefault(checkpoint, []).append(rule)

    def read(self, proofs: Iterable[Proof]) -> None:
        for checkpoint, group in groupby(proofs, key=lambda proof: proof.checkpoint):
            if checkpoint in self.found:
                raise ValueError(
                    f"found proofs of {checkpoint} in two places; they go by checkpoint, then time"
                )
            times = list(self._counted(group))
            self.found[checkpoint] = self._look(checkpoint, times)

    def figures(self, missed: Mapping[str, int]) -> Iterator[CheckpointFigures]:
        """The site's checkpoints, and those only the records know."""
        for name in dict.fromkeys([*self.plan.checkpoints, *sorted(self.found), *sorted(missed)]):
            figures = self.found.get(name) or self._look(name, [])
            yield figures._replace(missed=missed.get(name, 0))

    def _counted(self, group: Iterable[Proof]) -> Iterator[Millis]:
        before: Millis | None = None
        for proof in group:
            if before is not None and proof.ts < before:
                raise ValueError(f"found a proof of {proof.checkpoint} after a later one; they go by time")
            before = proof.ts
            if not proof.counted or proof.ts >= self.known.end:
                continue
            self.seal.add(proof)
            if proof.ts >= self.known.start:
                self.taps += 1
                self.grades[proof.grade] += 1
                self.late_sync += proof.received - proof.ts > LATE_SYNC
            yield proof.ts

    def _look(self, checkpoint: str, times: list[Millis]) -> CheckpointFigures:
        watch = Watch(times, self.known, self.unobserved)
        return CheckpointFigures(
            checkpoint=checkpoint,
            visits=sum(ts >= self.known.start for ts in times),
            missed=0,
            longest=watch.longest(),
            coverage=tuple(watch.coverage(rule) for rule in self.rules.get(checkpoint, ())),
        )


@dataclass(slots=True)
class _Doubts:
    """Counts the taps that are no evidence, and keeps those that somebody has to look at."""

    period: Span
    seal: _Seal
    uncounted: Counter[str] = field(default_factory=Counter)
    pending: list[Pending] = field(default_factory=list)

    def read(self, taps: Iterable[TapRecord]) -> None:
        for tap in taps:
            self._take(tap)

    def _take(self, tap: TapRecord) -> None:
        waits = tap.review == "pending"
        if (tap.counted and not waits) or not self._is_of_period(tap):
            return
        self.seal.add(tap)
        if not tap.counted:
            against = (name for name in tap.flags if name in FLAGS and not FLAGS[name].counts)
            self.uncounted[next(against, NO_REASON)] += 1
        if waits:
            self.pending.append(Pending(tap.id, tap.ts, tap.checkpoint, tap.guard, tuple(tap.flags)))

    def _is_of_period(self, tap: TapRecord) -> bool:
        """By the time it was made; by its receipt where that cannot be."""
        at = tap.received if "time_impossible" in tap.flags else tap.ts
        return self.period.start <= at < self.period.end
