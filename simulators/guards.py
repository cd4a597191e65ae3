"""Guards with phones, who upload over real HTTP as the phones' own app does."""

import asyncio
from collections.abc import Sequence

import aiohttp

from gateway.core.values import Millis
from simulators.guard_phone import GuardPhone
from simulators.pace import CATCH_UP, Pace
from simulators.phone import Upload

STEP: Millis = 250
"""Simulated milliseconds a step in real time: how late a tap may be made."""
ANSWER_WITHIN = 5.0
"""Seconds a gateway may take to answer before the phone counts it as no network."""


async def walk_rounds(
    guards: Sequence[GuardPhone], url: str, *, start: Millis, end: Millis | None = None, speed: float = 1.0
) -> None:
    """Let guards walk their rounds and upload what they tap until ``end``, or for ever.

    Args:
        guards: who walks.
        url: where the gateway is, ``http://host:port``.
        start: the simulated moment of now, milliseconds UTC.
        end: until when, inclusive; None runs until cancelled.
        speed: simulated seconds per second; 0 is as fast as the gateway answers.
    """
    pace, now = Pace(start, speed), start
    step = max(1, round(STEP * speed)) if speed else CATCH_UP
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)) as session:
        while end is None or now < end:
            now = now + step if end is None else min(end, now + step)
            await pace.reach(now)
            wanted = [(guard, upload) for guard in guards if (upload := guard.advance(now)) is not None]
            statuses = await asyncio.gather(*(_post(session, url, upload) for _, upload in wanted))
            for (guard, upload), status in zip(wanted, statuses, strict=True):
                guard.phone.answered(upload, status, now)


async def _post(session: aiohttp.ClientSession, url: str, upload: Upload) -> int | None:
    """The status of the answer; None where there was none."""
    try:
        async with session.post(f"{url}/api/v1/taps", json=upload.body) as answer:
            await answer.read()
            return answer.status
    except (TimeoutError, aiohttp.ClientError, OSError):
        return None
