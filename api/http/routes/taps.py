"""Taps: uploads from phones, lists, and a supervisor's review."""

import asyncio
import re
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, Field

from api.http.bearers import Bearer, GuardWished
from api.http.context import Asked, Change, Context, etag
from api.http.instants import Moment
from api.http.paging import Listing, Paged, cursor_of
from api.http.patrol_acts import conflict
from api.http.problems import Problem, wrong
from api.http.tap_envelope import TAPS_MOST, check_device, read_envelope
from api.http.tap_uploads import UploadView, take_upload
from api.http.tap_views import TapView, tap_view
from api.http.texts import Id, Name, Reason
from gateway.adapters.sql import patrol_records
from gateway.adapters.sql.records import Key
from gateway.core.patrol.flags import FLAGS
from gateway.core.patrol.memory import TapRecord
from gateway.core.patrol.taps import tap_id
from gateway.core.values import Json
from gateway.uploads import Phone

router = APIRouter(prefix="/taps", tags=["taps"])

TapId = Annotated[Id, Path(description="the id of a tap, or the UUID its phone gave it")]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY = re.compile(r"(-?\d{1,19}) ([A-Za-z0-9_-]{1,64})")
_DEVICE_TIME = {"description": "RFC 3339 with offset, or milliseconds", "type": ["string", "integer"]}
_TAP = {
    "type": "object",
    "required": ["id", "ts"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "ts": _DEVICE_TIME,
        "tag": {"type": "string", "description": "the bare id of the tag"},
        "url": {"type": "string", "description": "the address a cryptographic tag gave, as it was read"},
        "code": {"type": "string", "description": "the code on the checkpoint's label"},
        "guard": {"type": "string"},
        "how": {"enum": ["nfc", "qr", "typed"]},
    },
}
_BODY = {
    "type": "object",
    "required": ["device", "taps"],
    "additionalProperties": False,
    "properties": {
        "device": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "taps": {"type": "array", "maxItems": TAPS_MOST, "items": _TAP},
        "sent": _DEVICE_TIME,
        "queued": {"type": "integer", "minimum": 0},
    },
}
_UPLOAD = {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}}


def _flag(name: str) -> str:
    if name not in FLAGS:
        raise ValueError(f"found {ascii(name)[:60]}; one of {', '.join(FLAGS)}")
    return name


class TapListing(Listing):
    """Which taps."""

    checkpoint: Id | None = None
    guard: Name | None = None
    source: Id | None = Field(None, description="a reader or phone")
    round: Id | None = None
    review: Literal["pending", "approved", "rejected"] | None = None
    counted: bool | None = Field(None, description="evidence, or kept only")
    grade: Literal["A", "B", "C", "D"] | None = None
    flag: Annotated[str, AfterValidator(_flag)] | None = None
    start: Moment | None = Field(None, description="made at or after")
    end: Moment | None = Field(None, description="made before")

    @property
    def after(self) -> Key | None:
        """Where the page before ended; a tap may be older than 1970, so its time is in the text of the key."""
        found = super().after
        if found is None:
            return None
        match = _KEY.fullmatch(found[1])
        if match is None or abs(int(match[1])) >= 2**63:
            raise wrong("query.cursor", "not a cursor; give `next` of the page before, as it was")
        return int(match[1]), match[2]


class Review(Change):
    """What a supervisor says of a tap."""

    decision: Literal["approve", "reject"]
    why: Reason | None = Field(None, description="needed to reject")


@router.post("", response_model=UploadView, openapi_extra=_UPLOAD)
async def upload_taps(request: Request, asked: Asked, by: Bearer) -> Response:
    """Take what a phone has in store, each tap judged by itself and answered in its order.

    The same UUID again is the same tap, so a phone sends again until it has an answer. A list without taps reports that
    the phone was there. A token names the guard whose phone it is.
    """
    body = await request.body()
    envelope = await asyncio.to_thread(read_envelope, body)
    check_device(envelope, asked.plan)
    phone = Phone(envelope.device, envelope.sent_at, envelope.queued, by)
    return Response(await take_upload(asked, phone, envelope.taps), media_type="application/json")


@router.get("")
async def list_taps(asked: Asked, wanted: Annotated[TapListing, Query()]) -> Paged[TapView]:
    """Taps, the latest made first, whatever they are worth."""
    after = wanted.after
    query = patrol_records.TapQuery(
        **wanted.model_dump(exclude={"limit", "cursor"}),
    )
    page = await asked.gateway.store.read(
        lambda connection: patrol_records.taps(connection, query, after=after, limit=wanted.limit)
    )
    following = None if page.next is None else cursor_of((0, "{} {}".format(*page.next)))
    return Paged(items=[tap_view(asked, one) for one in page.items], next=following)


@router.get("/{tap}")
async def get_tap(asked: Asked, tap: TapId, response: Response) -> TapView:
    """One tap. Its ETag is its version."""
    found = await find_tap(asked, tap)
    response.headers.update(etag(found.version))
    return tap_view(asked, found)


@router.post("/{tap}/review")
async def review(wish: GuardWished, tap: TapId, body: Review, response: Response) -> TapView:
    """A supervisor approves a tap, or rejects it; nobody decides about their own."""
    args: dict[str, Json] = body.model_dump(mode="json", exclude_none=True, exclude={"version"})
    name = _record_id(tap)
    reply = await wish.submit("tap.review", name, args, wish.expected(body))
    found = tap_view(wish.asked, await find_tap(wish.asked, name))
    if reply.status == "not_found":
        raise Problem(409, "it is too long ago: nothing depends on this tap any more", current=found.model_dump(mode="json"))  # fmt: skip
    if reply.status != "done":
        raise conflict(reply, found)
    response.headers.update(etag(found.version))
    return found


def _record_id(name: str) -> str:
    return tap_id("", name) if _UUID.fullmatch(name) else name


async def find_tap(asked: Context, name: str) -> TapRecord:
    """One tap, by the id of its record or by its UUID. Raises :class:`Problem`."""

    def query(connection: sa.Connection) -> TapRecord | None:
        return patrol_records.tap(connection, _record_id(name))

    found = await asked.gateway.store.read(query)
    if found is None:
        raise Problem(404, f"there is no tap {name}")
    return found
