"""A gateway with rounds for tests, and what a phone uploads to it."""

import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from pydantic import SecretStr

from simulators.ntag import SimulatedTag
from tests.api.house import House, open_house
from tests.api.tower import KEY, tag
from tests.servers.mosquitto import Mosquitto

SITE: Final = Path(__file__).with_name("patrol.yaml")
BEGINS: Final = "start: 2026-01-01 00:00"
AHEAD: Final = timedelta(hours=6)
GATE, OLD_PUMP, PUMP, ROOF, LIFT = (
    "04B1000001",
    "04B1000002",
    "04B1000003",
    "04A22B1C3D5E90",
    "04A22B1C3D5E80",
)
"""Tags: plain, retired on 1 January, its successor, cryptographic, and that of a lift."""
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE


@contextlib.asynccontextmanager
async def open_beat(broker: Mosquitto, folder: Path) -> AsyncIterator[House]:
    """A gateway whose one round begins in six hours, so that it is open for early taps, until the end of the block."""
    begins = (datetime.now(ZoneInfo("Asia/Shanghai")) + AHEAD).strftime("%Y-%m-%d %H:%M")
    async with open_house(broker, folder, plan=_made(folder, begins), tag_key=SecretStr(KEY)) as house:
        yield house


def _made(folder: Path, begins: str) -> Path:
    """The site file, with its rounds from that local time on; the same one again after a restart."""
    site = folder / "made.yaml"
    if site.exists():
        return site
    text = SITE.read_text("utf-8")
    assert BEGINS in text
    site.write_text(text.replace(BEGINS, f"start: {begins}"), "utf-8")
    return site


class Hands:
    """The hands of the machine's clock, which a test sets forward in the place of waiting."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ahead, real = 0, time.time_ns
        patch.setattr(time, "time_ns", lambda: real() + self._ahead)

    def forward(self, to: str) -> None:
        """It is that moment, or a second later."""
        self._ahead += int((datetime.fromisoformat(to).timestamp() + 1) * 1e9) - time.time_ns()


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def roof_tag(epoch: int = 1) -> SimulatedTag:
    """The cryptographic tag at the roof."""
    return tag(ROOF, site="riverside", epoch=epoch)


def tap(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a phone may send
    """A tap at the gate, made now; what is given stands in the place of that."""
    found = {"id": str(uuid.uuid4()), "ts": now(), **fields}
    return found if {"tag", "url", "code"} & found.keys() else {**found, "tag": GATE}


async def upload(
    house: House,
    taps: list[Any],
    *,
    device: str | None = None,
    token: str | None = None,
    **beside: Any,  # noqa: ANN401
) -> httpx.Response:
    """Taps as a phone sends them; each time another phone when none is named."""
    body = {"device": device or f"phone-{uuid.uuid4().hex[:8]}", "taps": taps, **beside}
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return await house.http.post("/taps", content=msgspec.json.encode(body), headers=headers)


async def results(house: House, taps: list[Any], **given: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """What became of each."""
    answer = await upload(house, taps, **given)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    assert len(found) == len(taps)
    assert answer.json()["counted"] == sum(one["status"] == "counted" for one in found)
    return found


async def result(house: House, one: object, **given: Any) -> dict[str, Any]:  # noqa: ANN401
    """What became of one."""
    return (await results(house, [one], **given))[0]


def flags(one: dict[str, Any]) -> list[str]:
    """The flags of a tap, by name."""
    return [flag["flag"] for flag in one["flags"]]


async def the_round(house: House) -> dict[str, Any]:
    """The one round there is, in full."""
    (one,) = (await house.http.get("/patrol/rounds")).json()["items"]
    found: dict[str, Any] = (await house.http.get(f"/patrol/rounds/{one['id']}")).json()
    return found


def outcomes(one: dict[str, Any]) -> dict[str, str]:
    """What became of each stop of a round."""
    return {stop["checkpoint"]["id"]: stop["outcome"] for stop in one["stops"]}


async def token_of(house: House, guard: str) -> str:
    """A new token of a guard."""
    answer = await house.http.post(f"/patrol/guards/{guard}/token")
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token
