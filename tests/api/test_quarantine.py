"""What was refused, over HTTP: counted, looked at, tried again, deleted; and the dead letters."""

import base64

import msgspec
import pytest

from gateway.adapters.sql import schema
from gateway.core.values import Series, TelemetryRow
from gateway.ports import Refused
from tests.api.house import LIFT, House


async def test_refused_payloads_are_counted_and_kept_with_their_reason(house: House) -> None:
    await house.say(LIFT, {"motor_temp": 900.0})
    await house.say(LIFT, {"motor_temp": 901.0})
    await house.say("nobody", {"motor_temp": 1.0})
    found = (await house.http.get("/quarantine")).json()
    totals = {(one["device"], one["reason"]): one["count"] for one in found["totals"]}
    assert totals == {(LIFT, "out_of_range"): 2, (None, "unknown_device"): 1}
    assert found["totals"][0]["meaning"] == "a value outside the point's valid range"
    assert [one["device"] for one in found["items"]] == [None, LIFT, LIFT]
    assert "900" in found["items"][2]["detail"]
    one = (await house.http.get(f"/quarantine/{found['items'][2]['id']}")).json()
    assert (one["text"], one["base64"], one["whole"]) == ('{"values":{"motor_temp":900.0}}', None, True)
    only = (await house.http.get("/quarantine", params={"device": "-"})).json()
    assert len(only["totals"]) == len(only["items"]) == 1


async def test_a_payload_that_is_no_text_is_shown_in_base64(house: House) -> None:
    await house.say(LIFT, b"\xff\xfe\x00")
    (item,) = (await house.http.get("/quarantine")).json()["items"]
    one = (await house.http.get(f"/quarantine/{item['id']}")).json()
    assert (one["text"], base64.b64decode(one["base64"])) == (None, b"\xff\xfe\x00")


async def test_pages_of_refused_payloads_follow_one_another(house: House) -> None:
    for number in range(3):
        await house.say(LIFT, {"motor_temp": 900.0 + number})
    first = (await house.http.get("/quarantine", params={"limit": 2})).json()
    rest = (await house.http.get("/quarantine", params={"limit": 2, "cursor": first["next"]})).json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert (len(set(ids)), ids, rest["next"]) == (3, sorted(ids, reverse=True), None)


async def test_a_refused_payload_is_accepted_once_the_site_is_put_right(house: House) -> None:
    await house.say("t3-lift", {"motor_temp": 33.0})
    (item,) = (await house.http.get("/quarantine")).json()["items"]
    early = (await house.http.post("/quarantine/retry", json={"ids": [item["id"], 999]})).json()
    assert early == [
        {"id": item["id"], "accepted": False, "words": "unknown_device"},
        {"id": 999, "accepted": False, "words": "gone"},
    ]
    text = house.site.read_text("utf-8").replace(
        "\ndevices:", "\ndevices:\n  - {id: t3-lift, profile: elevator}"
    )
    house.site.write_text(text, "utf-8")
    assert (await house.http.post("/reload")).status_code == 200
    late = (await house.http.post("/quarantine/retry", json={"ids": [item["id"]]})).json()
    assert late == [{"id": item["id"], "accepted": True, "words": "accepted"}]
    assert (await house.http.get("/quarantine")).json()["items"] == []
    lift = (await house.http.get("/devices/t3-lift")).json()
    assert lift["values"]["motor_temp"]["value"] == 33.0


async def test_a_deleted_payload_is_gone_and_stays_counted(house: House) -> None:
    await house.say(LIFT, {"motor_temp": 900.0})
    (item,) = (await house.http.get("/quarantine")).json()["items"]
    path = f"/quarantine/{item['id']}"
    assert (await house.http.delete(path)).status_code == 204
    assert [(await house.http.get(path)).status_code, (await house.http.delete(path)).status_code] == [
        404,
        404,
    ]
    left = (await house.http.get("/quarantine")).json()
    assert (left["items"], left["totals"][0]["count"]) == ([], 1)


async def test_a_deleted_payload_makes_room_for_another(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adapters.sql.quarantine.KEPT_EACH", 1)
    for number in range(2):
        await house.say(LIFT, {"motor_temp": 900.0 + number})
    (first,) = (await house.http.get("/quarantine")).json()["items"]
    await house.http.delete(f"/quarantine/{first['id']}")
    await house.say(LIFT, {"motor_temp": 950.0})
    (second,) = (await house.http.get("/quarantine")).json()["items"]
    assert "950" in second["detail"]


async def test_dead_letters_show_the_row_and_the_stores_words(house: House) -> None:
    series = Series("elevator", (("device", LIFT), ("site", "riverside")))
    refused = Refused(TelemetryRow(series, 1_790_000_000_000, {"motor_temp": 20.5}), "field type conflict")
    from_disk = {"at": 1_790_000_000_000, "words": refused.words, "body": msgspec.json.encode(refused.row)}
    await house.gateway.store.write(
        lambda connection: connection.execute(schema.dead_letter.insert(), from_disk)
    )
    (letter,) = (await house.http.get("/dead-letters")).json()["items"]
    assert letter == {
        "id": 1,
        "at": "2026-09-21T22:13:20.000+08:00",
        "words": "field type conflict",
        "measurement": "elevator",
        "tags": {"device": LIFT, "site": "riverside"},
        "ts": "2026-09-21T22:13:20.000+08:00",
        "fields": {"motor_temp": 20.5},
    }
