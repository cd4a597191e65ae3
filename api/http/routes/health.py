"""Whether the gateway lives, whether it is ready, and its counters."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.http.context import Asked
from api.http.meters import Meters

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    ok: bool = True


class PartView(BaseModel):
    """How a part is."""

    ok: bool
    words: str


class Ready(BaseModel):
    """Whether every part is well."""

    ok: bool
    parts: dict[str, PartView]


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers. Says nothing about broker or disk, so that nobody restarts it for them."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Ready}})
async def readyz(asked: Asked, response: Response) -> Ready:
    """Whether broker, records and telemetry store are well; 503 when one is not."""
    parts = {name: PartView(ok=one.ok, words=one.words) for name, one in asked.gateway.health().items()}
    ok = all(part.ok for part in parts.values())
    response.status_code = 200 if ok else 503
    return Ready(ok=ok, parts=parts)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)
