"""The patrol report of a month as a file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.context import PATIENCE, Asked
from api.http.problems import Problem, wrong
from api.patrol_month import MEDIA_TYPES, Format, NoReport, Style, Written, plan_then, write_report
from gateway.adapters.sql.beside import one_moment

if TYPE_CHECKING:
    from gateway.reports.fonts import Typeface

router = APIRouter(prefix="/patrol", tags=["patrol"])

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page brings its own styles and needs nothing else."""
_ANY_FILE: dict[str, object] = {"schema": {"type": "string", "format": "binary"}}


class Wanted(BaseModel):
    """Which report, and how it is written."""

    model_config = ConfigDict(extra="forbid")

    month: str = Field(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$",
        description="in the site's time zone",
        examples=["2026-10"],
    )
    format: Format = "pdf"
    lang: Literal["en", "zh"] = "en"


@router.get(
    "/report",
    response_class=Response,
    responses={200: {"content": {kind.partition(";")[0]: _ANY_FILE for kind in MEDIA_TYPES.values()}}},
)
async def get_patrol_report(asked: Asked, request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
    """Rounds, evidence, gaps and exceptions of a month, with a digest over the records it was made from."""
    font = request.app.state.settings.font

    def write(connection: sa.Connection) -> Written:
        style = Style(wanted.format, wanted.lang, _face(font) if wanted.format == "pdf" else None)
        with one_moment(connection):
            plan = plan_then(connection, wanted.month)
            return write_report(connection, plan, wanted.month, asked.now, style)

    turn: asyncio.Semaphore = request.app.state.report_turn  # one at a time: each takes a core for seconds
    try:
        await asyncio.wait_for(turn.acquire(), PATIENCE)
    except TimeoutError:
        raise Problem(503, "other reports are being made; ask again", {"Retry-After": "10"}) from None
    try:
        written = await asked.gateway.store.read(write)
    except NoReport as error:
        raise wrong("query.month", str(error)) from None
    finally:
        turn.release()
    shown = "inline" if wanted.format == "html" else "attachment"
    return Response(
        written.body,
        media_type=MEDIA_TYPES[wanted.format],
        headers={
            "Content-Disposition": f'{shown}; filename="{written.name}"',
            "Content-Security-Policy": POLICY,
        },
    )


def _face(font: Path | None) -> "Typeface":
    from gateway.reports.fonts import typeface  # noqa: PLC0415 - only for whoever wants a PDF

    return typeface(font)
