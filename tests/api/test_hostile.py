"""Hostile and mistaken requests: each gets a problem that says what was found, none an exception."""

import pytest

from tests.api.house import LIFT, House

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROBLEM = "application/problem+json"
DEEP = 100_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * DEEP, 400),
        (b'{"template": ' + b"[" * DEEP + b"]" * DEEP + b"}", 400),
        (b'{"template": NaN}', 422),
        (b'{"template": "lift-repair", "reported_at": 1e400}', 422),
        (b'{"template": "lift-repair", "version": 99999999999999999999}', 422),
        (b'{"template": "a\\ud800b"}', 422),
        (b'{"template": "../../etc/passwd"}', 422),
        (b'"text"', 422),
        (b"null", 422),
    ],
)
async def test_a_hostile_body_gets_a_problem_and_never_an_exception(
    standing: House, body: bytes, status: int
) -> None:
    answer = await standing.http.post(
        "/work-orders", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "x" * 4_001, "a\\u0000b", "a\\u001b[31m", "half \\ud83d", "\\u202Etxt.exe", "\\ue000"],
)
async def test_a_comment_that_could_not_be_kept_or_shown_is_refused(standing: House, text: str) -> None:
    alert = await standing.alert()
    answer = await standing.http.post(
        f"/alerts/{alert['id']}/comment",
        content=f'{{"text": "{text}"}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert (await standing.http.get(f"/alerts/{alert['id']}")).json()["version"] == alert["version"]


async def test_texts_of_any_language_and_markup_come_back_as_they_were_written(standing: House) -> None:
    alert = await standing.alert()
    text = "电机过热 <script>alert(1)</script>\n=1+1 👷 عربي"
    answer = await standing.http.post(f"/alerts/{alert['id']}/comment", json={"text": text})
    assert answer.json()["history"][-1]["detail"]["text"] == text


@pytest.mark.parametrize(
    "result", ["1e999", "NaN", "-Infinity", "99999999999999999999999", "[[1]]", '{"a":1}']
)
async def test_a_result_that_no_record_could_hold_is_refused(standing: House, result: str) -> None:
    await standing.alert()
    order = await standing.order()
    answer = await standing.http.post(
        f"/work-orders/{order['id']}/check",
        content=f'{{"step": "isolate", "result": {result}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Actor", b""),
        ("X-Actor", b"x" * 65),
        ("X-Actor", b"a\xff"),
        ("X-Actor", "a\u202eb".encode()),
        ("Idempotency-Key", b"with space"),
        ("Idempotency-Key", b"k" * 129),
        ("If-Match", b'"one"'),
        ("If-Match", b'"99999999999999999999"'),
    ],
)
async def test_a_header_that_makes_no_sense_is_refused_by_name(
    standing: House, header: str, value: bytes
) -> None:
    answer = await standing.http.post("/alerts/al-x/ack", headers={header.encode(): value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"header.{header}")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "W10",
        "WzEsMl0",
        "WzEsImEiXQ==",
        "bnVsbA",
        "WzFlNDAwLCJhIl0",
        "Wy0xLCJhIl0",
        "é",
        "A" * 401,
    ],
)
@pytest.mark.parametrize("path", ["/alerts", "/devices", "/quarantine", f"/devices/{LIFT}/events"])
async def test_a_cursor_that_is_none_is_refused(standing: House, path: str, cursor: str) -> None:
    answer = await standing.http.get(f"{path}?cursor={cursor}")
    if cursor == "WzEsImEiXQ==":  # padded, and still ours
        assert answer.status_code in (200, 422)
    else:
        assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=NaN",
        "limit=9" * 1 + "9" * 5_000,
        "state=%00",
        "level=worst",
        "live=maybe",
    ],
)
async def test_a_wrong_query_is_refused_with_what_was_found(standing: House, query: str) -> None:
    answer = await standing.http.get(f"/alerts?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/devices/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/devices/..", 404),
        ("GET", f"/devices/{'a' * 65}", 422),
        ("GET", "/devices/电梯", 422),
        ("GET", "/devices/nobody", 404),
        ("GET", "/alerts/%00", 422),
        ("GET", "/quarantine/0", 422),
        ("GET", f"/quarantine/{2**70}", 422),
        ("GET", "/nothing", 404),
        ("GET", "/alerts/", 404),
        ("DELETE", "/alerts", 405),
        ("TRACE", "/site", 405),
        ("PUT", f"/devices/{LIFT}", 405),
    ],
)
async def test_what_is_not_there_or_not_possible_is_a_problem_too(
    standing: House, method: str, path: str, status: int
) -> None:
    answer = await standing.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
