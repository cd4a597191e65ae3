"""A gateway with rounds for tests, and what a phone uploads to it."""

import time
import uuid
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from simulators.ntag import SimulatedTag
from tests.api.house import House
from tests.api.tower import KEY, tag

SITE: Final = Path(__file__).with_name("patrol.yaml")
MASTER: Final = KEY
GATE, OLD_PUMP, PUMP, ROOF, LIFT = (
    "04B1000001",
    "04B1000002",
    "04B1000003",
    "04A22B1C3D5E90",
    "04A22B1C3D5E80",
)
"""Tags: plain, retired on 1 January, its successor, cryptographic, and that of a lift."""
MINUTE: Final = 60_000


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def roof_tag() -> SimulatedTag:
    """The cryptographic tag at the roof."""
    return tag(ROOF, site="riverside")


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


async def token_of(house: House, guard: str) -> str:
    """A new token of a guard."""
    answer = await house.http.post(f"/patrol/guards/{guard}/token")
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token
