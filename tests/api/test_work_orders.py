"""Work orders over HTTP: from the alert, or by hand, to the verified end."""

import time

import pytest

from tests.api.house import LIFT, SAFE, House


async def test_an_alert_opens_an_order_with_running_clocks(house: House) -> None:
    alert = await house.alert()
    order = await house.order()
    assert (order["id"], order["alerts"]) == (alert["work_order"], [alert["id"]])
    assert (order["state"], order["team"], order["priority"]) == ("new", "lifts", "high")
    clocks = {one["name"]: one for one in order["clocks"]}
    assert clocks["accept"]["target_seconds"] == 900
    assert 840 < clocks["accept"]["remaining_seconds"] <= 900
    assert [one["state"] for one in order["clocks"]] == ["running"] * 3
    assert order["allowed"] == ["add_cost", "assign", "attach", "check", "comment", "move", "sign"]


async def test_an_order_goes_its_whole_way_through_the_verbs(house: House) -> None:
    alert = await house.alert()
    order = await house.order()
    path = f"/work-orders/{order['id']}"
    fitter, lead = {"X-Actor": "chen"}, {"X-Actor": "li"}
    given = (await house.http.post(f"{path}/assign", json={"assignee": "陈工"}, headers=lead)).json()
    assert (given["state"], given["assignee"], given["team"]) == ("assigned", "陈工", "lifts")
    await house.http.post(f"{path}/move", json={"to": "in_progress"}, headers=fitter)
    early = await house.http.post(f"{path}/move", json={"to": "done"}, headers=fitter)
    assert early.status_code == 409
    assert "checklist" in early.json()["detail"]
    ticked = await house.http.post(f"{path}/check", json={"step": "isolate", "result": 0.5}, headers=fitter)
    assert [one["result"] for one in ticked.json()["checklist"]] == [0.5, None]
    done = (await house.http.post(f"{path}/move", json={"to": "done"}, headers=fitter)).json()
    assert {one["name"]: one["state"] for one in done["clocks"]} == dict.fromkeys(
        ("accept", "arrive", "resolve"), "stopped"
    )
    assert done["skipped"] == ["triaged", "accepted", "en_route", "on_site"]
    same = await house.http.post(f"{path}/move", json={"to": "verified"}, headers=fitter)
    assert (same.status_code, "somebody other" in same.json()["detail"]) == (409, True)
    await house.http.post(f"/alerts/{alert['id']}/ack")
    await house.say(LIFT, SAFE)
    await house.http.post(f"/alerts/{alert['id']}/reset")
    verified = await house.http.post(f"{path}/move", json={"to": "verified"}, headers=lead)
    closed = (await house.http.post(f"{path}/move", json={"to": "closed"}, headers=lead)).json()
    assert (verified.status_code, closed["state"], closed["open"]) == (200, "closed", False)
    assert closed["next_states"] == ["in_progress"]


async def test_a_hold_needs_its_reason_and_pauses_the_clock(house: House) -> None:
    await house.alert()
    order = await house.order()
    path = f"/work-orders/{order['id']}/move"
    await house.http.post(path, json={"to": "in_progress"})
    bare = await house.http.post(path, json={"to": "on_hold"})
    assert (bare.status_code, "one of contractor" in bare.json()["detail"]) == (409, True)
    later = int(time.time() * 1000) + 3_600_000
    held = await house.http.post(path, json={"to": "on_hold", "reason": "parts", "resume_at": later})
    resolve = next(one for one in held.json()["clocks"] if one["name"] == "resolve")
    assert (resolve["state"], held.json()["hold_reason"]) == ("paused", "parts")
    assert held.json()["resume_at"].endswith("+08:00")


async def test_an_order_is_opened_by_hand_once_for_one_key(house: House) -> None:
    body = {"template": "lift-repair", "device": LIFT, "reported_at": int(time.time() * 1000) - 60_000}
    headers = {"Idempotency-Key": "call-17", "X-Actor": "desk"}
    first = await house.http.post("/work-orders", json=body, headers=headers)
    again = await house.http.post("/work-orders", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/api/v1/work-orders/{first.json()['id']}"
    assert first.json()["history"][0]["actor"] == "desk"
    listed = (await house.http.get("/work-orders")).json()["items"]
    assert [one["id"] for one in listed] == [first.json()["id"]]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"template": "nonsense"}, 422, "one of the site's"),
        ({"template": "lift-repair", "device": "nobody"}, 404, "no device nobody"),
        ({"template": "lift-repair", "reported_at": 1}, 422, "last 30 days"),
        ({"template": "lift-repair", "colour": "red"}, 422, "extra"),
        ({}, 422, "required"),
    ],
)
async def test_an_order_that_cannot_be_opened_is_refused_with_the_reason(
    house: House, body: dict[str, object], status: int, words: str
) -> None:
    answer = await house.http.post("/work-orders", json=body)
    assert (answer.status_code, words in str(answer.json()).lower()) == (status, True), answer.json()


async def test_an_order_nobody_may_touch_any_more_says_so(house: House) -> None:
    await house.alert()
    order = await house.order()
    path = f"/work-orders/{order['id']}"
    await house.http.post(f"{path}/move", json={"to": "cancelled", "reason": "false alarm"})
    answer = await house.http.post(f"{path}/comment", json={"text": "hello"})
    assert (answer.status_code, "false alarm" in answer.json()["detail"]) == (409, True)
    assert answer.json()["allowed"] == []
    assert (await house.http.post("/work-orders/wo-x/comment", json={"text": "hello"})).status_code == 404


async def test_orders_are_found_by_every_filter(house: House) -> None:
    await house.alert()
    order = await house.order()
    await house.http.post("/work-orders", json={"template": "gate-repair", "device": "t2-gate"})
    other = (await house.http.post("/work-orders", json={"template": "lift-entrapment"})).json()
    await house.http.post(f"/work-orders/{other['id']}/move", json={"to": "cancelled", "reason": "drill"})
    await house.http.post(f"/work-orders/{order['id']}/assign", json={"assignee": "chen"})
    for query, expected in {
        "": 3,
        "open=true": 2,
        "open=false": 1,
        "state=cancelled": 1,
        "state=new&state=assigned": 2,
        "priority=high": 1,
        "team=lifts": 2,
        "assignee=chen": 1,
        "device=t2-gate": 1,
        "kind=access_gate": 1,
        "building=t1": 1,
        "text=大门": 1,
        "text=维修电梯": 1,
        "breached=true": 0,
        "breached=false": 3,
        "start=2100-01-01T00:00:00Z": 0,
    }.items():
        answer = await house.http.get(f"/work-orders?{query}")
        assert (query, len(answer.json()["items"])) == (query, expected)


async def test_templates_and_teams_are_listed(house: House) -> None:
    templates = {one["name"]: one for one in (await house.http.get("/work-orders/templates")).json()}
    assert templates["lift-repair"]["clocks"] == {"accept": 900, "arrive": 7200, "resolve": 28800}
    assert [one["name"] for one in templates["lift-repair"]["checklist"]] == ["isolate", "photo"]
    isolate = templates["lift-repair"]["checklist"][0]
    assert (isolate["kind"], isolate["unit"], isolate["high"], isolate["corrective"]) == (
        "reading",
        "V",
        1.0,
        "gate-repair",
    )
    assert (templates["gate-service"]["photos"], templates["gate-service"]["signature"]) == (1, True)
    lifts, guards = (await house.http.get("/work-orders/teams")).json()
    assert (lifts["name"], lifts["contractor"], lifts["rate"]) == ("lifts", True, "180.00")
    assert (guards["name"], guards["rate"]) == ("guards", None)


async def test_a_version_that_differs_from_the_header_is_refused(house: House) -> None:
    await house.alert()
    order = await house.order()
    answer = await house.http.post(
        f"/work-orders/{order['id']}/comment", json={"text": "x", "version": 1}, headers={"If-Match": '"2"'}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.version"
