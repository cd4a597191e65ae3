"""Work orders: lists, one with its clocks and history, and every step on its way."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.alert_views import HappeningView
from api.http.bulk import Bulk, BulkView, Ended, bulk_view, submit_bulk
from api.http.context import Asked, Change, Context, Wished, etag
from api.http.histories import history_page
from api.http.instants import Moment
from api.http.inventory import Filter
from api.http.order_changes import OrderId, change_order, end_words, find_order
from api.http.order_views import (
    OrderDetail,
    OrderView,
    TeamView,
    TemplateView,
    is_open,
    order_view,
    team_view,
    template_view,
)
from api.http.paging import Listing, Paged, cursor_of
from api.http.problems import Problem
from api.http.routes.alerts import Comment, devices_among
from api.http.texts import Finding, Id, Line, Name, Prose, Search
from gateway.adapters.sql import records
from gateway.core.order_state import OrderState, WorkOrder
from gateway.core.values import Json

router = APIRouter(prefix="/work-orders", tags=["work orders"])

Priority = Literal["emergency", "high", "normal", "low"]


class OrderListing(Listing):
    """Which work orders."""

    open: bool | None = Field(None, description="not closed, cancelled or a duplicate; or one of these")
    state: list[OrderState] = Field([], max_length=16)
    priority: list[Priority] = Field([], max_length=8)
    team: Id | None = None
    assignee: Name | None = None
    device: Id | None = None
    kind: Id | None = None
    building: Id | None = None
    floor: Id | None = None
    breached: bool | None = Field(None, description="a promised time was missed, or none was")
    start: Moment | None = Field(None, description="opened at or after")
    end: Moment | None = Field(None, description="opened before")
    text: Search | None = Field(None, description="part of the order's or device's id or title")


class Opening(Change):
    """An order opened by hand."""

    template: Id
    device: Id | None = None
    reported_at: Moment | None = Field(None, description="when it was reported; now when left out")


class Assignment(Change):
    """Who is to do it; what is left out stays as it is."""

    team: Id | None = None
    assignee: Name | None = None


class Moving(BaseModel):
    """Where to, and why."""

    to: OrderState
    reason: Line | None = None
    resume_at: Moment | None = Field(None, description="on hold: when work is expected to go on")
    duplicate_of: Id | None = None


class Move(Moving, Change):
    """Where to, and why."""

    tag: Name | None = Field(None, description="to on_site: the asset's own tag that was read there")


class Tick(Change):
    """A step of the checklist, done."""

    step: Id
    result: Finding | None = Field(None, description="what was found")


class Signing(Change):
    """Who signs for the work."""

    name: Name
    attachment: Id | None = Field(None, description="the attached picture of the signature")


class BulkOrderComment(Bulk):
    """Add the same word to many."""

    verb: Literal["comment"]
    text: Prose


class BulkOrderAssign(Bulk):
    """Give many to a team or a person."""

    verb: Literal["assign"]
    team: Id | None = None
    assignee: Name | None = None


class BulkMove(Moving, Bulk):
    """Take many to another state."""

    verb: Literal["move"]


OrderBulk: TypeAlias = Annotated[BulkMove | BulkOrderComment | BulkOrderAssign, Body(discriminator="verb")]


@router.get("")
async def list_orders(
    request: Request, asked: Asked, wanted: Annotated[OrderListing, Query()]
) -> Paged[OrderView]:
    """Work orders, the newest opened first."""
    after = wanted.after
    query = records.OrderQuery(
        states=wanted.state,
        priorities=wanted.priority,
        live=True if wanted.open else None,
        devices=devices_among(
            request, asked, wanted.device, Filter(wanted.kind, wanted.building, wanted.floor)
        ),
        start=wanted.start,
        end=wanted.end,
        team=wanted.team,
        assignee=wanted.assignee,
        keep=_matching(asked, wanted),
    )
    page = await asked.gateway.store.read(
        lambda connection: records.work_orders(connection, query, after=after, limit=wanted.limit)
    )
    return Paged(items=[order_view(asked, one) for one in page.items], next=cursor_of(page.next))


def _matching(asked: Context, wanted: OrderListing) -> Callable[[WorkOrder], bool] | None:
    """What no column can tell; None when nothing of it is asked."""
    tests: list[Callable[[WorkOrder], bool]] = []
    if wanted.open is not None:
        tests.append(lambda order: is_open(order) is wanted.open)
    if wanted.breached is not None:
        tests.append(lambda order: _breached(order) is wanted.breached)
    if wanted.text is not None:
        sought = wanted.text.casefold()
        tests.append(lambda order: sought in _words(asked, order))
    return (lambda order: all(test(order) for test in tests)) if tests else None


def _breached(order: WorkOrder) -> bool:
    return any(clock.breached_at is not None for clock in order.clocks.values())


def _words(asked: Context, order: WorkOrder) -> str:
    words = [order.id, order.template, order.device or "", *order.title.values()]
    if order.device is not None and (device := asked.plan.devices.get(order.device)) is not None:
        words += [*device.title, device.place or ""]
    return "\n".join(words).casefold()


@router.post("", status_code=201)
async def open_order(wish: Wished, body: Opening, response: Response) -> OrderDetail:
    """Open a work order by hand, for a device or for none."""
    if body.device is not None and body.device not in wish.asked.plan.devices:
        raise Problem(404, f"the site {wish.asked.plan.site} has no device {body.device}")
    args: dict[str, Json] = {"template": body.template}
    if body.reported_at is not None:
        args["reported_at"] = body.reported_at
    reply = await wish.submit("work_order.open", body.device or "", args)
    if reply.subject is None:
        raise Problem(404, reply.detail)
    found = await find_order(wish.asked, reply.subject)
    response.headers.update({**etag(found.version), "Location": f"/api/v1/work-orders/{found.id}"})
    return found


@router.get("/templates")
async def list_templates(asked: Asked) -> list[TemplateView]:
    """What work orders are opened from."""
    return [template_view(one) for one in asked.plan.templates.values()]


@router.get("/teams")
async def list_teams(asked: Asked) -> list[TeamView]:
    """Who they are given to."""
    return [team_view(one) for one in asked.plan.teams.values()]


@router.post("/bulk")
async def act_on_many_orders(wish: Wished, body: OrderBulk) -> BulkView:
    """Do the same to many work orders, at most 500, in one turn. A refusal holds up no other."""
    replies = await submit_bulk(wish, f"work_order.{body.verb}", body)
    pairs = zip(dict.fromkeys(body.ids), replies, strict=True)
    lost = [one for one, reply in pairs if reply.status == "not_found"]
    found = await wish.asked.gateway.store.read(lambda connection: records.orders_by_id(connection, lost))
    ended = {
        name: Ended(version=one.version, why=end_words(one.closed_why, one.state))
        for name, one in found.items()
    }
    return bulk_view(body.ids, replies, ended)


@router.get("/{order}")
async def get_order(asked: Asked, order: OrderId, response: Response) -> OrderDetail:
    """One work order with clocks, checklist and history. Its ETag is its version."""
    found = await find_order(asked, order)
    response.headers.update(etag(found.version))
    return found


@router.post("/{order}/assign")
async def assign(wish: Wished, order: OrderId, body: Assignment, response: Response) -> OrderDetail:
    """Give it to a team, a person, or both."""
    return await change_order(wish, "work_order.assign", order, body, response)


@router.post("/{order}/move")
async def move(wish: Wished, order: OrderId, body: Move, response: Response) -> OrderDetail:
    """Take it to another state."""
    return await change_order(wish, "work_order.move", order, body, response)


@router.post("/{order}/check")
async def check(wish: Wished, order: OrderId, body: Tick, response: Response) -> OrderDetail:
    """Tick off a step of its checklist."""
    return await change_order(wish, "work_order.check", order, body, response)


@router.post("/{order}/comment")
async def comment(wish: Wished, order: OrderId, body: Comment, response: Response) -> OrderDetail:
    """Add a word to its history."""
    return await change_order(wish, "work_order.comment", order, body, response)


@router.post("/{order}/sign")
async def sign(wish: Wished, order: OrderId, body: Signing, response: Response) -> OrderDetail:
    """Somebody signs for the work as it stands."""
    return await change_order(wish, "work_order.sign", order, body, response)


@router.get("/{order}/history")
async def get_order_history(
    asked: Asked, order: OrderId, wanted: Annotated[Listing, Query()]
) -> Paged[HappeningView]:
    """Everything that happened to it, the newest first."""
    page = await history_page(asked, order, wanted)
    if not page.items:
        await find_order(asked, order)
    return page
