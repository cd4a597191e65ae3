"""A subscriber that hears everything of a site."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiomqtt

from simulators.line import Address

WITHIN = 30.0
"""Seconds the tests wait for what must happen."""


class Ear:
    """Hears everything of a site, over restarts of the broker."""

    def __init__(self, url: str, site: str = "house") -> None:
        self._address = Address.parse(url)
        self._filter = f"facility/{site}/#"
        self.heard: dict[str, list[bytes]] = defaultdict(list)
        self.ready = asyncio.Event()
        self._more = asyncio.Condition()

    async def run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client(
                    self._address.host, self._address.port, identifier="ear", clean_session=False
                ) as client:
                    await client.subscribe(self._filter, qos=1)
                    self.ready.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.heard[str(message.topic)].append(message.payload)
                        async with self._more:
                            self._more.notify_all()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN), self._more:
            await self._more.wait_for(done)

    @property
    def count(self) -> int:
        return sum(len(payloads) for payloads in self.heard.values())


@asynccontextmanager
async def listening(url: str, site: str = "house") -> AsyncIterator[Ear]:
    ear = Ear(url, site)
    task = asyncio.create_task(ear.run())
    try:
        async with asyncio.timeout(WITHIN):
            await ear.ready.wait()
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
