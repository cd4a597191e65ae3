import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, SECOND
from simulators.broker import broker
from simulators.errors import SimulationError
from simulators.faults import Fault, FaultKind
from simulators.fleet import Fleet
from simulators.publication import Publication
from simulators.publisher import Publisher, publisher
from simulators.simulate import Progress, play, simulate
from tests.servers.mosquitto import Mosquitto
from tests.simulators.ear import WITHIN, listening
from tests.simulators.listening import START


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


def by_topic(publications: list[Publication]) -> dict[str, list[bytes]]:
    sorted_out: dict[str, list[bytes]] = defaultdict(list)
    for one in publications:
        sorted_out[one.topic].append(one.payload)
    return sorted_out


@pytest.mark.parametrize("connections", [1, 3])
async def test_everything_arrives_and_in_order(
    house: SitePlan, mosquitto: Mosquitto, connections: int
) -> None:
    sent = by_topic(Fleet(house, seed=1, start=START).advance(START + 20 * MINUTE))
    async with listening(mosquitto.url) as ear:
        done = await simulate(
            site=house,
            url=mosquitto.url,
            seed=1,
            speed=0,
            start=START,
            duration=20 * 60,
            faults=[],
            connections=connections,
        )
        await ear.until(lambda: ear.count >= done.published)
    assert ear.heard == sent
    assert done == Progress(START + 20 * MINUTE, sum(map(len, sent.values())), 0)


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
async def test_the_demos_own_brokers_carry_a_site_in_order(house: SitePlan, kind: str) -> None:
    fault = Fault("lift-1", FaultKind.OFFLINE, 60 * SECOND, 60 * SECOND)
    sent = by_topic(Fleet(house, seed=1, start=START, faults=[fault]).advance(START + 5 * MINUTE))
    async with broker(kind) as url, listening(url) as ear:
        await simulate(
            site=house, url=url, seed=1, speed=0, start=START, duration=300, faults=[fault], own=["lift-1"]
        )
        await ear.until(lambda: ear.count == sum(map(len, sent.values())))
    assert ear.heard == sent


async def test_a_restarted_broker_loses_nothing_and_keeps_the_order(
    house: SitePlan, mosquitto: Mosquitto
) -> None:
    sent = by_topic(Fleet(house, seed=1, start=START).advance(START + 60 * MINUTE))

    async def restart(at: Progress) -> None:
        if at.now == START + 30 * MINUTE:
            await asyncio.to_thread(mosquitto.stop)
            await asyncio.to_thread(mosquitto.start)

    async with listening(mosquitto.url) as ear:
        done = await run_in_halves(house, mosquitto, restart)
        await ear.until(
            lambda: {topic: len(unique(heard)) for topic, heard in ear.heard.items()} == lengths(sent)
        )
    assert done.reconnects >= 1
    assert {topic: unique(heard) for topic, heard in ear.heard.items()} == {
        topic: unique(payloads) for topic, payloads in sent.items()
    }


async def run_in_halves(
    house: SitePlan, mosquitto: Mosquitto, between: Callable[[Progress], Awaitable[None]]
) -> Progress:
    fleet = Fleet(house, seed=1, start=START)
    async with publisher(mosquitto.url, house) as line:
        await between(await play(fleet, line, speed=0, end=START + 30 * MINUTE))
        return await play(fleet, line, speed=0, end=START + 60 * MINUTE)


def unique(payloads: list[bytes]) -> list[bytes]:
    """Without repeats: at least once is what QoS 1 promises."""
    return list(dict.fromkeys(payloads))


def lengths(sent: dict[str, list[bytes]]) -> dict[str, int]:
    return {topic: len(unique(payloads)) for topic, payloads in sent.items()}


async def test_a_device_with_its_own_connection_leaves_a_last_will(
    house: SitePlan, mosquitto: Mosquitto
) -> None:
    fault = Fault("lift-1", FaultKind.OFFLINE, 60 * SECOND, 60 * SECOND)
    fleet = Fleet(house, seed=1, start=START, faults=[fault])
    status = "facility/house/lift-1/status"
    async with listening(mosquitto.url) as ear, publisher(mosquitto.url, house, own=["lift-1"]) as line:
        await play(fleet, line, speed=0, end=START + 90 * SECOND)
        await ear.until(lambda: ear.heard[status] == [b"online", b"offline"])
        await play(fleet, line, speed=0, end=START + 150 * SECOND)
        await ear.until(lambda: ear.heard[status] == [b"online", b"offline", b"online"])
    assert line.reconnects == 1


async def test_births_are_retained(house: SitePlan, mosquitto: Mosquitto) -> None:
    await simulate(site=house, url=mosquitto.url, speed=0, start=START, duration=5, faults=[])
    async with listening(mosquitto.url) as ear:
        await ear.until(lambda: ear.count == 5)
    assert ear.heard == {f"facility/house/{name}/status": [b"online"] for name in house.equipment}


async def test_a_stopped_broker_holds_the_simulation_back(house: SitePlan, mosquitto: Mosquitto) -> None:
    fleet = Fleet(house, seed=1, start=START)
    async with publisher(mosquitto.url, house, window=20) as line:
        mosquitto.freeze()
        playing = asyncio.create_task(play(fleet, line, speed=0, end=START + 20 * MINUTE))
        await until_still(fleet, line)
        assert fleet.now < START + 10 * MINUTE
        mosquitto.thaw()
        async with asyncio.timeout(WITHIN):
            done = await playing
    assert done.now == START + 20 * MINUTE


async def until_still(fleet: Fleet, line: Publisher) -> None:
    """Return once the simulation has not moved on for a while."""
    async with asyncio.timeout(WITHIN):
        last = (-1, -1)
        while last != (last := (fleet.now, line.sent)):  # noqa: ASYNC110  nothing tells that nothing happens
            await asyncio.sleep(0.3)


async def test_real_time_takes_its_time_and_speed_shortens_it(house: SitePlan, mosquitto: Mosquitto) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await simulate(site=house, url=mosquitto.url, duration=1, faults=[])
    assert 0.95 <= loop.time() - began < 10
    began = loop.time()
    await simulate(site=house, url=mosquitto.url, duration=60, speed=60, faults=[])
    assert 0.95 <= loop.time() - began < 10


async def test_progress_is_told_and_the_demo_schedule_is_the_default(
    house: SitePlan, mosquitto: Mosquitto
) -> None:
    told: list[Progress] = []
    async with listening(mosquitto.url) as ear:
        done = await simulate(
            site=house, url=mosquitto.url, speed=0, start=START, duration=60, progress=told.append
        )
        await ear.until(lambda: ear.count == done.published)
    assert [one.now for one in told] == [START + second * SECOND for second in range(1, 61)]
    assert any(b"fire_alarm" in payload for payload in ear.heard["facility/house/fire-1/event"])


async def test_a_site_can_be_blown_up_and_cut_down(house: SitePlan, mosquitto: Mosquitto) -> None:
    site = Path(__file__).with_name("house.yaml")
    async with listening(mosquitto.url) as ear:
        done = await simulate(
            site=site, url=mosquitto.url, speed=0, start=START, duration=5, devices=30, faults=[]
        )
        await ear.until(lambda: ear.count == done.published)
        assert len({topic.split("/")[2] for topic in ear.heard}) == 30
        ear.heard.clear()
        only = {"gate-1", "lift-1"}
        done = await simulate(site=house, url=mosquitto.url, speed=0, start=START, duration=60, only=only)
        await ear.until(lambda: ear.count >= done.published)
        assert {topic.split("/")[2] for topic in ear.heard} == only | {
            topic.split("/")[2] for topic in ear.heard if topic.endswith("/status")
        }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": "http://127.0.0.1:1"}, "expected mqtt://host:port"),
        ({"url": "mqtt://"}, "expected mqtt://host:port"),
        ({"url": "mqtt://127.0.0.1:99999"}, "out of range"),
        ({"speed": -1.0}, "a speed of -1.0 is not possible"),
        ({"speed": float("nan")}, "a speed of nan is not possible"),
        ({"speed": 60.0}, "needs a duration or a start"),
        ({"duration": 0.0}, "a duration of 0.0 s is not possible"),
        ({"devices": 0, "duration": 1.0}, "0 devices are not possible"),
        ({"connections": 0, "duration": 1.0}, "0 connections are too few"),
        ({"own": ["lift-9"], "duration": 1.0}, "no connection of its own for 'lift-9'"),
    ],
)
async def test_an_impossible_simulation_is_refused(
    house: SitePlan, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(SimulationError, match=words):
        await simulate(**({"site": house, "url": "mqtt://127.0.0.1:1"} | arguments))  # type: ignore[arg-type]


async def test_no_broker_is_said_after_a_while(house: SitePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.publisher.ANSWER_WITHIN", 0.5)
    words = r"no broker accepts a connection at mqtt://127\.0\.0\.1:1: .*Connection refused"
    with pytest.raises(SimulationError, match=words):
        await simulate(site=house, url="mqtt://127.0.0.1:1", duration=1)
