"""What is done, proved and spent on a work order, over HTTP."""

import pytest

from tests.api.house import LIFT, House

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 100
AS_JPEG = {"Content-Type": "image/jpeg"}


async def opened(house: House, template: str, device: str | None = None) -> str:
    body = {"template": template} if device is None else {"template": template, "device": device}
    return f"/work-orders/{(await house.http.post('/work-orders', json=body)).json()['id']}"


async def test_costs_are_added_summed_by_kind_and_taken_back(house: House) -> None:
    path = await opened(house, "lift-repair", LIFT)
    part = {"kind": "part", "text": "contactor", "quantity": 2, "price": "12.35"}
    added = await house.http.post(f"{path}/costs", json=part, headers={"X-Actor": "chen"})
    assert (added.status_code, added.json()["costs"]["lines"][0]["amount"]) == (201, "24.70")
    labour = {"kind": "labour", "text": "fitter", "quantity": "1.5"}
    costs = (await house.http.post(f"{path}/costs", json=labour)).json()["costs"]
    assert (costs["currency"], costs["total"]) == ("CNY", "294.70")
    assert costs["totals"] == {"part": "24.70", "labour": "270.00", "other": "0.00"}
    line = costs["lines"][0]["id"]
    voided = await house.http.post(f"{path}/costs/{line}/void", headers={"X-Actor": "li"})
    assert (voided.json()["costs"]["total"], voided.json()["costs"]["lines"][0]["voided_by"]) == (
        "270.00",
        "li",
    )
    again = await house.http.post(f"{path}/costs/{line}/void")
    assert (again.status_code, "taken back by li" in again.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "bribe", "text": "x", "quantity": 1, "price": 1},
        {"kind": "part", "text": "x", "quantity": -1, "price": 1},
        {"kind": "part", "text": "x", "quantity": 1, "price": "1.234"},
        {"kind": "part", "text": "x", "quantity": "NaN", "price": 1},
        {"kind": "part", "text": "x", "quantity": "Infinity", "price": 1},
        {"kind": "part", "text": "x", "quantity": "1e400", "price": 1},
        {"kind": "part", "text": "x", "quantity": 1, "price": "9" * 5_000},
        {"kind": "part", "text": "", "quantity": 1, "price": 1},
        {"kind": "part", "text": "x", "quantity": 1},
    ],
)
async def test_a_cost_that_is_none_is_refused(house: House, body: dict[str, object]) -> None:
    path = await opened(house, "gate-repair")
    answer = await house.http.post(f"{path}/costs", json=body)
    assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), answer.text
    assert (await house.http.get(path)).json()["costs"]["lines"] == []


async def test_an_order_is_done_with_its_picture_its_checks_and_its_signature(house: House) -> None:
    path = await opened(house, "gate-service")
    await house.http.post(f"{path}/move", json={"to": "in_progress"})
    early = await house.http.post(f"{path}/move", json={"to": "done"})
    words = early.json()["detail"]
    assert early.status_code == 409
    assert all(part in words for part in ("hinges", "pictures", "nobody has signed"))
    await house.http.post(f"{path}/check", json={"step": "hinges", "result": True})
    await house.http.post(f"{path}/attachments", content=JPEG, headers=AS_JPEG)
    drawn = await house.http.post(f"{path}/attachments?kind=signature", content=JPEG, headers=AS_JPEG)
    mark = next(one["id"] for one in drawn.json()["attachments"] if one["kind"] == "signature")
    signed = await house.http.post(f"{path}/sign", json={"name": "王芳", "attachment": mark})
    assert (signed.json()["signed"]["name"], signed.json()["signed"]["attachment"]) == ("王芳", mark)
    done = await house.http.post(f"{path}/move", json={"to": "done"})
    assert (done.status_code, done.json()["state"]) == (200, "done")


async def test_a_failed_reading_is_marked_and_opens_the_corrective_order(house: House) -> None:
    path = await opened(house, "lift-repair", LIFT)
    failed = await house.http.post(f"{path}/check", json={"step": "isolate", "result": 230})
    step = failed.json()["checklist"][0]
    assert (step["failed"], step["result"], step["unit"]) == (True, 230, "V")
    corrective = (await house.http.get(f"/work-orders/{step['order']}")).json()
    assert (corrective["template"], corrective["caused_by"]) == ("gate-repair", path.rpartition("/")[2])
    wrong = await house.http.post(f"{path}/check", json={"step": "isolate", "result": "fine"})
    assert (wrong.status_code, "number" in wrong.json()["detail"]) == (422, True)


async def test_a_tag_read_on_site_proves_the_arrival_and_another_tag_does_not(house: House) -> None:
    path = await opened(house, "lift-repair", LIFT)
    await house.http.post(f"{path}/assign", json={"assignee": "chen"})
    wrong = await house.http.post(f"{path}/move", json={"to": "on_site", "tag": "FFFFFFFFFFFFFF"})
    assert (wrong.status_code, "not a tag of" in wrong.json()["detail"]) == (409, True)
    there = await house.http.post(
        f"{path}/move", json={"to": "on_site", "tag": "04A22B1C3D5E80"}, headers={"X-Actor": "chen"}
    )
    assert there.status_code == 200, there.text
    assert (there.json()["proofs"]["on_site"]["how"], there.json()["proofs"]["on_site"]["by"]) == (
        "tap",
        "chen",
    )


async def test_a_move_that_is_not_allowed_says_which_ones_are(house: House) -> None:
    path = await opened(house, "gate-repair")
    answer = await house.http.post(f"{path}/move", json={"to": "verified"})
    problem = answer.json()
    assert answer.status_code == 409
    assert "cannot become verified" in problem["detail"]
    assert problem["current"]["next_states"][:2] == ["triaged", "assigned"]


async def test_the_whole_history_comes_in_pages_newest_first(house: House) -> None:
    alert = await house.alert()
    order = await house.order()
    for path in (f"/alerts/{alert['id']}", f"/work-orders/{order['id']}"):
        for number in range(5):
            await house.http.post(f"{path}/comment", json={"text": f"word {number}"})
        detail = (await house.http.get(path)).json()
        assert detail["history_more"] is False
        seen, cursor = [], None
        while True:
            query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
            page = (await house.http.get(f"{path}/history", params=query)).json()
            seen += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == detail["history"][::-1]
    for path in ("/alerts/al-never/history", "/work-orders/wo-never/history"):
        assert (await house.http.get(path)).status_code == 404
    assert (await house.http.get(f"/alerts/{alert['id']}/history?cursor=x")).status_code == 422


async def test_a_detail_shows_the_newest_of_a_long_history_and_says_there_is_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = await house.alert()
    for module in ("alert_views", "routes.alerts"):
        monkeypatch.setattr(f"api.http.{module}.HISTORY_MOST", 3)
    for number in range(4):
        await house.http.post(f"/alerts/{alert['id']}/comment", json={"text": f"word {number}"})
    detail = (await house.http.get(f"/alerts/{alert['id']}")).json()
    assert detail["history_more"] is True
    assert [one["detail"]["text"] for one in detail["history"]] == ["word 1", "word 2", "word 3"]
