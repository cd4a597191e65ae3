"""What was refused: counted, kept for a look and a retry; and the rows the telemetry store would not take."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.http.context import Asked, Context
from api.http.paging import Listing, Paged, cursor_of
from api.http.problems import Problem
from api.http.texts import INTEGER_MOST, Search
from gateway.adapters.sql import refusals
from gateway.adapters.sql.quarantine import NOBODY
from gateway.codecs.reasons import REASONS
from gateway.core.values import Scalar, TelemetryRow

router = APIRouter(tags=["quarantine"])

TOTALS_MOST = 500
"""Pairs of device and reason that are shown: the most frequent."""

Number = Annotated[int, Path(ge=1, le=INTEGER_MOST)]
T = TypeVar("T")


class RefusedListing(Listing):
    """Which refused payloads."""

    device: Search | None = Field(None, description="an id, or - for topics that name no device")
    reason: Search | None = None


class TotalView(BaseModel):
    """How often something was refused."""

    device: str | None
    reason: str
    meaning: str
    count: int
    first_at: str
    last_at: str


class RefusedView(BaseModel):
    """A refused payload that was kept."""

    id: int
    at: str
    device: str | None
    reason: str
    topic: str
    detail: str
    size: int = Field(description="bytes that are kept")
    whole: bool = Field(description="false: only the beginning was kept, so it cannot be retried")


class RefusedDetail(RefusedView):
    """The same with the payload: as text where it is text, else in base64."""

    text: str | None
    base64: str | None


class Quarantine(Paged[RefusedView]):
    """Totals, and a page of what is kept."""

    totals: list[TotalView]


class Retry(BaseModel):
    """Which payloads to take again."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[int, Field(ge=1, le=INTEGER_MOST, strict=True)]] = Field(min_length=1, max_length=500)


class Retried(BaseModel):
    """How a retry went."""

    id: int
    accepted: bool
    words: str = Field(description="`accepted`, or why not: the new reason, `gone` or `cut short`")


class DeadLetterView(BaseModel):
    """A row the telemetry store will never take."""

    id: int
    at: str
    words: str = Field(description="the store's own")
    measurement: str
    tags: dict[str, str]
    ts: str
    fields: dict[str, Scalar]


@router.get("/quarantine")
async def list_refused(asked: Asked, wanted: Annotated[RefusedListing, Query()]) -> Quarantine:
    """What was refused, by device and reason, and what is kept of it, newest first."""
    before, store = wanted.before, asked.gateway.store
    totals, items = await store.read(
        lambda connection: (
            refusals.refused_totals(
                connection, limit=TOTALS_MOST, device=wanted.device, reason=wanted.reason
            ),
            refusals.refused_items(
                connection, before=before, limit=wanted.limit + 1, device=wanted.device, reason=wanted.reason
            ),
        )
    )
    shown, following = _cut(items, wanted.limit, lambda one: one.id)
    return Quarantine(
        items=[RefusedView(**_refused(asked, one)) for one in shown],
        next=following,
        totals=[
            TotalView(
                device=None if one.device == NOBODY else one.device,
                reason=one.reason,
                meaning=REASONS.get(one.reason, one.reason),
                count=one.times,
                first_at=asked.written(one.first_at),
                last_at=asked.written(one.last_at),
            )
            for one in totals
        ],
    )


@router.get("/quarantine/{number}")
async def get_refused(asked: Asked, number: Number) -> RefusedDetail:
    """One refused payload."""
    found = await _find(asked, number)
    try:
        text, encoded = found.payload.decode(), None
    except UnicodeDecodeError:
        text, encoded = None, base64.b64encode(found.payload).decode()
    return RefusedDetail(**_refused(asked, found), text=text, base64=encoded)


@router.post("/quarantine/retry")
async def retry(asked: Asked, body: Retry) -> list[Retried]:
    """Take refused payloads again, after a profile or the site was put right. What is accepted leaves quarantine."""
    words = await asked.gateway.retry(list(dict.fromkeys(body.ids)))
    return [Retried(id=number, accepted=word == "accepted", words=word) for number, word in words.items()]


@router.delete("/quarantine/{number}", status_code=204)
async def forget(asked: Asked, number: Number) -> None:
    """Delete a refused payload; it stays counted."""
    await _find(asked, number)
    await asked.gateway.store.forget_refused([number])


@router.get("/dead-letters")
async def list_dead_letters(asked: Asked, wanted: Annotated[Listing, Query()]) -> Paged[DeadLetterView]:
    """Rows the telemetry store refused, newest first."""
    before = wanted.before
    letters = await asked.gateway.store.read(
        lambda connection: refusals.dead_letters(connection, before=before, limit=wanted.limit + 1)
    )
    shown, following = _cut(letters, wanted.limit, lambda one: one.id)
    return Paged(items=[_letter(asked, one) for one in shown], next=following)


async def _find(asked: Context, number: int) -> refusals.RefusedItem:
    found = await asked.gateway.store.read(lambda connection: refusals.refused_item(connection, number))
    if found is None:
        raise Problem(404, f"quarantine has no payload {number}; it may have been taken or deleted")
    return found


def _cut(found: Sequence[T], limit: int, number: Callable[[T], int]) -> tuple[Sequence[T], str | None]:
    more = len(found) > limit
    return found[:limit], cursor_of((number(found[limit - 1]), "") if more else None)


def _refused(asked: Context, one: refusals.RefusedItem) -> dict[str, object]:
    return {
        "id": one.id,
        "at": asked.written(one.at),
        "device": None if one.device == NOBODY else one.device,
        "reason": one.reason,
        "topic": one.topic,
        "detail": one.detail,
        "size": len(one.payload),
        "whole": one.whole,
    }


def _letter(asked: Context, one: refusals.DeadLetter) -> DeadLetterView:
    row = msgspec.json.decode(one.row, type=TelemetryRow)
    return DeadLetterView(
        id=one.id,
        at=asked.written(one.at),
        words=one.words,
        measurement=row.series.measurement,
        tags=dict(row.series.tags),
        ts=asked.written(row.ts),
        fields=row.fields,
    )
