"""A publisher as careful as the gateway: QoS 1 with a window, and what was not answered is sent again."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable

import mqtt5

from tests.e2e.mill import Sent
from tests.e2e.waiting import PATIENCE

WINDOW = 500
"""Messages under way without an answer."""
PUBACK, PINGRESP = 0x40, 0xD0


class Wire(asyncio.Protocol):
    """One connection; counts the answers."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.news = asyncio.Event()
        self.answered = 0
        self.pongs = 0
        self.lost = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(mqtt5.ConnectPacket("stream", clean_start=True, keep_alive=0).write())

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        place = 0
        while len(data) >= place + 2 and len(data) >= place + 2 + data[place + 1]:
            kind = data[place]
            if kind == PUBACK:
                self.answered += 1
            elif kind == PINGRESP:
                self.pongs += 1
            elif not self.ready.done():
                self.ready.set_result(None)
            place += 2 + data[place + 1]
        self._rest = data[place:]
        self.news.set()

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        self.news.set()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the broker went away"))


class Publisher:
    """Publishes in order until the broker has answered; a broker that goes away is tried again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wire: Wire | None = None
        self._number = 0
        self.answered = 0
        """Messages the broker has taken over, all in all."""

    async def publish(self, messages: Iterable[Sent | tuple[str, bytes]]) -> None:
        """Return once the broker answered all of them."""
        waiting = iter(messages)
        unanswered: deque[bytes] = deque()
        more = True
        while more or unanswered:
            wire, fresh = await self._connected()
            if fresh and unanswered:
                wire.transport.write(b"".join(unanswered))
            seen = wire.answered
            wire.news.clear()
            block: list[bytes] = []
            while more and len(unanswered) < WINDOW:
                one = next(waiting, None)
                if one is None:
                    more = False
                    break
                topic, payload = (one.topic, one.payload) if isinstance(one, Sent) else one
                packet = self._packet(topic, payload)
                unanswered.append(packet)
                block.append(packet)
            wire.transport.write(b"".join(block))
            if unanswered and not wire.lost and wire.answered == seen:
                await asyncio.wait_for(wire.news.wait(), PATIENCE)
            self._settle(wire, unanswered)

    async def settled(self) -> None:
        """Return once the broker has gone round its loop again, and so has saved what it answered."""
        wire, _ = await self._connected()
        for _ in range(2):
            before = wire.pongs
            wire.transport.write(mqtt5.PingReqPacket().write())
            while wire.pongs == before:
                wire.news.clear()
                await asyncio.wait_for(wire.news.wait(), PATIENCE)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.transport.abort()

    def _packet(self, topic: str, payload: bytes) -> bytes:
        self._number = self._number % 65_000 + 1
        packet: bytes = mqtt5.PublishPacket(
            topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=self._number
        ).write()
        return packet

    def _settle(self, wire: Wire, unanswered: deque[bytes]) -> None:
        while wire.answered > self._counted:
            unanswered.popleft()
            self._counted += 1
            self.answered += 1

    async def _connected(self) -> tuple[Wire, bool]:
        if self._wire is not None and not self._wire.lost:
            return self._wire, False
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError):
                    _, wire = await loop.create_connection(Wire, "127.0.0.1", self._port)
                    await wire.ready
                    self._wire, self._counted = wire, 0
                    return wire, True
                await asyncio.sleep(0.05)
