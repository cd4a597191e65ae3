"""Backtests over HTTP: a change is tried in a process of its own, beside a gateway that goes on."""

import asyncio
import contextlib
import errno
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import device_profiles
from api.http import backtest_jobs
from api.http import backtest_messages as messages
from api.http.backtest_jobs import Backtests
from api.http.backtest_process import COMMAND
from api.http.backtest_shelf import Shelf
from tests.api.commands import asking
from tests.api.house import LIFT, MOVING_OPEN, SAFE, House, open_house, reached
from tests.api.listener import served
from tests.servers.mosquitto import Mosquitto

PROBLEM = "application/problem+json"
SLOWER = {"elevator": {"overspeed_up": 1.5}}
"""A speed of 2 m/s is an alert with this, and none without."""
ENDED = ("done", "failed", "cancelled")


def every(house: House) -> Backtests:
    found: Backtests = house.app.state.backtests
    return found


async def ask(house: House, **body: Any) -> dict[str, Any]:
    """Start a backtest; it is taken."""
    answer = await house.http.post("/backtests", json=body or {"set": SLOWER})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/backtests/{found['id']}"
    return found


async def seen(house: House, name: str) -> dict[str, Any]:
    answer = await house.http.get(f"/backtests/{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(house: House, name: str, *states: str) -> dict[str, Any]:
    """The backtest once it is in one of these states."""
    async with asyncio.timeout(60):
        while True:
            found = await seen(house, name)
            if found["state"] in states:
                return found
            assert found["state"] not in ENDED, found
            await asyncio.sleep(0.02)


async def ended(house: House, name: str) -> dict[str, Any]:
    return await until(house, name, *ENDED)


@contextlib.asynccontextmanager
async def held(house: House) -> AsyncIterator[tuple[str, int]]:
    """A backtest whose process stands still: its id, and the number of the process."""
    found = await ask(house)
    await reached(lambda: every(house).process is not None, "its process runs")
    process = every(house).process
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    try:
        yield found["id"], process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        await every(house).close()


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def ride(house: House) -> None:
    """What there is to judge: a fast ride, and one with the door open."""
    await house.say(LIFT, {"speed": 1.0})
    await house.say(LIFT, {"speed": 2.0})
    await house.say(LIFT, MOVING_OPEN)
    await house.say(LIFT, SAFE)


async def as_command(house: House, *words: object) -> Any:
    ran = await asking("backtest", "--site", house.site, "--from", house.gateway.store.path, *words, "--json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


async def both(house: House, body: dict[str, Any], *words: object) -> tuple[Any, Any]:
    """The result over HTTP and that of the command, over the same journal: the gateway goes on writing it."""
    async with asyncio.timeout(90):
        while True:
            await house.say(LIFT, {"motor_temp": 41})
            before = await as_command(house, *words)
            found = await ended(house, (await ask(house, **body))["id"])
            if before == await as_command(house, *words):
                return found, before


# --- what comes of it


async def test_the_result_is_that_of_the_command_line(house: House) -> None:
    await ride(house)
    body = {"set": SLOWER, "budgets": {"max_added": 0, "max_removed": 3}, "days": 2, "warm_up": "1h"}
    words = ("--set", "elevator.overspeed_up=1.5", "--days", 2, "--warm-up", "1h", "--max-removed", 3)
    found, said = await both(house, body, *words, "--max-added", 7)
    result = found.pop("result")
    assert result.pop("budgets")[0] == {
        "name": "added",
        "found": 1.0,
        "allowed": 0.0,
        "kept": False,
        "partial": False,
    }
    said.pop("budgets")
    assert result == said
    assert result["alerts"]["total"]["added"] == 1
    assert (found["state"], found["progress"], found["by"]) == ("done", 1.0, "operator")
    assert result["window"]["start"] <= found["reached"] <= result["window"]["end"]
    assert [one["name"] for one in found["broken"]] == ["added"]
    assert (found["set"], found["budgets"]) == (SLOWER, body["budgets"])
    assert found["asked_at"] <= found["began_at"] <= found["ended_at"]
    assert (found["now"], found["candidate"]) == (
        house.gateway.plan.digest,
        result["sides"]["candidate"]["digest"],
    )


async def test_files_are_laid_over_those_in_force_by_name(house: House, tmp_path: Path) -> None:
    await ride(house)
    text = house.site.read_text("utf-8").replace(
        "devices:\n", "profiles: [profiles/lift.yaml]\ndevices:\n", 1
    )
    profile = device_profiles.profile_path("elevator").read_text("utf-8")
    profile = profile.replace("overspeed_up: 2.88", "overspeed_up: 1.5")
    new = tmp_path / "new/site.yaml"
    (new.parent / "profiles").mkdir(parents=True)
    new.write_text(text, "utf-8")
    (new.parent / "profiles/lift.yaml").write_text(profile, "utf-8")
    files = {"site.yaml": text.replace("\n", "\r\n"), "profiles/lift.yaml": f"\ufeff{profile}"}
    found, said = await both(house, {"files": files}, "--candidate", new)
    assert found["result"] == said
    assert found["result"]["alerts"]["total"]["added"] == 1
    assert found["files"] == ["profiles/lift.yaml", "site.yaml"]


async def test_the_report_is_a_page_that_can_run_nothing(house: House) -> None:
    await ride(house)
    name = (await ended(house, (await ask(house))["id"]))["id"]
    for language, word in (("en", "added"), ("zh", "新增")):
        answer = await house.http.get(f"/backtests/{name}/report", params={"lang": language})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert word in answer.text
        assert f'filename="{name}-{language}.html"' in answer.headers["content-disposition"]
        policy = answer.headers["content-security-policy"]
        assert ("sandbox" in policy, "default-src 'none'" in policy, "script-src" in policy) == (
            True,
            True,
            False,
        )
    assert (await house.http.get(f"/backtests/{name}/report?lang=fr")).status_code == 422


async def test_what_is_not_done_has_no_report(house: House) -> None:
    async with held(house) as (name, _):
        answer = await house.http.get(f"/backtests/{name}/report")
        assert (answer.status_code, "running" in answer.json()["detail"]) == (409, True)


async def test_a_journal_that_says_nothing_is_told_in_words(house: House) -> None:
    with sqlite3.connect(house.gateway.store.path / "facility.db") as records:
        records.execute("DELETE FROM journal")
    records.close()
    found = await ended(house, (await ask(house))["id"])
    assert (found["state"], found["result"], found["broken"]) == ("failed", None, None)
    assert found["error"]


# --- what is refused


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"set": {"elevatr": {"overspeed_up": 1}}}, ("set", 0, "elevatr.overspeed_up", "'elevator'")),
        ({"set": {"elevator": {"over": 1}}}, ("set", 0, "elevator.over", "unknown parameter")),
        ({"set": {"elevator": {"overspeed_up": "nan"}}}, ("set", 0, "elevator.overspeed_up", "finite")),
        ({"set": {LIFT: {"door_open_warning": 3}}}, ("set", 0, f"{LIFT}.door_open_warning", "")),
        ({"files": {"site.yaml": "site: riverside\n"}}, ("site.yaml", 1, "", "'timezone'")),
        ({"files": {"site.yaml": "site: [\n"}}, ("site.yaml", 2, "", "YAML")),
        ({"files": {"site.yaml": ""}}, ("site.yaml", 1, "", "empty")),
        ({"files": {"site.yaml": "[" * 5_000}}, ("site.yaml", 0, "", "nested")),
        ({"files": {"other.yaml": "a: 1"}}, ("other.yaml", 0, "", "site.yaml")),
        ({"files": {"../site.yaml": "a: 1"}}, ("../site.yaml", 0, "", "does not use it")),
        ({"files": {"shipped:elevator.yaml": "a: 1"}}, ("shipped:elevator.yaml", 0, "", "comes with")),
    ],
)
async def test_a_wrong_candidate_is_named_by_file_line_and_field(
    house: House, body: dict[str, Any], wanted: tuple[str, int, str, str]
) -> None:
    answer = await house.http.post("/backtests", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    problem = answer.json()["problems"][0]
    assert (problem["file"], problem["line"], problem["field"]) == wanted[:3]
    assert wanted[3] in problem["message"]
    assert (await house.http.get("/backtests")).json()["items"] == []


async def test_a_candidate_reaches_no_file_of_the_machine(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("profile: secret-word\n")
    text = house.site.read_text("utf-8")
    for path in ("secret.yaml", f"../{tmp_path.name}/secret.yaml", str(tmp_path / "secret.yaml")):
        answer = await house.http.post(
            "/backtests", json={"files": {"site.yaml": f"profiles: [{path}]\n{text}"}}
        )
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["field"] == "profiles[0]"
        assert "secret-word" not in answer.text


async def test_a_candidate_of_another_site_is_refused(house: House) -> None:
    text = house.site.read_text("utf-8").replace("site: riverside", "site: elsewhere")
    answer = await house.http.post("/backtests", json={"files": {"site.yaml": text}})
    assert answer.json()["problems"] == [
        {
            "file": "site.yaml",
            "line": 1,
            "field": "site",
            "message": "found 'elsewhere'; the site now is 'riverside', and nothing recorded at one speaks of the other",
        }
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"set": {}}', 422),
        (b'{"set": {"elevator": {}}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": NaN}}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1e400}}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": true}}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": null}}}', 422),
        (b'{"set": {"elevator.overspeed_up": {"a": 1}}}', 422),
        (b'{"set": {"elevator": {"a=b": 1}}}', 422),
        (b'{"files": {"site.yaml": "\\ud800"}}', 422),
        (b'{"files": {"a\\u0000b": "x"}}', 422),
        (b'{"files": {"site.yaml": 3}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "days": 0}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "days": 401}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "days": "30"}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "warm_up": "forever"}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "warm_up": "999d"}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "budgets": {"max_added": -1}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "budgets": {"max_flood_share": 101}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "budgets": {"added": 1}}', 422),
        (b'{"set": {"elevator": {"overspeed_up": 1}}, "from": "/etc"}', 422),
        (b'{"files": {"site.yaml": "' + b"x" * (1 << 20) + b'"}}', 413),
    ],
)
async def test_a_hostile_body_gets_a_problem(standing: House, body: bytes, status: int) -> None:
    answer = await standing.http.post(
        "/backtests", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert len(answer.content) < 5_000


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"X-Actor": "x" * 65}, 422),
        ({"Idempotency-Key": "with space"}, 422),
    ],
)
async def test_it_stands_behind_the_perimeter(standing: House, headers: dict[str, str], status: int) -> None:
    given = {"Content-Type": "application/json", **headers}
    answer = await standing.http.post("/backtests", content=json.dumps({"set": SLOWER}), headers=given)
    assert answer.status_code == status, answer.text


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("bt-00000000000000000000", 404),
        ("..", 404),
        ("%2e%2e", 404),
        ("%2e%2e%2ffacility.db", 404),
        ("bt-%00", 422),
        ("x" * 65, 422),
    ],
)
async def test_an_id_that_is_none_leads_nowhere(standing: House, name: str, status: int) -> None:
    for method, path in (("GET", ""), ("GET", "/report"), ("DELETE", "")):
        # Sent as it stands: a client would make a path of it that leads elsewhere.
        url = httpx.URL(standing.http.base_url).copy_with(raw_path=f"/api/v1/backtests/{name}{path}".encode())
        answer = await standing.http.request(method, url)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), (method, path)
    assert (standing.gateway.store.path / "facility.db").is_file()


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
        folder = house.gateway.store.path / "backtests" / f"{name}.part"
        (folder / messages.RESULT).write_text("")
        os.kill(process, signal.SIGCONT)
        found = await ended(house, name)
    assert (found["state"], found["error"]) == ("failed", "the result cannot be written: File exists")


async def test_no_process_is_left_when_the_gateway_ends(house: House) -> None:
    async with served(house):
        async with contextlib.AsyncExitStack() as stack:
            _, process = await stack.enter_async_context(held(house))
            following = await ask(house)
            stack.pop_all()  # whatever happens to it now is the server's doing
    assert not lives(process)
    assert every(house).process is None
    assert (await house.http.get(f"/backtests/{following['id']}")).status_code == 404


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A data directory in which a reader waits."""
    records = sqlite3.connect(tmp_path / "facility.db", isolation_level=None)
    records.execute("CREATE TABLE config (digest)")
    records.execute("BEGIN EXCLUSIVE")
    yield tmp_path
    records.close()


async def test_the_process_ends_with_the_gateway_that_started_it(locked: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=pipe, stdout=pipe)
    order = messages.Order(data_dir=str(locked), now="", files={}, wanted=[])
    said, _ = await process.communicate(messages.encode(order) + b"\n")  # and then its input ends
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
