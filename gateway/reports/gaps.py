"""How long a checkpoint was left alone: its largest gap, and what a coverage rule makes of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gateway.core.patrol.routes import Coverage
from gateway.core.schedule import Schedule
from gateway.core.values import Millis


class Span(NamedTuple):
    """From, inclusive, until, exclusive."""

    start: Millis
    end: Millis


class Gap(NamedTuple):
    """A time without proof."""

    since: Millis
    until: Millis
    unobserved: Millis = 0
    """How much of it the gateway did not observe: what happened then may be unknown."""

    @property
    def length(self) -> Millis:
        """From one proof, or edge of the period, to the next."""
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFigures:
    """One coverage rule at one checkpoint."""

    rule: Coverage
    longest: Gap | None
    """Within its hours; None where it had none."""
    over: Millis
    """How long in the period the limit was exceeded, all gaps together."""
    over_unobserved: Millis
    """How much of that the gateway did not observe, so that it cannot be held against anybody."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The times of proof at one checkpoint, seen from a period.

    Args:
        times: of its proofs, ascending.
        period: what is reported on; its end is the end of what can be known by now.
        unobserved: when the gateway did not observe; ascending, not overlapping.
    """

    times: Sequence[Millis]
    period: Span
    unobserved: Sequence[Span]

    @property
    def since(self) -> Millis:
        """Where the first gap begins: at the last proof before the period, or with the period where there is none."""
        before = bisect_left(self.times, self.period.start)
        return self.times[before - 1] if before else self.period.start

    def gaps(self, during: Schedule | None = None) -> Iterator[Span]:
        """Every gap that reaches into the period; with hours, those within them, from each opening anew."""
        if self.period.end <= self.period.start:
            return
        for start, end in _open(during, Span(self.since, self.period.end)):
            inside = self.times[bisect_right(self.times, start) : bisect_left(self.times, end)]
            for since, until in pairwise((start, *inside, end)):
                if until > self.period.start:
                    yield Span(since, until)

    def longest(self, during: Schedule | None = None) -> Gap | None:
        """The largest of them, the first of equals; None where there is none."""
        found = max(self.gaps(during), key=lambda gap: gap.end - gap.start, default=None)
        return None if found is None else Gap(*found, overlap(found, self.unobserved))

    def coverage(self, rule: Coverage) -> CoverageFigures:
        """What a rule makes of it. A gap of just the limit is within it."""
        over = [
            Span(max(gap.start + rule.every, self.period.start), gap.end)
            for gap in self.gaps(rule.during)
            if gap.end - gap.start > rule.every
        ]
        return CoverageFigures(
            rule=rule,
            longest=self.longest(rule.during),
            over=sum(span.end - span.start for span in over),
            over_unobserved=sum(overlap(span, self.unobserved) for span in over),
        )


def overlap(span: Span, others: Sequence[Span]) -> Millis:
    """How much of a span lies in others, which do not overlap each other."""
    return sum(max(0, min(span.end, other.end) - max(span.start, other.start)) for other in others)


def merged(spans: Sequence[tuple[Millis, Millis]], within: Span) -> tuple[Span, ...]:
    """Spans cut to a period, ascending; those that touch or overlap made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        start, end = max(start, within.start), min(end, within.end)  # noqa: PLW2901 - cut to the period
        if start >= end:
            continue
        if joined and start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(Span(start, end))
    return tuple(joined)


def _open(during: Schedule | None, span: Span) -> Iterator[Span]:
    """The open stretches of a span."""
    if during is None:
        yield span
        return
    at = span.start
    while at < span.end:
        change = during.next_change(at)
        until = span.end if change is None else min(change, span.end)
        if during.is_open(at):
            yield Span(at, until)
        at = until
