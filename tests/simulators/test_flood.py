import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.plan import SitePlan
from simulators.errors import SimulationError
from simulators.flood import flood
from simulators.scale import Traffic
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.simulators.ear import WITHIN, listening
from tests.simulators.listening import START


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


async def test_every_message_arrives_in_order(house: SitePlan, mosquitto: Mosquitto) -> None:
    async with listening(mosquitto.url) as ear:
        done = await flood(mosquitto.url, Traffic(house).messages(START), count=3_000)
        await ear.until(lambda: ear.count == 3_000)
    assert done.messages == 3_000
    stamps = ear.heard["facility/house/lift-1/telemetry"]
    assert len(stamps) == 600
    assert [payload.split(b",", 1)[0] for payload in stamps] == [
        b'{"ts":%d' % (START + number) for number in range(600)
    ]


async def test_a_rate_is_held(house: SitePlan, mosquitto: Mosquitto) -> None:
    done = await flood(mosquitto.url, Traffic(house).messages(START), count=500, rate=1_000)
    assert done.messages == 500
    assert 0.45 <= done.seconds < 5
    assert done.rate == pytest.approx(500 / done.seconds)


async def test_a_window_smaller_than_the_brokers_is_kept(house: SitePlan, mosquitto: Mosquitto) -> None:
    done = await flood(mosquitto.url, Traffic(house).messages(START), count=200, window=1)
    assert done.messages == 200


async def test_a_broker_that_goes_away_ends_the_flood(house: SitePlan, mosquitto: Mosquitto) -> None:
    pouring = asyncio.create_task(
        flood(mosquitto.url, Traffic(house).messages(START), count=10_000_000, rate=2_000)
    )
    async with listening(mosquitto.url) as ear:
        await ear.until(lambda: ear.count > 10)
        await asyncio.to_thread(mosquitto.kill)
        with pytest.raises(SimulationError, match="publishing to mqtt://127"):
            async with asyncio.timeout(WITHIN):
                await pouring


async def test_a_broker_that_is_not_there_is_named(house: SitePlan) -> None:
    port = free_port()
    with pytest.raises(SimulationError, match=f"publishing to mqtt://127.0.0.1:{port} failed"):
        await flood(f"mqtt://127.0.0.1:{port}", Traffic(house).messages(START), count=1)


async def test_a_broker_that_refuses_us_is_quoted(house: SitePlan, tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "closed", {"allow_anonymous": "false"}) as server,
        pytest.raises(SimulationError, match=r"does not let us in: .*NOT_AUTHORIZED"),
    ):
        await flood(server.url, Traffic(house).messages(START), count=1)
