"""Devices over HTTP: last values and how good they are, limits in force, events, readings."""

import time
from collections.abc import Mapping
from typing import TypeAlias

import pytest

from tests.api.house import LIFT, MOVING_OPEN, House

NEW_YEAR = "2026-01-01T00:00:00Z"
Query: TypeAlias = Mapping[str, int | str | list[str]]


async def test_a_device_shows_its_last_values_with_unit_age_and_quality(house: House) -> None:
    ts = int(time.time() * 1000) - 4_000
    await house.say(LIFT, {"motor_temp": 41.5, "door": "open"}, ts)
    page = (await house.http.get("/devices", params={"text": "north"})).json()
    (lift,) = page["items"]
    assert (lift["id"], lift["state"], page["next"]) == (LIFT, "online", None)
    value = lift["values"]["motor_temp"]
    assert (value["value"], value["unit"], value["quality"]) == (41.5, "Cel", "good")
    assert 4 <= value["age_seconds"] < 60


async def test_devices_are_found_by_every_filter(house: House) -> None:
    await house.say(LIFT, MOVING_OPEN)
    await house.publish("t1-lift-2/status", b"offline")
    for query, expected in {
        "": ["t1-fire", "t1-lift-1", "t1-lift-2", "t2-gate"],
        "kind=elevator": ["t1-lift-1", "t1-lift-2"],
        "building=t2": ["t2-gate"],
        "building=t1&floor=B1": ["t1-lift-1"],
        "state=online": ["t1-lift-1"],
        "state=offline": ["t1-lift-2"],
        "state=unknown": ["t1-fire", "t2-gate"],
        "alerting=true": ["t1-lift-1"],
        "text=大门": ["t2-gate"],
        "text=MACHINE": ["t1-lift-1"],
        "kind=nothing": [],
    }.items():
        answer = await house.http.get(f"/devices?{query}")
        assert (query, [one["id"] for one in answer.json()["items"]]) == (query, expected)


async def test_pages_of_devices_follow_one_another(house: House) -> None:
    seen, cursor = [], None
    while True:
        query = "limit=1" if cursor is None else f"limit=1&cursor={cursor}"
        page = (await house.http.get(f"/devices?{query}")).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["t1-fire", "t1-lift-1", "t1-lift-2", "t2-gate"]


async def test_values_of_an_offline_device_are_stale(house: House) -> None:
    await house.say(LIFT, {"motor_temp": 20.0})
    await house.publish(f"{LIFT}/status", b"offline")
    lift = (await house.http.get(f"/devices/{LIFT}")).json()
    assert (lift["state"], lift["online"]) == ("offline", False)
    assert lift["values"]["motor_temp"]["quality"] == "stale"


async def test_one_device_shows_points_limits_parameters_and_rules_in_force(house: House) -> None:
    alert = await house.alert("t1-lift-2")
    lift = (await house.http.get("/devices/t1-lift-2")).json()
    points = {one["name"]: one for one in lift["points"]}
    limits = [(one["level"], one["high"]) for one in points["motor_temp"]["limits"]]
    assert limits == [("warning", 70), ("critical", 100)]
    assert lift["params"]["motor_temp_high"] == 70
    assert points["door"]["last"]["value"] == "open"
    assert points["motor_temp"]["last"] is None
    rules = {one["name"]: one for one in lift["rules"]}
    assert rules["moving_door_open"]["alert"] == alert["id"]
    assert rules["motor_overheat"]["levels"][0]["for_seconds"] == 120
    assert lift["alerts"] == {"live": 1, "worst": "critical"}


async def test_events_come_newest_first_in_pages(house: House) -> None:
    start = int(time.time() * 1000) - 60_000
    for number in range(3):
        body = f'{{"id": "e{number}", "ts": {start + number * 1000}, "type": "fault", "code": "controller"}}'
        await house.publish(f"{LIFT}/event", body.encode())
    first = (await house.http.get(f"/devices/{LIFT}/events", params={"limit": 2})).json()
    assert [one["key"] for one in first["items"]] == ["e2", "e1"]
    assert first["items"][0]["attributes"]["code"] == "controller"
    assert first["items"][0]["title"]["en"] == "Fault"
    rest = (await house.http.get(f"/devices/{LIFT}/events", params={"cursor": first["next"]})).json()
    assert ([one["key"] for one in rest["items"]], rest["next"]) == (["e0"], None)
    query: Query = {"start": start + 1000, "end": start + 2000, "type": "fault"}
    between = (await house.http.get(f"/devices/{LIFT}/events", params=dict(query))).json()
    assert [one["key"] for one in between["items"]] == ["e1"]


async def _stored(house: House, values: list[float], step: int) -> int:
    """Readings of the motor's temperature in the telemetry store; returns the time of the first."""
    start = int(time.time() * 1000) // 60_000 * 60_000 - 600_000
    wanted = house.gateway.meters()["readings_stored"] + len(values)
    for number, value in enumerate(values):
        await house.say(LIFT, {"motor_temp": value, "door": "open"}, start + number * step)
    await house.stored(wanted)
    return start


async def test_readings_are_given_raw_where_they_are_few(house: House) -> None:
    start = await _stored(house, [20.0, 21.0], 10_000)
    query: Query = {"point": "motor_temp", "start": start, "end": start + 60_000}
    answer = (await house.http.get(f"/devices/{LIFT}/readings", params=dict(query))).json()
    assert answer["every"] is None
    assert [one["value"] for one in answer["points"][0]["samples"]] == [20.0, 21.0]
    assert answer["points"][0]["samples"][0]["ts"].endswith("+08:00")


async def test_readings_come_in_buckets_with_lowest_highest_mean_and_count(house: House) -> None:
    start = await _stored(house, [20.0, 22.0, 30.0], 30_000)
    query: Query = {"point": "motor_temp", "start": start, "end": start + 120_000, "every": "1m"}
    answer = (await house.http.get(f"/devices/{LIFT}/readings", params=dict(query))).json()
    buckets = [tuple(one.values())[1:] for one in answer["points"][0]["buckets"]]
    assert (answer["every"], buckets) == ("1m", [(20.0, 22.0, 21.0, 2), (30.0, 30.0, 30.0, 1)])


async def test_auto_takes_buckets_for_a_long_range_and_raw_for_a_short_one(house: House) -> None:
    await _stored(house, [20.0], 1)
    path = f"/devices/{LIFT}/readings"
    long = (await house.http.get(path, params={"start": NEW_YEAR, "end": "2026-03-01T00:00:00Z"})).json()
    short = (await house.http.get(path, params={"max_points": 400})).json()
    assert (long["every"], short["every"]) == ("3h", None)


async def test_auto_takes_buckets_when_the_device_reports_more_often_than_it_should(house: House) -> None:
    start = await _stored(house, [float(value) for value in range(12)], 1_000)
    query: Query = {"point": ["motor_temp", "door"], "start": start, "end": start + 60_000, "max_points": 8}
    answer = (await house.http.get(f"/devices/{LIFT}/readings", params=dict(query))).json()
    assert answer["every"] == "10s"
    temperature, door = answer["points"]
    assert [one["count"] for one in temperature["buckets"]] == [10, 2]
    assert (len(door["samples"]), door["truncated"]) == (8, True)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("point=nonsense", "query.point", "has no point nonsense"),
        ("start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "query.start", "before end"),
        ("start=2026-01-01", "query.start", "RFC 3339 with an offset"),
        ("end=2026-13-01T00:00:00Z", "query.end", "month"),
        ("end=99999999999999999999", "query.end", "RFC 3339"),
        ("every=1", "query.every", "a duration has a unit"),
        ("every=1ms&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z", "query.every", "max_points"),
        ("max_points=NaN", "query.max_points", "found 'NaN'"),
        ("max_points=100000000", "query.max_points", "less than or equal to 10000"),
        ("evry=1m", "query.evry", "extra"),
    ],
)
async def test_a_wrong_range_is_refused_with_what_was_found(
    house: House, query: str, field: str, words: str
) -> None:
    answer = await house.http.get(f"/devices/{LIFT}/readings?{query}")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert any(one["field"].startswith(field) and words in one["message"] for one in problem["errors"]), (
        problem
    )


async def test_an_offset_whose_plus_was_not_escaped_is_understood(house: House) -> None:
    answer = await house.http.get(f"/devices/{LIFT}/readings?end=2026-01-01T08:00:00+08:00")
    assert answer.json()["end"] == "2026-01-01T08:00:00.000+08:00"
