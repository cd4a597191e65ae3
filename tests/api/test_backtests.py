"""Backtests over HTTP: what comes of a change that is tried, and what is no such change."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

import device_profiles
from api.http.backtest_candidate import candidate_plan
from gateway.errors import SiteError
from gateway.site import build_plan, read_bundle
from tests.api.backtesting import SLOWER, ask, ended, held, ride
from tests.api.commands import asking
from tests.api.house import LIFT, SITE, House

PROBLEM = "application/problem+json"


async def as_command(house: House, *words: object) -> dict[str, Any]:
    ran = await asking("backtest", "--site", house.site, "--from", house.gateway.store.path, *words, "--json")
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


async def both(house: House, body: dict[str, Any], *words: object) -> tuple[dict[str, Any], dict[str, Any]]:
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


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM journal", ""),
        ("UPDATE journal SET body = x'00' WHERE seq = 1", "entry 1 of the journal cannot be read"),
    ],
)
async def test_a_journal_that_is_of_no_use_is_told_in_words(house: House, damage: str, words: str) -> None:
    with contextlib.closing(sqlite3.connect(house.gateway.store.path / "facility.db")) as records:
        records.execute(damage)
        records.commit()
    found = await ended(house, (await ask(house))["id"])
    assert (found["state"], found["result"], found["broken"]) == ("failed", None, None)
    assert found["error"]
    assert words in found["error"]


# --- what is refused


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"set": {"elevatr": {"overspeed_up": 1}}}, ("set", 0, "elevatr.overspeed_up", "'elevator'")),
        ({"files": {"site.yaml": "site: riverside\n"}}, ("site.yaml", 1, "", "'timezone'")),
        ({"files": {"site.yaml": "[" * 5_000}}, ("site.yaml", 0, "", "nested")),
    ],
)
async def test_a_wrong_candidate_is_named_by_file_line_and_field(
    standing: House, body: dict[str, Any], wanted: tuple[str, int, str, str]
) -> None:
    answer = await standing.http.post("/backtests", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    problem = answer.json()["problems"][0]
    assert (problem["file"], problem["line"], problem["field"]) == wanted[:3]
    assert wanted[3] in problem["message"]
    assert (await standing.http.get("/backtests")).json()["items"] == []


@pytest.mark.parametrize(
    ("files", "settings", "wanted"),
    [
        ({}, ["elevator.over=1"], ("set", 0, "elevator.over", "unknown parameter")),
        ({}, ["elevator.overspeed_up=nan"], ("set", 0, "elevator.overspeed_up", "finite")),
        ({}, [f"{LIFT}.door_open_warning=3"], ("set", 0, f"{LIFT}.door_open_warning", "")),
        ({"site.yaml": "site: [\n"}, [], ("site.yaml", 2, "", "YAML")),
        ({"site.yaml": ""}, [], ("site.yaml", 1, "", "empty")),
        ({"other.yaml": "a: 1"}, [], ("other.yaml", 0, "", "site.yaml")),
        ({"../site.yaml": "a: 1"}, [], ("../site.yaml", 0, "", "does not use it")),
        ({"shipped:elevator.yaml": "a: 1"}, [], ("shipped:elevator.yaml", 0, "", "comes with")),
    ],
)
def test_whatever_is_wrong_with_a_candidate_is_named(
    tmp_path: Path, files: dict[str, str], settings: list[str], wanted: tuple[str, int, str, str]
) -> None:
    (tmp_path / "site.yaml").write_bytes(SITE.read_bytes())
    bundle = read_bundle(tmp_path / "site.yaml")
    with pytest.raises(SiteError) as found:
        candidate_plan(bundle, build_plan(bundle), files, settings)
    problem = found.value.problems[0]
    assert (problem.file, problem.line, problem.field) == wanted[:3]
    assert wanted[3] in problem.message


@pytest.mark.asyncio(loop_scope="module")
async def test_a_candidate_reaches_no_file_of_the_machine(standing: House, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("profile: secret-word\n")
    text = standing.site.read_text("utf-8")
    paths = f"[secret.yaml, ../{tmp_path.name}/secret.yaml, {tmp_path / 'secret.yaml'}]"
    answer = await standing.http.post(
        "/backtests", json={"files": {"site.yaml": f"profiles: {paths}\n{text}"}}
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == [f"profiles[{index}]" for index in range(3)]
    assert "secret-word" not in answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_candidate_of_another_site_is_refused(standing: House) -> None:
    text = standing.site.read_text("utf-8").replace("site: riverside", "site: elsewhere")
    answer = await standing.http.post("/backtests", json={"files": {"site.yaml": text}})
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
        ("%2e%2e", 422),
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
