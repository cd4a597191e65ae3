"""Backtests: what a changed site would have made of what the gateway has recorded."""

import asyncio
import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import IO, Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.responses import StreamingResponse

from api.http import backtest_messages as messages
from api.http.backtest_jobs import WAITING_MOST, Backtests, Full
from api.http.backtest_process import Ended
from api.http.backtest_shelf import Entry
from api.http.backtest_views import BacktestBody, BacktestDetail, BacktestEntry, entry_view
from api.http.context import Asked, Wish, Wished
from api.http.paging import Listing, Paged, cursor_of
from api.http.problems import Problem
from api.http.routes.patrol_report import POLICY
from api.http.texts import Id

router = APIRouter(prefix="/backtests", tags=["backtests"])

PIECE = 64 << 10
"""Bytes read at a time."""
_HTML: dict[str, object] = {"schema": {"type": "string"}}

BacktestId = Annotated[Id, Path(description="the id of a backtest")]


def backtests(request: Request) -> Backtests:
    """Those of this gateway."""
    found: Backtests = request.app.state.backtests
    return found


All = Annotated[Backtests, Depends(backtests)]


@router.post("", status_code=202)
async def start(wish: Wished, every: All, body: BacktestBody, response: Response) -> BacktestEntry:
    """Try a change on what the journal holds. The candidate is looked at before this is answered; the rest takes its time."""
    name = _id(wish, body)
    found = await every.find(name)
    if found is None:
        if every.full:
            raise _full()
        order = _order(wish, body)
        digest = await _check(every, order)
        try:
            found = await every.add(_entry(wish, body, name, digest), order)
        except Full:
            raise _full() from None
    response.headers["Location"] = f"/api/v1/backtests/{name}"
    return entry_view(wish.asked, found, every.ahead(name))


@router.get("")
async def list_backtests(
    asked: Asked, every: All, wanted: Annotated[Listing, Query()]
) -> Paged[BacktestEntry]:
    """Backtests without their results, newest first."""
    after = wanted.after
    found = [one for one in await every.all() if after is None or (one.asked_at, one.id) < after]
    page, more = found[: wanted.limit], len(found) > wanted.limit
    following = cursor_of((page[-1].asked_at, page[-1].id)) if more else None
    return Paged(items=[entry_view(asked, one, every.ahead(one.id)) for one in page], next=following)


@router.get("/{backtest}", response_model=BacktestDetail)
async def get_backtest(asked: Asked, every: All, backtest: BacktestId) -> Response:
    """How far it is, and its result once it is done."""
    one = await _find(every, backtest)
    head = entry_view(asked, one, every.ahead(one.id)).model_dump_json(by_alias=True).encode()[:-1]
    if one.state != "done":
        return Response(head + b',"result":null}', media_type="application/json")
    source = await asyncio.to_thread(_opened, every.file(one.id, messages.RESULT))
    pieces = _pieces(source, head + b',"result":', b"}")
    return StreamingResponse(pieces, media_type="application/json")


class Reading(BaseModel):
    """In which language."""

    model_config = ConfigDict(extra="forbid")

    lang: Literal["en", "zh"] = "en"


@router.get("/{backtest}/report", response_class=Response, responses={200: {"content": {"text/html": _HTML}}})
async def get_report(every: All, backtest: BacktestId, wanted: Annotated[Reading, Query()]) -> Response:
    """The result as a page with charts, to be read and printed."""
    one = await _find(every, backtest)
    if one.state != "done":
        raise Problem(409, f"the backtest {one.id} is {one.state}; there is a report of one that is done")
    source = await asyncio.to_thread(_opened, every.file(one.id, messages.REPORT.format(wanted.lang)))
    return StreamingResponse(
        _pieces(source),
        media_type="text/html; charset=utf-8",
        headers={
            "Content-Disposition": f'inline; filename="{one.id}-{wanted.lang}.html"',
            "Content-Security-Policy": POLICY,
        },
    )


@router.delete("/{backtest}", responses={204: {"description": "It had ended, and is removed"}})
async def remove(wish: Wished, every: All, backtest: BacktestId) -> BacktestEntry:
    """Call off one that waits or runs; it stays in the list. One that has ended is removed with its result."""
    await _find(every, backtest)
    stopped = await every.remove(backtest)
    if stopped is None:
        return Response(status_code=204)  # type: ignore[return-value]  # FastAPI passes a response on as it is
    return entry_view(wish.asked, stopped, None)


async def _find(every: Backtests, name: str) -> Entry:
    found = await every.find(name)
    if found is None:
        raise Problem(404, f"there is no backtest {name}")
    return found


def _id(wish: Wish, body: BacktestBody) -> str:
    """The same request under the same key is the same backtest; without a key each one is another."""
    cause = uuid.uuid4().bytes
    if wish.key is not None:
        cause = msgspec.json.encode((wish.key, wish.actor, body.model_dump_json()))
    return f"bt-{hashlib.blake2b(cause, digest_size=10).hexdigest()}"


def _order(wish: Wish, body: BacktestBody) -> messages.Order:
    return messages.Order(
        data_dir=str(wish.asked.gateway.store.path.absolute()),
        now=wish.asked.plan.digest,
        files=body.files,
        wanted=body.wanted(),
        days=body.days,
        warm_up=body.warm_up,
        budgets=body.budgets.given(),
    )


def _entry(wish: Wish, body: BacktestBody, name: str, candidate: str) -> Entry:
    return Entry(
        id=name,
        state="queued",
        by=wish.actor,
        asked_at=wish.asked.now,
        days=body.days,
        warm_up=body.warm_up,
        settings={target: {**params} for target, params in body.settings.items()},
        files=sorted(body.files),
        budgets=body.budgets.given(),
        now=wish.asked.plan.digest,
        candidate=candidate,
    )


async def _check(every: Backtests, order: messages.Order) -> str:
    """The digest of the candidate. Raises :class:`Problem` where it is wrong."""
    try:
        answer = await every.check(order)
    except Ended as error:
        raise Problem(503, f"the candidate could not be looked at: {error}", {"Retry-After": "10"}) from None
    except TimeoutError:
        raise Problem(503, "other candidates are being looked at; ask again", {"Retry-After": "10"}) from None
    if isinstance(answer, messages.Fine):
        return answer.digest
    if isinstance(answer, messages.Wrong):
        problems = [msgspec.structs.asdict(one) for one in answer.problems]
        raise Problem(422, "the candidate is wrong; nothing was started", problems=problems)
    words = answer.words if isinstance(answer, messages.Failed) else "it gave no answer"
    raise Problem(503, f"the candidate could not be looked at: {words}", {"Retry-After": "10"})


def _full() -> Problem:
    words = f"{WAITING_MOST} backtests wait already; ask again when one is over, or cancel one"
    return Problem(429, words, {"Retry-After": "30"})


def _opened(file: FilePath) -> IO[bytes]:
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise Problem(404, "the result is not on disk any more") from None


def _pieces(source: IO[bytes], before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    with source:
        yield before
        while piece := source.read(PIECE):
            yield piece
        yield after
