"""Publishing as fast as a broker takes it, for load tests: one MQTT 5 connection, QoS 1, a few µs a message.

There is no reconnecting here; a load test whose connection breaks has failed. For devices that live on through a
restart of the broker see :mod:`simulators.publisher`.
"""

import asyncio
import itertools
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mqtt5 import (
    ConnAckPacket,
    ConnAckReasonCode,
    ConnectPacket,
    DisconnectPacket,
    PubAckPacket,
    PubAckReasonCode,
    PublishPacket,
    QoS,
    read,
)

from simulators.errors import SimulationError
from simulators.line import Address
from simulators.publication import Publication

CHUNK = 256
"""Messages written at once."""
PATIENCE = 30.0
"""Seconds without any acknowledgement after which the broker is given up."""
TAKEN = (PubAckReasonCode.SUCCESS, PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)
NAP = 0.002
"""Seconds between two looks at the clock when a rate is held."""


class Flooded(NamedTuple):
    """What was published and how long it took until the last acknowledgement."""

    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Acknowledged messages per second."""
        return self.messages / self.seconds if self.seconds else 0.0


async def flood(
    url: str,
    publications: Iterable[Publication],
    *,
    count: int,
    rate: float | None = None,
    window: int = 1_000,
    name: str = "fgw-flood",
) -> Flooded:
    """Publish the first ``count`` publications and wait until the broker has acknowledged all of them.

    Args:
        url: a broker that speaks MQTT 5.
        publications: what to publish; a generator may put the current time into each.
        count: how many of them.
        rate: messages a second to hold; None is as fast as possible.
        window: unacknowledged messages at most; the broker's own limit is kept, too.
        name: the client id.

    Raises:
        SimulationError: the broker cannot be reached, refuses us, or breaks the connection off.
    """
    address = Address.parse(url)
    tls = ssl.create_default_context() if address.tls else None
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
        try:
            hose = _Hose(reader, writer)
            await hose.connect(address, name)
            return await hose.pour(itertools.islice(publications, count), rate, window)
        finally:
            writer.close()
            await writer.wait_closed()
    except (OSError, EOFError) as error:
        raise SimulationError(f"publishing to {address} failed: {error}") from error


class _Hose:
    """One connection: messages out, acknowledgements in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""
        self._receive_max = 1
        self._sent = 0
        self._acknowledged = 0

    async def connect(self, address: Address, name: str) -> None:
        """Say hello and hear how many unacknowledged messages the broker takes."""
        password = address.password.encode() if address.password is not None else None
        hello = ConnectPacket(name, username=address.username, password=password, clean_start=True)
        self._writer.write(hello.write())
        async with asyncio.timeout(PATIENCE):
            while not (packets := await self._hear()):
                pass
        answer = packets[0]
        if not isinstance(answer, ConnAckPacket) or answer.reason_code != ConnAckReasonCode.SUCCESS:
            raise SimulationError(f"the broker at {address} does not let us in: {answer}")
        self._receive_max = answer.receive_max

    async def pour(self, publications: Iterator[Publication], rate: float | None, window: int) -> Flooded:
        """Publish everything; returns once all of it is acknowledged."""
        window = min(window, self._receive_max)
        began = time.monotonic()
        while True:
            room = min(CHUNK, window - (self._sent - self._acknowledged))
            if rate is not None:
                room = min(room, int((time.monotonic() - began) * rate) + 1 - self._sent)
            chunk = list(itertools.islice(publications, max(0, room)))
            if room > 0 and not chunk:
                break
            self._write(chunk)
            await self._settle(wait=self._sent - self._acknowledged >= window, nap=NAP if rate else 0.0)
        while self._acknowledged < self._sent:
            await self._settle(wait=True, nap=0.0)
        seconds = time.monotonic() - began
        self._writer.write(DisconnectPacket().write())
        return Flooded(self._acknowledged, seconds)

    def _write(self, chunk: list[Publication]) -> None:
        packets = [
            PublishPacket(
                one.topic,
                one.payload,
                qos=QoS.AT_LEAST_ONCE,
                retain=one.retain,
                packet_id=number % 65_535 + 1,
            ).write()
            for number, one in enumerate(chunk, self._sent)
        ]
        self._writer.write(b"".join(packets))
        self._sent += len(packets)

    async def _settle(self, *, wait: bool, nap: float) -> None:
        """Take in acknowledgements: what is there, or with ``wait`` at least one."""
        await self._writer.drain()
        try:
            async with asyncio.timeout(PATIENCE if wait else nap):
                packets = await self._hear()
        except TimeoutError as error:
            if not wait:
                return
            raise SimulationError(
                f"the broker has acknowledged nothing for {PATIENCE:.0f} s; "
                f"{self._sent - self._acknowledged} messages wait"
            ) from error
        for packet in packets:
            if isinstance(packet, PubAckPacket):
                if packet.reason_code not in TAKEN:
                    raise SimulationError(f"the broker refused message {self._acknowledged + 1}: {packet}")
                self._acknowledged += 1

    async def _hear(self) -> list[object]:
        """The packets of the next bytes from the broker."""
        data = await self._reader.read(65_536)
        if not data:
            raise EOFError(
                f"the broker closed the connection; {self._acknowledged} messages were acknowledged"
            )
        buffer = memoryview(self._rest + data)
        packets: list[object] = []
        while buffer:
            try:
                packet, size = read(buffer)
            except IndexError:
                break  # the rest of a packet is still to come
            packets.append(packet)
            buffer = buffer[size:]
        self._rest = bytes(buffer)
        return packets
