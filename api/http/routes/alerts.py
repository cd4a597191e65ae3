"""Alerts: lists, one with its history, and what a person does about it."""

from collections.abc import Callable
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.http.alert_views import (
    HISTORY_MOST,
    AlertDetail,
    AlertView,
    alert_detail,
    alert_view,
    rule_of,
)
from api.http.conflicts import moved_on
from api.http.context import Asked, Change, Context, Wish, Wished, etag
from api.http.instants import Moment
from api.http.inventory import Filter, Inventories
from api.http.paging import Listing, Paged, cursor_of
from api.http.problems import Problem
from api.http.texts import Id, Prose, Search
from gateway.adapters.sql import records
from gateway.core.state import Alert, AlertState, Reply
from gateway.core.values import Json, Level

router = APIRouter(prefix="/alerts", tags=["alerts"])

AlertId = Annotated[Id, Path(description="the id of an alert")]
LevelName = Literal["info", "warning", "critical"]


class AlertListing(Listing):
    """Which alerts."""

    live: bool | None = Field(None, description="not ended yet, or ended")
    state: list[AlertState] = Field([], max_length=8)
    level: list[LevelName] = Field([], max_length=8)
    device: Id | None = None
    rule: Id | None = None
    kind: Id | None = None
    building: Id | None = None
    floor: Id | None = None
    start: Moment | None = Field(None, description="raised at or after")
    end: Moment | None = Field(None, description="raised before")
    text: Search | None = Field(None, description="part of the alert's, rule's or device's id or title")


class Comment(Change):
    """A word for the history."""

    text: Prose


@router.get("")
async def list_alerts(
    request: Request, asked: Asked, wanted: Annotated[AlertListing, Query()]
) -> Paged[AlertView]:
    """Alerts, the newest raised first."""
    after = wanted.after
    query = records.AlertQuery(
        live=wanted.live,
        states=wanted.state,
        levels=[Level[name.upper()] for name in wanted.level],
        rule=wanted.rule,
        devices=devices_among(
            request, asked, wanted.device, Filter(wanted.kind, wanted.building, wanted.floor)
        ),
        start=wanted.start,
        end=wanted.end,
        keep=_mentions(asked, wanted.text) if wanted.text else None,
    )
    page = await asked.gateway.store.read(
        lambda connection: records.alerts(connection, query, after=after, limit=wanted.limit)
    )
    return Paged(items=[alert_view(asked, one) for one in page.items], next=cursor_of(page.next))


def devices_among(
    request: Request, asked: Context, device: str | None, narrow: Filter
) -> frozenset[str] | None:
    """The devices a list is about; None for all, also those the site no longer has."""
    if not narrow:
        return None if device is None else frozenset({device})
    inventories: Inventories = request.app.state.inventories
    found = frozenset(one.id for one in inventories.of(asked.plan).find(narrow))
    return found if device is None else found & {device}


def _mentions(asked: Context, text: str) -> Callable[[Alert], bool]:
    sought = text.casefold()

    def mentions(alert: Alert) -> bool:
        words = [alert.id, alert.device, alert.rule]
        if (device := asked.plan.devices.get(alert.device)) is not None:
            words += [*device.title, device.place or ""]
        if (rule := rule_of(asked, alert.device, alert.rule)) is not None:
            words += rule.title
        return sought in "\n".join(words).casefold()

    return mentions


@router.get("/{alert}")
async def get_alert(asked: Asked, alert: AlertId, response: Response) -> AlertDetail:
    """One alert with its history. Its ETag is its version."""
    found = await _find(asked, alert)
    response.headers.update(etag(found.version))
    return found


@router.post("/{alert}/ack")
async def ack(wish: Wished, alert: AlertId, response: Response, body: Change | None = None) -> AlertDetail:
    """Somebody has seen it."""
    return await _change(wish, "alert.ack", alert, {}, body, response)


@router.post("/{alert}/reset")
async def reset(wish: Wished, alert: AlertId, response: Response, body: Change | None = None) -> AlertDetail:
    """Let go of a latched alert whose condition has gone."""
    return await _change(wish, "alert.reset", alert, {}, body, response)


@router.post("/{alert}/comment")
async def comment(wish: Wished, alert: AlertId, response: Response, body: Comment) -> AlertDetail:
    """Add a word to its history."""
    return await _change(wish, "alert.comment", alert, {"text": body.text}, body, response)


async def _change(
    wish: Wish, verb: str, alert: str, args: dict[str, Json], body: Change | None, response: Response
) -> AlertDetail:
    expect = wish.expected(body)
    reply = await wish.submit(verb, alert, args, expect)
    found = await _find(wish.asked, alert)
    if reply.status != "done":
        raise _conflict(found, reply, expect)
    response.headers.update(etag(found.version))
    return found


async def _find(asked: Context, name: str) -> AlertDetail:
    def query(connection: sa.Connection) -> AlertDetail | None:
        found = records.alert(connection, name)
        if found is None:
            return None
        return alert_detail(asked, found, records.history(connection, name, HISTORY_MOST))

    found = await asked.gateway.store.read(query)
    if found is None:
        raise Problem(404, f"there is no alert {name}")
    return found


def _conflict(found: AlertDetail, reply: Reply, expect: int | None) -> Problem:
    ended = f"the alert has ended: {found.ended_why}, {found.ended_at}"
    return moved_on(found, reply.detail if found.live else ended, expect)
