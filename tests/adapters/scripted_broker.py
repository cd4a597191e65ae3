"""A broker that does what a test tells it to, for what no real broker can be made to do."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Self

from mqtt5 import ConnAckPacket, PublishPacket, QoS, SubAckPacket, SubAckReasonCode

SUBACK_3 = bytes.fromhex("9003 0001 01")
CONNACK_3 = bytes.fromhex("2002 0000")


class Peer:
    """One connection of a client; ``level`` is 5 for MQTT 5 and 4 for MQTT 3.1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.number = number
        self.level = 0
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def packet(self) -> bytes:
        """The next packet but PINGREQ; empty when the client has gone."""
        try:
            head = await self._reader.readexactly(2)
            size, shift = head[1] & 0x7F, 7
            while head[-1] & 0x80:
                head += await self._reader.readexactly(1)
                size, shift = size | (head[-1] & 0x7F) << shift, shift + 7
            packet = head + await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        return await self.packet() if packet[0] == 0xC0 else packet

    async def connect(self) -> None:
        """Take the CONNECT."""
        packet = await self.packet()
        self.level = packet[packet.index(b"MQTT") + 4] if packet else 0

    async def subscribe(self, *first: bytes) -> None:
        """Accept the client, send something before its SUBSCRIBE is answered, and grant that."""
        self.send((ConnAckPacket().write() if self.level == 5 else CONNACK_3) + b"".join(first))
        request = await self.packet()
        granted = (
            SubAckPacket(1, [SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()
            if self.level == 5
            else SUBACK_3
        )
        self.send(granted[:2] + request[2:4] + granted[4:])

    def publish(self, payload: bytes, packet_id: int, quality: QoS = QoS.AT_LEAST_ONCE) -> None:
        if self.level == 5:
            self.send(PublishPacket("facility/x", payload, qos=quality, packet_id=packet_id).write())
        else:
            body = b"\0\x0afacility/x" + struct.pack(">H", packet_id) + payload
            self.send(bytes([0x30 | quality.value << 1, len(body)]) + body)

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.packet():
            pass


class ScriptedBroker:
    """Runs the script for every connection, after its CONNECT was read; closes the connection when it returns."""

    def __init__(self, script: Callable[[Peer], Awaitable[None]]) -> None:
        self._script = script
        self._peers = 0
        self._server: asyncio.Server | None = None
        self._tasks = asyncio.TaskGroup()
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server
        self._server.close()
        await self._tasks.__aexit__(None, None, None)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers += 1
        self._tasks.create_task(self._serve(Peer(reader, writer, self._peers), writer))

    async def _serve(self, peer: Peer, writer: asyncio.StreamWriter) -> None:
        await peer.connect()
        if peer.level:
            await self._script(peer)
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
