"""What a request passes before a route sees it, and what every answer carries."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.http.perimeter import host_name, is_loopback, permitted_hosts
from gateway.core.plan import SitePlan
from gateway.errors import StoreError
from tests.api.house import House, open_house
from tests.api.listener import served
from tests.servers.mosquitto import Mosquitto

PROBLEM = "application/problem+json"
DEEP = 100_000


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/site", "/api/v1/nothing", "/docs"])
async def test_every_answer_says_how_a_browser_must_treat_it(house: House, path: str) -> None:
    answer = await house.http.get(f"http://localhost{path}", headers={"X-Request-ID": "r-1"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"] == "r-1"
    assert "server" not in answer.headers


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(house: House) -> None:
    answer = await house.http.get("/site", headers={"X-Request-ID": "a b"})
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8480", 200),
        ("127.0.0.1:8480", 200),
        ("[::1]:8480", 200),
        ("lifts.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost@evil.example", 421),
        ("127.0.0.1:notaport", 421),
        ("", 421),
    ],
)
async def test_only_names_of_this_gateway_are_answered(
    broker: Mosquitto, tmp_path: Path, host: str, status: int
) -> None:
    async with open_house(broker, tmp_path, hosts=("lifts.example",)) as house:
        answer = await house.http.get("/site", headers={"Host": host})
    assert answer.status_code == status


def test_beyond_loopback_any_name_is_answered_unless_names_are_given() -> None:
    names = {"localhost", "127.0.0.1", "::1", "gate.example"}
    assert permitted_hosts("10.0.0.5", ()) is None
    assert permitted_hosts("10.0.0.5", ["Gate.Example"]) == frozenset(names)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("::", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_only_loopback_counts_as_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_host_header_is_cut_to_its_name() -> None:
    found = [host_name(text) for text in ("A.example:80", "[::1]", "a/b", "u@a", "[::1", "a?b")]
    assert found == ["a.example", "::1", "", "", "", ""]


async def test_a_page_from_elsewhere_cannot_change_anything(house: House) -> None:
    alert = await house.alert()
    path = f"/alerts/{alert['id']}/ack"
    foreign = await house.http.post(path, headers={"Origin": "http://evil.example"})
    sandboxed = await house.http.post(path, headers={"Origin": "null"})
    other_port = await house.http.post(path, headers={"Origin": "http://localhost:9999"})
    own = await house.http.post(path, headers={"Origin": "http://localhost"})
    assert [one.status_code for one in (foreign, sandboxed, other_port, own)] == [403, 403, 403, 200]


async def test_a_body_that_is_not_json_by_its_own_word_is_refused(house: House) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await house.http.post(
            "/work-orders", content=b'{"template": "lift-repair"}', headers={"Content-Type": kind}
        )
        assert (kind, answer.status_code, answer.headers["content-type"]) == (kind, 415, PROBLEM)


async def test_a_body_over_the_limit_is_refused_while_it_is_counted(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    announced = await house.http.post("/work-orders", content=b" " * (1 << 21), headers=headers)
    counted = await house.http.post("/work-orders", content=endless(), headers=headers)
    assert [one.status_code for one in (announced, counted)] == [413, 413]
    assert counted.json()["detail"] == "the body is larger than 1048576 bytes"


async def test_a_length_that_is_a_lie_does_not_get_past_the_limit(house: House) -> None:
    async with served(house) as (url, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(
            b"POST /api/v1/work-orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999999999999999999999\r\n\r\n{}"
        )
        answer = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        await writer.wait_closed()
    assert answer.split()[1] in (b"413", b"400")


async def test_a_fault_of_the_gateway_is_a_problem_with_a_number_and_its_trace_is_in_the_log(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> dict[str, int]:
        raise ZeroDivisionError("secret of the inside")

    monkeypatch.setattr(house.gateway, "health", broken)
    with caplog.at_level(logging.ERROR):
        answer = await house.http.get("http://localhost/readyz", headers={"X-Request-ID": "r-9"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "r-9" in answer.json()["detail"]
    assert "secret" not in answer.text
    assert "secret of the inside" in caplog.text


async def test_records_that_cannot_be_used_are_said_to_be_so_for_now(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing() -> SitePlan:
        raise StoreError("disk full")

    monkeypatch.setattr(house.gateway, "reload", failing)
    answer = await house.http.post("/reload")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_reload_of_a_wrong_file_names_each_mistake_and_changes_nothing(house: House) -> None:
    before = (await house.http.get("/site")).json()
    house.site.write_text(house.site.read_text("utf-8").replace("Asia/Shanghai", "Mars/Olympus"), "utf-8")
    answer = await house.http.post("/reload")
    (problem, *_) = answer.json()["problems"]
    assert (answer.status_code, problem["file"], problem["line"], problem["field"]) == (
        422,
        "site.yaml",
        3,
        "timezone",
    )
    assert (await house.http.get("/site")).json()["digest"] == before["digest"]


async def test_the_site_names_its_buildings_and_kinds(house: House) -> None:
    site = (await house.http.get("/site")).json()
    assert (site["title"]["zh"], site["timezone"]) == ("江畔", "Asia/Shanghai")
    assert [floor["id"] for floor in site["buildings"][0]["floors"]] == ["B1", "L1", "L2"]
    assert [(kind["kind"], kind["devices"]) for kind in site["kinds"]] == [
        ("access_gate", 1),
        ("elevator", 2),
        ("fire_panel", 1),
    ]


async def test_a_client_that_breaks_off_in_its_body_harms_nobody(house: House) -> None:
    async with served(house) as (url, _):
        _reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(
            b"POST /api/v1/work-orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/healthz")).status_code == 200
    assert (await house.http.get("/work-orders")).json()["items"] == []
