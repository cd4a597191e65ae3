"""One connection of a publisher, against brokers that take everything, refuse, fall silent or are none."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.broker import broker
from simulators.errors import SimulationError
from simulators.line import Address, Line
from simulators.publication import Publication
from simulators.publisher import publisher
from simulators.wire import HUNG_UP
from tests.adapters.running_source import Relay
from tests.e2e.waiting import eventually
from tests.servers.certificates import Authority, make_authority
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.simulators.ear import WITHIN, listening
from tests.simulators.sites import the_house

STRANGER = "what answers there does not speak MQTT 3.1.1"
TOPIC = "facility/house/lift-1/telemetry"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def running(line: Line) -> AsyncIterator[Line]:
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def trouble(line: Line) -> str:
    """What it says of its first failed connection."""
    await eventually(lambda: line.reconnects > 0, "a connection that is lost")
    return line.trouble


def line_to(port: int, window: int = 200) -> Line:
    return Line(Address.parse(f"mqtt://127.0.0.1:{port}"), "line", window=window)


def test_a_line_starts_with_nothing_sent_and_no_trouble() -> None:
    line = line_to(1)
    assert (line.sent, line.reconnects, line.trouble) == (0, 0, "")


async def test_payloads_of_every_length_arrive_whole(mosquitto: Mosquitto) -> None:
    """Also those around the lengths at which the length takes one more byte, and topics that are no ASCII."""
    head = 2 + len(TOPIC) + 2
    edges = [edge + step - head for edge in (128, 16_384, 2_097_152) for step in (-1, 0, 1)]
    payloads = [b"", *(b"x" * size for size in edges)]
    async with listening(mosquitto.url) as ear, publisher(mosquitto.url, the_house()) as line:
        for payload in payloads:
            await line.send(Publication(TOPIC, payload))
        await line.send(Publication("facility/house/电梯/telemetry", b"1"))
        await line.drained()
        await ear.until(lambda: ear.count == len(payloads) + 1)
    assert ear.heard[TOPIC] == payloads
    assert ear.heard["facility/house/电梯/telemetry"] == [b"1"]


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_publications_of_each_quality_count_as_sent_once(kind: str, qos: int) -> None:
    payloads = [str(number).encode() for number in range(50)]
    async with broker(kind) as url, listening(url) as ear, running(Line(Address.parse(url), "line")) as line:
        for payload in payloads:
            await line.send(Publication(TOPIC, payload, qos))
        async with asyncio.timeout(WITHIN):
            await line.drained()
        assert line.sent == len(payloads)
        await ear.until(lambda: ear.count == len(payloads))
    assert ear.heard[TOPIC] == payloads


async def test_what_a_killed_broker_left_unacknowledged_is_sent_again_in_order(mosquitto: Mosquitto) -> None:
    payloads = [str(number).encode() for number in range(30)]
    async with listening(mosquitto.url) as ear, running(line_to(mosquitto.port, window=20)) as line:
        await line.connected()
        mosquitto.freeze()
        for payload in payloads:
            await line.send(Publication(TOPIC, payload))
        await asyncio.to_thread(mosquitto.kill)
        await asyncio.to_thread(mosquitto.start)
        async with asyncio.timeout(WITHIN):
            await line.drained()
        await ear.until(lambda: list(dict.fromkeys(ear.heard[TOPIC])) == payloads)
    assert line.reconnects >= 1
    assert line.sent == len(payloads)


async def test_connections_lost_again_and_again_lose_nothing_and_keep_the_order(tmp_path: Path) -> None:
    payloads = [str(number).encode() for number in range(3000)]
    with Mosquitto(tmp_path, {"autosave_on_changes": "false"}) as server:
        await over_a_relay(server, payloads)


async def over_a_relay(server: Mosquitto, payloads: list[bytes]) -> None:
    async with (
        listening(server.url) as ear,
        Relay(server.port) as relay,
        running(line_to(relay.port)) as line,
    ):
        for number, payload in enumerate(payloads):
            await line.send(Publication(TOPIC, payload))
            if number % 500 == 250:
                relay.cut()
        async with asyncio.timeout(WITHIN):
            await line.drained()
        await ear.until(lambda: payloads[-1] in ear.heard[TOPIC][-200:])
        assert list(dict.fromkeys(ear.heard[TOPIC])) == payloads
        assert line.reconnects >= 3
        assert line.sent == len(payloads)


async def test_a_cut_leaves_the_last_will_and_the_way_out_does_not(mosquitto: Mosquitto) -> None:
    will = Publication("facility/house/lift-1/status", b"offline")
    address = Address.parse(mosquitto.url)
    async with listening(mosquitto.url) as ear:
        async with running(Line(address, "line", will=will)) as line:
            await line.send(Publication(TOPIC, b"1"))
            await line.cut()
            await ear.until(lambda: ear.heard[will.topic] == [b"offline"])
            await line.send(Publication(TOPIC, b"2"))
            async with asyncio.timeout(WITHIN):
                await line.drained()
        async with running(Line(address, "other")) as line:
            await line.send(Publication(TOPIC, b"3"))
            await ear.until(lambda: ear.heard[TOPIC] == [b"1", b"2", b"3"])
    assert ear.heard[will.topic] == [b"offline"]
    assert "Client line disconnected" in mosquitto.log.read_text()


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [("anna", "wrong", "wrong|not authorised"), (None, None, "not authorised")],
)
async def test_a_broker_that_refuses_us_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str | None, password: str | None, words: str
) -> None:
    monkeypatch.setattr("simulators.publisher.ANSWER_WITHIN", 2)
    with Mosquitto(tmp_path / "closed", {"allow_anonymous": "false"}) as server:
        login = f"{user}:{password}@" if user else ""
        url = f"mqtt://{login}127.0.0.1:{server.port}"
        with pytest.raises(SimulationError, match=f"the broker refuses us: .*({words})"):
            async with publisher(url, the_house()):
                pass


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x20\x02\x00\x01", [STRANGER]),
        (b"\x20\x02\x00\x02", ["the broker refuses us: it does not take our client id"]),
        (b"\x20\x02\x00\x03", ["the broker refuses us: it is not available"]),
        (b"\x20\x02\x00\x04", ["the broker refuses us: user or password is wrong"]),
        (b"\x20\x02\x00\x05", ["the broker refuses us: we are not authorised"]),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", [STRANGER, HUNG_UP]),
        (b"\x20\x00", [STRANGER]),
        (b"\xf0\x00", [STRANGER]),
        (b"", [HUNG_UP]),
    ],
)
async def test_what_answers_in_another_way_is_described(answer: bytes, words: list[str]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, running(line_to(server.sockets[0].getsockname()[1])) as line:
        said = await trouble(line)
    assert said in words


async def test_a_broker_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.line.CONNECT_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with running(line_to(mute.getsockname()[1])) as line:
            assert await trouble(line) == "no answer within 0.2 s"


async def test_a_broker_that_falls_silent_is_taken_for_dead_and_found_again(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.wire.KEEP_ALIVE", 1)
    async with running(line_to(mosquitto.port)) as line:
        await line.connected()
        mosquitto.freeze()
        assert await trouble(line) == "the broker has said nothing for 2 s"
        mosquitto.thaw()
        await line.send(Publication(TOPIC, b"1"))
        async with asyncio.timeout(WITHIN):
            await line.drained()


async def test_an_idle_line_stays_connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.wire.KEEP_ALIVE", 1)
    with Mosquitto(tmp_path / "broker", {"log_type": "all"}) as server:
        async with running(line_to(server.port)) as line:
            await eventually(
                lambda: server.log.read_text().count("Sending PINGRESP to line") == 4,
                "four signs of life",
                server.log.read_text,
            )
            assert line.reconnects == 0


@pytest.mark.parametrize("host", ["no-such-machine.invalid", "a" * 70])
async def test_a_machine_that_cannot_be_found_is_trouble(host: str) -> None:
    async with running(Line(Address.parse(f"mqtt://{host}"), "line")) as line:
        assert await trouble(line)


async def test_who_gives_up_does_not_wait_for_a_connection_that_hangs() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # A full backlog: further connections get no answer at all.
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        async with asyncio.timeout(5):
            async with running(line_to(port)):
                await asyncio.sleep(0.2)
        for one in fillers:
            one.close()


async def test_tls_to_a_broker_we_trust(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    payloads = [str(number).encode() for number in range(500)]
    plain = free_port()
    with Mosquitto(tmp_path / "sealed", _tls(authority, plain)) as server:
        address = Address.parse(f"mqtts://localhost:{server.port}")
        async with listening(f"mqtt://127.0.0.1:{plain}") as ear, running(Line(address, "line")) as line:
            for payload in payloads:
                await line.send(Publication(TOPIC, payload))
            async with asyncio.timeout(WITHIN):
                await line.drained()
            await ear.until(lambda: ear.count == len(payloads))
    assert ear.heard[TOPIC] == payloads
    assert (line.sent, line.reconnects) == (len(payloads), 0)


async def test_tls_to_a_broker_we_do_not_trust(tmp_path: Path, authority: Authority) -> None:
    with Mosquitto(tmp_path / "sealed", _tls(authority, free_port())) as server:
        async with running(Line(Address.parse(f"mqtts://localhost:{server.port}"), "line")) as line:
            assert "certificate verify failed" in await trouble(line)


def _tls(authority: Authority, plain: int) -> dict[str, str | None]:
    return {
        "certfile": str(authority.broker),
        "keyfile": str(authority.broker_key),
        "listener": f"{plain} 127.0.0.1",
    }


@pytest.mark.parametrize("topic", ["a/+/b", "a/#", "", "a" * 65_536])
async def test_a_topic_no_broker_takes_ends_the_publishing(mosquitto: Mosquitto, topic: str) -> None:
    async def send() -> None:
        async with publisher(mosquitto.url, the_house()) as line:
            await line.send(Publication(topic, b"1"))
            await asyncio.Event().wait()

    with pytest.raises(SimulationError, match="no broker takes a message for"):
        await send()
