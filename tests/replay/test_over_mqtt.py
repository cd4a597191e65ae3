"""``fgw replay --to``: a file published on a real broker."""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from gateway.core.values import DAY, Message
from gateway.traffic import Line
from tests.api.commands import Ran, call
from tests.replay.presses import START, reading, story, write_story
from tests.servers.mosquitto import Mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


async def published(broker: Mosquitto, count: int, *arguments: object) -> tuple[Ran, list[aiomqtt.Message]]:
    """What a listener hears while the command runs, up to a number of messages."""
    heard: list[aiomqtt.Message] = []
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("facility/#", qos=1)
        command = [sys.executable, "-m", "api.cli", "replay", *map(str, arguments), "--to", broker.url]
        child = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            async for message in client.messages:
                heard.append(message)
                if len(heard) == count:
                    break
            out, err = await child.communicate()
    return Ran(child.returncode or 0, out.decode(), err.decode(), out), heard


async def test_every_message_is_published_in_its_order(tmp_path: Path, broker: Mosquitto) -> None:
    traffic = write_story(tmp_path / "story.jsonl.zst")
    sent = [line.input for line in story() if isinstance(line.input, Message)]
    said, heard = await published(broker, len(sent), traffic, "--speed", "max", "--json")
    assert [(str(one.topic), one.payload) for one in heard] == [(one.topic, one.payload) for one in sent]
    answer = json.loads(said.out)
    assert (said.status, answer["messages"], answer["skipped"], answer["partial"]) == (0, len(sent), 1, False)


async def test_times_can_be_moved(tmp_path: Path, broker: Mosquitto) -> None:
    traffic = write_story(tmp_path / "one.jsonl", [reading(START, "p1", 20.5)])
    said, (one,) = await published(broker, 1, traffic, "--shift", "+3d")
    assert msgspec.json.decode(one.payload) == {"ts": START + 3 * DAY, "values": {"temp": 20.5}}
    assert said.out.startswith("1 messages in ")


async def test_a_truncated_file_is_published_as_far_as_it_goes(tmp_path: Path, broker: Mosquitto) -> None:
    traffic = write_story(tmp_path / "a.jsonl", [reading(START + at, "p1", 20.5) for at in (0, 1, 2)])
    traffic.write_bytes(traffic.read_bytes()[:-20])
    said, heard = await published(broker, 2, traffic, "--speed", "max")
    assert (said.status, len(heard)) == (1, 2)
    assert "PARTIAL: 1 lines or files could not be read to their end" in said.err


async def test_a_replay_that_waits_for_its_input_can_be_ended_by_hand(
    tmp_path: Path, broker: Mosquitto
) -> None:
    traffic = write_story(tmp_path / "a.jsonl", [reading(START + at, "p1", 20.5) for at in range(400)])
    command = [sys.executable, "-m", "api.cli", "replay", "-", "--to", broker.url, "--speed", "max"]
    async with aiomqtt.Client("127.0.0.1", broker.port) as client, asyncio.timeout(60):
        await client.subscribe("facility/#", qos=1)
        messages = aiter(client.messages)
        child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert child.stdin is not None
        child.stdin.write(traffic.read_bytes())
        await child.stdin.drain()
        await anext(messages)
        with contextlib.suppress(TimeoutError):
            while True:  # until it has nothing more to send and waits for its input
                await asyncio.wait_for(anext(messages), 2)
        while child.returncode is None:
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), 1)
    assert child.stderr is not None
    assert b"Traceback" not in await child.stderr.read()
    assert child.returncode in (1, 130)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--speed", "fast"], 2, "'fast' is no speed; give 1 for the pace it was recorded at"),
        (["--speed", "0"], 2, "'0' is no speed"),
        (["--shift", "tomorrow"], 2, "'tomorrow' is no shift; write now, +3d or -2h"),
        ([], 1, "publishing to"),
    ],
)
def test_a_wrong_call_and_an_absent_broker_are_told_in_words(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    traffic = write_story(tmp_path / "a.jsonl", [Line(1, START, Message("a", b""))])
    said = call("replay", traffic, "--to", "mqtt://127.0.0.1:1", *arguments)
    assert said.status == status, said
    assert words in " ".join(said.err.replace("│", " ").split())
