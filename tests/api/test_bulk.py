"""One act on many records over HTTP: one turn, an answer each, nothing lost because one is refused."""

import asyncio
import time
from typing import Any

import pytest

from tests.api.house import LIFT, MOVING_OPEN, SAFE, House

ALERTING = ("t1-lift-1", "t1-lift-2")


async def raised(house: House) -> list[str]:
    """Two live alerts, by id."""
    return [(await house.alert(device))["id"] for device in ALERTING]


def statuses(answer: Any) -> dict[str, str]:  # noqa: ANN401 - whatever JSON brings
    return {one["id"]: one["status"] for one in answer.json()["results"]}


async def test_many_are_acknowledged_and_each_is_answered_by_itself(house: House) -> None:
    first, second = await raised(house)
    over = (await house.http.post("/work-orders", json={"template": "lift-repair"})).json()["id"]
    await house.http.post(f"/alerts/{first}/ack", headers={"X-Actor": "li"})
    body = {"verb": "ack", "ids": [first, "al-never", second, over]}
    answer = await house.http.post("/alerts/bulk", json=body, headers={"X-Actor": "wang"})
    assert answer.status_code == 200
    assert answer.json()["done"] == 1
    assert statuses(answer) == {
        first: "conflict",
        "al-never": "not_found",
        second: "done",
        over: "not_found",
    }
    assert "already acknowledged by li" in answer.json()["results"][0]["detail"]
    assert "comment" in answer.json()["results"][0]["allowed"]
    assert (await house.http.get(f"/alerts/{second}")).json()["acked_by"] == "wang"


async def test_many_are_done_in_one_commit(house: House) -> None:
    ids = await raised(house)
    before = house.gateway.meters()["commits"]
    await house.http.post("/alerts/bulk", json={"verb": "comment", "ids": ids, "text": "drill"})
    assert house.gateway.meters()["commits"] - before <= 2  # its own, and at most a sign of life


async def test_an_ended_alert_among_many_says_when_and_why(house: House) -> None:
    first, second = await raised(house)
    await house.http.post(f"/alerts/{first}/ack")
    await house.say(LIFT, SAFE)
    await house.http.post(f"/alerts/{first}/reset")
    body = {"verb": "comment", "ids": [first, second], "text": "seen"}
    answer = await house.http.post("/alerts/bulk", json=body)
    past = answer.json()["results"][0]
    assert (past["status"], past["allowed"]) == ("conflict", [])
    assert "has ended: cleared, 20" in past["detail"]
    assert statuses(answer)[second] == "done"


async def test_versions_are_heeded_one_by_one(house: House) -> None:
    first, second = await raised(house)
    version = (await house.http.get(f"/alerts/{first}")).json()["version"]
    body = {"verb": "ack", "ids": [first, second], "versions": {first: version, second: 99}}
    answer = await house.http.post("/alerts/bulk", json=body)
    assert statuses(answer) == {first: "done", second: "conflict"}
    assert answer.json()["results"][1]["version"] < 99


async def test_the_same_request_under_the_same_key_is_carried_out_once(house: House) -> None:
    ids = await raised(house)
    headers = {"Idempotency-Key": "b-1"}
    body = {"verb": "comment", "ids": ids, "text": "seen"}
    first = await house.http.post("/alerts/bulk", json=body, headers=headers)
    again = await house.http.post("/alerts/bulk", json=body, headers=headers)
    assert first.json() == again.json()
    for name in ids:
        history = (await house.http.get(f"/alerts/{name}")).json()["history"]
        assert [one["kind"] for one in history].count("alert.commented") == 1


async def test_as_many_as_are_allowed_are_answered_again_and_not_carried_out_twice(house: House) -> None:
    headers = {"Idempotency-Key": "b-2"}
    (alert, _) = await raised(house)
    body = {"verb": "comment", "ids": [alert, *(f"al-{n}" for n in range(499))], "text": "seen"}
    first = await house.http.post("/alerts/bulk", json=body, headers=headers)
    again = await house.http.post("/alerts/bulk", json=body, headers=headers)
    assert (first.json()["done"], first.json()) == (1, again.json())
    history = (await house.http.get(f"/alerts/{alert}")).json()["history"]
    assert [one["kind"] for one in history].count("alert.commented") == 1


async def test_alerts_are_assigned_and_found_by_whose_they_are(house: House) -> None:
    ids = await raised(house)
    body = {"verb": "assign", "ids": ids, "team": "guards", "assignee": "陈工"}
    answer = await house.http.post("/alerts/bulk", json=body)
    assert answer.json()["done"] == 2
    for query, count in {"assignee=陈工": 2, "team=guards": 2, "team=lifts": 0, "stale=false": 2}.items():
        items = (await house.http.get(f"/alerts?{query}")).json()["items"]
        assert (query, len(items)) == (query, count)
    assert (await house.http.get("/alerts?chattering=true")).json()["items"] == []


async def test_what_somebody_has_is_taken_only_by_who_saw_that(house: House) -> None:
    alert = await house.alert()
    path = f"/alerts/{alert['id']}/assign"
    mine = await house.http.post(path, json={"assignee": "li"})
    blind = await house.http.post(path, json={"assignee": "wang"})
    assert (blind.status_code, "already with li" in blind.json()["detail"]) == (409, True)
    seen = await house.http.post(path, json={"assignee": "wang"}, headers={"If-Match": mine.headers["etag"]})
    assert (seen.status_code, seen.json()["assignee"]) == (200, "wang")
    unknown = await house.http.post(path, json={"team": "nobody"}, headers={"If-Match": seen.headers["etag"]})
    assert (unknown.status_code, unknown.json()["allowed"]) == (422, ["guards", "lifts"])


async def test_orders_are_moved_assigned_and_commented_in_bulk(house: House) -> None:
    opened = [
        (await house.http.post("/work-orders", json={"template": "gate-repair"})).json()["id"]
        for _ in range(3)
    ]
    await house.http.post(f"/work-orders/{opened[2]}/move", json={"to": "cancelled", "reason": "drill"})
    given = await house.http.post(
        "/work-orders/bulk", json={"verb": "assign", "ids": opened, "team": "guards"}
    )
    assert list(statuses(given).values()) == ["done", "done", "conflict"]
    assert "drill" in given.json()["results"][2]["detail"]
    later = int(time.time() * 1000) + 3_600_000
    moved = await house.http.post(
        "/work-orders/bulk", json={"verb": "move", "ids": opened[:2], "to": "in_progress"}
    )
    assert moved.json()["done"] == 2
    held = await house.http.post(
        "/work-orders/bulk",
        json={"verb": "move", "ids": opened[:2], "to": "on_hold", "reason": "parts", "resume_at": later},
    )
    assert held.json()["done"] == 2
    bad = await house.http.post("/work-orders/bulk", json={"verb": "move", "ids": opened[:2], "to": "closed"})
    assert set(statuses(bad).values()) == {"conflict"}
    assert bad.json()["results"][0]["allowed"] == ["in_progress", "cancelled", "duplicate"]
    said = await house.http.post(
        "/work-orders/bulk", json={"verb": "comment", "ids": opened[:2], "text": "waiting"}
    )
    assert said.json()["done"] == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/alerts/bulk", {"verb": "ack", "ids": []}),
        ("/alerts/bulk", {"verb": "ack", "ids": [f"al-{n}" for n in range(501)]}),
        ("/alerts/bulk", {"verb": "ack", "ids": ["../x"]}),
        ("/alerts/bulk", {"verb": "delete", "ids": ["al-1"]}),
        ("/alerts/bulk", {"verb": "ack", "ids": ["al-1"], "text": "x"}),
        ("/alerts/bulk", {"verb": "comment", "ids": ["al-1"]}),
        ("/alerts/bulk", {"verb": "shelve", "ids": ["al-1"], "why": "x"}),
        ("/alerts/bulk", {"verb": "ack", "ids": ["al-1"], "versions": {"al-2": 1}}),
        ("/alerts/bulk", {"verb": "ack", "ids": ["al-1"], "versions": {"al-1": 0}}),
        ("/alerts/bulk", {"ids": ["al-1"]}),
        ("/work-orders/bulk", {"verb": "move", "ids": ["wo-1"], "to": "heaven"}),
        ("/work-orders/bulk", {"verb": "sign", "ids": ["wo-1"]}),
    ],
)
async def test_a_bulk_request_that_makes_no_sense_changes_nothing(
    house: House, path: str, body: dict[str, object]
) -> None:
    answer = await house.http.post(path, json=body)
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), answer.text


async def test_one_version_for_many_is_refused_by_name(house: House) -> None:
    answer = await house.http.post(
        "/alerts/bulk", json={"verb": "ack", "ids": ["al-1"]}, headers={"If-Match": '"1"'}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.If-Match")


async def test_bulk_requests_at_once_do_each_record_once(house: House) -> None:
    ids = await raised(house)
    body = {"verb": "ack", "ids": ids}
    answers = await asyncio.gather(*(house.http.post("/alerts/bulk", json=body) for _ in range(5)))
    assert sum(one.json()["done"] for one in answers) == len(ids)
    for name in ids:
        history = (await house.http.get(f"/alerts/{name}")).json()["history"]
        assert [one["kind"] for one in history].count("alert.acknowledged") == 1


async def test_a_shelf_for_many_covers_each_of_them(house: House) -> None:
    await house.say(LIFT, MOVING_OPEN)
    await house.say("t2-gate", {"alarm_state": "forced_open"})
    ids = [one["id"] for one in (await house.http.get("/alerts?live=true")).json()["items"]]
    body = {"verb": "shelve", "ids": ids, "why": "works", "one_shot": True}
    answer = await house.http.post("/alerts/bulk", json=body)
    assert sorted(statuses(answer).values()) == ["done", "refused"]
    (shelved,) = (await house.http.get("/alerts?how=shelved")).json()["items"]
    assert shelved["device"]["id"] == "t2-gate"
