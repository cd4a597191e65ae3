"""Backtests of a house: started, awaited, and held where they are."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

from api.http.backtest_jobs import Backtests
from tests.api.house import LIFT, MOVING_OPEN, SAFE, House, reached

SLOWER = {"elevator": {"overspeed_up": 1.5}}
"""A speed of 2 m/s is an alert with this, and none without."""
ENDED = ("done", "failed", "cancelled")


def every(house: House) -> Backtests:
    found: Backtests = house.app.state.backtests
    return found


async def ask(house: House, **body: object) -> dict[str, Any]:
    """Start a backtest; it is taken."""
    answer = await house.http.post("/backtests", json=body or {"set": SLOWER})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/backtests/{found['id']}"
    return found


async def seen(house: House, name: str) -> dict[str, Any]:
    answer = await house.http.get(f"/backtests/{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(house: House, name: str, *states: str) -> dict[str, Any]:
    """The backtest once it is in one of these states."""
    async with asyncio.timeout(60):
        while True:
            found = await seen(house, name)
            if found["state"] in states:
                return found
            assert found["state"] not in ENDED, found
            await asyncio.sleep(0.02)


async def ended(house: House, name: str) -> dict[str, Any]:
    return await until(house, name, *ENDED)


async def stopped(house: House) -> tuple[str, int]:
    """A backtest whose process stands still: its id, and the number of the process."""
    found = await ask(house)
    await reached(lambda: every(house).process is not None, "its process runs")
    process = every(house).process
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    return found["id"], process


@contextlib.asynccontextmanager
async def held(house: House) -> AsyncIterator[tuple[str, int]]:
    """The same until the end of the block."""
    name, process = await stopped(house)
    try:
        yield name, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        await every(house).close()


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def ride(house: House) -> None:
    """What there is to judge: a fast ride, and one with the door open."""
    await house.say(LIFT, {"speed": 1.0})
    await house.say(LIFT, {"speed": 2.0})
    await house.say(LIFT, MOVING_OPEN)
    await house.say(LIFT, SAFE)
