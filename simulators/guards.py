"""Guards with phones, who upload over real HTTP as the phones' own app does."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

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
    guards: Sequence[GuardPhone],
    url: str,
    *,
    start: Millis,
    end: Millis | None = None,
    speed: float = 1.0,
    actor: str = "simulation",
) -> None:
    """Let guards walk their rounds and upload what they tap until ``end``, or for ever.

    Each phone is given its guard's token before its first upload, in the place of any the guard had.

    Args:
        guards: who walks.
        url: where the gateway is, ``http://host:port``.
        start: the simulated moment of now, milliseconds UTC.
        end: until when, inclusive; None runs until cancelled.
        speed: simulated seconds per second; 0 is as fast as the gateway answers.
        actor: in whose name the tokens are asked for.
    """
    pace, now = Pace(start, speed), start
    step = max(1, round(STEP * speed)) if speed else CATCH_UP
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)) as session:
        way = _Way(session, f"{url}/api/v1", actor)
        while end is None or now < end:
            now = now + step if end is None else min(end, now + step)
            await pace.reach(now)
            wanted = [(guard, upload) for guard in guards if (upload := guard.advance(now)) is not None]
            statuses = await asyncio.gather(
                *(way.send(guard.phone.guard, upload) for guard, upload in wanted)
            )
            for (guard, upload), status in zip(wanted, statuses, strict=True):
                guard.phone.answered(upload, status, now)


class _Way:
    """The way from the phones to a gateway, with the tokens they show."""

    def __init__(self, session: aiohttp.ClientSession, base: str, actor: str) -> None:
        self._session, self._base, self._actor = session, base, actor
        self._tokens: dict[str, str] = {}

    async def send(self, guard: str, upload: Upload) -> int | None:
        """Upload; the status of the answer, None where there was none."""
        try:
            if guard not in self._tokens:
                status = await self._have_token(guard)
                if status != HTTPStatus.CREATED:
                    return status
            headers = {"Authorization": f"Bearer {self._tokens[guard]}"}
            async with self._session.post(f"{self._base}/taps", json=upload.body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (TimeoutError, aiohttp.ClientError, OSError):
            return None

    async def _have_token(self, guard: str) -> int:
        address, headers = f"{self._base}/patrol/guards/{guard}/token", {"X-Actor": self._actor}
        async with self._session.post(address, json={}, headers=headers) as answer:
            if answer.status == HTTPStatus.CREATED:
                self._tokens[guard] = (await answer.json())["token"]
            return answer.status
