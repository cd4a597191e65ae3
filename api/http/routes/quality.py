"""Alert quality: the figures by which the alerts themselves are judged."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http.context import Asked, Context
from api.http.instants import Moment
from api.http.local_time import LocalTime
from api.http.problems import wrong
from api.http.quality_board import Board
from api.http.quality_views import QualityView
from gateway.adapters.sql import quality
from gateway.core.quality_figures import Period, aligned
from gateway.core.values import DAY, Millis

router = APIRouter(prefix="/alert-quality", tags=["alerts"])

DAYS = 7
"""Days of the site that are shown when nothing else is asked for, today among them."""
LONGEST: Millis = 400 * DAY


class Wanted(BaseModel):
    """Which period, and what to group by."""

    model_config = ConfigDict(extra="forbid")

    start: Moment | None = Field(None, description="seven days of the site, today among them, when not given")
    end: Moment | None = Field(None, description="now when not given")
    by: Literal["rule", "operator", "level", "device", "building"] | None = None


@router.get("")
async def get_alert_quality(asked: Asked, wanted: Annotated[Wanted, Query()]) -> QualityView:
    """Rate, floods, top ten, chattering, stale, priority mix, times to acknowledge and to clear, time shelved.

    Each beside its target after EEMUA 191. Time nobody observed is left out of rates and shares.
    """
    period = aligned(_period(asked, wanted), LocalTime(asked.plan.timezone).offset_at)
    read = quality.reader(period)
    return await asked.gateway.store.read(
        lambda connection: Board(asked, period, read(connection)).view(wanted.by)
    )


def _period(asked: Context, wanted: Wanted) -> Period:
    end = asked.now if wanted.end is None else wanted.end
    start = wanted.start
    if start is None:
        local = LocalTime(asked.plan.timezone)
        start = max(0, local.midnight(local.day_of(max(end, DAYS * DAY) - 1) - timedelta(days=DAYS - 1)))
    if start >= end:
        raise wrong("query.start", "start is before end")
    if end - start > LONGEST:
        raise wrong("query.start", f"a period of figures has at most {LONGEST // DAY} days")
    return Period(start, end)
