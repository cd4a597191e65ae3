"""Phones upload over real HTTP to a real gateway."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.http.server import serve
from gateway.core.plan import SitePlan
from gateway.core.values import SECOND
from simulators.guard_phone import GuardPhone
from simulators.guards import walk_rounds
from tests.api.house import House, open_house
from tests.servers.mosquitto import Mosquitto
from tests.simulators.gatehouse import KEY, tag_wall


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


async def served(house: House) -> tuple[str, asyncio.Task[None]]:
    """The address at which the application is served from now on, and the task that serves it."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(house.app, "127.0.0.1", 0, ready=ready.set_result), name="http")
    return await ready, task


async def test_a_phone_is_given_its_guards_token_and_its_taps_are_proof(
    patrols: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    site = Path(__file__).with_name("patrols.yaml")
    async with open_house(mosquitto, tmp_path, plan=site, tag_key=SecretStr(KEY)) as house:
        url, serving = await served(house)
        start = time.time_ns() // 1_000_000
        guard = GuardPhone(
            patrols, "loop", tag_wall(patrols), phone="phone-1", guard="g-02", seed=1, start=start
        )
        await walk_rounds([guard], url, start=start, end=start + 15 * SECOND, speed=0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        taps = (await house.http.get("/taps")).json()["items"]
        assert house.gateway.patrol.guards["g-02"].token is not None
    assert (guard.phone.taken, guard.phone.refused) == (len(taps), 0)
    assert taps
    shown = {(tap["source"], tap["guard"]["id"], tap["by"], tap["grade"], tap["counted"]) for tap in taps}
    assert shown == {("phone-1", "g-02", "g-02", "A", True)}


async def test_without_a_gateway_a_phone_keeps_its_taps(patrols: SitePlan, unused_tcp_port: int) -> None:
    start = time.time_ns() // 1_000_000
    guard = GuardPhone(patrols, "loop", tag_wall(patrols), phone="p", guard="g-02", seed=1, start=start)
    await walk_rounds(
        [guard], f"http://127.0.0.1:{unused_tcp_port}", start=start, end=start + 15 * SECOND, speed=0
    )
    assert guard.phone.queued >= 1
    assert (guard.phone.taken, guard.phone.refused) == (0, 0)
