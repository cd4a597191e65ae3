"""Guards over HTTP: signs of life, tokens, calls for help, and posts that go from one guard to the next."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.beat import now, open_beat, result, tap, token_of
from tests.api.house import House
from tests.servers.mosquitto import Mosquitto


@pytest.fixture
async def house(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path) as found:
        yield found


def bearing(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


async def guard(house: House, name: str) -> dict[str, Any]:
    """A guard as the list shows them."""
    found = (await house.http.get("/patrol/guards")).json()
    return next(one for one in found if one["id"] == name)


# --- signs of life -------------------------------------------------------------------------------------------------


async def test_a_guard_is_seen_where_they_tapped_last(house: House) -> None:
    assert (await guard(house, "g-07"))["seen_at"] is None
    await result(house, tap(guard="g-07"), device="phone-7")
    found = await guard(house, "g-07")
    assert (found["checkpoint"]["id"], found["source"], found["team"]) == ("gate", "phone-7", "guards")
    assert found["title"] == {"en": "Li Wei", "zh": "李伟"}


async def test_a_guard_checks_in(house: House) -> None:
    answer = await house.http.post("/patrol/guards/g-08/check-in")
    assert answer.status_code == 200, answer.text
    assert answer.json()["seen_at"] is not None
    assert (await house.http.post("/patrol/guards/g-99/check-in")).status_code == 404


# --- tokens --------------------------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(house: House) -> None:
    token = await token_of(house, "g-07")
    assert token.startswith("fgt_")
    assert (await guard(house, "g-07"))["has_token"] is True
    kept = house.gateway.patrol.guards["g-07"].token
    assert kept is not None
    assert token.removeprefix("fgt_") not in kept
    assert token not in (await house.http.get("/patrol/guards")).text
    assert (await house.http.delete("/patrol/guards/g-07/token")).json()["has_token"] is False


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_nobody_unknown_has_a_token(house: House, method: str) -> None:
    answer = await house.http.request(method, "/patrol/guards/g-99/token")
    assert (answer.status_code, answer.json()["allowed"]) == (404, ["g-07", "g-08"])


async def test_a_phone_speaks_for_its_own_guard_only(house: House) -> None:
    token = await token_of(house, "g-07")
    own = await house.http.post("/patrol/guards/g-07/check-in", headers=bearing(token))
    other = await house.http.post("/patrol/guards/g-08/check-in", headers=bearing(token))
    nobody = await house.http.post("/patrol/guards/g-08/check-in", headers=bearing("fgt_x"))
    assert [own.status_code, other.status_code, nobody.status_code] == [200, 403, 401]


async def test_a_guards_phone_gives_out_no_tokens_and_changes_no_tags(house: House) -> None:
    shown = bearing(await token_of(house, "g-08"))
    for method, way in (
        ("POST", "/patrol/guards/g-07/token"),
        ("DELETE", "/patrol/guards/g-07/token"),
        ("POST", "/patrol/tags/04A10000/retire"),
        ("POST", "/patrol/tags/04A10000/epoch"),
    ):
        assert (await house.http.request(method, way, headers=shown)).status_code == 403, way


async def test_nobody_reviews_a_tap_of_their_own_by_token_by_id_or_by_name(house: House) -> None:
    shown = bearing(await token_of(house, "g-07"))
    made = await result(house, tap(guard="g-07"))
    for headers in (shown | {"X-Actor": "boss"}, {"X-Actor": "g-07"}, {"X-Actor": "li wei"}):
        answer = await house.http.post(
            f"/taps/{made['tap']}/review", json={"decision": "approve"}, headers=headers
        )
        assert answer.status_code == 409, (headers, answer.text)


# --- calls for help ------------------------------------------------------------------------------------------------


async def call(house: House, name: str = "g-07", **fields: Any) -> httpx.Response:  # noqa: ANN401
    return await house.http.post(f"/patrol/guards/{name}/sos", json={"id": "call-1", **fields})


async def test_a_call_for_help_is_an_alert_until_a_person_with_a_name_has_seen_it(house: House) -> None:
    made = await call(house, silent=True, checkpoint="gate", ts=now(), sent=now())
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["state"], found["guard"], found["test"]) == ("delivered", "g-07", False)
    way = f"/patrol/sos/{found['alert']}"
    assert made.headers["location"] == f"/api/v1{way}"
    assert (await house.http.get(way)).json() == found
    nameless = await house.http.post(f"/alerts/{found['alert']}/ack")
    assert nameless.status_code == 409
    assert (await house.http.get(way)).json()["state"] == "delivered"
    await house.http.post(f"/alerts/{found['alert']}/ack", headers={"X-Actor": "zhao"})
    seen = (await house.http.get(way)).json()
    assert (seen["state"], seen["seen_by"]) == ("seen", "zhao")


async def test_a_call_that_is_sent_again_is_one_call_and_no_shelf_quietens_it(house: House) -> None:
    first, again = (await call(house)).json(), (await call(house)).json()
    assert first == again
    page = (await house.http.get("/alerts", params={"rule": "sos"})).json()
    assert [alert["id"] for alert in page["items"]] == [first["alert"]]
    shelf = {"why": "a prank", "one_shot": True}
    assert (await house.http.post(f"/alerts/{first['alert']}/shelve", json=shelf)).status_code == 422


async def test_a_call_that_is_renewed_is_not_seen_before_somebody_sees_it_again(house: House) -> None:
    found = (await call(house)).json()
    for name in ("call-2", "call-3", "call-4"):
        await house.http.post(f"/alerts/{found['alert']}/ack", headers={"X-Actor": "zhao"})
        renewed = (await call(house, id=name)).json()
        assert (renewed["alert"], renewed["state"], renewed["seen_by"]) == (found["alert"], "delivered", None)


async def test_a_late_call_has_its_original_time_by_the_gateways_clock(house: House) -> None:
    ten_minutes = 600_000
    wrong = 1_000_000_000_000  # the phone's clock stands in 2001
    before = now()
    made = (await call(house, ts=wrong - ten_minutes, sent=wrong)).json()
    alert = (await house.http.get(f"/alerts/{made['alert']}")).json()
    assert alert["device"]["id"] == "g-07"
    (event,) = (await house.http.get("/devices/g-07/events", params={"type": "sos"})).json()["items"]
    window = {"start": before - ten_minutes, "end": now() - ten_minutes + 1}
    page = (await house.http.get("/devices/g-07/events", params=window)).json()
    assert [one["key"] for one in page["items"]] == [event["key"]]


async def test_a_test_call_raises_nothing(house: House) -> None:
    made = await call(house, test=True)
    assert (made.status_code, made.json()["state"], made.json()["alert"]) == (201, "test", None)
    assert (await house.http.get("/alerts", params={"rule": "sos"})).json()["items"] == []


async def test_a_call_is_taken_with_a_token_that_counts_no_more(house: House) -> None:
    made = await house.http.post(
        "/patrol/guards/g-07/sos", json={"id": "call-2"}, headers=bearing("fgt_taken_back")
    )
    assert (made.status_code, made.json()["state"]) == (201, "delivered")
    token = await token_of(house, "g-08")
    other = await house.http.post("/patrol/guards/g-07/sos", json={"id": "call-3"}, headers=bearing(token))
    assert other.status_code == 403


async def test_a_call_that_is_none_is_refused(house: House) -> None:
    assert (await call(house, "g-99")).status_code == 404
    assert (await call(house, id="")).status_code == 422
    assert (await call(house, test="yes")).status_code == 422
    assert (await house.http.get("/patrol/sos/al-never")).status_code == 404
    other = await house.alert("t1-lift-1")
    assert (await house.http.get(f"/patrol/sos/{other['id']}")).status_code == 404


# --- posts ---------------------------------------------------------------------------------------------------------


async def act(
    house: House, verb: str, actor: str, body: dict[str, Any] | None = None, post: str = "desk"
) -> httpx.Response:
    way = f"/patrol/posts/{post}/{verb}"
    return await house.http.post(way, json=body or {}, headers={"X-Actor": actor})


async def desk(house: House) -> dict[str, Any]:
    (found,) = (await house.http.get("/patrol/posts")).json()
    one: dict[str, Any] = found
    return one


async def test_a_post_goes_from_guard_to_guard_once_all_that_is_open_is_confirmed(house: House) -> None:
    assert (await act(house, "begin", "g-07")).json()["guard"]["id"] == "g-07"
    offered = await act(house, "offer", "g-07", {"to": "g-08", "note": "quiet so far"})
    assert (offered.json()["guard"]["id"], offered.json()["offer"]["to"]["id"]) == ("g-07", "g-08")
    alert = await house.alert("t1-lift-1")  # comes up while they talk

    unseen = await act(house, "confirm", "g-08", {"keys": ["ring A"]})
    assert (unseen.status_code, unseen.json()["allowed"]) == (409, [alert["id"]])
    assert (await desk(house))["guard"]["id"] == "g-07", "the outgoing guard stays on duty"
    done = await act(house, "confirm", "g-08", (await desk(house))["open"])
    assert done.status_code == 200, done.text
    assert (done.json()["guard"]["id"], done.json()["offer"]) == ("g-08", None)
    assert done.headers["etag"] == f'"{done.json()["version"]}"'


async def test_a_hand_over_is_called_off(house: House) -> None:
    await act(house, "begin", "zhao", {"guard": "g-07"})
    await act(house, "offer", "g-07", {"to": "g-08"})
    back = await act(house, "withdraw", "g-08")
    assert (back.json()["offer"], back.json()["guard"]["id"], back.json()["allowed"]) == (
        None,
        "g-07",
        ["offer"],
    )


@pytest.mark.parametrize(
    ("verb", "actor", "body", "status"),
    [
        ("begin", "g-08", {}, 409),
        ("offer", "g-08", {"to": "g-07"}, 409),
        ("offer", "g-07", {"to": "g-99"}, 409),
        ("offer", "g-07", {}, 422),
        ("confirm", "g-08", {}, 409),
        ("confirm", "g-08", {"keys": "all"}, 422),
        ("withdraw", "g-07", {}, 409),
        ("withdraw", "g-07", {"version": 99}, 409),
    ],
)
async def test_what_cannot_be_done_at_a_post_is_refused(
    house: House, verb: str, actor: str, body: dict[str, Any], status: int
) -> None:
    await act(house, "begin", "g-07")
    before = await desk(house)
    answer = await act(house, verb, actor, body)
    assert answer.status_code == status, answer.text
    if status == httpx.codes.CONFLICT:
        assert answer.json()["current"] == before
    assert await desk(house) == before


@pytest.mark.parametrize("verb", ["begin", "offer", "confirm", "withdraw"])
async def test_there_is_no_post_of_that_name(house: House, verb: str) -> None:
    answer = await act(house, verb, "g-07", {"to": "g-08"} if verb == "offer" else {}, post="moon")
    assert (answer.status_code, answer.json()["allowed"]) == (404, ["desk"])
