"""Tags: where each hangs, and what people change about that at run time."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.bearers import OfficeWished
from api.http.context import Asked, Wish, etag
from api.http.instants import Moment
from api.http.paging import Listing, Paged, cursor_of
from api.http.patrol_acts import act, conflict, heed_version
from api.http.tag_views import TagBook, TagView
from api.http.texts import Id, Line, Name
from gateway.core import tags
from gateway.core.values import Json

router = APIRouter(prefix="/patrol/tags", tags=["tags"])

TagId = Annotated[Name, Path(description="the id of a tag; case and separators make no difference")]


class TagListing(Listing):
    """Which tags."""

    checkpoint: Id | None = None
    state: Literal["in_use", "retired", "planned"] | None = None


class Registration(BaseModel):
    """A tag that hangs at a checkpoint from now on."""

    model_config = ConfigDict(extra="forbid")

    tag: Name = Field(description="its id in hexadecimal, such as 04A22B1C3D5E80")
    checkpoint: Id
    secure: bool = Field(False, strict=True, description="it proves itself (NTAG 424 DNA)")
    title: Line | None = None
    since: Moment | None = Field(None, description="now when left out; at most 30 days back")


class Retirement(BaseModel):
    """A tag that means nothing any more."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = Field(None, description="now when left out; at most 30 days back")


class Epoch(BaseModel):
    """The keys of a tag were written anew."""

    model_config = ConfigDict(extra="forbid")

    epoch: int | None = Field(None, ge=1, le=65_535, strict=True, description="the next one when left out")


@router.get("")
async def list_tags(asked: Asked, wanted: Annotated[TagListing, Query()]) -> Paged[TagView]:
    """Tags by id, those of the site file and those registered at run time."""
    after = wanted.after
    book = TagBook(asked)
    found: list[TagView] = []
    for uid in book.ids():
        if after is not None and uid <= after[1]:
            continue
        one = book.find(uid)
        place = None if one.checkpoint is None else one.checkpoint.id
        if wanted.state in (None, one.state) and wanted.checkpoint in (None, place):
            if len(found) == wanted.limit:
                return Paged(items=found, next=cursor_of((0, found[-1].uid)))
            found.append(one)
    return Paged(items=found, next=None)


@router.post("", status_code=201)
async def register_tag(wish: OfficeWished, body: Registration, response: Response) -> TagView:
    """A tag hangs at a checkpoint from now on; what was made with it before keeps its meaning."""
    args: dict[str, Json] = body.model_dump(mode="json", exclude_none=True, exclude={"tag"})
    return await _change(wish, "tag.register", body.tag, args, response)


@router.post("/{uid}/retire")
async def retire_tag(
    wish: OfficeWished, uid: TagId, response: Response, body: Retirement | None = None
) -> TagView:
    """A tag means nothing from now on; what was made with it before stays good."""
    args = {} if body is None else body.model_dump(mode="json", exclude_none=True)
    return await _change(wish, "tag.retire", uid, args, response)


@router.post("/{uid}/epoch")
async def raise_epoch(
    wish: OfficeWished, uid: TagId, response: Response, body: Epoch | None = None
) -> TagView:
    """A tag was written anew: its counter begins again, and taps with its old keys count no more."""
    args = {} if body is None else body.model_dump(mode="json", exclude_none=True)
    return await _change(wish, "tag.raise_epoch", uid, args, response)


async def _change(wish: Wish, verb: str, name: str, args: dict[str, Json], response: Response) -> TagView:
    uid = tags.normal(name)
    memory = wish.asked.gateway.patrol.tags.get(uid)
    heed_version(wish, 0 if memory is None else memory.version)
    reply = await act(wish, verb, uid, args)
    book = TagBook(wish.asked)
    if reply.status != "done":
        raise conflict(reply, book.find(uid) if uid in book.ids() else None)
    found = book.find(uid)
    response.headers.update(etag(found.version))
    return found
