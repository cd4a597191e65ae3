import asyncio
import resource
import signal
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from gateway.core.inputs import LinkLost, LinkUp
from gateway.core.plan import SitePlan
from gateway.core.values import Message
from gateway.traffic import TrafficReader, TrafficWriter
from gateway.traffic.masking import Mask
from simulators.errors import SimulationError
from simulators.flood import flood
from simulators.publication import Publication
from simulators.recorder import record
from simulators.reel import Reel, Rotation
from simulators.replayer import replay_to
from simulators.scale import Traffic
from tests.e2e.process import PROGRAM, PROJECT
from tests.e2e.waiting import PATIENCE, eventually
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.simulators.ear import WITHIN
from tests.simulators.listening import START
from tests.simulators.taping import by_topic, lines, messages, taping

SECRET = "s3cr/et"  # noqa: S105 - of nothing
ODD = [
    Publication("facility/house/gate-1/event", b"\xff\xfe{ no JSON", qos=1),
    Publication("facility/house/gate-1/event", b"", qos=1),
    Publication("facility/house/gate-1/status", b"online", qos=0),
    Publication("facility/house/lift-1/telemetry", '{"ts": 1,"values" :{"名":1.10}}'.encode(), qos=1),
]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.recorder.FLUSH_EVERY", 0.02)


def names_in(folder: Path, beginning: str = "") -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(beginning))


async def send(url: str, plan: SitePlan, count: int) -> None:
    await flood(url, Traffic(plan).messages(START), count=count)


class Program:
    """``fgw record`` as a child process."""

    def __init__(self, out: Path, url: str, *flags: str, size_most: int | None = None) -> None:
        command = [*PROGRAM, "record", "--out", str(out), "--url", url, *flags]
        self.child = subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if size_most is not None:
            resource.prlimit(self.child.pid, resource.RLIMIT_FSIZE, (size_most, size_most))
        self.part = out.with_name(f"{out.name}.part")

    async def on_file(self, count: int) -> None:
        """Return once so many lines can be read of the file that is being written."""
        await eventually(
            lambda: self.part.exists() and sum(1 for _ in TrafficReader(self.part)) >= count,
            f"{count} lines on file",
        )

    def end(self) -> tuple[int, str, str]:
        out, err = self.child.communicate(timeout=PATIENCE)
        return self.child.returncode, out, err


async def test_what_is_recorded_and_replayed_comes_again_in_its_order(
    house: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.jsonl.zst", tmp_path / "second.jsonl.gz"
    traffic = Traffic(house).messages(START)
    source = [*(next(traffic) for _ in range(300)), *ODD]
    async with taping(mosquitto.url, first) as tape:
        sent = tmp_path / "sent.jsonl"
        with TrafficWriter.open(sent) as writer:
            for one in source:
                writer.message(START, one.topic, one.payload, one.qos)
        await replay_to(TrafficReader(sent), mosquitto.url, speed=0)
        await tape.until(len(source))
    recorded = lines(first)
    assert by_topic(recorded) == by_topic(lines(sent))
    assert isinstance(recorded[0].input, LinkUp)
    async with taping(mosquitto.url, second) as tape:
        done = await replay_to(TrafficReader(first), mosquitto.url, speed=0)
        await tape.until(len(source))
    assert (done.messages, done.skipped) == (len(source), 0)
    assert by_topic(lines(second)) == by_topic(recorded)


async def test_a_retained_message_is_told_from_a_live_one(mosquitto: Mosquitto, tmp_path: Path) -> None:
    topic = "facility/house/lift-1/status"
    await flood(mosquitto.url, [Publication(topic, b"online", retain=True)], count=1)
    async with taping(mosquitto.url, tmp_path / "a.jsonl") as tape:
        await tape.until(1)
        await flood(mosquitto.url, [Publication(topic, b"offline", retain=True)], count=1)
        await tape.until(2)
    found = [(one.payload, one.retained) for one, _ in messages(lines(tmp_path / "a.jsonl"))]
    assert found == [(b"online", True), (b"offline", False)]


async def test_files_follow_each_other_by_size_and_each_can_be_read_by_itself(
    house: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "site.jsonl.zst"
    async with taping(mosquitto.url, out, rotation=Rotation(size=1)) as tape:
        for count in range(20, 81, 20):
            await send(mosquitto.url, house, 20)
            await tape.until(count)
    assert tape.result is not None
    files = tape.result.files
    assert len(files) >= 4
    assert names_in(tmp_path, "site") == sorted(path.name for path in files)
    every = [lines(path) for path in files]
    assert all(isinstance(one[0].input, LinkUp) for one in every)
    assert sum(len(messages(one)) for one in every) == 80
    stamps = [line.at for one in every for line in one]
    assert stamps == sorted(stamps)


async def test_only_the_newest_files_are_kept(house: SitePlan, mosquitto: Mosquitto, tmp_path: Path) -> None:
    old, other = tmp_path / "site.20200101T000000Z.jsonl", tmp_path / "site.old.jsonl"
    old.write_bytes(b"")
    other.write_bytes(b"")
    async with taping(mosquitto.url, tmp_path / "site.jsonl", rotation=Rotation(size=1, keep=2)) as tape:
        for count in range(10, 51, 10):
            await send(mosquitto.url, house, 10)
            await tape.until(count)
    assert tape.result is not None
    assert len(tape.result.files) == 2
    kept = [path.name for path in (*tape.result.files, other)]
    assert names_in(tmp_path, "site") == sorted(kept)
    assert tape.result.messages == 50


async def test_a_restart_of_the_broker_is_on_record(
    house: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl.zst"
    async with taping(mosquitto.url, out) as tape:
        await send(mosquitto.url, house, 10)
        await tape.until(10)
        await asyncio.to_thread(mosquitto.kill)
        await eventually(lambda: not tape.tally.connected, "the loss to be noticed")
        await asyncio.to_thread(mosquitto.start)
        await tape.listening()
        await send(mosquitto.url, house, 10)
        await tape.until(20)
    kinds = [type(line.input) for line in lines(out)]
    assert kinds == [LinkUp, *[Message] * 10, LinkLost, LinkUp, *[Message] * 10]
    assert tape.result is not None
    assert tape.result.losses == 1
    lost, again = tape.said
    assert lost.endswith(" lost: the connection broke; connecting again")
    assert "again after" in again


async def test_a_broker_that_says_nothing_any_more_is_lost(
    house: SitePlan, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.recorder.KEEP_ALIVE", 1)
    out = tmp_path / "a.jsonl"
    async with taping(mosquitto.url, out) as tape:
        mosquitto.freeze()
        await eventually(lambda: not tape.tally.connected, "the loss to be noticed")
        mosquitto.thaw()
        await tape.listening()
        await send(mosquitto.url, house, 3)
        await tape.until(3)
    found = lines(out)
    assert [type(line.input) for line in found[:2]] == [LinkUp, LinkLost]
    assert len(messages(found)) == 3


async def test_a_killed_recorder_leaves_what_it_had_flushed(
    house: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl.zst"
    program = Program(out, mosquitto.url)
    await program.on_file(1)
    await send(mosquitto.url, house, 100)
    await program.on_file(101)
    await send(mosquitto.url, house, 50)
    program.child.send_signal(signal.SIGKILL)
    program.end()
    assert not out.exists()
    reader = TrafficReader(program.part)
    kept = [one.payload for one, _ in messages(list(reader))]
    sent = [one.payload for count in (100, 50) for one in islice(Traffic(house).messages(START), count)]
    assert 100 <= len(kept) <= 150
    assert kept == sent[: len(kept)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_a_whole_file(
    number: signal.Signals, house: SitePlan, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    program = Program(out, mosquitto.url)
    await program.on_file(1)
    await send(mosquitto.url, house, 30)
    await program.on_file(31)
    program.child.send_signal(number)
    status, told, _ = await asyncio.to_thread(program.end)
    assert status == 0
    assert told.startswith("30 messages in ")
    assert len(lines(out)) == 31
    assert not program.part.exists()


async def test_it_ends_by_itself(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    done = await record(
        mosquitto.url, ["a/#"], Reel(out), stop=asyncio.Event(), duration=0.05, say=lambda _: None
    )
    assert done.files == (out,)
    assert [type(line.input) for line in lines(out)] == [LinkUp]


async def test_a_full_disk_ends_it_and_what_was_written_can_be_read(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    program = Program(out, mosquitto.url, size_most=20_000)
    await program.on_file(1)
    await flood(mosquitto.url, [Publication("facility/x", b"y" * 100) for _ in range(400)], count=400)
    status, _, told = await asyncio.to_thread(program.end)
    assert status == 1
    assert told == f"fgw: {out} cannot be written: File too large\n"
    assert len(list(TrafficReader(program.part))) > 50


async def test_a_broker_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    port = free_port()
    program = Program(tmp_path / "a.jsonl", f"mqtt://me:{SECRET.replace('/', '%2F')}@127.0.0.1:{port}")
    status, out, told = await asyncio.to_thread(program.end)
    assert status == 1
    assert told.startswith(f"fgw: no broker accepts us at mqtt://127.0.0.1:{port}: ")
    assert SECRET not in told + out
    assert not names_in(tmp_path)


@pytest.mark.parametrize(
    "url", [f"mqtt://me:{SECRET}@host", f"http://me:{SECRET}@host", f"mqtt://me:{SECRET}@[x"]
)
async def test_a_wrong_address_is_shown_without_the_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError) as caught:
        await record(url, ["a"], Reel(tmp_path / "a.jsonl"), stop=asyncio.Event())
    shown = str(caught.value)
    assert shown.startswith("broker address '…@")
    assert "s3cr" not in shown
    assert "s3cr" not in str(caught.value.__cause__)


async def test_a_broker_that_refuses_us_is_quoted(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "closed", {"allow_anonymous": "false"}) as server,
        pytest.raises(SimulationError, match=r"no broker accepts us at .*: .*[Nn]ot authori[sz]ed"),
    ):
        async with asyncio.timeout(WITHIN):
            await record(server.url, ["a"], Reel(tmp_path / "a.jsonl"), stop=asyncio.Event())


async def test_a_masked_recording_names_nobody(house: SitePlan, mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    payload = b'{"ts":1,"type":"granted","credential":"0815-4711","name":"Anna Huber","direction":"in"}'
    async with taping(mosquitto.url, out, mask=Mask(house, b"k" * 32)) as tape:
        await flood(mosquitto.url, [Publication("facility/house/gate-1/event", payload)], count=1)
        await tape.until(1)
    written = out.read_text()
    assert "0815" not in written
    assert "Anna" not in written
    assert '\\"direction\\":\\"in\\"' in written


async def test_a_site_says_what_is_listened_to_and_what_is_personal(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl.zst"
    site = Path(__file__).with_name("house.yaml")
    program = Program(out, mosquitto.url, "--site", str(site), "--mask")
    await program.on_file(1)
    payload = b'{"type":"manual_call","zone":"3","operator":"Anna Huber"}'
    heard = Publication("facility/house/fire-1/event", payload)
    others = [
        Publication(topic, b"x") for topic in ("facility/other/fire-1/event", "facility/house/fire-1/log")
    ]
    await flood(mosquitto.url, [*others, heard], count=3)
    await program.on_file(2)
    program.child.terminate()
    status, told, _ = await asyncio.to_thread(program.end)
    assert (status, told[: len("1 messages")]) == (0, "1 messages")
    ((message, _),) = messages(lines(out))
    assert message.topic == heard.topic
    assert b'"zone":"3"' in message.payload
    assert b"Anna" not in message.payload


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--rotate-size", "many"), "is no size"),
        (("--rotate-every", "soon"), "is no duration"),
        (("--for", "0s"), "is too short"),
        (("--keep", "3"), "goes with --rotate-size"),
        (("--keep-guards",), "goes with --mask"),
        (("--filter", "a#"), "is no topic filter"),
    ],
)
async def test_a_wrong_flag_is_said(flags: tuple[str, ...], words: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "a.jsonl", "mqtt://127.0.0.1:1", *flags)
    status, _, told = await asyncio.to_thread(program.end)
    assert status == 2
    assert words in " ".join(told.replace("│", " ").split())
