"""Taps as they are found again over HTTP, and what a supervisor says of one."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.beat import (
    MINUTE,
    PUMP,
    Hands,
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
from tests.api.listener import listening, served
from tests.servers.mosquitto import Mosquitto

ZHAO = {"X-Actor": "zhao"}


@pytest.fixture
async def house(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path) as found:
        yield found


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


async def listed(house: House, **wanted: Any) -> list[str]:  # noqa: ANN401
    """The ids that the client gave, as listed."""
    answer = await house.http.get("/taps", params=wanted)
    assert answer.status_code == 200, answer.text
    return [one["key"] for one in answer.json()["items"]]


async def test_taps_are_found_by_what_they_are(house: House) -> None:
    start = now() - 10 * MINUTE
    made = [
        tap(guard="g-07", ts=start),
        tap(tag=PUMP, guard="g-08", ts=start + MINUTE),
        tap(tag="04FFFFFFFF", ts=start + 2 * MINUTE),
        tap(url=roof_tag().tap(), guard="g-08", ts=start + 3 * MINUTE),
    ]
    await results(house, made, device="phone-7")
    gate, pump, unknown, roof = (one["id"] for one in made)
    one = await the_round(house)
    for wanted, found in (
        ({}, [roof, unknown, pump, gate]),
        ({"source": "phone-7", "limit": 500}, [roof, unknown, pump, gate]),
        ({"source": "phone-8"}, []),
        ({"checkpoint": "pump"}, [pump]),
        ({"guard": "g-08"}, [roof, pump]),
        ({"round": one["id"]}, [roof, pump, gate]),
        ({"counted": False}, [unknown]),
        ({"grade": "B"}, [roof]),
        ({"flag": "unknown_tag"}, [unknown]),
        ({"review": "rejected"}, []),
        ({"start": start + MINUTE, "end": start + 3 * MINUTE}, [unknown, pump]),
    ):
        assert await listed(house, **wanted) == found, wanted


async def test_taps_come_in_pages_also_those_of_a_clock_before_1970(house: House) -> None:
    made = [tap(ts=ts) for ts in (-86_400_000, 0, now())]
    await results(house, made)
    page = (await house.http.get("/taps", params={"limit": 1})).json()
    found = [page["items"][0]["key"]]
    while page["next"] is not None:
        page = (await house.http.get("/taps", params={"limit": 1, "cursor": page["next"]})).json()
        found += [one["key"] for one in page["items"]]
    assert found == [one["id"] for one in reversed(made)]


@pytest.mark.parametrize(
    "wanted", [{"flag": "odd"}, {"grade": "E"}, {"cursor": "x"}, {"limit": 0}, {"colour": "red"}]
)
async def test_a_filter_that_makes_no_sense_is_refused(house: House, wanted: dict[str, Any]) -> None:
    assert (await house.http.get("/taps", params=wanted)).status_code == 422


async def test_a_tap_is_found_by_its_id_and_by_its_uuid(house: House) -> None:
    one = tap(guard="g-07")
    made = await result(house, one)
    by_id = await house.http.get(f"/taps/{made['tap']}")
    by_uuid = await house.http.get(f"/taps/{one['id'].upper()}")
    assert by_id.json() == by_uuid.json()
    assert by_id.headers["etag"] == f'"{by_id.json()["version"]}"'
    assert (await house.http.get("/taps/tp-never")).status_code == 404


async def test_a_rejected_tap_is_no_evidence_any_more(house: House) -> None:
    made = await result(house, tap(guard="g-07"))
    way = f"/taps/{made['tap']}/review"
    body = {"decision": "reject", "why": "the camera shows nobody"}
    done = await house.http.post(way, json=body, headers=ZHAO)
    assert done.status_code == 200, done.text
    assert (done.json()["review"], done.json()["counted"]) == ("rejected", False)
    assert outcomes(await the_round(house))["gate"] == "pending"
    assert (await house.http.post(way, json={"decision": "approve"}, headers=ZHAO)).json()["counted"] is True
    assert outcomes(await the_round(house))["gate"] == "early"


@pytest.mark.parametrize(
    ("body", "actor", "status"),
    [
        ({"decision": "approve"}, "g-07", 409),
        ({"decision": "reject"}, "zhao", 422),
        ({"decision": "perhaps"}, "zhao", 422),
        ({"decision": "approve", "version": 9}, "zhao", 409),
    ],
)
async def test_a_review_that_cannot_be_is_refused(
    house: House, body: dict[str, Any], actor: str, status: int
) -> None:
    made = await result(house, tap(guard="g-07"))
    way = f"/taps/{made['tap']}"
    before = (await house.http.get(way)).json()
    answer = await house.http.post(f"{way}/review", json=body, headers={"X-Actor": actor})
    assert answer.status_code == status, answer.text
    assert (await house.http.get(way)).json() == before


async def test_there_is_nothing_to_review_of_a_tap_nobody_made_or_long_ago(
    house: House, hands: Hands
) -> None:
    body = {"decision": "approve"}
    assert (await house.http.post("/taps/tp-never/review", json=body, headers=ZHAO)).status_code == 404
    made = await result(house, tap(guard="g-07"))
    closed = datetime.fromisoformat((await the_round(house))["close_at"])
    hands.forward((closed + timedelta(days=4)).isoformat())
    await results(house, [tap()])
    late = await house.http.post(f"/taps/{made['tap']}/review", json=body, headers=ZHAO)
    assert (late.status_code, late.json()["current"]["id"]) == (409, made["tap"])


async def test_a_tap_is_told_to_who_listens_for_patrol(house: House) -> None:
    async with served(house) as (url, _), listening(url, "kinds=patrol") as stream:
        made = await result(house, tap(guard="g-07"))
        heard = await stream.until("patrol", kind="tap.judged")
    assert (heard.data["subject"], heard.data["device"]) == (made["tap"], "gate")
    assert (heard.data["detail"]["counted"], heard.data["detail"]["grade"]) == (True, "C")
