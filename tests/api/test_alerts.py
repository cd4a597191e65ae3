"""Alerts over HTTP: what is shown, and who may do what to them when."""

import asyncio

import pytest

from tests.api.house import LIFT, MOVING_OPEN, SAFE, House


async def test_a_raised_alert_is_listed_with_its_cause_and_what_may_be_done(house: House) -> None:
    alert = await house.alert()
    assert alert["device"]["title"] == {"en": "North lift", "zh": "北梯"}
    assert alert["title"]["zh"] == "开门走车"
    assert (alert["state"], alert["level"], alert["live"]) == ("unacknowledged", "critical", True)
    assert alert["cause"]["point"] == "moving"
    assert alert["cause"]["value"] is True
    assert alert["allowed"] == ["ack", "assign", "comment"]
    assert alert["raised_at"].endswith("+08:00")
    assert alert["work_order"].startswith("wo-")


async def test_one_alert_comes_with_its_history_runbook_and_version(house: House) -> None:
    alert = await house.alert()
    answer = await house.http.get(f"/alerts/{alert['id']}")
    found = answer.json()
    assert answer.headers["etag"] == f'"{found["version"]}"'
    assert [one["kind"] for one in found["history"]] == ["alert.raised"]
    assert "out of service" in found["runbook"]["en"]


async def test_an_alert_is_acknowledged_reset_and_ended_through_its_verbs(house: House) -> None:
    alert = await house.alert()
    acked = (
        await house.http.post(f"/alerts/{alert['id']}/ack", headers={b"X-Actor": "王芳".encode()})
    ).json()
    assert (acked["state"], acked["acked_by"]) == ("acknowledged", "王芳")
    await house.say(LIFT, SAFE)
    ready = (await house.http.get(f"/alerts/{alert['id']}")).json()
    assert ready["allowed"] == ["assign", "comment", "reset"]
    ended = (await house.http.post(f"/alerts/{alert['id']}/reset", headers={"X-Actor": "li"})).json()
    assert (ended["live"], ended["reset_by"], ended["allowed"]) == (False, "li", [])
    assert [one["kind"] for one in ended["history"]] == [
        "alert.raised",
        "alert.acknowledged",
        "alert.condition_gone",
        "alert.reset",
        "alert.cleared",
        "alert.ended",
    ]


@pytest.mark.parametrize("how", ["header", "body"])
async def test_a_stale_version_is_refused_with_what_changed_and_what_is_allowed(
    house: House, how: str
) -> None:
    alert = await house.alert()
    path, seen = f"/alerts/{alert['id']}", alert["version"]
    await house.http.post(f"{path}/comment", json={"text": "on my way"}, headers={"X-Actor": "li"})
    answer = (
        await house.http.post(f"{path}/ack", headers={"If-Match": f'"{seen}"'})
        if how == "header"
        else await house.http.post(f"{path}/ack", json={"version": seen})
    )
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert (problem["version"], problem["allowed"]) == (seen + 1, ["ack", "assign", "comment"])
    assert [(one["kind"], one["actor"]) for one in problem["changes"]] == [("alert.commented", "li")]
    assert problem["current"]["state"] == "unacknowledged"
    again = await house.http.post(f"{path}/ack", headers={"If-Match": answer.headers["etag"]})
    assert again.status_code == 200


async def test_what_is_not_possible_now_is_a_conflict_that_says_why(house: House) -> None:
    alert = await house.alert()
    answer = await house.http.post(f"/alerts/{alert['id']}/reset")
    assert answer.status_code == 409
    assert "still true" in answer.json()["detail"]


async def test_an_ended_alert_says_so_instead_of_pretending_not_to_exist(house: House) -> None:
    alert = await house.alert()
    await house.http.post(f"/alerts/{alert['id']}/ack")
    await house.say(LIFT, SAFE)
    await house.http.post(f"/alerts/{alert['id']}/reset")
    answer = await house.http.post(f"/alerts/{alert['id']}/ack")
    assert answer.status_code == 409
    assert "has ended" in answer.json()["detail"]
    assert (await house.http.post("/alerts/al-never/ack")).status_code == 404


async def test_a_request_with_the_same_key_is_carried_out_once(house: House) -> None:
    alert = await house.alert()
    path, headers = f"/alerts/{alert['id']}/comment", {"Idempotency-Key": "k-1"}
    first = await house.http.post(path, json={"text": "seen"}, headers=headers)
    again = await house.http.post(path, json={"text": "seen"}, headers=headers)
    other = await house.http.post(path, json={"text": "something else"}, headers=headers)
    assert [one.status_code for one in (first, again, other)] == [200, 200, 200]
    texts = [one["detail"]["text"] for one in other.json()["history"] if one["kind"] == "alert.commented"]
    assert texts == ["seen", "something else"]


async def test_of_two_who_act_on_the_same_version_one_wins(house: House) -> None:
    alert = await house.alert()
    path, headers = f"/alerts/{alert['id']}/ack", {"If-Match": f'"{alert["version"]}"'}
    answers = await asyncio.gather(*(house.http.post(path, headers=headers) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]


async def test_alerts_are_found_by_every_filter(house: House) -> None:
    await house.alert("t1-lift-1")
    await house.say("t1-lift-2", MOVING_OPEN)
    await house.publish("t2-gate/event", b'{"type": "forced_open"}')
    for query, expected in {
        "kind=elevator": {"t1-lift-1", "t1-lift-2"},
        "building=t2": {"t2-gate"},
        "building=t1&floor=B1": {"t1-lift-1"},
        "device=t1-lift-2": {"t1-lift-2"},
        "rule=moving_door_open": {"t1-lift-1", "t1-lift-2"},
        "text=南梯": {"t1-lift-2"},
        "text=MOVING WITH": {"t1-lift-1", "t1-lift-2"},
        "level=critical&level=warning&live=true": {"t1-lift-1", "t1-lift-2", "t2-gate"},
        "level=info": set(),
        "state=acknowledged": set(),
        "live=false": set(),
        "end=2026-01-01T00:00:00Z": set(),
    }.items():
        answer = await house.http.get(f"/alerts?{query}")
        assert (query, {one["device"]["id"] for one in answer.json()["items"]}) == (query, expected)


async def test_pages_hold_every_alert_once_though_more_come_in_between(house: House) -> None:
    await house.alert("t1-lift-1")
    await house.alert("t1-lift-2")
    first = (await house.http.get("/alerts", params={"limit": 1})).json()
    await house.publish("t2-gate/event", b'{"type": "forced_open"}')
    seen = [one["device"]["id"] for one in first["items"]]
    cursor = first["next"]
    while cursor:
        page = (await house.http.get("/alerts", params={"limit": 1, "cursor": cursor})).json()
        seen += [one["device"]["id"] for one in page["items"]]
        cursor = page["next"]
    assert seen == ["t1-lift-2", "t1-lift-1"]
