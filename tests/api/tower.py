"""A gateway with cryptographic tags for tests: the tags as they hang there, and the gateway behind its pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal

import httpx
from pydantic import SecretStr

from api.http.app import create_app
from gateway.bootstrap import build
from gateway.codecs.tag_keys import TagKeys
from gateway.gateway import Gateway
from gateway.settings import Settings
from simulators.ntag import SimulatedTag
from tests.api.house import reached
from tests.servers.mosquitto import Mosquitto

SITE: Final = Path(__file__).with_name("tower.yaml")
KEY: Final = "0123456789ABCDEF0123456789ABCDEF"
"""The master key of the tags."""
PUMP, ROOF, OLD_GATE, READER = "04A22B1C3D5E80", "04A22B1C3D5E90", "04A22B1C3D5EB0", "04A22B1C3D5EA0"


def tag(
    uid: str,
    *,
    epoch: int = 1,
    key: str = KEY,
    form: Literal["encrypted", "enc", "plain"] = "encrypted",
    site: str = "tower",
) -> SimulatedTag:
    """A tag of the tower, or of another site, as its owner writes it."""
    own = TagKeys.parse(key).of_site(site)[0]
    file = own.file(bytes.fromhex(uid), epoch)
    return SimulatedTag(uid, epoch, "https://gate.example/t", own.meta, file, form=form, tamper=form == "enc")


class Tower:
    """A running gateway."""

    def __init__(self, gateway: Gateway, settings: Settings) -> None:
        self.gateway = gateway
        self.app = create_app(gateway, settings)
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def taps(self) -> list[dict[str, object]]:
        """Every tap there is, the latest first."""
        found: list[dict[str, object]] = (await self.http.get("/api/v1/taps")).json()["items"]
        return found


@contextlib.asynccontextmanager
async def open_tower(broker: Mosquitto, folder: Path, *, key: str | None = KEY) -> AsyncIterator[Tower]:
    """A gateway that sees its devices, until the end of the block."""
    settings = Settings(
        site=SITE,
        data_dir=folder / "data",
        mqtt_url=broker.url,
        mqtt_client_id=f"tower-{folder.name}",
        linger_ms=0,
        http="127.0.0.1:0",
        tag_key=None if key is None else SecretStr(key),
    )
    async with build(settings) as gateway:
        running = asyncio.create_task(gateway.run(), name="gateway")
        try:
            await reached(lambda: running.done() or gateway.health()["broker"].ok, "the broker is reached")
            tower = Tower(gateway, settings)
            async with tower.http:
                yield tower
        finally:
            gateway.stop()
            await running
