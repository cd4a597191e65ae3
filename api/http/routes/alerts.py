"""Alerts: lists, one with its history, and what a person does about it."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import sqlalchemy as sa
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import Field

from api.http.alert_views import (
    HISTORY_MOST,
    AlertDetail,
    AlertView,
    HappeningView,
    alert_detail,
    alert_view,
    rule_of,
)
from api.http.bulk import Bulk, BulkView, Ended, bulk_view, submit_bulk
from api.http.conflicts import moved_on
from api.http.context import Asked, Change, Context, Wish, Wished, etag
from api.http.histories import history_page
from api.http.instants import Moment
from api.http.inventory import Filter, Inventories
from api.http.paging import Listing, Paged, cursor_of
from api.http.problems import Problem
from api.http.shelving import ShelfGiven, Shelve, shelf_args, shelf_problem
from api.http.texts import Id, Name, Prose, Search
from gateway.adapters.sql import records
from gateway.core.quiet import How
from gateway.core.state import Alert, AlertState, DeviceState, Reply
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
    suppressed: bool | None = Field(None, description="kept quiet, or not; both when left out")
    how: list[How] = Field([], max_length=4, description="in which way kept quiet")
    assignee: Name | None = None
    team: Id | None = None
    chattering: bool | None = None
    stale: bool | None = None
    start: Moment | None = Field(None, description="raised at or after")
    end: Moment | None = Field(None, description="raised before")
    text: Search | None = Field(None, description="part of the alert's, rule's or device's id or title")


class Comment(Change):
    """A word for the history."""

    text: Prose


class Assignment(Change):
    """Whose it is; what is left out stays as it is, null takes it away."""

    team: Id | None = None
    assignee: Name | None = None


class BulkAct(Bulk):
    """Acknowledge, reset or unshelve many."""

    verb: Literal["ack", "reset", "unshelve"]


class BulkComment(Bulk):
    """Add the same word to many."""

    verb: Literal["comment"]
    text: Prose


class BulkAssign(Bulk):
    """Give many to somebody."""

    verb: Literal["assign"]
    team: Id | None = None
    assignee: Name | None = None


class BulkShelve(ShelfGiven, Bulk):
    """Shelve the rules of many."""

    verb: Literal["shelve"]


AlertBulk: TypeAlias = Annotated[BulkAct | BulkComment | BulkAssign | BulkShelve, Body(discriminator="verb")]


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
        suppressed=wanted.suppressed,
        how=wanted.how,
        assignee=wanted.assignee,
        keep=_matching(asked, wanted),
    )

    def read(connection: sa.Connection) -> tuple[records.Page[Alert], dict[str, DeviceState]]:
        page = records.alerts(connection, query, after=after, limit=wanted.limit)
        quiet = dict.fromkeys(one.device for one in page.items if one.suppressed is not None)
        return page, records.device_states(connection, quiet)

    page, states = await asked.gateway.store.read(read)
    items = [alert_view(asked, one, states.get(one.device)) for one in page.items]
    return Paged(items=items, next=cursor_of(page.next))


def devices_among(
    request: Request, asked: Context, device: str | None, narrow: Filter
) -> frozenset[str] | None:
    """The devices a list is about; None for all, also those the site no longer has."""
    if not narrow:
        return None if device is None else frozenset({device})
    inventories: Inventories = request.app.state.inventories
    found = frozenset(one.id for one in inventories.of(asked.plan).find(narrow))
    return found if device is None else found & {device}


def _matching(asked: Context, wanted: AlertListing) -> Callable[[Alert], bool] | None:
    """What no column can tell; None when nothing of it is asked."""
    tests: list[Callable[[Alert], bool]] = []
    if wanted.team is not None:
        tests.append(lambda alert: alert.team == wanted.team)
    if wanted.chattering is not None:
        tests.append(lambda alert: alert.chattering is wanted.chattering)
    if wanted.stale is not None:
        tests.append(lambda alert: alert.stale is wanted.stale)
    if wanted.text is not None:
        tests.append(_mentions(asked, wanted.text))
    return (lambda alert: all(test(alert) for test in tests)) if tests else None


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


@router.post("/bulk")
async def act_on_many(wish: Wished, body: AlertBulk) -> BulkView:
    """Do the same to many alerts, at most 500, in one turn. Each is judged by itself: a refusal holds up no other."""
    if isinstance(body, ShelfGiven):
        shelf_args(body)
    replies = await submit_bulk(wish, f"alert.{body.verb}", body)
    lost = [one for one, reply in zip(dict.fromkeys(body.ids), replies, strict=True) if _lost(reply)]
    found = await wish.asked.gateway.store.read(lambda connection: records.alerts_by_id(connection, lost))
    ended = {
        name: Ended(version=one.version, why=_end_words(one.ended_why, wish.asked.maybe(one.ended_at)))
        for name, one in found.items()
    }
    return bulk_view(body.ids, replies, ended)


def _lost(reply: Reply) -> bool:
    return reply.status == "not_found"


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


@router.post("/{alert}/assign")
async def assign(wish: Wished, alert: AlertId, response: Response, body: Assignment) -> AlertDetail:
    """Give it to a person, a team or both. What somebody else has is taken only with the version you saw."""
    args = body.model_dump(mode="json", exclude_unset=True, exclude={"version"})
    return await _change(wish, "alert.assign", alert, args, body, response)


@router.post("/{alert}/shelve")
async def shelve(wish: Wished, alert: AlertId, response: Response, body: Shelve) -> AlertDetail:
    """Set its rule aside on its device: nobody is told until the time is up, or with `one_shot` until it clears."""
    try:
        return await _change(wish, "alert.shelve", alert, shelf_args(body), body, response)
    except Problem as problem:
        found = await _find(wish.asked, alert)
        raise shelf_problem(wish.asked, found.device.id, found.rule, problem) from None


@router.post("/{alert}/unshelve")
async def unshelve(
    wish: Wished, alert: AlertId, response: Response, body: Change | None = None
) -> AlertDetail:
    """End that by hand; an active alert comes back acknowledged."""
    return await _change(wish, "alert.unshelve", alert, {}, body, response)


@router.get("/{alert}/history")
async def get_history(
    asked: Asked, alert: AlertId, wanted: Annotated[Listing, Query()]
) -> Paged[HappeningView]:
    """Everything that happened to it, the newest first."""
    page = await history_page(asked, alert, wanted)
    if not page.items:
        await _find(asked, alert)
    return page


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
        dev = records.device_states(connection, [found.device]).get(found.device)
        return alert_detail(asked, found, dev, records.history(connection, name, HISTORY_MOST + 1))

    found = await asked.gateway.store.read(query)
    if found is None:
        raise Problem(404, f"there is no alert {name}")
    return found


def _conflict(found: AlertDetail, reply: Reply, expect: int | None) -> Problem:
    ended = _end_words(found.ended_why, found.ended_at)
    return moved_on(found, reply.detail if found.live else ended, expect)


def _end_words(why: str | None, at: str | None) -> str:
    return f"the alert has ended: {why}, {at}"
