import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.inputs import Command, LinkLost, LinkUp, Tick
from gateway.core.plan import SitePlan
from gateway.core.values import Message, Millis
from gateway.errors import TrafficError
from gateway.traffic import Line, TrafficInput, TrafficReader
from simulators.errors import SimulationError
from simulators.replayer import Progress, replay_to
from simulators.scale import Traffic
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.simulators.ear import WITHIN, listening
from tests.simulators.listening import START
from tests.simulators.taping import lines, messages, taping

TOPIC = "facility/house/lift-1/telemetry"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


def numbered(*inputs: tuple[Millis, TrafficInput], qos: Sequence[int] = ()) -> list[Line]:
    levels = [*qos, *[1] * len(inputs)]
    return [
        Line(number, START + at, one, level)
        for number, ((at, one), level) in enumerate(zip(inputs, levels, strict=False), 1)
    ]


def said(at: Millis, text: str) -> tuple[Millis, Message]:
    return at, Message(TOPIC, text.encode())


@pytest.mark.parametrize("speed", [0.0, 50.0])
async def test_every_message_arrives_in_order_at_any_speed(
    speed: float, house: SitePlan, mosquitto: Mosquitto
) -> None:
    traffic = Traffic(house).messages(START)
    source = [next(traffic) for _ in range(400)]
    recorded = numbered(*((10 * step, Message(one.topic, one.payload)) for step, one in enumerate(source)))
    async with listening(mosquitto.url) as ear:
        done = await replay_to(recorded, mosquitto.url, speed=speed)
        await ear.until(lambda: ear.count == 400)
    assert (done.messages, done.skipped) == (400, 0)
    assert done.rate == pytest.approx(done.messages / done.seconds)
    for topic, payloads in ear.heard.items():
        assert payloads == [one.payload for one in source if one.topic == topic]


async def test_the_pace_of_the_recording_is_kept_over_a_loss(mosquitto: Mosquitto) -> None:
    recorded = numbered(
        (0, LinkUp(START)), said(0, "a"), (100, LinkLost(START, "")), (350, LinkUp(START)), said(400, "b")
    )
    slow = await replay_to(recorded, mosquitto.url, speed=1)
    assert slow.seconds >= 0.4
    assert (slow.messages, slow.skipped) == (2, 0)
    assert slow.behind >= 0
    quick = await replay_to(recorded, mosquitto.url, speed=0)
    assert quick.behind == 0
    assert quick.messages == 2


async def test_what_is_no_message_is_skipped_and_counted(mosquitto: Mosquitto) -> None:
    command = Command(at=START, id="c", actor="a", verb="alert.ack", target="al", args={})
    recorded = numbered(
        (0, command),
        said(0, "a"),
        (0, Tick(START)),
        (0, Message("$malformed", b"")),
        (0, Message("a/+", b"")),
        (0, Message("", b"")),
        (0, Message("\0", b"")),
    )
    told: list[Progress] = []
    async with listening(mosquitto.url) as ear:
        done = await replay_to(recorded, mosquitto.url, speed=0, progress=told.append)
        await ear.until(lambda: ear.count == 1)
    assert (done.messages, done.skipped) == (1, 6)
    assert (told[-1].messages, told[-1].skipped, told[-1].at) == (1, 6, START)


async def test_qos_and_retain_are_kept_as_far_as_they_go(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    recorded = numbered(*((0, Message(f"facility/{qos}", b"%d" % qos)) for qos in range(3)), qos=(0, 1, 2))
    kept = [Line(4, START, Message("facility/kept", b"4", retained=True), 1)]
    async with taping(mosquitto.url, out) as tape:
        done = await replay_to([*recorded, *kept], mosquitto.url, speed=0)
        await tape.until(4)
    assert done.messages == 4
    found = [(one.topic, one.payload, qos) for one, qos in messages(lines(out))]
    assert found == [
        ("facility/0", b"0", 0),
        ("facility/1", b"1", 1),
        ("facility/2", b"2", 1),
        ("facility/kept", b"4", 1),
    ]
    async with taping(mosquitto.url, tmp_path / "b.jsonl") as tape:
        await tape.until(1)
    assert [one for one, _ in messages(lines(tmp_path / "b.jsonl"))] == [
        Message("facility/kept", b"4", retained=True)
    ]


async def test_device_times_are_moved(mosquitto: Mosquitto) -> None:
    recorded = numbered(
        said(0, f'{{"ts":{START},"values":{{"speed":1.5}}}}'), (0, Message(TOPIC, b"no JSON"))
    )
    told: list[Progress] = []
    async with listening(mosquitto.url) as ear:
        await replay_to(recorded, mosquitto.url, speed=0, shift=-1_000, progress=told.append)
        await ear.until(lambda: ear.count == 2)
    assert ear.heard[TOPIC] == [b'{"ts":%d,"values":{"speed":1.5}}' % (START - 1_000), b"no JSON"]
    assert told[-1].at == START - 1_000


async def test_a_broker_that_goes_away_ends_it_with_how_far_it_got(mosquitto: Mosquitto) -> None:
    recorded = numbered(*(said(step, str(step)) for step in range(60_000)))
    playing = asyncio.create_task(replay_to(recorded, mosquitto.url, speed=1))
    async with listening(mosquitto.url) as ear:
        await ear.until(lambda: ear.count > 10)
        await asyncio.to_thread(mosquitto.kill)
        with pytest.raises(
            SimulationError, match=r"publishing to mqtt://127.* failed: .*as far as line [1-9]"
        ):
            async with asyncio.timeout(WITHIN):
                await playing


async def test_a_broker_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(SimulationError, match=f"publishing to mqtt://127.0.0.1:{port} failed: [^;]*$"):
        await replay_to(numbered(said(0, "a")), f"mqtt://me:secret@127.0.0.1:{port}")


async def test_a_broker_that_refuses_us_is_quoted(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "closed", {"allow_anonymous": "false"}) as server,
        pytest.raises(SimulationError, match=r"does not let us in: .*NOT_AUTHORIZED"),
    ):
        await replay_to(numbered(said(0, "a")), server.url)


@asynccontextmanager
async def answering(words: bytes) -> AsyncIterator[str]:
    """What answers every connection with the same bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(words)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_broker_of_an_older_protocol_is_told_apart() -> None:
    async with answering(b"\x20\x02\x00\x01") as url:
        with pytest.raises(SimulationError, match="does not speak MQTT 5"):
            await replay_to(numbered(said(0, "a")), url)


async def test_what_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.hose.PATIENCE", 0.1)
    async with answering(b"") as url:
        with pytest.raises(SimulationError, match="does not answer in MQTT 5"):
            await replay_to(numbered(said(0, "a")), url)


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
async def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(SimulationError, match="is not possible"):
        await replay_to([], "mqtt://127.0.0.1:1", speed=speed)


async def test_a_file_that_is_not_there_is_said(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match="there is no such file"):
        await replay_to(TrafficReader(tmp_path / "a.jsonl"), mosquitto.url)


async def test_an_empty_recording_is_nothing(mosquitto: Mosquitto) -> None:
    done = await replay_to([], mosquitto.url)
    assert (done.messages, done.skipped, done.rate) == (0, 0, 0.0)
