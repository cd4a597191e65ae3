"""A whole gateway for tests: a real broker, the real loop and records, and the application over them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import msgspec
from fastapi import FastAPI
from pydantic import SecretStr

from api.http.app import create_app
from api.http.live import HEARTBEAT
from gateway.bootstrap import build
from gateway.feed import Published
from gateway.gateway import Gateway
from gateway.settings import Settings
from tests.servers.mosquitto import Mosquitto

SITE = Path(__file__).with_name("house.yaml")
PATIENCE = 10.0
"""Seconds to wait for something before a test fails."""

LIFT = "t1-lift-1"
MOVING_OPEN = {"moving": True, "door": "open"}
"""Raises ``moving_door_open`` at once: critical, latched, with a work order."""
SAFE = {"moving": False, "door": "closed"}


class House:
    """A running gateway and the ways to it."""

    def __init__(self, gateway: Gateway, app: FastAPI, site: Path, devices: aiomqtt.Client) -> None:
        self.gateway, self.app, self.site = gateway, app, site
        self._devices = devices
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1")

    async def say(self, device: str, values: dict[str, Any] | bytes, ts: int | None = None) -> None:
        """A device reports, and what that leads to is committed."""
        body = values if isinstance(values, bytes) else _telemetry(values, ts)
        await self.publish(f"{device}/telemetry", body)

    async def publish(self, channel: str, body: bytes) -> None:
        """Publish a message; return once it has been taken and committed."""
        before = self.gateway.meters()["messages_committed"]
        await self._devices.publish(f"facility/riverside/{channel}", body, qos=1)
        await reached(lambda: self.gateway.meters()["messages_committed"] > before, f"{channel} is committed")

    async def stored(self, rows: float) -> None:
        """Return once the telemetry store has taken so many rows since the start."""
        await reached(lambda: self.gateway.meters()["readings_stored"] >= rows, f"{rows} rows are stored")

    async def alert(self, device: str = LIFT) -> dict[str, Any]:
        """Raise the latched alert of a lift and give it back as the API shows it."""
        await self.say(device, MOVING_OPEN)
        page = (await self.http.get("/alerts", params={"device": device, "live": True})).json()
        found: dict[str, Any] = page["items"][0]
        return found

    async def order(self, device: str = LIFT) -> dict[str, Any]:
        """The open work order of a device."""
        page = (await self.http.get("/work-orders", params={"device": device, "open": True})).json()
        found: dict[str, Any] = page["items"][0]
        return found

    async def published(self, wanted: Callable[[Published], bool]) -> Published:
        """The first batch from now on that is wanted."""
        async with asyncio.timeout(PATIENCE):
            with self.gateway.feed.listening() as listener:
                async for batch in listener.batches():
                    if wanted(batch):
                        return batch
        raise AssertionError("the feed ended")


def _telemetry(values: dict[str, Any], ts: int | None) -> bytes:
    return msgspec.json.encode({"values": values} if ts is None else {"ts": ts, "values": values})


async def reached(done: Callable[[], bool], what: str) -> None:
    """Return once ``done``; fail when that takes too long."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not done():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        await asyncio.sleep(0.005)


def _copied(plan: Path, folder: Path) -> Path:
    """The site file of a house, where a test may change it."""
    site = folder / "site.yaml"
    site.write_text(plan.read_text("utf-8"), "utf-8")
    return site


@contextlib.asynccontextmanager
async def open_house(
    broker: Mosquitto,
    folder: Path,
    *,
    heartbeat: float = HEARTBEAT,
    hosts: tuple[str, ...] = (),
    plan: Path = SITE,
    tag_key: SecretStr | None = None,
) -> AsyncIterator[House]:
    """A gateway that sees its devices, until the end of the block."""
    site = _copied(plan, folder)
    settings = Settings(
        site=site,
        data_dir=folder / "data",
        mqtt_url=broker.url,
        mqtt_client_id=f"house-{folder.name}",
        linger_ms=0,
        http="127.0.0.1:0",
        http_hosts=hosts,
        tag_key=tag_key,
    )
    async with build(settings) as gateway, aiomqtt.Client("127.0.0.1", broker.port) as devices:
        running = asyncio.create_task(gateway.run(), name="gateway")
        try:
            await reached(lambda: running.done() or gateway.health()["broker"].ok, "the broker is reached")
            house = House(gateway, create_app(gateway, settings, heartbeat=heartbeat), site, devices)
            async with house.http:
                yield house
        finally:
            gateway.stop()
            await running
