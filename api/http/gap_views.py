"""How long nobody was at each checkpoint: the gap that runs now, and the largest of a period. Never an average."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.patrol_names import SpotView, spot
from gateway.adapters.sql.patrol_records import Proof
from gateway.core.patrol.memory import PlaceMemory, TapRecord
from gateway.core.patrol.routes import Coverage
from gateway.core.values import Millis
from gateway.reports.gaps import Gap, Span, Watch


class ProofView(BaseModel):
    """A tap that counts."""

    ts: str
    tap: str
    grade: str | None


class GapView(BaseModel):
    """A time without proof."""

    seconds: float
    since: str
    until: str
    running: bool = Field(description="it had not ended at the end of the period")


class LimitView(BaseModel):
    """What a coverage rule asks for, and the largest gap within its hours."""

    rule: str
    every_seconds: float
    grave_seconds: float | None
    largest: GapView | None
    over_seconds: float = Field(
        description="how long the limit was exceeded, all gaps of the period together"
    )


class CheckpointGaps(BaseModel):
    """One checkpoint."""

    checkpoint: SpotView
    last: ProofView | None = Field(description="the last proof there is")
    gap_seconds: float | None = Field(description="since then, or since gaps are counted here")
    gap: str = Field(description="no, provisional, long or grave")
    missed: str = Field(description="on a round: no, provisional, yes or grave")
    missed_round: str | None
    largest: GapView | None = Field(description="of those that reach into the period")
    limits: list[LimitView]


class GapsView(BaseModel):
    """Every checkpoint over a period."""

    start: str
    end: str
    items: list[CheckpointGaps]


class Known(NamedTuple):
    """What the engine remembers of a checkpoint, taken down."""

    last: tuple[Millis, str] | None
    watched_since: Millis | None
    gap: str
    missed: str
    missed_round: str | None


UNKNOWN = Known(None, None, "no", "no", None)


def take_down(places: Mapping[str, PlaceMemory]) -> dict[str, Known]:
    """What is remembered now, to be looked at outside the loop's thread."""
    return {
        name: Known(
            place.proofs[-1] if place.proofs else None,
            place.watched_since,
            place.gap,
            place.missed,
            place.missed_round,
        )
        for name, place in places.items()
    }


def times_of(proofs: Iterable[Proof]) -> dict[str, list[Millis]]:
    """When somebody proved to be at each checkpoint. A make-up, which no device sent, proves nothing."""
    return {
        name: [one.ts for one in found if one.counted and one.source]
        for name, found in groupby(proofs, lambda one: one.checkpoint)
    }


def checkpoint_gaps(
    asked: Context,
    checkpoint: str,
    known: Known,
    times: Sequence[Millis],
    taps: Mapping[str, TapRecord],
    period: Span,
) -> CheckpointGaps:
    """One checkpoint over a period."""
    watch = Watch(times, Span(_begin(known, times, period), period.end), ())
    last = None
    if known.last is not None:
        tap = taps.get(known.last[1])
        last = ProofView(
            ts=asked.written(known.last[0]), tap=known.last[1], grade=None if tap is None else tap.grade
        )
    since = known.watched_since if known.last is None else known.last[0]
    rules = asked.plan.patrol.coverage.values()
    return CheckpointGaps(
        checkpoint=spot(asked, checkpoint),
        last=last,
        gap_seconds=None if since is None else max(0, asked.now - since) / 1_000,
        gap=known.gap,
        missed=known.missed,
        missed_round=known.missed_round,
        largest=_gap_view(asked, watch.longest(), period),
        limits=[_limit_view(asked, rule, watch, period) for rule in rules if checkpoint in rule.checkpoints],
    )


def _begin(known: Known, times: Sequence[Millis], period: Span) -> Millis:
    """Where the first gap begins if there is no proof before the period: gaps are counted from some moment on."""
    if known.watched_since is None or (times and times[0] < period.start):
        return period.start
    first = min(known.watched_since, times[0]) if times else known.watched_since
    return min(max(period.start, first), period.end)


def _limit_view(asked: Context, rule: Coverage, watch: Watch, period: Span) -> LimitView:
    figures = watch.coverage(rule)
    return LimitView(
        rule=rule.name,
        every_seconds=rule.every / 1_000,
        grave_seconds=None if rule.grave is None else rule.grave / 1_000,
        largest=_gap_view(asked, figures.longest, period),
        over_seconds=figures.over / 1_000,
    )


def _gap_view(asked: Context, gap: Gap | None, period: Span) -> GapView | None:
    if gap is None:
        return None
    return GapView(
        seconds=gap.length / 1_000,
        since=asked.written(gap.since),
        until=asked.written(gap.until),
        running=gap.until >= period.end,
    )
