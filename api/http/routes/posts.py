"""Posts: who is on duty, and hand-over from guard to guard."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.http.bearers import GuardWished
from api.http.context import Asked, Change, Wish, etag
from api.http.guard_views import PostView, post_view
from api.http.patrol_acts import act, conflict
from api.http.texts import INTEGER_MOST, Id, Line, Name, Prose
from gateway.core.values import Json

router = APIRouter(prefix="/patrol/posts", tags=["posts"])

PostId = Annotated[Id, Path(description="the id of a post")]
LISTED = 10_000


class PostChange(Change):
    """The body of a request that changes a post; one that nobody ever took has version 0."""

    version: int | None = Field(None, ge=0, le=INTEGER_MOST, strict=True, description="the version you saw")


class Begin(PostChange):
    """Who takes the post."""

    guard: Name | None = Field(None, description="who asks when left out")


class Offer(PostChange):
    """Who is to take over."""

    to: Name
    note: Annotated[Prose, Field(max_length=2_000)] | None = None


class Confirm(PostChange):
    """What the incoming guard has seen, item by item."""

    alerts: list[Id] = Field([], max_length=LISTED)
    orders: list[Id] = Field([], max_length=LISTED)
    keys: list[Line] = Field([], max_length=LISTED)


@router.get("")
async def list_posts(asked: Asked) -> list[PostView]:
    """Posts with who is on duty, what is offered, and what is open to confirm."""
    return [post_view(asked, post) for post in asked.plan.patrol.posts.values()]


@router.post("/{post}/begin")
async def begin(wish: GuardWished, post: PostId, response: Response, body: Begin | None = None) -> PostView:
    """A guard takes a post where nobody is on duty."""
    return await _change(wish, "duty.begin", post, body or Begin(), response)


@router.post("/{post}/offer")
async def offer(wish: GuardWished, post: PostId, body: Offer, response: Response) -> PostView:
    """The guard on duty offers the post to the next one, and stays on duty until that one confirms."""
    return await _change(wish, "duty.offer", post, body, response)


@router.post("/{post}/confirm")
async def confirm(wish: GuardWished, post: PostId, body: Confirm, response: Response) -> PostView:
    """The incoming guard has seen everything that is open, and is on duty from now on."""
    return await _change(wish, "duty.confirm", post, body, response)


@router.post("/{post}/withdraw")
async def withdraw(
    wish: GuardWished, post: PostId, response: Response, body: PostChange | None = None
) -> PostView:
    """The hand-over is called off, by either of the two."""
    return await _change(wish, "duty.withdraw", post, body or PostChange(), response)


async def _change(wish: Wish, verb: str, name: str, body: PostChange, response: Response) -> PostView:
    args: dict[str, Json] = body.model_dump(mode="json", exclude_none=True, exclude={"version"})
    reply = await act(wish, verb, name, args, wish.expected(body))
    found = post_view(wish.asked, wish.asked.plan.patrol.posts[name])
    if reply.status != "done":
        raise conflict(reply, found)
    response.headers.update(etag(found.version))
    return found
