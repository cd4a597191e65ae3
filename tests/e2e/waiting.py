"""Waiting for conditions, with a deadline that only a broken program reaches."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 60.0
"""Seconds: generous, because the machine may be busy with something else."""


async def eventually(
    done: Callable[[], bool | Awaitable[bool]],
    what: str,
    explain: Callable[[], str] = lambda: "",
    seconds: float = PATIENCE,
) -> None:
    """Return once ``done``; fail with ``what`` was awaited, and an explanation, when it never comes."""
    deadline = time.monotonic() + seconds
    while True:
        answer = done()
        if answer if isinstance(answer, bool) else await answer:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting for {what} after {seconds:.0f} s\n{explain()}")
        await asyncio.sleep(0.01)
