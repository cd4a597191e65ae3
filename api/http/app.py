"""The HTTP application: every route, joined to one gateway."""

import asyncio
import re
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import docs_page, problems
from api.http.backtest_jobs import Backtests
from api.http.gateway_port import GatewayPort
from api.http.inventory import Inventories
from api.http.live import HEARTBEAT, Live
from api.http.meters import Meters
from api.http.perimeter import BODY_MOST, Files, Perimeter, permitted_hosts
from api.http.routes import (
    alerts,
    attachments,
    backtests,
    costs,
    device_params,
    device_rules,
    devices,
    guards,
    health,
    landing,
    live,
    patrol,
    patrol_report,
    posts,
    quality,
    quarantine,
    readings,
    site,
    tags,
    taps,
    work_orders,
)
from api.http.tap_envelope import UPLOAD_MOST
from gateway.settings import Settings

DESCRIPTION = (
    "Devices, alerts, work orders and patrol of one facility. Times are RFC 3339 with offset; errors are RFC 9457 problems; "
    "lists come in pages: give `next` as `cursor`."
)


ROOMS = (
    site,
    devices,
    device_rules,
    device_params,
    readings,
    alerts,
    work_orders,
    attachments,
    costs,
    taps,
    patrol,
    patrol_report,
    guards,
    tags,
    posts,
    quality,
    backtests,
    quarantine,
    live,
)
"""What stands under ``/api/v1``."""


def create_app(
    gateway: GatewayPort, settings: Settings, *, heartbeat: float = HEARTBEAT, body_most: int = BODY_MOST
) -> FastAPI:
    """The application of one gateway.

    Args:
        gateway: what it shows and changes.
        settings: under which names it may be called.
        heartbeat: seconds between comments on a quiet live stream.
        body_most: bytes a request's body may have.
    """
    app = FastAPI(
        title="facility-gateway",
        version=_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.RESPONSES,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.gateway, app.state.settings = gateway, settings
    app.state.inventories = Inventories()
    app.state.live = Live(gateway, heartbeat)
    app.state.meters = Meters(gateway, app.state.live)
    app.state.backtests = Backtests(lambda: gateway.store.path)
    app.state.report_turn = asyncio.Semaphore(1)
    for room in ROOMS:
        app.include_router(room.router, prefix="/api/v1")
    for room in (health, landing, docs_page):
        app.include_router(room.router)
    problems.install(app)
    host, _ = settings.http_address
    hosts = permitted_hosts(host, settings.http_hosts)
    app.add_middleware(
        Perimeter,
        hosts=hosts,
        body_most=body_most,
        files=_files(settings.attachment_max),
        uploads=_uploads,
    )
    app.add_middleware(Counted, meters=app.state.meters)
    return app


def _files(most: int) -> Files:
    """Where bodies are files and not JSON."""
    path = re.compile(r"/api/v1/work-orders/[^/]+/attachments")

    def files(method: str, asked: str) -> int | None:
        return most if method == "POST" and path.fullmatch(asked) else None

    return files


def _uploads(method: str, asked: str) -> int | None:
    """Where bodies may be larger: a phone that was offline for weeks."""
    return UPLOAD_MOST if (method, asked) == ("POST", "/api/v1/taps") else None


class Counted:
    """Counts what was answered."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meters.count(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, counted)


def _version() -> str:
    try:
        return version("facility-gateway")
    except PackageNotFoundError:
        return "unknown"
