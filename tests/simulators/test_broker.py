import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from simulators.broker import broker, find_mosquitto
from simulators.errors import SimulationError
from simulators.line import Address

KINDS = ["mosquitto", "amqtt"]


@asynccontextmanager
async def connected(url: str, name: str, *, clean: bool = True) -> AsyncIterator[aiomqtt.Client]:
    address = Address.parse(url)
    client = aiomqtt.Client(address.host, address.port, identifier=name, clean_session=clean)
    async with asyncio.timeout(20), client:
        yield client


def refuses(url: str) -> bool:
    address = Address.parse(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) != 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_carries_messages_and_is_gone_afterwards(kind: str) -> None:
    async with broker(kind) as url:
        assert url.startswith("mqtt://127.0.0.1:")
        async with connected(url, "reader") as reader, connected(url, "writer") as writer:
            await reader.subscribe("a/#", qos=1)
            await writer.publish("a/b", b"hello", qos=1)
            message = await anext(aiter(reader.messages))
            assert (str(message.topic), message.payload) == ("a/b", b"hello")
    assert refuses(url)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_keeps_a_persistent_session(kind: str) -> None:
    async with broker(kind) as url:
        async with connected(url, "gateway", clean=False) as reader:
            await reader.subscribe("a/#", qos=1)
        async with connected(url, "writer") as writer:
            for number in range(20):
                await writer.publish("a/b", str(number), qos=1)
        # amqtt sweeps forgotten sessions once a second; ours must outlive that.
        await asyncio.sleep(1.2)
        got = []
        async with connected(url, "gateway", clean=False) as reader:
            async for message in reader.messages:
                got.append(message.payload)
                if len(got) == 20:
                    break
    assert got == [str(number).encode() for number in range(20)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_stops_when_the_block_fails(kind: str) -> None:
    async def fail() -> str:
        async with broker(kind) as url:
            raise ConnectionError(url)

    with pytest.raises(ConnectionError) as caught:
        await fail()
    assert refuses(str(caught.value))


async def test_two_brokers_live_side_by_side() -> None:
    async with broker() as one, broker() as other:
        assert one != other


def test_mosquitto_dies_with_a_killed_parent() -> None:
    program = (
        "import asyncio\n"
        "from simulators.broker import broker\n"
        "async def main():\n"
        "    async with broker('mosquitto') as url:\n"
        "        print(url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert not refuses(url)
        parent.kill()
    deadline = time.monotonic() + 10
    while not refuses(url):
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_an_unknown_broker_is_refused() -> None:
    with pytest.raises(SimulationError, match="no broker 'rabbit'; known are auto, mosquitto and amqtt"):
        async with broker("rabbit"):
            pass


async def test_mosquitto_missing_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr("simulators.broker.SBIN", ())
    assert find_mosquitto() is None
    with pytest.raises(SimulationError, match="apt-get install mosquitto"):
        async with broker("mosquitto"):
            pass


async def test_without_mosquitto_the_broker_is_amqtt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr("simulators.broker.SBIN", ())
    async with broker() as url, connected(url, "reader") as reader:
        await reader.subscribe("a/#", qos=1)


async def test_a_mosquitto_that_does_not_start_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "mosquitto"
    fake.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(SimulationError, match="mosquitto does not start; it says: out of luck"):
        async with broker("mosquitto"):
            pass
