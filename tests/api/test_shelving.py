"""Keeping alerts quiet over HTTP: shelves, outages, and what is shown of why nobody is told."""

import asyncio
import time
from typing import Any

import pytest

from tests.api.house import LIFT, MOVING_OPEN, House
from tests.e2e.waiting import eventually

GATE = "t2-gate"
FORCED = {"alarm_state": "forced_open"}
RULES = f"/devices/{GATE}/rules"


def in_hours(hours: float) -> int:
    return int(time.time() * 1000 + hours * 3_600_000)


async def forced(house: House) -> dict[str, Any]:
    """A critical alert of the gate that may be shelved."""
    await house.say(GATE, FORCED)
    found: dict[str, Any] = (await house.http.get("/alerts", params={"device": GATE})).json()["items"][0]
    return found


async def rule(house: House, name: str, device: str = GATE) -> dict[str, Any]:
    rules = (await house.http.get(f"/devices/{device}/rules")).json()["rules"]
    found: dict[str, Any] = next(one for one in rules if one["name"] == name)
    return found


async def test_a_shelved_alert_says_who_why_and_until_when_and_stays_in_the_lists(house: House) -> None:
    alert = await forced(house)
    assert "shelve" in alert["allowed"]
    until = in_hours(2)
    body = {"why": "the lock is being changed", "until": until}
    shelved = (
        await house.http.post(f"/alerts/{alert['id']}/shelve", json=body, headers={"X-Actor": "li"})
    ).json()
    quiet = shelved["suppressed"]
    assert (quiet["how"], quiet["by"], quiet["why"]) == ("shelved", "li", "the lock is being changed")
    assert quiet["until"].endswith("+08:00")
    assert "unshelve" in shelved["allowed"]
    assert "shelve" not in shelved["allowed"]
    for query, count in {"": 1, "?suppressed=true": 1, "?suppressed=false": 0, "?how=shelved": 1}.items():
        items = (await house.http.get(f"/alerts{query}")).json()["items"]
        assert (query, len(items)) == (query, count)
    (listed,) = (await house.http.get("/alerts?how=shelved&how=maintenance")).json()["items"]
    assert listed["suppressed"] == quiet


async def test_whoever_unshelves_an_active_alert_has_acknowledged_it(house: House) -> None:
    alert = await forced(house)
    path = f"/alerts/{alert['id']}"
    await house.http.post(f"{path}/shelve", json={"why": "works", "one_shot": True})
    back = (await house.http.post(f"{path}/unshelve", headers={"X-Actor": "wang"})).json()
    assert (back["suppressed"], back["state"], back["acked_by"]) == (None, "acknowledged", "wang")
    again = await house.http.post(f"{path}/unshelve")
    assert (again.status_code, "unshelve" in again.json()["allowed"]) == (409, False)


async def test_a_shelf_past_the_longest_of_its_class_is_refused_with_the_longest(house: House) -> None:
    alert = await forced(house)
    body = {"why": "holidays", "until": in_hours(24 * 30)}
    for path in (f"/alerts/{alert['id']}/shelve", f"{RULES}/forced_open/shelve"):
        answer = await house.http.post(path, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["longest_seconds"]) == (422, 8 * 3_600), problem
        assert problem["latest"].endswith("+08:00")
    assert (await rule(house, "forced_open"))["shelve_max_seconds"] == 8 * 3_600


async def test_a_fire_alert_cannot_be_shelved_by_any_way(house: House) -> None:
    await house.publish("t1-fire/event", b'{"type": "fire_alarm", "zone": "B1"}')
    (fire,) = (await house.http.get("/alerts?device=t1-fire")).json()["items"]
    assert fire["allowed"] == ["ack", "assign", "comment"]
    body = {"why": "a drill", "until": in_hours(1)}
    by_alert = await house.http.post(f"/alerts/{fire['id']}/shelve", json=body)
    by_rule = await house.http.post("/devices/t1-fire/rules/fire/shelve", json=body)
    many = {**body, "verb": "shelve", "ids": [fire["id"]]}
    by_many = (await house.http.post("/alerts/bulk", json=many)).json()
    assert [one.status_code for one in (by_alert, by_rule)] == [422, 422]
    assert "life safety" in by_alert.json()["detail"]
    assert by_alert.json()["allowed"] == ["ack", "assign", "comment"]
    assert [(one["status"], one["allowed"]) for one in by_many["results"]] == [
        ("refused", ["ack", "assign", "comment"])
    ]
    assert (await house.http.get(f"/alerts/{fire['id']}")).json()["suppressed"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"why": "x"}, "body.until"),
        ({"until": 1}, "body.why"),
        ({"why": "", "one_shot": True}, "body.why"),
        ({"why": "a" * 501, "one_shot": True}, "body.why"),
        ({"why": "x", "one_shot": "yes"}, "body.one_shot"),
        ({"why": "x", "until": "tomorrow"}, "body.until"),
        ({"why": "x", "until": 1e400}, "body.until"),
        ({"why": "x", "one_shot": True, "for": "2h"}, "body.for"),
    ],
)
async def test_a_shelf_that_is_not_said_rightly_is_refused_by_field(
    house: House, body: dict[str, object], field: str
) -> None:
    content = str(body).replace("'", '"').replace("True", "true").replace("inf", "1e999")
    answer = await house.http.post(
        f"{RULES}/forced_open/shelve", content=content, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, field in str(answer.json()["errors"])) == (422, True), answer.text


async def test_a_rule_is_shelved_before_its_alert_comes_and_the_alert_is_born_quiet(house: House) -> None:
    before = await house.http.get(RULES)
    assert (before.headers["etag"], before.json()["version"]) == ('"0"', 0)
    shelved = await house.http.post(
        f"{RULES}/forced_open/shelve", json={"why": "lock change", "until": in_hours(1), "version": 0}
    )
    assert (shelved.status_code, shelved.json()["version"], shelved.headers["etag"]) == (200, 1, '"1"')
    assert shelved.json()["shelf"]["why"] == "lock change"
    alert = await forced(house)
    assert alert["suppressed"]["how"] == "shelved"
    found = await rule(house, "forced_open")
    assert (found["alert"], found["levels"][0]["state"]) == (alert["id"], "active")
    stale = await house.http.post(f"{RULES}/forced_open/unshelve", headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert [one["kind"] for one in stale.json()["changes"]] == ["alert.shelved"]
    done = await house.http.post(f"{RULES}/forced_open/unshelve", headers={"If-Match": '"1"'})
    assert (done.status_code, done.json()["shelf"]) == (200, None)


async def test_life_safety_goes_out_of_service_by_two_people_only(house: House) -> None:
    await house.say(LIFT, MOVING_OPEN)
    path = f"/devices/{LIFT}/rules/moving_door_open"
    body = {"why": "door motor is being replaced", "until": in_hours(4)}
    asked = await house.http.post(f"{path}/out-of-service", json=body, headers={"X-Actor": "li"})
    assert asked.status_code == 202
    assert (asked.json()["outage"]["in_force"], asked.json()["suppressed"]) == (False, None)
    assert asked.json()["outage"]["waits_for"] == "somebody other than li"
    same = await house.http.post(f"{path}/out-of-service", json=body, headers={"X-Actor": "li"})
    assert (same.status_code, "another person" in same.json()["detail"]) == (409, True)
    sure = await house.http.post(f"{path}/out-of-service", json=body, headers={"X-Actor": "wang"})
    assert (sure.status_code, sure.json()["outage"]["confirmed_by"]) == (200, "wang")
    (alert,) = (await house.http.get("/alerts?how=out_of_service")).json()["items"]
    assert (alert["suppressed"]["by"], alert["suppressed"]["why"]) == ("li", body["why"])
    back = await house.http.post(f"{path}/in-service", json={"why": "done"}, headers={"X-Actor": "li"})
    assert (back.status_code, back.json()["outage"]) == (200, None)
    (alert,) = (await house.http.get("/alerts?device=" + LIFT)).json()["items"]
    assert (alert["suppressed"], alert["state"]) == (None, "unacknowledged")


async def test_a_device_without_life_safety_needs_one_person_and_one_with_it_two(house: House) -> None:
    body = {"why": "rebuilt"}
    lift = await house.http.post(f"/devices/{LIFT}/out-of-service", json=body, headers={"X-Actor": "li"})
    assert (lift.status_code, lift.json()["outage"]["rule"]) == (202, None)
    assert lift.json()["allowed"] == ["in-service", "out-of-service"]
    alone = await house.http.post(f"{RULES}/tamper/out-of-service", json=body)
    assert (alone.status_code, alone.json()["outage"]["in_force"]) == (200, True)
    withdrawn = await house.http.post(f"/devices/{LIFT}/in-service")
    assert (withdrawn.status_code, withdrawn.json()["outage"]) == (200, None)
    again = await house.http.post(f"/devices/{LIFT}/in-service")
    assert (again.status_code, again.json()["allowed"]) == (409, ["out-of-service"])


async def test_test_modes_and_maintenance_windows_are_named(house: House) -> None:
    await house.say(GATE, {"alarm_state": "free_access"})
    held = await rule(house, "held_open")
    assert (held["suppressed"]["how"], held["suppressed"]["name"]) == ("by_design", "released")
    passage = await rule(house, "passback")
    assert passage["suppressed"]["title"]["zh"] == "紧急放行中"
    await house.publish(f"{GATE}/event", b'{"type": "tailgating"}')
    (alert,) = (await house.http.get("/alerts?rule=tailgating")).json()["items"]
    assert alert["suppressed"]["how"] == "by_design"


async def test_an_open_maintenance_window_is_named_with_its_end(house: House) -> None:
    async def is_open() -> bool:
        return (await rule(house, "tailgating"))["suppressed"] is not None

    await eventually(is_open, "the window that opens with the first tick")
    window = (await rule(house, "tailgating"))["suppressed"]
    assert (window["how"], window["name"], window["title"]["zh"]) == ("maintenance", "gate-works", "大门施工")
    assert window["until"] == "2099-01-01T00:00:00.000+08:00"
    assert (await rule(house, "passback"))["suppressed"] is None


async def test_rules_show_limits_in_force_and_say_404_for_what_is_not_there(house: House) -> None:
    hot = await rule(house, "motor_overheat", "t1-lift-2")
    assert [(one["level"], one["limits"][0]["high"]) for one in hot["levels"]] == [
        ("warning", 70),
        ("critical", 100),
    ]
    assert hot["levels"][0]["limits"][0]["point"] == "motor_temp"
    for path in ("/devices/nobody/rules", "/devices/nobody/params"):
        assert (await house.http.get(path)).status_code == 404
    for path in (f"{RULES}/nothing/shelve", "/devices/nobody/rules/fire/shelve"):
        answer = await house.http.post(path, json={"why": "x", "one_shot": True})
        assert answer.status_code == 404, answer.text


async def test_of_many_who_shelve_the_same_rule_one_wins(house: House) -> None:
    alert = await forced(house)
    calls = [
        house.http.post(
            f"/alerts/{alert['id']}/shelve",
            json={"why": f"reason {number}", "until": in_hours(1)},
            headers={"X-Actor": f"p{number}"},
        )
        for number in range(6)
    ]
    answers = await asyncio.gather(*calls)
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409, 409]
    winner = next(number for number, one in enumerate(answers) if one.status_code == 200)
    found = (await house.http.get(f"/alerts/{alert['id']}")).json()
    assert found["suppressed"]["by"] == f"p{winner}"
    assert [one["actor"] for one in found["history"] if one["kind"] == "alert.shelved"] == [f"p{winner}"]
    assert found["version"] == alert["version"] + 1
