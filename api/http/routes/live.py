"""The live feed."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http.instants import Span
from api.http.live import Live, Wanted
from api.http.problems import wrong
from api.http.texts import Id
from gateway.core.values import SECOND

router = APIRouter(tags=["live"])

_SEQ_DIGITS = 18


def _words(value: object) -> object:
    """``kinds=alert,work_order`` is short for ``kinds=alert&kinds=work_order``."""
    if not isinstance(value, list):
        return value
    return [word for item in value for word in (item.split(",") if isinstance(item, str) else [item])]


def _readings(value: object) -> object:
    return {"true": "latest", "1": "latest", "false": "none", "0": "none"}.get(str(value), value)


class LiveQuery(BaseModel):
    """What to hear."""

    model_config = ConfigDict(extra="forbid")

    kinds: Annotated[
        list[Literal["alert", "work_order", "patrol", "device", "gateway", "rejected"]],
        BeforeValidator(_words),
        Field(max_length=10, description="all when left out"),
    ] = []
    device: Annotated[list[Id], BeforeValidator(_words)] = Field([], max_length=100)
    readings: Annotated[Literal["none", "latest", "all"], BeforeValidator(_readings)] | None = Field(
        None,
        description="`true` or `latest`: at most one a device and `every`; `all`: each one; with `device`, latest",
    )
    every: Span = Field(SECOND, description="how often the latest reading of a device is sent")
    last_event_id: str | None = Field(
        None, max_length=_SEQ_DIGITS, description="where a header cannot be set"
    )


@router.get("/live", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def live(
    request: Request,
    wanted: Annotated[LiveQuery, Query()],
    last_event_id: Annotated[str | None, Header(max_length=_SEQ_DIGITS)] = None,
) -> Response:
    """What happens, as it is committed, as server-sent events.

    Events are named `alert`, `work_order`, `patrol`, `device`, `gateway` and `rejected`; their id is the number under which they
    are on record, so a client that comes back with `Last-Event-ID` misses nothing. `reading` events have no id. A
    `reset` says that what was missed is not on record any more: load what you show again.
    """
    streams: Live = request.app.state.live
    choice = wanted.readings or ("latest" if wanted.device else "none")
    return streams.open(
        Wanted(
            frozenset(wanted.kinds) or None,
            frozenset(wanted.device) or None,
            choice,
            wanted.every / 1_000,
        ),
        _number(last_event_id if last_event_id is not None else wanted.last_event_id),
    )


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise wrong("header.Last-Event-ID", f"found {text!a}; the id of an event is a number")
    return int(text)
