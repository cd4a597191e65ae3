"""Files of a work order: sent as they are, kept under what is in them, given back so that nothing in them can run."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.responses import StreamingResponse

from api.http.conflicts import moved_on
from api.http.context import Asked, Wish, Wished
from api.http.file_names import content_disposition, fitting_name
from api.http.order_changes import OrderId, end_words, find_order, submit_order
from api.http.order_parts import AttachmentView
from api.http.order_views import OrderDetail
from api.http.problems import Problem, wrong
from api.http.texts import Id
from gateway.adapters.attachments import SUFFIXES, Kept, Refusal
from gateway.core.values import Json

router = APIRouter(prefix="/work-orders", tags=["work orders"])

STATUSES = {"empty": 422, "type": 415, "size": 413, "room": 507}
"""What is answered, by why a file was not taken."""
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""For whoever opens a file in a browser all the same."""
PIECE = 64 << 10
"""Bytes read at a time."""

_ANY_FILE: dict[str, object] = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(SUFFIXES, _ANY_FILE)}}


class Sending(BaseModel):
    """What a file is to the order."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Query(max_length=1_000, description="its name; paths and odd characters go")] = ""
    kind: Literal["photo", "signature", "document"] | None = None
    step: Id | None = None


@router.post("/{order}/attachments", status_code=201, openapi_extra=_BODY)
async def attach(
    request: Request,
    wish: Wished,
    order: OrderId,
    wanted: Annotated[Sending, Query()],
    response: Response,
) -> OrderDetail:
    """Attach a file: its bytes are the body. What it is, is decided by them: JPEG, PNG, WebP, HEIC or PDF."""
    await _check_order(wish, order, wanted)
    async with wish.asked.gateway.attachments.received(request.stream()) as taken:
        if isinstance(taken, Refusal):
            raise Problem(STATUSES[taken.why], taken.words, allowed=sorted(SUFFIXES))
        args = _args(wish, order, wanted, taken)
        found = await submit_order(wish, "work_order.attach", order, args, wish.seen, response)
    response.headers["Location"] = f"/api/v1/work-orders/{order}/attachments/{args['id']}"
    return found


async def _check_order(wish: Wish, order: str, wanted: Sending) -> None:
    """Find out before megabytes are sent what cannot be right after them. Raises :class:`Problem`."""
    found = await find_order(wish.asked, order)
    if "attach" not in found.allowed:
        raise moved_on(found, end_words(found.closed_why, found.state), wish.seen)
    steps = [step.name for step in found.checklist]
    if wanted.step is not None and wanted.step not in steps:
        raise wrong("query.step", f"no step {wanted.step}; the order has {', '.join(steps) or 'none'}")


def _args(wish: Wish, order: str, wanted: Sending, kept: Kept) -> dict[str, Json]:
    picture = kept.media_type.startswith("image/")
    kind = wanted.kind or ("photo" if picture else "document")
    if kind != "document" and not picture:
        raise wrong("query.kind", f"found a {kept.media_type}; a {kind} is a picture")
    # The same request under the same key is the same file; without a key each one is another.
    cause = f"{wish.actor}\n{wish.key}" if wish.key is not None else uuid.uuid4().hex
    name = hashlib.blake2b(f"{cause}\n{order}\n{kept.digest}".encode(), digest_size=10).hexdigest()
    args: dict[str, Json] = {
        "id": f"at-{name}",
        "name": fitting_name(wanted.name, kept.media_type),
        "media_type": kept.media_type,
        "size": kept.size,
        "digest": kept.digest,
        "kind": kind,
    }
    return args if wanted.step is None else {**args, "step": wanted.step}


@router.get(
    "/{order}/attachments/{attachment}",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(SUFFIXES, _ANY_FILE)},
        304: {"description": "The file has not changed"},
    },
)
async def get_attachment(
    asked: Asked,
    order: OrderId,
    attachment: Annotated[Id, Path(description="the id of a file")],
    if_none_match: Annotated[str | None, Header(max_length=1_000)] = None,
) -> Response:
    """The bytes of a file. Its ETag is the SHA-256 of them."""
    one = _named(await find_order(asked, order), attachment)
    headers = {
        "ETag": f'"{one.digest}"',
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": POLICY,
        "Content-Disposition": content_disposition(one.name),
    }
    if if_none_match is not None and one.digest in if_none_match:
        return Response(status_code=304, headers=headers)
    file = asked.gateway.attachments.path(one.digest)
    if not file.is_file():
        raise Problem(
            404, f"the file {one.name} is on record, but not on disk any more; restore attachments/"
        )
    headers["Content-Length"] = str(one.size)
    return StreamingResponse(_pieces(file), media_type=one.media_type, headers=headers)


def _named(order: OrderDetail, name: str) -> AttachmentView:
    found = next((one for one in order.attachments if one.id == name), None)
    if found is None:
        raise Problem(404, f"the work order {order.id} has no file {name}")
    return found


def _pieces(file: FilePath) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield piece
