"""Changing a work order: one way for every verb, and what is answered when it has moved on."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import Path, Response

from api.http.alert_views import HISTORY_MOST
from api.http.conflicts import moved_on
from api.http.context import Change, Context, Wish, etag
from api.http.order_views import OrderDetail, order_detail
from api.http.problems import Problem
from api.http.texts import Id
from gateway.adapters.sql import records
from gateway.core.values import Json

OrderId = Annotated[Id, Path(description="the id of a work order")]


async def change_order(wish: Wish, verb: str, order: str, body: Change, response: Response) -> OrderDetail:
    """Have a verb carried out with what the body says. Raises :class:`Problem`."""
    args = body.model_dump(mode="json", exclude_unset=True, exclude={"version"})
    return await submit_order(wish, verb, order, args, wish.expected(body), response)


async def submit_order(
    wish: Wish, verb: str, order: str, args: dict[str, Json], expect: int | None, response: Response
) -> OrderDetail:
    """Have a verb carried out; the order as it is then, its version among the headers. Raises :class:`Problem`."""
    reply = await wish.submit(verb, order, args, expect)
    found = await find_order(wish.asked, order)
    if reply.status == "not_found":
        raise moved_on(found, end_words(found.closed_why, found.state), expect)
    if reply.status != "done":
        raise moved_on(found, reply.detail, expect)
    response.headers.update(etag(found.version))
    return found


async def find_order(asked: Context, name: str) -> OrderDetail:
    """One work order in full. Raises :class:`Problem`."""

    def query(connection: sa.Connection) -> OrderDetail | None:
        found = records.work_order(connection, name)
        if found is None:
            return None
        return order_detail(asked, found, records.history(connection, name, HISTORY_MOST + 1))

    found = await asked.gateway.store.read(query)
    if found is None:
        raise Problem(404, f"there is no work order {name}")
    return found


def end_words(why: str | None, state: str) -> str:
    """Why nobody can change it any more."""
    return f"the work order has ended: {why or state}; open a new one"
