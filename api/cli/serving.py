"""Serving a gateway until it is told to stop: what ``fgw run`` and ``fgw demo`` share."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable

import typer

from api.http.app import create_app
from api.http.server import serve
from gateway.bootstrap import build
from gateway.collector import THRESHOLDS
from gateway.errors import SiteError, StoreError
from gateway.gateway import Gateway
from gateway.settings import Settings

log = logging.getLogger(__name__)


async def serve_for_ever(settings: Settings) -> None:
    """A gateway that ends on SIGTERM or SIGINT and reads its site file again on SIGHUP."""
    async with build(settings) as gateway:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, gateway.stop)
        async with asyncio.TaskGroup() as group:
            reloads: set[asyncio.Task[None]] = set()

            def reload() -> None:
                task = group.create_task(_reload(gateway), name="reload")
                reloads.add(task)
                task.add_done_callback(reloads.discard)

            loop.add_signal_handler(signal.SIGHUP, reload)
            await serve_until_done(gateway, settings, lambda url: _greet(gateway, url))


def _greet(gateway: Gateway, url: str) -> None:
    plan = gateway.plan
    typer.echo(f"serving {plan.title.en} ({plan.site}), {len(plan.equipment)} devices, at {url}", err=True)


async def serve_until_done(
    gateway: Gateway, settings: Settings, ready: Callable[[str], None] | None = None
) -> None:
    """Run the gateway and serve it over HTTP until it is stopped; either one's failure ends both.

    ``ready`` is told the address once it is served.
    """
    gc.collect()
    gc.freeze()  # what was loaded stays
    gc.set_threshold(*THRESHOLDS)
    host, port = settings.http_address
    app = create_app(gateway, settings)
    async with asyncio.TaskGroup() as group:
        http = group.create_task(serve(app, host, port, ready=ready), name="http")
        try:
            await gateway.run()
        finally:
            http.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await http


async def _reload(gateway: Gateway) -> None:
    try:
        plan = await gateway.reload()
    except (SiteError, StoreError) as error:
        log.error("the configuration stays as it was: %s", error)  # noqa: TRY400 - the words say it all
    else:
        log.warning("configuration %s is in force", plan.digest[:12])
