"""Guards: when there was a sign of them, their phones' tokens, check-ins and calls for help."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.bearers import Bearer, GuardWished, OfficeWished, Shown, check_own, holder, new_token, of_guard
from api.http.context import Asked, Context, Wished
from api.http.device_clocks import DeviceTime
from api.http.guard_views import CallView, GuardView, TokenView, call_view, guard_view, tested_call_view
from api.http.patrol_acts import act, conflict
from api.http.problems import Problem
from api.http.texts import Id
from gateway.adapters.sql import records
from gateway.core.state import Alert
from gateway.core.values import Json

router = APIRouter(prefix="/patrol", tags=["guards"])

GuardId = Annotated[Id, Path(description="the id of a guard")]
RULE = "sos"
"""The rule a call for help raises."""


class Call(BaseModel):
    """A call for help."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="the same when it is sent again")]
    ts: DeviceTime | None = Field(None, description="when it was made, by the phone's clock")
    sent: DeviceTime | None = Field(None, description="what that clock shows now")
    silent: bool = Field(False, strict=True, description="nobody should ring the phone")
    test: bool = Field(False, strict=True, description="nobody is told")
    checkpoint: Id | None = Field(None, description="the nearest one")


@router.get("/guards")
async def list_guards(asked: Asked) -> list[GuardView]:
    """The guards of the site; where it names none, those that were heard of."""
    names = asked.plan.patrol.guards or sorted(asked.gateway.patrol.guards)
    return [guard_view(asked, name) for name in names]


@router.post("/guards/{guard}/check-in")
async def check_in(wish: GuardWished, by: Bearer, guard: GuardId) -> GuardView:
    """A guard says: I am well. The dead-man timer of their rounds begins anew."""
    check_own(by, guard)
    reply = await act(wish, "guard.check_in", guard, {})
    if reply.status != "done":
        raise conflict(reply)
    return guard_view(wish.asked, guard)


@router.post("/guards/{guard}/sos", status_code=201)
async def call_for_help(
    wish: Wished, token: Shown, guard: GuardId, body: Call, response: Response
) -> CallView:
    """A guard calls for help. The same `id` again is the same call; a phone sends it until it is seen.

    It is taken with a token that counts no more, too: whoever is in need has no time for that.
    """
    by = None if token is None else holder(wish.asked, token)
    check_own(by, guard)
    wish = of_guard(wish, by)
    args: dict[str, Json] = body.model_dump(mode="json", exclude_none=True, exclude={"id"})
    reply = await act(wish, "guard.sos", guard, {**args, "key": body.id})
    if reply.status != "done":
        raise conflict(reply)
    if body.test:
        return tested_call_view(guard)
    found = await _last_call(wish.asked, guard, reply.subject)
    if found is None:
        raise Problem(503, "the call raised no alert; use the radio or the telephone")
    response.headers["Location"] = f"/api/v1/patrol/sos/{found.id}"
    return call_view(wish.asked, found)


@router.get("/sos/{alert}")
async def get_call(asked: Asked, alert: Annotated[Id, Path(description="the id of the alert")]) -> CallView:
    """What became of a call for help: whether somebody has seen it, and whether it is over."""
    found = await asked.gateway.store.read(lambda connection: records.alert(connection, alert))
    if found is None or found.rule != RULE:
        raise Problem(404, f"there is no call for help {alert}")
    return call_view(asked, found)


@router.post("/guards/{guard}/token", status_code=201)
async def give_token(wish: OfficeWished, guard: GuardId) -> TokenView:
    """A token for the guard's phone, in the place of the one before. It is shown this once."""
    token, digest = new_token()
    reply = await act(wish, "guard.token", guard, {"sha256": digest})
    if reply.status != "done":
        raise conflict(reply)
    return TokenView(token=token, guard=guard)


@router.delete("/guards/{guard}/token")
async def take_token_back(wish: OfficeWished, guard: GuardId) -> GuardView:
    """The token counts no more: the phone was lost, or the guard has left."""
    reply = await act(wish, "guard.token", guard, {"sha256": None})
    if reply.status != "done":
        raise conflict(reply)
    return guard_view(wish.asked, guard)


async def _last_call(asked: Context, guard: str, name: str | None) -> Alert | None:
    """The alert of a call; the guard's last one where the call came again after it had ended."""

    def read(connection: sa.Connection) -> Alert | None:
        if name is not None:
            return records.alert(connection, name)
        query = records.AlertQuery(rule=RULE, devices=frozenset({guard}))
        page = records.alerts(connection, query, after=None, limit=1)
        return page.items[0] if page.items else None

    return await asked.gateway.store.read(read)
