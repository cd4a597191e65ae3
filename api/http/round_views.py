"""Rounds and routes as they are shown: what was due, and what became of it stop by stop."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_clocks import calendar_time
from api.http.device_views import TitleView
from api.http.patrol_names import (
    FlagView,
    NamedView,
    SpotView,
    flag_views,
    guard_named,
    odd_title,
    outcome_title,
    route_named,
    spot,
)
from api.http.tap_views import TapView, tap_view
from gateway.core.patrol import judging
from gateway.core.patrol.memory import Oddity, Round, RoundState, RoundStop, StopOutcome, TapRecord
from gateway.core.patrol.rounds import tally
from gateway.core.patrol.routes import Route, Stop
from gateway.core.plan import SitePlan
from gateway.core.values import Millis


class StopPlanView(BaseModel):
    """One stop of a route; times count from the start of the round."""

    checkpoint: SpotView
    opens_seconds: float | None = Field(description="not before; null for the start of the round")
    closes_seconds: float | None = Field(description="not after; null for its end")
    least_seconds: float | None = Field(description="the shortest time from the stop before")
    most_seconds: float | None


class RouteView(NamedView):
    """A route, and when rounds are due on it."""

    stops: list[StopPlanView]
    order: str
    persons: int
    accept: str = Field(description="the weakest grade of evidence that counts")
    readers: list[str]
    guards: list[NamedView] = Field(description="who walks it; empty where anybody may")
    schedule: str | None = Field(description="an RRULE; null where no round is ever due")
    since: str | None = Field(description="the first local time it counts from")
    lasts_seconds: float | None
    until: str | None = Field(description="the local time at which the window ends, where it has no length")
    next_due: str | None
    live: list[str] = Field(description="rounds that are open, or judged and not closed")


class OutcomeView(BaseModel):
    """What became of a stop, or a tap beside those that were asked for."""

    checkpoint: SpotView
    outcome: str
    title: TitleView
    ts: str | None
    tap: str | None
    grade: str | None
    guard: NamedView | None
    reason: str = Field(description="why it was skipped; one_person where the second guard was missing")
    out_of_order: bool
    provisional: bool = Field(description="missed, but a reader or phone that may know better has not synced")
    flags: list[FlagView]


class StopView(OutcomeView):
    """One stop with its window."""

    opens: str
    closes: str


class OddityView(BaseModel):
    """Something a supervisor should look at."""

    kind: str
    title: TitleView
    checkpoint: SpotView | None
    ts: str | None
    took_seconds: float | None
    limit_seconds: float | None
    tap: str | None


class RoundView(BaseModel):
    """One due instance of a route."""

    id: str
    version: int
    route: NamedView
    date: str = Field(description="the shift it belongs to")
    start: str
    end: str
    opens_at: str = Field(description="from when on taps count, as early")
    judge_at: str = Field(description="when the grace is over")
    close_at: str = Field(description="when no late upload is taken any more")
    state: str
    result: str
    order: str
    persons: int
    readers: list[str]
    guards: list[NamedView]
    contact: str = Field(description="of the dead-man timer: ok, quiet or lost")
    contact_at: str | None
    judged_at: str | None
    stops_due: int
    outcomes: dict[str, int] = Field(description="stops by outcome, those there are")
    oddities_found: int


class RoundDetail(RoundView):
    """One round in full."""

    stops: list[StopView] = Field(description="in walking order")
    extras: list[OutcomeView]
    oddities: list[OddityView]
    taps: list[TapView] = Field(description="all that belong to it, by time")


def judged_so_far(one: Round, plan: SitePlan) -> Round:
    """A round just read from the records; where it is still open, judged by what is there. Changed in place."""
    if one.state is RoundState.OPEN:
        patrol = plan.patrol

        def distance(here: str, there: str) -> Millis:
            return max(patrol.least, patrol.distances.get(frozenset((here, there)), 0))

        judging.judge(one, distance, unsynced=False)
    return one


def route_view(asked: Context, route: Route, live: Iterable[Round]) -> RouteView:
    """A route."""
    due = None if route.due is None else route.due.after(asked.now)
    until = None if route.until is None else "{:02d}:{:02d}".format(*route.until)
    named = route_named(asked, route.id)
    return RouteView(
        id=named.id,
        title=named.title,
        stops=[_stop_plan(asked, route, stop) for stop in route.stops],
        order=route.order,
        persons=route.persons,
        accept=route.accept,
        readers=list(route.readers),
        guards=_guards(asked, route.guards),
        schedule=None if route.due is None else route.due.rule,
        since=None if route.due is None else route.due.start.isoformat(timespec="minutes"),
        lasts_seconds=_seconds(route.lasts),
        until=until,
        next_due=None if due is None else asked.written(due.at),
        live=sorted(one.id for one in live if one.route == route.id),
    )


def _stop_plan(asked: Context, route: Route, stop: Stop) -> StopPlanView:
    return StopPlanView(
        checkpoint=spot(asked, stop.checkpoint),
        opens_seconds=_seconds(stop.opens),
        closes_seconds=_seconds(stop.closes),
        least_seconds=_seconds(route.least if stop.least is None else stop.least),
        most_seconds=_seconds(route.most if stop.most is None else stop.most),
    )


def round_view(asked: Context, one: Round) -> RoundView:
    """A round in a list."""
    return RoundView(
        id=one.id,
        version=one.version,
        route=route_named(asked, one.route),
        date=one.date,
        start=asked.written(one.start),
        end=asked.written(one.end),
        opens_at=asked.written(one.opens_at),
        judge_at=asked.written(one.judge_at),
        close_at=asked.written(one.close_at),
        state=one.state,
        result=one.result,
        order=one.order,
        persons=one.persons,
        readers=one.readers,
        guards=_guards(asked, one.guards),
        contact=one.contact,
        contact_at=asked.maybe(one.contact_at),
        judged_at=asked.maybe(one.judged_at),
        stops_due=len(one.stops),
        outcomes={word: number for word, number in tally(one.outcomes).items() if number},
        oddities_found=len(one.oddities),
    )


def round_detail(asked: Context, one: Round, taps: list[TapRecord]) -> RoundDetail:
    """A round in full; its outcomes are those of the stops, in their order, and then the extras."""
    brief = round_view(asked, one)
    by_id = {tap.id: tap for tap in taps}
    of_stops, extras = one.outcomes[: len(one.stops)], one.outcomes[len(one.stops) :]
    return RoundDetail(
        **{name: getattr(brief, name) for name in RoundView.model_fields},
        stops=[
            _stop_view(asked, stop, outcome, by_id)
            for stop, outcome in zip(one.stops, of_stops, strict=False)
        ],
        extras=[_outcome_view(asked, outcome, by_id) for outcome in extras],
        oddities=[_oddity_view(asked, odd) for odd in one.oddities],
        taps=[tap_view(asked, tap) for tap in taps],
    )


def _stop_view(
    asked: Context, stop: RoundStop, outcome: StopOutcome, taps: Mapping[str, TapRecord]
) -> StopView:
    found = _outcome_view(asked, outcome, taps)
    return StopView(
        **{name: getattr(found, name) for name in OutcomeView.model_fields},
        opens=asked.written(stop.opens),
        closes=asked.written(stop.closes),
    )


def _outcome_view(asked: Context, one: StopOutcome, taps: Mapping[str, TapRecord]) -> OutcomeView:
    tap = taps.get(one.tap or "")
    return OutcomeView(
        checkpoint=spot(asked, one.checkpoint),
        outcome=one.word,
        title=outcome_title(one.word),
        ts=calendar_time(asked, one.ts),
        tap=one.tap,
        grade=one.grade,
        guard=guard_named(asked, one.guard),
        reason=one.reason,
        out_of_order=one.out_of_order,
        provisional=one.provisional,
        flags=[] if tap is None else flag_views(tap.flags),
    )


def _oddity_view(asked: Context, odd: Oddity) -> OddityView:
    return OddityView(
        kind=odd.kind,
        title=odd_title(odd.kind),
        checkpoint=None if odd.checkpoint is None else spot(asked, odd.checkpoint),
        ts=calendar_time(asked, odd.ts),
        took_seconds=_seconds(odd.took),
        limit_seconds=_seconds(odd.limit),
        tap=odd.tap,
    )


def _guards(asked: Context, names: Iterable[str]) -> list[NamedView]:
    found = (guard_named(asked, name) for name in names)
    return [one for one in found if one is not None]


def _seconds(length: Millis | None) -> float | None:
    return None if length is None else length / 1_000
