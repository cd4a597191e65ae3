"""The gateway is killed in the middle of a stream, again and again, and nothing is lost or done twice."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import StartGateway
from tests.e2e.ending import assert_all_kept, finish
from tests.e2e.mill import Sent, Stream, write_site
from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto

COUNT = 20_000
KILLS = 5


async def kill_during(
    gateway: GatewayProcess, part: list[Sent], publisher: Publisher, chance: random.Random
) -> int:
    """Publish a part of the stream; kill the gateway once it has committed some of it, and start it again.

    Returns how many messages the broker had taken and the gateway had not committed at that moment.
    """
    wanted = gateway.kept.inputs + 1 + chance.randrange(max(1, len(part) // 2))
    publishing = asyncio.create_task(publisher.publish(part), name="a part of the stream")
    await gateway.until(lambda: gateway.kept.inputs >= wanted, "a part of the stream to be committed")
    gateway.kill()
    left = publisher.answered - gateway.kept.inputs
    gateway.start()
    await publishing
    return left


@pytest.fixture(params=[pytest.param("embedded", marks=pytest.mark.soak), "influxdb"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of the gateway for one telemetry store or the other."""
    if request.param == "embedded":
        return {"batch": "250"}
    influx: InfluxServer = request.getfixturevalue("influx")
    return {"influx_url": influx.url}


async def kill_again_and_again(
    gateway: GatewayProcess, publisher: Publisher, stream: Stream, kills: int, seed: int
) -> None:
    chance = random.Random(seed)
    *parts, rest = stream.cut(kills + 1, chance)
    left = [await kill_during(gateway, part, publisher, chance) for part in parts]
    assert left[0] > 0, "the first kill came when everything was committed already"
    await publisher.publish(rest)
    await finish(gateway, publisher)


async def test_killed_five_times_every_reading_is_kept_once_and_the_alerts_are_those_of_an_undisturbed_run(
    tmp_path: Path,
    broker: Mosquitto,
    publisher: Publisher,
    gateway_of: StartGateway,
    store: dict[str, str],
) -> None:
    site, stream = write_site(tmp_path), Stream(COUNT, seed=11)
    gateway = gateway_of(site, broker.url, **store).start()
    await gateway.watching()
    await kill_again_and_again(gateway, publisher, stream, KILLS, seed=11)
    await assert_all_kept(gateway, site, stream, influx_url=store.get("influx_url"))


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_killed_twenty_times_in_a_hundred_thousand_messages(
    tmp_path: Path,
    broker: Mosquitto,
    publisher: Publisher,
    gateway_of: StartGateway,
    store: dict[str, str],
) -> None:
    site, stream = write_site(tmp_path), Stream(100_000, seed=12)
    gateway = gateway_of(site, broker.url, **store).start()
    await gateway.watching()
    await kill_again_and_again(gateway, publisher, stream, 20, seed=12)
    await assert_all_kept(gateway, site, stream, influx_url=store.get("influx_url"))


async def test_killed_while_it_starts_the_next_start_is_as_good_as_a_first(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(500, seed=13)
    gateway = gateway_of(site, broker.url)
    moments: list[Callable[[], bool]] = [
        (gateway.data / "gateway.lock").exists,
        (gateway.data / "facility.db").exists,
        lambda: gateway.kept.inputs > 0,
    ]
    for moment in moments:
        gateway.start()
        await gateway.until(moment, "the next step of the start")
        gateway.kill()
    gateway.start()
    await gateway.watching()
    await publisher.publish(stream.messages)
    await finish(gateway, publisher)
    await assert_all_kept(gateway, site, stream)
    assert len(gateway.kept.outcomes("site.configured")) == 1
