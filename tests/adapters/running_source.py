"""A source at work, and a relay in front of a broker that can be cut, for the tests of this folder."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Self, Unpack

import aiomqtt

from gateway.adapters.mqtt_endings import BackOff
from gateway.adapters.mqtt_settings import MqttSettings, Options, Version
from gateway.adapters.mqtt_source import MqttSource, connect_source
from gateway.core.values import Message
from gateway.ports import Link
from tests.servers.mosquitto import Mosquitto

PATIENCE = 15.0


def settings_for(url: str, speak: Version, **others: Unpack[Options]) -> MqttSettings:
    return MqttSettings.from_url(
        url, **(Options(client_id="gw", filters=("facility/#",), version=speak) | others)
    )


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # the point of this function
            await asyncio.sleep(0.005)


class Running:
    """What a source handed over so far, and the tickets for it."""

    def __init__(self, source: MqttSource) -> None:
        self.source = source
        self.items: list[Message | Link] = []
        self.tickets: list[object] = []

    @property
    def messages(self) -> list[Message]:
        return [item for item in self.items if isinstance(item, Message)]

    @property
    def links(self) -> list[Link]:
        return [item for item in self.items if isinstance(item, Link)]

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def until(self, reached: Callable[[], bool], *, limit: int = 1000, ack: bool = False) -> None:
        """Take, and acknowledge if asked to, until the condition holds."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                await self.source.arrived()
                batch = self.source.take(limit)
                self.items += batch.items
                self.tickets.append(batch.ticket)
                if ack:
                    self.source.ack(batch.ticket)

    async def take(self, messages: int, *, limit: int = 1000, ack: bool = False) -> list[bytes]:
        """Take this many messages in all, and return their payloads."""
        await self.until(lambda: len(self.messages) >= messages, limit=limit, ack=ack)
        return self.payloads

    async def link(self, *, up: bool) -> Link:
        """Wait until the last link change is this one."""
        await self.until(lambda: bool(self.links) and self.links[-1].up is up)
        return self.links[-1]

    def forget(self) -> None:
        """Start counting anew."""
        self.items, self.tickets = [], []


@contextlib.asynccontextmanager
async def running(settings: MqttSettings, source: MqttSource | None = None) -> AsyncIterator[Running]:
    """Run a source that retries quickly, and stop it cleanly."""
    source = source or connect_source(settings, BackOff(base=0.05, cap=0.2))
    task = asyncio.create_task(source.run(), name="source")
    try:
        yield Running(source)
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def publish(
    broker: Mosquitto,
    payloads: Iterable[bytes],
    *,
    qos: int = 1,
    topic: str = "facility/x",
    retain: bool = False,
) -> None:
    """Publish in order; at QoS 1 the broker has them all when this returns."""
    async with aiomqtt.Client("127.0.0.1", broker.port, max_inflight_messages=100) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=qos, retain=retain, timeout=PATIENCE)


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


class Relay:
    """Passes bytes between a client and a broker until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._server: asyncio.Server | None = None
        self._tasks = asyncio.TaskGroup()
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server
        self._server.close()
        self.cut()
        await self._tasks.__aexit__(None, None, None)

    def cut(self) -> None:
        """Break every connection, with whatever is under way."""
        for pair in self._pairs:
            for writer in pair:
                writer.transport.abort()
        self._pairs.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._pairs.append((writer, far_writer))
        self._tasks.create_task(_pump(reader, far_writer))
        self._tasks.create_task(_pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
