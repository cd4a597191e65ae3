"""Backtests one after another, each in a process of its own, beside a gateway that goes on."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from api.http import backtest_jobs
from api.http import backtest_messages as messages
from api.http.backtest_jobs import Backtests
from api.http.backtest_journal import LiveJournal
from api.http.backtest_process import COMMAND
from api.http.backtest_shelf import Shelf
from gateway.adapters.sql import recording
from gateway.adapters.sql.beside import beside
from gateway.backtest import DataDirSource
from gateway.traffic.lines import Line, Setup
from tests.api.backtesting import SLOWER, ask, ended, every, held, lives, ride, seen, stopped
from tests.api.house import LIFT, SAFE, House, open_house, reached
from tests.api.listener import served
from tests.servers.mosquitto import Mosquitto

# --- one at a time


async def test_further_ones_wait_and_too_many_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest_jobs, "WAITING_MOST", 2)
    async with held(house) as (name, process):
        waiting = [await ask(house) for _ in range(2)]
        assert [one["state"] for one in waiting] == ["queued", "queued"]
        assert [one["ahead"] for one in waiting] == [1, 2]
        answer = await house.http.post("/backtests", json={"set": SLOWER})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        assert "wait" in answer.json()["detail"]
        assert every(house).process == process
        page = (await house.http.get("/backtests", params={"limit": 2})).json()
        rest = (await house.http.get("/backtests", params={"cursor": page["next"]})).json()
        assert rest["next"] is None
        names = [one["id"] for one in page["items"] + rest["items"]]
        assert names == [waiting[1]["id"], waiting[0]["id"], name]


async def test_the_next_one_begins_when_one_is_over(house: House) -> None:
    await ride(house)
    async with held(house) as (_, process):
        following = await ask(house)
        os.kill(process, signal.SIGCONT)
        assert (await ended(house, following["id"]))["state"] == "done"
        assert not lives(process)


async def test_one_that_runs_is_called_off_and_one_that_has_ended_is_removed(house: House) -> None:
    async with held(house) as (name, process):
        following = await ask(house)
        answer = await house.http.delete(f"/backtests/{following['id']}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        answer = await house.http.delete(f"/backtests/{name}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert not lives(process)
        assert {(await seen(house, one))["state"] for one in (name, following["id"])} == {"cancelled"}
        assert (await house.http.delete(f"/backtests/{name}")).status_code == 204
        assert (await house.http.get(f"/backtests/{name}")).status_code == 404
        folder = house.gateway.store.path / "backtests"
        assert [one.name for one in folder.iterdir()] == [following["id"]]


async def test_the_same_request_under_the_same_key_is_the_same_backtest(house: House) -> None:
    async with held(house):
        headers = {"Idempotency-Key": "k1"}
        names = []
        for body in ({"set": SLOWER}, {"set": SLOWER}, {"set": {"elevator": {"overspeed_up": 1.25}}}):
            answer = await house.http.post("/backtests", json=body, headers=headers)
            names.append(answer.json()["id"])
        assert (names[0] == names[1], names[0] == names[2]) == (True, False)
        assert len((await house.http.get("/backtests")).json()["items"]) == 3


# --- beside the live loop


async def test_the_gateway_goes_on_committing_meanwhile(house: House) -> None:
    async with held(house) as (name, _):
        alert = await house.alert()
        assert (await house.http.post(f"/alerts/{alert['id']}/ack")).status_code == 200
        assert (await seen(house, name))["state"] == "running"
    await ride(house)


async def test_a_process_that_dies_is_told_in_words(house: House) -> None:
    async with held(house) as (name, process):
        os.kill(process, signal.SIGKILL)
        found = await ended(house, name)
        assert (found["state"], "SIGKILL" in found["error"]) == ("failed", True)
    await house.say(LIFT, SAFE)


async def test_one_that_takes_too_long_is_ended(house: House) -> None:
    house.app.state.backtests = Backtests(lambda: house.gateway.store.path, limit=0.01)
    found = await ended(house, (await ask(house))["id"])
    assert (found["state"], "longer than 0.01 s" in found["error"]) == ("failed", True)


async def test_a_full_disk_fails_the_backtest_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    await ride(house)
    monkeypatch.setattr(Shelf, "keep", full)
    found = await ended(house, (await ask(house))["id"])
    assert (found["state"], found["result"]) == ("failed", None)
    assert "No space left on device" in found["error"]
    assert list((house.gateway.store.path / "backtests").iterdir()) == []
    await house.say(LIFT, SAFE)


async def test_a_result_that_cannot_be_written_is_told_in_words(house: House) -> None:
    await ride(house)
    async with held(house) as (name, process):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (100, 100))
        os.kill(process, signal.SIGCONT)
        found = await ended(house, name)
        folder = house.gateway.store.path / "backtests"
        await reached(lambda: [one.name for one in folder.iterdir()] == [name], "nothing of it is left")
    assert (found["state"], found["error"]) == ("failed", "the result cannot be written: File too large")


def told(process: int, what: str) -> bytes:
    """What the system says of a process."""
    return Path(f"/proc/{process}/{what}").read_bytes()


async def test_the_process_knows_no_settings(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FGW_MQTT_PASSWORD", "secret-word")
    async with held(house) as (_, process):
        assert b"FGW_" not in told(process, "environ")


async def test_no_process_is_left_when_the_gateway_ends(house: House) -> None:
    async with served(house):
        _, process = await stopped(house)
        following = await ask(house)
    assert not lives(process)
    assert every(house).process is None
    assert list((house.gateway.store.path / "backtests").iterdir()) == []
    assert (await house.http.get(f"/backtests/{following['id']}")).status_code == 404


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A data directory in which a reader waits."""
    records = sqlite3.connect(tmp_path / "facility.db", isolation_level=None)
    records.execute("CREATE TABLE config (digest)")
    records.execute("BEGIN EXCLUSIVE")
    yield tmp_path
    records.close()


async def test_the_process_steps_back_and_ends_with_the_gateway_that_started_it(locked: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    order = messages.Order(data_dir=str(locked), now="", files={}, wanted=[])
    process.stdin.write(messages.encode(order) + b"\n")
    wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    await reached(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == wanted, "it has stepped back")
    await reached(lambda: int(told(process.pid, "oom_score_adj")) > 0, "it goes first where memory runs out")
    process.stdin.close()
    said, _ = await process.communicate()
    assert (said, process.returncode) == (b"", 1)


# --- what is kept


async def test_results_are_there_after_a_restart_and_half_written_ones_are_not(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with open_house(broker, tmp_path) as house:
        await ride(house)
        before = await ended(house, (await ask(house))["id"])
        pages = await house.http.get(f"/backtests/{before['id']}/report")
    folder = tmp_path / "data/backtests"
    names = [f"bt-{number:020x}" for number in range(3)]
    (folder / f"{names[0]}.part").mkdir()
    (folder / f"{names[0]}.part" / messages.RESULT).write_text("{")
    (folder / names[1]).mkdir()
    (folder / names[1] / "backtest.json").write_text("{")
    (folder / names[2]).mkdir()
    entry = (folder / before["id"] / "backtest.json").read_text()
    (folder / names[2] / "backtest.json").write_text(entry.replace(before["id"], names[2]))
    (folder / "not-ours").mkdir()
    async with open_house(broker, tmp_path) as house:
        assert [one["id"] for one in (await house.http.get("/backtests")).json()["items"]] == [before["id"]]
        assert await seen(house, before["id"]) == before
        assert (await house.http.get(f"/backtests/{before['id']}/report")).content == pages.content
    assert sorted(one.name for one in folder.iterdir()) == sorted([before["id"], "not-ours"])


async def test_the_oldest_are_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest_jobs, "KEPT_MOST", 2)
    async with held(house):
        names = [(await ask(house))["id"] for _ in range(3)]
        for name in names:
            await house.http.delete(f"/backtests/{name}")
        found = (await house.http.get("/backtests")).json()["items"]
        assert [one["id"] for one in found if one["state"] == "cancelled"] == names[:0:-1]
        folder = house.gateway.store.path / "backtests"
        assert {one.name for one in folder.iterdir()} >= {*names[1:]}
        assert not (folder / names[0]).exists()


# --- the journal of a gateway that goes on


def lines(batches: Iterable[Sequence[Line]]) -> list[object]:
    """What was read; of a configuration its digest."""
    return [
        (one.at, one.input.digest if isinstance(one.input, Setup) else one.input)
        for some in batches
        for one in some
    ]


async def test_reading_stops_where_it_began_and_holds_up_no_checkpoint(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "TRANSACTIONS", 1)
    await ride(house)
    data = house.gateway.store.path
    with beside(data) as connection:
        source = LiveJournal(connection)
        span = source.span()
        assert span is not None
        wanted = list(DataDirSource(connection).batches(span[0]))
        assert len(wanted) > 4
        batches = source.batches(span[0])
        found = [next(batches)]
        await house.say(LIFT, {"speed": 1.0})
        with contextlib.closing(sqlite3.connect(data / "facility.db", timeout=10)) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        found += batches
    assert lines(found) == lines(wanted)
    assert source.at == found[-1][-1].at


async def test_reading_begins_at_the_moment_that_is_asked_for(house: House) -> None:
    await ride(house)
    with beside(house.gateway.store.path) as connection:
        source = LiveJournal(connection)
        _, last = source.span() or (0, 0)
        assert list(source.batches(last + 1)) == []
        assert {one.at for some in source.batches(last) for one in some} == {last}
