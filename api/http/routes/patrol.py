"""Patrol: routes, rounds and what a person does about one, and how long nobody was at a checkpoint."""

import re
from datetime import date
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.http.bearers import GuardWished
from api.http.context import Asked, Context, Wish, etag
from api.http.gap_views import UNKNOWN, GapsView, checkpoint_gaps, take_down, times_of
from api.http.instants import Moment
from api.http.paging import Listing, Paged, cursor_of
from api.http.patrol_acts import conflict, heed_version
from api.http.problems import Problem, wrong
from api.http.round_views import (
    RoundDetail,
    RoundView,
    RouteView,
    judged_so_far,
    round_detail,
    round_view,
    route_view,
)
from api.http.routes.taps import find_tap
from api.http.tap_views import TapView, tap_view
from api.http.texts import Id, Name, Reason
from gateway.adapters.sql import patrol_records
from gateway.core.patrol.memory import Round, RoundState, TapRecord
from gateway.core.state import Reply
from gateway.core.values import DAY, Json, Millis
from gateway.reports.gaps import Span

router = APIRouter(prefix="/patrol", tags=["patrol"])

RoundId = Annotated[Id, Path(description="the id of a round")]

PERIOD_MOST: Millis = 400 * DAY
"""Over which gaps are looked for."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise ValueError(f"found {ascii(text)[:60]}; a day is written as 2026-11-23")
    return date.fromisoformat(text).isoformat()


Day = Annotated[str, AfterValidator(_day)]


class RoundListing(Listing):
    """Which rounds; days are those of the shift."""

    date: Day | None = None
    from_: Day | None = Field(None, alias="from", description="this day or later")
    to: Day | None = Field(None, description="this day or earlier")
    route: Id | None = None
    state: RoundState | None = None
    result: Literal["pending", "complete", "doubtful", "incomplete", "unknown", "cancelled"] | None = None


class GapsQuery(BaseModel):
    """Over which period; the last 24 h when left out."""

    model_config = ConfigDict(extra="forbid")

    start: Moment | None = None
    end: Moment | None = None
    checkpoint: Id | None = None


class Skip(BaseModel):
    """A stop that cannot be visited."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Id
    why: Reason


class MakeUp(Skip):
    """A tap entered afterwards."""

    guard: Name
    ts: Moment | None = Field(None, description="when the guard was there; now when left out")


@router.get("/routes")
async def list_routes(asked: Asked) -> list[RouteView]:
    """Routes with their stops, and when the next round is due."""
    live = list(asked.gateway.patrol.rounds.values())
    return [route_view(asked, route, live) for route in asked.plan.routes.values()]


@router.get("/rounds")
async def list_rounds(asked: Asked, wanted: Annotated[RoundListing, Query()]) -> Paged[RoundView]:
    """Rounds, the latest to begin first. One that is still open shows what was visited so far."""
    after = wanted.after
    query = patrol_records.RoundQuery(
        date=wanted.date,
        date_from=wanted.from_,
        date_to=wanted.to,
        route=wanted.route,
        state=wanted.state,
        result=wanted.result,
    )

    def read(connection: sa.Connection) -> tuple[list[RoundView], str | None]:
        page = patrol_records.rounds(connection, query, after=after, limit=wanted.limit)
        items = [round_view(asked, judged_so_far(one, asked.plan)) for one in page.items]
        return items, cursor_of(page.next)

    items, following = await asked.gateway.store.read(read)
    return Paged(items=items, next=following)


@router.get("/rounds/{round_id}")
async def get_round(asked: Asked, round_id: RoundId, response: Response) -> RoundDetail:
    """One round: its stops in walking order, what was odd, and every tap that belongs to it."""
    found = await _find(asked, round_id)
    response.headers.update(etag(found.version))
    return found


@router.post("/rounds/{round_id}/skip")
async def skip(wish: GuardWished, round_id: RoundId, body: Skip, response: Response) -> RoundDetail:
    """A stop cannot be visited, and somebody says why."""
    reply = await _act(wish, "round.skip", round_id, body.model_dump(mode="json"))
    found = await _find(wish.asked, round_id)
    if reply.status != "done":
        raise conflict(reply, found)
    response.headers.update(etag(found.version))
    return found


@router.post("/rounds/{round_id}/make-up", status_code=201)
async def make_up(wish: GuardWished, round_id: RoundId, body: MakeUp, response: Response) -> TapView:
    """Enter a tap afterwards for a stop that was missed: it waits for a supervisor, and never counts as on time."""
    args: dict[str, Json] = body.model_dump(mode="json", exclude_none=True)
    reply = await _act(wish, "round.make_up", round_id, args)
    if reply.status != "done" or reply.subject is None:
        raise conflict(reply, await _find(wish.asked, round_id))
    found = await find_tap(wish.asked, reply.subject)
    response.headers.update({**etag(found.version), "Location": f"/api/v1/taps/{found.id}"})
    return tap_view(wish.asked, found)


async def _act(wish: Wish, verb: str, name: str, args: dict[str, Json]) -> Reply:
    live = wish.asked.gateway.patrol.rounds.get(name)
    if live is not None:
        heed_version(wish, live.version)
    reply = await wish.submit(verb, name, args)
    if reply.status == "not_found":
        found = await _find(wish.asked, name)
        raise Problem(409, "the round is closed; nothing of it changes any more", current=found.model_dump(mode="json"))  # fmt: skip
    return reply


async def _find(asked: Context, name: str) -> RoundDetail:
    def read(connection: sa.Connection) -> RoundDetail | None:
        one: Round | None = patrol_records.patrol_round(connection, name)
        if one is None:
            return None
        return round_detail(
            asked, judged_so_far(one, asked.plan), patrol_records.taps_of_round(connection, name)
        )

    found = await asked.gateway.store.read(read)
    if found is None:
        raise Problem(404, f"there is no round {name}")
    return found


@router.get("/gaps")
async def list_gaps(asked: Asked, wanted: Annotated[GapsQuery, Query()]) -> GapsView:
    """How long nobody was at each checkpoint: now, and at the longest over a period. Never an average."""
    period = _period(asked, wanted)
    names = list(asked.plan.checkpoints)
    if wanted.checkpoint is not None:
        names = [name for name in names if name == wanted.checkpoint]
        if not names:
            raise Problem(404, f"the site {asked.plan.site} has no checkpoint {wanted.checkpoint}")
    known = take_down(asked.gateway.patrol.places)
    last = [place.last[1] for name in names if (place := known.get(name, UNKNOWN)).last is not None]

    def read(connection: sa.Connection) -> GapsView:
        taps: dict[str, TapRecord] = patrol_records.taps_by_id(connection, last)
        times = times_of(patrol_records.proofs_between(connection, period.start, period.end))
        items = [
            checkpoint_gaps(asked, name, known.get(name, UNKNOWN), times.get(name, []), taps, period)
            for name in names
        ]
        return GapsView(start=asked.written(period.start), end=asked.written(period.end), items=items)

    return await asked.gateway.store.read(read)


def _period(asked: Context, wanted: GapsQuery) -> Span:
    """What lies in the future is no gap yet."""
    end = asked.now if wanted.end is None else min(wanted.end, asked.now)
    start = end - DAY if wanted.start is None else wanted.start
    if not start < end:
        raise wrong("query.start", "start lies before end, and not in the future")
    if end - start > PERIOD_MOST:
        raise wrong("query.start", f"a period has at most {PERIOD_MOST // DAY} days")
    return Span(start, end)
