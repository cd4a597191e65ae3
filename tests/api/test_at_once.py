"""Several people at once, over real sockets: exactly one wins, and record, version and history agree."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.house import LIFT, House
from tests.api.listener import served

PEOPLE = [f"p{number}" for number in range(8)]


async def at_once(house: House, path: str, bodies: list[dict[str, Any]], seen: str | None) -> list[Any]:
    """Everybody sends a body of their own to the same path, each over a connection of their own."""
    async with served(house) as (url, _):

        async def one(person: str, body: dict[str, Any]) -> httpx.Response:
            headers = {"X-Actor": person} if seen is None else {"X-Actor": person, "If-Match": seen}
            async with httpx.AsyncClient(base_url=f"{url}/api/v1") as client:
                return await client.post(path, json=body, headers=headers)

        return await asyncio.gather(*(one(*pair) for pair in zip(PEOPLE, bodies, strict=True)))


def body_of(verb: str, person: str) -> dict[str, Any]:
    """What a person sends, so that it can be told whose it was."""
    match verb:
        case "assign":
            return {"assignee": person}
        case "shelve":
            return {"why": person, "one_shot": True}
        case _:
            return {}


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("ack", "alert.acknowledged"), ("assign", "alert.assigned"), ("shelve", "alert.shelved")],
)
async def test_of_all_who_act_on_the_same_alert_one_wins(house: House, verb: str, kind: str) -> None:
    await house.say("t2-gate", {"alarm_state": "forced_open"})
    (alert,) = (await house.http.get("/alerts?device=t2-gate&rule=forced_open")).json()["items"]
    bodies = [body_of(verb, name) for name in PEOPLE]
    path = f"/alerts/{alert['id']}"
    answers = await at_once(house, f"{path}/{verb}", bodies, f'"{alert["version"]}"')
    won = [name for name, one in zip(PEOPLE, answers, strict=True) if one.status_code == 200]
    assert sorted(one.status_code for one in answers) == [200, *[409] * (len(PEOPLE) - 1)]
    found = (await house.http.get(path)).json()
    assert [one["actor"] for one in found["history"] if one["kind"] == kind] == won
    assert found["version"] == alert["version"] + 1
    for problem in (one.json() for one in answers if one.status_code == 409):
        assert problem["version"] == found["version"]
        assert [(one["kind"], one["actor"]) for one in problem["changes"]] == [(kind, won[0])]
        assert problem["allowed"] == found["allowed"]


async def test_an_order_somebody_took_is_not_taken_away_unseen(house: House) -> None:
    await house.alert()
    order = await house.order()
    path = f"/work-orders/{order['id']}"
    bodies = [{"assignee": name} for name in PEOPLE]
    answers = await at_once(house, f"{path}/assign", bodies, f'"{order["version"]}"')
    won = [name for name, one in zip(PEOPLE, answers, strict=True) if one.status_code == 200]
    assert len(won) == 1
    found = (await house.http.get(path)).json()
    assert found["assignee"] == won[0]
    assert [one["kind"] for one in found["history"]].count("work_order.assigned") == 1


async def test_the_same_call_sent_by_every_phone_opens_one_order(house: House) -> None:
    body = {"template": "lift-repair", "device": LIFT}
    async with served(house) as (url, _), httpx.AsyncClient(base_url=f"{url}/api/v1") as client:
        headers = {"Idempotency-Key": "call-1"}
        calls = (client.post("/work-orders", json=body, headers=headers) for _ in PEOPLE)
        answers = await asyncio.gather(*calls)
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["id"] for one in answers}) == 1
    assert len((await house.http.get("/work-orders")).json()["items"]) == 1


async def test_an_alert_that_many_readings_raise_at_once_has_one_order(house: House) -> None:
    await asyncio.gather(*(house.say(LIFT, {"moving": True, "door": "open"}) for _ in PEOPLE))
    alerts = (await house.http.get("/alerts?rule=moving_door_open")).json()["items"]
    orders = (await house.http.get(f"/work-orders?device={LIFT}")).json()["items"]
    assert (len(alerts), len(orders)) == (1, 1)
    assert orders[0]["alerts"] == [alerts[0]["id"]]
