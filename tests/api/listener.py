"""A client of the live feed, over a real socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx

from api.http.server import serve
from tests.api.house import PATIENCE, House


class Heard(NamedTuple):
    """One event; a comment has the name ``:``."""

    name: str
    id: str | None
    data: Any


class Listening:
    """A connected stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Heard | None:
        """The next event or comment; None at the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if not line:
                    if fields:
                        break
                    continue
                name, _, value = line.partition(":")
                fields[name] = value.strip()
            else:
                return None
        data = json.loads(fields["data"]) if "data" in fields else fields.get("")
        return Heard(fields.get("event", ":" if "" in fields else ""), fields.get("id"), data)

    async def until(self, name: str, **wanted: object) -> Heard:
        """The next event of that name whose data has these members."""
        while (heard := await self.next()) is not None:
            if heard.name == name and all(heard.data.get(key) == value for key, value in wanted.items()):
                return heard
        raise AssertionError(f"the stream ended before {name} {wanted}")


@contextlib.asynccontextmanager
async def served(house: House) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """The house on a port of its own: the URL and the serving task."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(house.app, "127.0.0.1", 0, ready=ready.set_result), name="serve")
    try:
        yield await asyncio.wait_for(ready, PATIENCE), task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def listening(url: str, query: str = "", last: str | None = None) -> AsyncIterator[Listening]:
    """A stream that is connected and knows where it stands."""
    headers = {} if last is None else {"Last-Event-ID": last}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", f"{url}/api/v1/live?{query}", headers=headers) as answer,
    ):
        stream = Listening(answer)
        if answer.status_code == 200:
            await stream.next()  # connected
            if last is None:
                await stream.next()  # the id it starts from: whatever is committed from now on is sent
        yield stream
