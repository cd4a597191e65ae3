"""Rounds and gaps over HTTP: what was due, what became of it, what a person does about one, and what stays out of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.beat import (
    HOUR,
    MINUTE,
    PUMP,
    Hands,
    flags,
    now,
    open_beat,
    outcomes,
    result,
    results,
    roof_tag,
    tap,
    the_round,
)
from tests.api.house import House
from tests.servers.mosquitto import Mosquitto

LI = {"X-Actor": "g-07"}
ZHAO = {"X-Actor": "zhao"}


@pytest.fixture
async def house(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path) as found:
        yield found


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


# --- rounds --------------------------------------------------------------------------------------------------------


async def test_routes_tell_their_stops_and_what_is_due(house: House) -> None:
    day, free = (await house.http.get("/patrol/routes")).json()
    one = await the_round(house)
    assert [stop["checkpoint"]["id"] for stop in day["stops"]] == ["gate", "pump", "roof"]
    assert (day["id"], day["live"], day["next_due"]) == ("day", [one["id"]], one["start"])
    assert (free["title"], free["schedule"], free["live"]) == ({"en": "Walk", "zh": "巡走"}, None, [])
    assert (await house.http.get("/patrol/routes/day")).status_code == 404


async def test_a_round_goes_its_way_from_open_to_closed(house: House, hands: Hands) -> None:
    one = await the_round(house)
    assert (one["state"], outcomes(one)) == (
        "open",
        {"gate": "pending", "pump": "pending", "roof": "pending"},
    )
    hands.forward(one["start"])
    first = await result(house, tap(guard="g-07"), device="phone-7", sent=now(), queued=0)
    assert [(each["id"], each["outcome"]) for each in first["rounds"]] == [(one["id"], "on_time")]
    made = now()

    hands.forward(one["judge_at"])
    late = await result(house, tap(tag=PUMP, guard="g-07", ts=made), device="phone-7", sent=now(), queued=0)
    assert ([each["outcome"] for each in late["rounds"]], late["review"]) == (["late_upload"], "pending")
    assert flags(late) == ["late_upload"]
    judged = await the_round(house)
    assert judged["state"] == "judged"
    assert outcomes(judged) == {"gate": "on_time", "pump": "late_upload", "roof": "missed"}
    assert [found["id"] for found in judged["taps"]] == [first["tap"], late["tap"]]

    hands.forward(one["close_at"])
    gone = await result(house, tap(url=roof_tag().tap(), guard="g-07", ts=made), device="phone-7", sent=now())
    assert (gone["status"], "too_late" in flags(gone)) == ("kept", True)
    closed = (await house.http.get(f"/patrol/rounds/{one['id']}")).json()
    assert (closed["state"], closed["result"], outcomes(closed)["roof"]) == ("closed", "incomplete", "missed")


async def test_a_missed_stop_raises_an_alert_at_its_checkpoint(house: House, hands: Hands) -> None:
    one = await the_round(house)
    hands.forward(one["judge_at"])
    await results(house, [], device="phone-7", sent=now(), queued=0)
    page = (await house.http.get("/alerts", params={"device": "gate", "rule": "missed"})).json()
    assert [(alert["device"]["id"], alert["live"]) for alert in page["items"]] == [("gate", True)]


async def test_rounds_are_found_by_day_route_state_and_result(house: House) -> None:
    one = await the_round(house)
    for wanted, count in (
        ({"date": one["date"]}, 1),
        ({"date": "2026-01-01"}, 0),
        ({"from": one["date"], "to": one["date"]}, 1),
        ({"to": "2026-01-01"}, 0),
        ({"route": "day", "state": "open", "result": "pending"}, 1),
        ({"route": "free"}, 0),
        ({"state": "closed"}, 0),
    ):
        page = (await house.http.get("/patrol/rounds", params=wanted)).json()
        assert len(page["items"]) == count, wanted


@pytest.mark.parametrize(
    "wanted", [{"date": "24.11.2026"}, {"date": "2026-02-30"}, {"state": "over"}, {"day": "2026-11-24"}]
)
async def test_a_filter_that_makes_no_sense_is_refused(house: House, wanted: dict[str, str]) -> None:
    assert (await house.http.get("/patrol/rounds", params=wanted)).status_code == 422


async def test_there_is_no_round_of_that_name(house: House) -> None:
    for name, status in (("rd-never", 404), ("%20", 422)):
        assert (await house.http.get(f"/patrol/rounds/{name}")).status_code == status


# --- what a person does about a round ------------------------------------------------------------------------------


async def test_a_stop_is_skipped_with_a_reason(house: House) -> None:
    one = await the_round(house)
    body = {"checkpoint": "roof", "why": "storm"}
    found = await house.http.post(
        f"/patrol/rounds/{one['id']}/skip", json=body, headers={"If-Match": f'"{one["version"]}"'}
    )
    assert found.status_code == 200, found.text
    assert outcomes(found.json())["roof"] == "skipped"
    assert found.headers["etag"] == f'"{found.json()["version"]}"'
    again = await house.http.post(f"/patrol/rounds/{one['id']}/skip", json=body)
    assert (again.status_code, again.json()["allowed"]) == (422, ["gate", "pump"])


async def test_what_was_visited_is_not_skipped(house: House) -> None:
    one = await the_round(house)
    await result(house, tap(guard="g-07"))
    body = {"checkpoint": "gate", "why": "storm"}
    found = await house.http.post(f"/patrol/rounds/{one['id']}/skip", json=body)
    assert found.status_code == 409
    assert outcomes(found.json()["current"])["gate"] == "early"


@pytest.mark.parametrize("act", ["skip", "make-up"])
async def test_an_act_on_a_round_that_cannot_be_is_refused(house: House, hands: Hands, act: str) -> None:
    one = await the_round(house)
    good = {"checkpoint": "roof", "why": "storm"} | ({"guard": "g-07"} if act == "make-up" else {})
    way = f"/patrol/rounds/{one['id']}/{act}"
    assert (await house.http.post(f"/patrol/rounds/rd-never/{act}", json=good)).status_code == 404
    assert (await house.http.post(way, json={"checkpoint": "roof"})).status_code == 422
    assert (await house.http.post(way, json={**good, "checkpoint": "cellar"})).status_code == 422
    assert (await house.http.post(way, json=good, headers={"If-Match": '"99"'})).status_code == 409
    hands.forward(one["close_at"])
    await results(house, [])
    closed = await house.http.post(way, json=good)
    assert (closed.status_code, closed.json()["current"]["state"]) == (409, "closed")


async def test_a_make_up_counts_once_another_person_has_approved_it(house: House, hands: Hands) -> None:
    one = await the_round(house)
    hands.forward(one["judge_at"])
    body = {"checkpoint": "pump", "guard": "g-07", "why": "the battery was flat", "ts": one["start"]}
    made = await house.http.post(f"/patrol/rounds/{one['id']}/make-up", json=body, headers=LI)
    assert made.status_code == 201, made.text
    entered = made.json()
    assert (entered["how"], entered["counted"], entered["review"]) == ("make_up", False, "pending")
    assert outcomes(await the_round(house))["pump"] == "missed"
    where = made.headers["location"].removeprefix("/api/v1")
    own = await house.http.post(f"{where}/review", json={"decision": "approve"}, headers=LI)
    assert own.status_code == 409
    done = await house.http.post(f"{where}/review", json={"decision": "approve"}, headers=ZHAO)
    assert (done.json()["counted"], done.json()["reviewed_by"]) == (True, "zhao")
    assert outcomes(await the_round(house))["pump"] not in ("missed", "on_time")


# --- gaps ----------------------------------------------------------------------------------------------------------


async def test_the_largest_gap_of_each_checkpoint_is_told_and_never_an_average(
    house: House, hands: Hands
) -> None:
    start = now()
    one = await the_round(house)
    await results(house, [tap(guard="g-07", ts=start - 1_000), tap(guard="g-07", ts=start)], sent=now())
    hands.forward(one["start"])  # in six hours
    tapped = await result(house, tap(guard="g-07"), sent=now())
    found = (await house.http.get("/patrol/gaps")).json()
    gate, pump, _ = found["items"]
    assert (gate["last"]["tap"], gate["gap"]) == (tapped["tap"], "no")
    assert 5.9 * HOUR < gate["largest"]["seconds"] * 1_000 < 6.1 * HOUR
    assert (gate["largest"]["running"], gate["gap_seconds"] < MINUTE / 1_000) == (False, True)
    assert (pump["last"], pump["gap"], pump["largest"]["running"]) == (None, "grave", True)
    (limit,) = pump["limits"]
    assert (limit["rule"], limit["every_seconds"], limit["grave_seconds"]) == ("all", 7_200, 14_400)
    assert 3.9 * HOUR < limit["over_seconds"] * 1_000 < 4.1 * HOUR
    only = (await house.http.get("/patrol/gaps", params={"checkpoint": "pump"})).json()
    assert [item["checkpoint"]["id"] for item in only["items"]] == ["pump"]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"checkpoint": "cellar"}, 404),
        ({"start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"}, 422),
        ({"start": "2099-01-01T00:00:00Z"}, 422),
        ({"start": "2020-01-01T00:00:00Z"}, 422),
        ({"average": "true"}, 422),
    ],
)
async def test_a_period_that_makes_no_sense_is_refused(
    house: House, wanted: dict[str, Any], status: int
) -> None:
    assert (await house.http.get("/patrol/gaps", params=wanted)).status_code == status


# --- what stands for the patrol is no equipment ---------------------------------------------------------------------


async def test_only_real_devices_are_listed_and_counted(house: House) -> None:
    page = (await house.http.get("/devices")).json()
    assert [device["id"] for device in page["items"]] == ["reader-1", "t1-lift-1"]
    kinds = (await house.http.get("/site")).json()["kinds"]
    assert {kind["kind"]: kind["devices"] for kind in kinds} == {"elevator": 1, "patrol_reader": 1}
    metrics = (await house.http.get("http://localhost/metrics")).text
    assert "\nfgw_devices 2.0\n" in metrics
    assert (await house.http.get("/devices/gate")).json()["kind"] == "checkpoint"


async def test_taps_and_rounds_are_counted_for_prometheus(house: House) -> None:
    await results(house, [tap(guard="g-07"), tap(tag="04FFFFFFFF"), tap(url=roof_tag().tap())])
    metrics = (await house.http.get("http://localhost/metrics")).text
    for line in (
        'fgw_taps_total{grade="A"} 1.0',
        'fgw_taps_total{grade="C"} 1.0',
        'fgw_taps_uncounted_total{flag="unknown_tag"} 1.0',
        'fgw_rounds{state="open"} 1.0',
    ):
        assert line in metrics
