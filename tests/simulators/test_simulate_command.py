"""``fgw simulate`` as a person calls it."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.values import MINUTE, Message
from gateway.traffic import TrafficReader
from tests.api.commands import fgw
from tests.e2e.waiting import eventually
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.simulators.ear import listening
from tests.simulators.sites import ROOT

HOUSE = Path(__file__).with_name("house.yaml")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as server:
        yield server


def test_a_file_is_written_with_the_faults_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl.gz"
    words = ("--healthy", "--fault", "silent:lift-1@1m+1m", "--fault", "silent:fire_panel@1m+1m")
    ran = fgw("simulate", "--site", HOUSE, "--out", file, "--for", "3m", "--from", "2026-05-01 12:00", *words)
    assert ran.status == 0, ran.err
    begin = 1_777_629_600_000  # at noon in Berlin
    heard = [
        (line.at - begin, line.input.topic) for line in TrafficReader(file) if isinstance(line.input, Message)
    ]
    assert f"{file}: {len(heard):,} written in" in ran.err
    assert min(at for at, _ in heard) in range(1_000)
    quiet = {topic.split("/")[2] for at, topic in heard if MINUTE <= at < 2 * MINUTE}
    assert quiet.isdisjoint({"lift-1", "fire-1"})
    assert "lift-2" in quiet


@pytest.mark.parametrize(
    ("flags", "status", "words"),
    [
        ([], 2, "give a site file, or a scenario with --scenario"),
        (["--site", "nowhere.yaml"], 1, "nowhere.yaml"),
        (["--site", HOUSE, "--rate", "fast"], 2, "a rate of 'fast' is not possible; write messages a second"),
        (["--site", HOUSE, "--rate", "0/s"], 2, "a rate of '0/s' is not possible"),
        (["--site", HOUSE, "--out", "x.jsonl"], 2, "needs --for: a file has an end"),
        (["--site", HOUSE, "--out", "x.jsonl", "--for", "1m", "--speed", "60"], 2, "a speed is for a broker"),
        (["--site", HOUSE, "--out", "/x/y.jsonl", "--for", "1m"], 1, "/x/y.jsonl cannot be written"),
        (["--site", HOUSE, "--for", "soon"], 2, "'soon' is no duration"),
        (["--site", HOUSE, "--for", "0s"], 1, "a duration of 0.0 s is not possible"),
        (["--site", HOUSE, "--from", "yesterday"], 2, "'yesterday' is no moment; write the date and time"),
        (["--site", HOUSE, "--from", "0001-01-01"], 2, "--from"),
        (["--site", HOUSE, "--lean", "--fault", "stuck:lift-1@1m+1m"], 2, "a lean fleet has no faults"),
        (["--site", HOUSE, "--fault", "stuck"], 1, "fault 'stuck' cannot be read; write KIND:DEVICE@START"),
        (["--site", HOUSE, "--write-site", "x.yaml"], 2, "needs --devices"),
        (["--site", HOUSE, "--devices", "2", "--write-site", "x.yaml"], 1, "itself has 5"),
        (["--site", HOUSE, "--devices", "-1"], 1, "-1 devices are not possible"),
        (["--site", HOUSE, "--speed", "0", "--rate", "5/s"], 1, "a rate needs a speed"),
        (["--site", HOUSE, "--speed", "-1"], 1, "a speed of -1.0 is not possible"),
        (["--site", HOUSE, "--url", "http://x"], 1, "expected mqtt://host:port"),
        (["--scenario", "fire"], 1, "unknown scenario 'fire'"),
        (["--scenario", "entrapment", "--rate", "5/s"], 2, "a scenario says itself which devices do what"),
        (["--scenario", "entrapment", "--site", HOUSE], 1, "unknown device 't1-lift-2'"),
        (["--scenario", "nowhere/x.scenario.yaml"], 1, "nowhere/x.scenario.yaml"),
        (["--scenario", "entrapment", "--speed", "-1"], 1, "a speed of -1.0 is not possible"),
    ],
)
def test_what_cannot_be_is_refused_in_words(flags: list[object], status: int, words: str) -> None:
    ran = fgw("simulate", *flags)
    assert (ran.status, words in ran.err) == (status, True), ran.err
    assert "Traceback" not in ran.err


def test_no_broker_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.publisher.ANSWER_WITHIN", 0.5)
    port = free_port()
    ran = fgw("simulate", "--site", HOUSE, mqtt_url=f"mqtt://127.0.0.1:{port}")
    assert ran.status == 1
    assert f"no broker accepts a connection at mqtt://127.0.0.1:{port}: " in ran.err


def test_the_rate_that_was_reached_is_told(mosquitto: Mosquitto) -> None:
    ran = fgw(
        "simulate",
        "--site",
        HOUSE,
        "--rate",
        "500/s",
        "--speed",
        "10",
        "--for",
        "20s",
        "--lean",
        mqtt_url=mosquitto.url,
    )
    assert ran.status == 0, ran.err
    assert "1,006 published in " in ran.err
    assert "/s of the 500/s asked for, 0 reconnects" in ran.err


def test_the_ready_scenarios_are_listed() -> None:
    ran = fgw("simulate", "--scenario", "list")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()][:2] == ["cut-off", "entrapment"]


def test_a_scenario_becomes_a_file(tmp_path: Path) -> None:
    ran = fgw("simulate", "--scenario", "forced-door", "--out", tmp_path / "x.jsonl")
    assert ran.status == 0, ran.err
    (first, *_) = TrafficReader(tmp_path / "x.jsonl")
    assert first.at == 1_767_722_400_000  # 2026-01-07 02:00 in Shanghai


def test_a_site_of_more_devices_is_written(tmp_path: Path) -> None:
    ran = fgw("simulate", "--site", HOUSE, "--devices", "12", "--write-site", tmp_path / "big.yaml")
    assert ran.status == 0, ran.err
    assert f"a gateway for it: fgw run --site {tmp_path / 'big.yaml'}" in ran.out
    assert fgw("check", tmp_path / "big.yaml").status == 0


async def test_ctrl_c_ends_it_with_a_summary(mosquitto: Mosquitto) -> None:
    words = (sys.executable, "-m", "api.cli", "simulate", "--site", str(HOUSE), "--url", mosquitto.url)
    async with listening(mosquitto.url) as ear:
        child = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        await ear.until(lambda: ear.count > 5)
        child.send_signal(signal.SIGINT)
        _, said = await child.communicate()
    errors = said.decode()
    assert child.returncode == 0, errors
    assert "stopped: " in errors
    assert " published in " in errors
    assert "Traceback" not in errors


async def test_ctrl_c_leaves_a_part_of_a_file_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    words = ("simulate", "--site", str(HOUSE), "--out", str(file), "--for", "3650d", "--lean")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    part = file.with_name("traffic.jsonl.part")
    await eventually(lambda: part.is_file() and part.stat().st_size > 0, "the first lines")
    child.send_signal(signal.SIGINT)
    _, said = await child.communicate()
    errors = said.decode()
    assert child.returncode == 130, errors
    assert f"so far, in {part}" in errors
    assert "Traceback" not in errors
    assert not file.exists()
