"""Uploads of taps over HTTP: whose phone it is, what is no upload, and how much one may hold."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from gateway.errors import StoreError
from gateway.uploads import Taken, TapUpload
from tests.api.beat import MINUTE, PUMP, flags, now, open_beat, results, tap, token_of, upload
from tests.api.house import House
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHERS_WAIT = 2.0
"""Seconds that others wait at most while a large upload is worked off; a tenth of that on a quiet machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path_factory.mktemp("uploads")) as found:
        yield found


# --- whose phone it is -----------------------------------------------------------------------------------------------


async def test_a_tap_with_the_token_of_another_guard_is_kept_and_the_rest_counts(house: House) -> None:
    token = await token_of(house, "g-08")
    taps = [tap(guard="g-08"), tap(guard="g-07"), tap(tag=PUMP)]
    own, other, unnamed = await results(house, taps, token=token)
    assert [own["status"], other["status"], unnamed["status"]] == ["counted", "kept", "counted"]
    assert "other_guard" in flags(other)
    found = (await house.http.get(f"/taps/{other['tap']}")).json()
    assert (found["guard"]["id"], found["by"]) == ("g-07", "g-08")
    assert (await house.http.get(f"/taps/{unnamed['tap']}")).json()["guard"]["id"] == "g-08"


async def test_a_token_that_nobody_has_is_refused_and_nothing_is_taken(house: House) -> None:
    one = tap()
    answer = await upload(house, [one], token="fgt_nobody")  # noqa: S106 - it opens nothing
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (await house.http.get(f"/taps/{one['id']}")).status_code == 404


async def test_an_older_token_counts_no_more(house: House) -> None:
    old, new = await token_of(house, "g-07"), await token_of(house, "g-07")
    assert (await upload(house, [], token=old)).status_code == 401
    assert (await upload(house, [], token=new)).status_code == 200
    assert (await house.http.delete("/patrol/guards/g-07/token")).json()["has_token"] is False
    assert (await upload(house, [], token=new)).status_code == 401


# --- the body --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 422),
        (b"{", 400),
        (b'{"device": "phone-1"}', 422),
        (b'{"device": "phone 1", "taps": []}', 422),
        (b'{"device": "reader-1", "taps": []}', 422),
        (b'{"device": "phone-1", "taps": {}}', 422),
        (b'{"device": "phone-1", "taps": [], "sent": "noon"}', 422),
        (b'{"device": "phone-1", "taps": [], "queued": -1}', 422),
        (b'{"device": "phone-1", "taps": [], "guard": "g-07"}', 422),
        (b'{"device": "phone-1", "taps": [%b1]}' % (b"1," * 100_000), 413),
        (b'{"device": "phone-1", "taps": [%b]}' % (b"[" * 3_000_001), 413),
        (b'{"device": "phone-1", "taps": []}' + b" " * (32 << 20), 413),
    ],
    ids=(
        "nothing",
        "a list",
        "half a body",
        "no taps",
        "no id of a phone",
        "a device of the site",
        "taps that are no list",
        "sent that is no time",
        "less than no tap held back",
        "an unknown field",
        "too many taps",
        "too deep",
        "too many bytes",
    ),
)
async def test_a_body_that_is_no_upload_is_refused_with_what_is_wrong(
    house: House, body: bytes, status: int
) -> None:
    answer = await house.http.post("/taps", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_an_upload_without_taps_says_that_the_phone_was_there(house: House) -> None:
    answer = await upload(house, [], device="phone-idle", sent=now(), queued=4)
    assert answer.json() == {"counted": 0, "results": []}
    assert house.gateway.patrol.sources["phone-idle"].queued == 4


async def test_only_uploads_may_be_large(house: House) -> None:
    body = b'{"device": "phone-1", "taps": []}' + b" " * (2 << 20)
    headers = {"content-type": "application/json"}
    assert (await house.http.post("/taps", content=body, headers=headers)).status_code == 200
    assert (await house.http.post("/patrol/tags", content=body, headers=headers)).status_code == 413


async def test_an_upload_that_broke_off_is_sent_again_and_nothing_is_lost_or_taken_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    taps = [tap(guard="g-07") for _ in range(600)]
    real, calls = house.gateway.take_taps, 0

    async def second_fails(one: TapUpload, items: Sequence[object]) -> list[Taken]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise StoreError("the disk is full")
        return await real(one, items)

    monkeypatch.setattr(house.gateway, "take_taps", second_fails)
    broken = await upload(house, taps, device="phone-broke")
    assert (broken.status_code, "retry-after" in broken.headers) == (503, True)
    found = await results(house, taps, device="phone-broke")
    assert [one["status"] for one in found] == ["duplicate"] * 250 + ["counted"] * 350


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.soak)])
async def test_each_tap_of_a_large_upload_is_answered_and_others_do_not_wait(
    house: House, count: int
) -> None:
    taps: list[Any] = [tap(ts=now() - 26 * 60 * MINUTE + number) for number in range(count - 2)]
    middle = count // 2
    taps[middle:middle] = [{"id": "?"}, tap(tag="04FFFFFFFF", ts=now() - 26 * 60 * MINUTE)]
    sending = asyncio.create_task(results(house, taps, sent=now(), queued=0))
    slowest = 0.0
    while not sending.done():
        began = time.monotonic()
        assert (await house.http.get("/site")).status_code == 200
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.wait([sending], timeout=0.05)
    found = sending.result()
    assert [one["id"] for one in found] == [one["id"] for one in taps]
    assert [one["status"] for one in found[middle - 1 : middle + 3]] == [
        "counted",
        "refused",
        "kept",
        "counted",
    ]
    assert sum(one["status"] == "counted" for one in found) == count - 2
    assert len({one["tap"] for one in found}) == count  # and None for the one that was refused
    assert slowest < OTHERS_WAIT, "others are answered meanwhile"
