"""Parameters of a device over HTTP: what is in force, who gave it, and changing it while the gateway runs."""

import asyncio
from typing import Any

import pytest

from tests.api.house import LIFT, House

PATH = f"/devices/{LIFT}/params"


async def param(house: House, name: str, device: str = LIFT) -> dict[str, Any]:
    params = (await house.http.get(f"/devices/{device}/params")).json()["params"]
    found: dict[str, Any] = next(one for one in params if one["name"] == name)
    return found


async def test_a_parameter_says_its_value_its_form_and_who_gave_it(house: House) -> None:
    expected = {
        (LIFT, "motor_temp_high"): (80, "number", "site"),
        ("t1-lift-2", "motor_temp_high"): (70, "number", "device"),
        (LIFT, "motor_temp_critical"): (100, "number", "profile"),
        (LIFT, "emergency_call_test_every"): ("3d", "duration", "profile"),
    }
    for (device, name), words in expected.items():
        found = await param(house, name, device)
        assert (found["value"], found["form"], found["source"]) == words
        assert found["files"] == found["value"]


async def test_a_change_is_in_force_at_once_for_this_device_only_and_goes_back_with_null(
    house: House,
) -> None:
    await house.say(LIFT, {"motor_temp": 55.0})
    changed = await house.http.patch(PATH, json={"params": {"motor_temp_high": 50}, "version": 0})
    assert (changed.status_code, changed.json()["version"], changed.headers["etag"]) == (200, 1, '"1"')
    found = await param(house, "motor_temp_high")
    assert (found["value"], found["source"], found["files"]) == (50, "run time", 80)
    assert (await param(house, "motor_temp_high", "t1-lift-2"))["value"] == 70
    detail = (await house.http.get(f"/devices/{LIFT}")).json()
    assert detail["params"]["motor_temp_high"] == 50
    rules = (await house.http.get(f"/devices/{LIFT}/rules")).json()["rules"]
    hot = next(one for one in rules if one["name"] == "motor_overheat")
    assert (hot["levels"][0]["limits"][0]["high"], hot["levels"][0]["state"]) == (50, "pending")
    listed = (await house.http.get("/devices", params={"text": "north"})).json()["items"]
    assert [one["id"] for one in listed] == [LIFT]
    back = await house.http.patch(PATH, json={"params": {"motor_temp_high": None}})
    assert back.status_code == 200
    assert (await param(house, "motor_temp_high"))["source"] == "site"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"motor_temp_hihg": 50}, "motor_temp_hihg"),
        ({"motor_temp_high": "3m"}, "motor_temp_high"),
        ({"emergency_call_test_every": 5}, "emergency_call_test_every"),
        ({"motor_temp_high": 50, "emergency_call_test_every": "soon"}, "emergency_call_test_every"),
        ({}, "at least 1"),
        ({"motor_temp_high": True}, "motor_temp_high"),
        ({"motor_temp_high": [1]}, "motor_temp_high"),
        ({"../x": 1}, "params"),
    ],
)
async def test_a_wrong_value_is_refused_with_what_is_wrong_and_changes_nothing(
    house: House, params: dict[str, object], words: str
) -> None:
    before = (await house.http.get(PATH)).json()
    answer = await house.http.patch(PATH, json={"params": params})
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
    assert (await house.http.get(PATH)).json() == before


async def test_a_number_json_does_not_know_is_refused(house: House) -> None:
    for number in ("NaN", "1e999", "-Infinity"):
        answer = await house.http.patch(
            PATH,
            content=f'{{"params": {{"motor_temp_high": {number}}}}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 422, answer.text


async def test_a_stale_version_is_refused_with_who_changed_what(house: House) -> None:
    seen = (await house.http.get(PATH)).headers["etag"]
    body = {"params": {"motor_temp_high": 60}}
    await house.http.patch(PATH, json=body, headers={"X-Actor": "li"})
    other = {"params": {"motor_temp_high": 65}}
    answer = await house.http.patch(PATH, json=other, headers={"If-Match": seen, "X-Actor": "wang"})
    problem = answer.json()
    assert (answer.status_code, problem["version"], answer.headers["etag"]) == (409, 1, '"1"')
    (change,) = problem["changes"]
    assert (change["kind"], change["actor"]) == ("device.tuned", "li")
    assert change["detail"]["params"] == {"motor_temp_high": 60}
    assert (await param(house, "motor_temp_high"))["value"] == 60


async def test_of_many_who_tune_the_same_version_one_wins(house: House) -> None:
    calls = [
        house.http.patch(PATH, json={"params": {"motor_temp_high": 40 + number}, "version": 0})
        for number in range(6)
    ]
    answers = await asyncio.gather(*calls)
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409, 409]
    winner = next(number for number, one in enumerate(answers) if one.status_code == 200)
    assert (await param(house, "motor_temp_high"))["value"] == 40 + winner
