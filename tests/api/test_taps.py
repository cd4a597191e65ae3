"""Taps over HTTP: each is answered by itself, at once, once, and whatever it is worth it is kept."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from gateway.core.patrol.flags import FLAGS
from gateway.core.tags import code
from tests.api.beat import (
    GATE,
    LIFT,
    OLD_PUMP,
    PUMP,
    ROOF,
    flags,
    now,
    open_beat,
    result,
    results,
    roof_tag,
    tap,
    token_of,
)
from tests.api.house import House
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWERED = 1.0
"""Seconds in which a phone knows what became of a tap."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path_factory.mktemp("taps")) as found:
        yield found


# --- one tap -------------------------------------------------------------------------------------------------------


async def test_a_tap_is_answered_within_a_second_with_what_it_is_worth(house: House) -> None:
    one = tap(guard="g-07")
    began = time.monotonic()
    found = await result(house, one, sent=now(), queued=0)
    assert time.monotonic() - began < ANSWERED
    assert (found["id"], found["status"], found["grade"]) == (one["id"], "counted", "C")
    assert (found["checkpoint"], found["review"], found["flags"], found["detail"]) == ("gate", None, [], "")
    assert [(here["route"], here["outcome"]) for here in found["rounds"]] == [("day", "early")]


async def test_a_cryptographic_tap_received_at_once_is_of_the_best_grade(house: House) -> None:
    found = await result(house, tap(url=roof_tag().tap(), guard="g-07"))
    assert (found["status"], found["grade"], found["checkpoint"]) == ("counted", "A", "roof")


async def test_a_scanned_label_is_the_weakest_evidence(house: House) -> None:
    found = await result(house, tap(code=code("riverside", "pump")))
    assert (found["status"], found["grade"], found["checkpoint"]) == ("counted", "D", "pump")


async def test_three_uploads_are_one_tap(house: House) -> None:
    one = tap(guard="g-08")
    first, second, third = [await result(house, one, device="phone-thrice") for _ in range(3)]
    assert [first["status"], second["status"], third["status"]] == ["counted", "duplicate", "duplicate"]
    for again in (second, third):
        assert {**again, "status": "counted"} == first
    page = (await house.http.get("/taps", params={"source": "phone-thrice"})).json()
    assert [found["id"] for found in page["items"]] == [first["tap"]]


async def test_three_uploads_at_the_same_time_are_one_tap(house: House) -> None:
    one = tap()
    found = await asyncio.gather(*(result(house, one, device="phone-eager") for _ in range(3)))
    assert sorted(each["status"] for each in found) == ["counted", "duplicate", "duplicate"]
    assert len({each["tap"] for each in found}) == 1


async def test_a_tap_is_one_whether_it_comes_over_mqtt_or_http(house: House) -> None:
    one = tap(guard="g-07")
    await house.publish("reader-1/tap", msgspec.json.encode(one))
    again = await result(house, one)
    assert (again["status"], again["grade"], again["checkpoint"]) == ("duplicate", "C", "gate")
    assert (await house.http.get(f"/taps/{again['tap']}")).json()["source"] == "reader-1"


async def test_the_same_id_with_another_tag_is_another_tap_and_told(house: House) -> None:
    one = tap()
    first, second = await result(house, one), await result(house, {**one, "tag": PUMP})
    assert first["tap"] != second["tap"]
    assert (second["checkpoint"], "id_reused" in flags(second)) == ("pump", True)


async def test_a_tap_is_worth_the_same_after_a_restart(broker: Mosquitto, tmp_path: Path) -> None:
    one = tap(guard="g-07")
    async with open_beat(broker, tmp_path) as first:
        made = await result(first, one)
        token = await token_of(first, "g-07")
    async with open_beat(broker, tmp_path) as second:
        again = await result(second, one, token=token)
        assert again == {**made, "status": "duplicate"}


# --- what is wrong with one holds up no other ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"id": "not-a-uuid"}, "UUID"),
        ({"id": 17}, "UUID"),
        ({"id": None}, "UUID"),
        ({"ts": None}, "time"),
        ({"ts": "yesterday"}, "ts"),
        ({"ts": True}, "ts"),
        ({"tag": 4}, "tag"),
        ({"tag": None}, "tag"),
        ({"url": ["https://gate.example/t"]}, "url"),
        ({"device": "phone-of-another"}, "phone-of-another"),
        ({"tag": "04B1\x00000001"}, "tag"),
        ({"tag": "9" * 10_000}, "tag"),
        ({"ts": 10**30}, "ts"),
    ],
)
async def test_a_malformed_tap_in_the_middle_is_refused_alone(
    house: House, bad: dict[str, Any], words: str
) -> None:
    first, *middle, last = await results(house, [tap(), tap(**{"tag": GATE, **bad}), tap(tag=PUMP)])
    assert [first["status"], middle[0]["status"], last["status"]] == ["counted", "refused", "counted"]
    assert (middle[0]["tap"], middle[0]["rounds"]) == (None, [])
    assert words in middle[0]["detail"]


@pytest.mark.parametrize("bad", [None, 7, "tap", [], [[]], {}, {"x": {"y": []}}])
async def test_what_is_no_tap_at_all_is_refused_alone(house: House, bad: object) -> None:
    found = await results(house, [tap(), bad, tap(tag=PUMP)])
    assert [one["status"] for one in found] == ["counted", "refused", "counted"]
    assert found[1]["detail"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (b'{"id": "x", "ts": 1e999999}', "tap"),
        (b'{"id": "\\ud800"}', "UUID"),
        (b'{"id": "\xff"}', "JSON"),
        (b'{"id": "' + b"x" * 20_000 + b'"}', "16384"),
        (b"[" * 600 + b"]" * 600, "expected a tap object"),
    ],
)
async def test_a_tap_that_cannot_be_parsed_is_refused_alone(house: House, broken: bytes, words: str) -> None:
    good = b'{"id": "%b", "ts": %d, "tag": "04B1000001"}'
    parts = [good % (str(uuid.uuid4()).encode(), now()) for _ in range(2)]
    body = b'{"device": "phone-odd", "taps": [%b, %b, %b]}' % (parts[0], broken, parts[1])
    answer = await house.http.post("/taps", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]
    assert [one["status"] for one in found] == ["counted", "refused", "counted"]
    assert words in found[1]["detail"]


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"tag": "04FFFFFFFF"}, "unknown_tag"),
        ({"tag": OLD_PUMP}, "retired_tag"),
        ({"tag": ROOF}, "seal_missing"),
        ({"code": "ABCD2345"}, "unknown_tag"),
        ({"url": "https://gate.example/t?picc=00&cmac=00"}, "malformed_url"),
        ({"url": "https://gate.example/"}, "malformed_url"),
        ({"ts": 0}, "time_impossible"),
        ({"ts": "1970-01-01T08:00:00+08:00"}, "time_impossible"),
        ({"ts": "2100-01-01T00:00:00+08:00"}, "time_impossible"),
    ],
)
async def test_what_is_no_evidence_is_kept_and_the_rest_counts(
    house: House, fields: dict[str, Any], flag: str
) -> None:
    found = await results(house, [tap(), tap(**fields), tap(tag=PUMP)])
    assert [one["status"] for one in found] == ["counted", "kept", "counted"]
    assert flag in flags(found[1])
    assert found[1]["grade"] == "D"
    titles = {one["flag"]: one["title"] for one in found[1]["flags"]}
    assert titles[flag] == {"en": FLAGS[flag].title.en, "zh": FLAGS[flag].title.zh}
    kept = (await house.http.get(f"/taps/{found[1]['tap']}")).json()
    assert (kept["counted"], kept["key"]) == (False, found[1]["id"])


@pytest.mark.parametrize("clock", ["1970-01-01T00:10:00Z", "2100-01-01T00:10:00Z"])
async def test_a_wrong_clock_is_corrected_where_the_phone_says_what_it_shows(
    house: House, clock: str
) -> None:
    found = await result(house, tap(ts=clock, guard="g-07"), sent=clock)
    assert (found["status"], flags(found)) == ("counted", ["clock_wrong"])
    one = (await house.http.get(f"/taps/{found['tap']}")).json()
    assert one["ts"] == one["received_at"]


async def test_half_a_character_in_one_tap_loses_none(house: House) -> None:
    good = b'{"id": "%b", "ts": %d, "tag": "04B1000001", "guard": "%b"}'
    guards = (b"g-07", b"Li \\ud83d", b"\\\\ud83d \\ud83d\\ude00")
    parts = [good % (str(uuid.uuid4()).encode(), now(), guard) for guard in guards]
    body = b'{"device": "phone-cut", "taps": [%b]}' % b",".join(parts)
    answer = await house.http.post("/taps", content=body, headers={"content-type": "application/json"})
    assert [one["status"] for one in answer.json()["results"]] == ["counted"] * 3
    page = (await house.http.get("/taps", params={"source": "phone-cut"})).json()
    assert {one["guard"]["id"] for one in page["items"]} == {"g-07", "Li \ufffd", "\\ud83d \U0001f600"}


async def test_a_forged_tag_is_kept_as_such(house: House) -> None:
    url = roof_tag().tap()
    forged = url[:-1] + ("0" if url[-1] != "0" else "1")
    found = await results(house, [tap(url=forged), tap(url=roof_tag().tap(), tag=None)])
    assert (found[0]["status"], flags(found[0])[0]) == ("kept", "forged")


async def test_the_tag_of_a_device_is_no_checkpoint(house: House) -> None:
    found = await result(house, tap(tag=LIFT, guard="g-07"))
    assert found["checkpoint"] is None
    assert (await house.http.get(f"/taps/{found['tap']}")).json()["asset"] == "t1-lift-1"


async def test_what_a_tap_does_not_have_is_left_out_and_told(house: House) -> None:
    found = await result(house, tap(mood="tired", queued=3))
    assert found["status"] == "counted"
    assert "mood" in found["detail"]
    assert "queued and sent stand beside the taps" in found["detail"]
