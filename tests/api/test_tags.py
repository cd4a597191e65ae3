"""Tags over HTTP: where each hangs, and what changing that means for taps before and after."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.beat import (
    GATE,
    HOUR,
    LIFT,
    OLD_PUMP,
    PUMP,
    ROOF,
    flags,
    now,
    open_beat,
    result,
    roof_tag,
    tap,
)
from tests.api.house import House
from tests.servers.mosquitto import Mosquitto

NEW = "04C0FFEE01"


@pytest.fixture
async def house(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[House]:
    async with open_beat(broker, tmp_path) as found:
        yield found


async def listed(house: House, **wanted: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    """Tags by id."""
    answer = await house.http.get("/patrol/tags", params=wanted)
    assert answer.status_code == 200, answer.text
    return {one["uid"]: one for one in answer.json()["items"]}


async def register(house: House, tag: str = NEW, **fields: Any) -> httpx.Response:  # noqa: ANN401
    return await house.http.post("/patrol/tags", json={"tag": tag, "checkpoint": "gate", **fields})


async def test_the_tags_of_the_site_file_are_listed_with_where_they_hang_and_hung(house: House) -> None:
    found = await listed(house)
    states = {uid: (one["state"], (one["checkpoint"] or {}).get("id"), one["secure"]) for uid, one in found.items()}  # fmt: skip
    assert states == {
        GATE: ("in_use", "gate", False),
        OLD_PUMP: ("retired", None, False),
        PUMP: ("in_use", "pump", False),
        ROOF: ("in_use", "roof", True),
    }
    assert [stay["until"] for stay in found[OLD_PUMP]["stays"]] == ["2026-01-01T00:00:00.000+08:00"]
    assert (await listed(house, state="retired")).keys() == {OLD_PUMP}
    assert (await listed(house, checkpoint="pump")).keys() == {PUMP}
    assert (await house.http.get("/patrol/tags", params={"state": "lost"})).status_code == 422


async def test_tags_come_in_pages(house: House) -> None:
    first = (await house.http.get("/patrol/tags", params={"limit": 3})).json()
    rest = (await house.http.get("/patrol/tags", params={"limit": 3, "cursor": first["next"]})).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [3, 1, None]


async def test_no_key_is_ever_told(house: House) -> None:
    await result(house, tap(url=roof_tag().tap()))
    one = (await listed(house))[ROOF]
    assert (one["last_use"]["counter"], one["last_use"]["epoch"]) == (1, 1)
    assert not {"key", "keys"} & one.keys()


async def test_a_tag_counts_from_when_it_is_registered_to_when_it_is_retired(house: House) -> None:
    assert flags(await result(house, tap(tag=NEW)))[0] == "unknown_tag"
    made = await register(house, "04:c0:ff:ee:01", title="spare")
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["uid"], found["state"], found["title"], made.headers["etag"]) == (
        NEW,
        "in_use",
        "spare",
        '"1"',
    )
    assert (await result(house, tap(tag=NEW)))["checkpoint"] == "gate"

    retired = await house.http.post(f"/patrol/tags/{NEW}/retire", headers={"If-Match": '"1"'})
    assert (retired.json()["state"], retired.json()["checkpoint"]) == ("retired", None)
    assert flags(await result(house, tap(tag=NEW)))[0] == "retired_tag"
    assert [stay["checkpoint"] for stay in retired.json()["stays"]] == ["gate", None]


async def test_a_tag_registered_for_an_hour_ago_is_good_for_taps_since(house: House) -> None:
    assert (await register(house, since=now() - HOUR)).status_code == 201
    assert (await result(house, tap(tag=NEW, ts=now() - HOUR // 2)))["status"] == "counted"
    assert flags(await result(house, tap(tag=NEW, ts=now() - 2 * HOUR)))[0] == "unknown_tag"


@pytest.mark.parametrize(
    ("tag", "fields", "status"),
    [
        ("XYZ", {}, 422),
        (NEW, {"checkpoint": "cellar"}, 422),
        (NEW, {"since": "2020-01-01T00:00:00Z"}, 422),
        (NEW, {"since": "2099-01-01T00:00:00Z"}, 422),
        (NEW, {"secure": "yes"}, 422),
        (GATE, {}, 409),
        (LIFT, {}, 409),
    ],
)
async def test_a_tag_that_cannot_hang_there_is_refused(
    house: House, tag: str, fields: dict[str, Any], status: int
) -> None:
    answer = await register(house, tag, **fields)
    assert answer.status_code == status, answer.text
    assert NEW not in await listed(house)


@pytest.mark.parametrize("verb", ["retire", "epoch"])
async def test_a_tag_that_nobody_knows_is_not_changed(house: House, verb: str) -> None:
    assert (await house.http.post(f"/patrol/tags/{NEW}/{verb}")).status_code == 404
    stale = await house.http.post(f"/patrol/tags/{ROOF}/{verb}", headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["version"]) == (409, 0)


async def test_a_tag_written_anew_counts_with_its_new_keys_only(house: House) -> None:
    old = roof_tag()
    assert (await result(house, tap(url=old.tap())))["grade"] == "A"
    raised = await house.http.post(f"/patrol/tags/{ROOF}/epoch")
    assert (raised.status_code, raised.json()["epoch"]) == (200, 2)
    assert flags(await result(house, tap(url=old.tap())))[0] == "old_epoch"
    assert (await result(house, tap(url=roof_tag(epoch=2).tap())))["grade"] == "A"
    back = await house.http.post(f"/patrol/tags/{ROOF}/epoch", json={"epoch": 2})
    assert (back.status_code, back.json()["allowed"]) == (422, ["epoch"])
