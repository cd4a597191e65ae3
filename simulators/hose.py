"""One MQTT 5 connection that publishes without waiting for each acknowledgement: a few µs a message."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

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
PACKET_IDS = 65_535


@asynccontextmanager
async def hose(url: str, name: str, window: int = 1_000) -> AsyncIterator["Hose"]:
    """Connect to a broker that speaks MQTT 5; the connection is not made again when it is lost.

    Args:
        url: the broker.
        name: the client id.
        window: unacknowledged messages at most; the broker's own limit is kept, too.

    Raises:
        SimulationError: the broker cannot be reached, refuses us, or breaks the connection off.
    """
    address = Address.parse(url)
    tls = ssl.create_default_context() if address.tls else None
    line: Hose | None = None
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
        try:
            line = Hose(reader, writer, window)
            await line.connect(address, name)
            yield line
            writer.write(DisconnectPacket().write())
        finally:
            writer.close()
            await writer.wait_closed()
    except (OSError, EOFError) as error:
        words = str(error) or type(error).__name__
        if line is not None and line.acknowledged:
            words += f"; {line.acknowledged} messages were acknowledged"
        raise SimulationError(f"publishing to {address} failed: {words}") from error


class Hose:
    """One connection: messages out, acknowledgements in. Made by :func:`hose`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, window: int) -> None:
        self._reader = reader
        self._writer = writer
        self._window = window
        self._rest = b""
        self._numbered = 0
        self._confirmed = 0
        self._unnumbered = 0

    @property
    def sent(self) -> int:
        """Messages written so far."""
        return self._numbered + self._unnumbered

    @property
    def acknowledged(self) -> int:
        """Messages the broker has; those of QoS 0, which nobody acknowledges, count as soon as they are written."""
        return self._confirmed + self._unnumbered

    @property
    def room(self) -> int:
        """How many more messages may be under way."""
        return self._window - (self._numbered - self._confirmed)

    async def connect(self, address: Address, name: str) -> None:
        """Say hello and hear how many unacknowledged messages the broker takes."""
        password = address.password.encode() if address.password is not None else None
        hello = ConnectPacket(name, username=address.username, password=password, clean_start=True)
        self._writer.write(hello.write())
        try:
            async with asyncio.timeout(PATIENCE):
                while not (packets := await self._hear()):
                    pass
        except TimeoutError as error:
            raise SimulationError(f"the broker at {address} does not answer in MQTT 5") from error
        except ValueError as error:  # an answer in the words of MQTT 3.1.1
            raise SimulationError(f"the broker at {address} does not speak MQTT 5: {error}") from error
        answer = packets[0]
        if not isinstance(answer, ConnAckPacket) or answer.reason_code != ConnAckReasonCode.SUCCESS:
            raise SimulationError(f"the broker at {address} does not let us in: {answer}")
        self._window = min(self._window, answer.receive_max)

    def write(self, chunk: Sequence[Publication], *, as_given: bool = False) -> None:
        """Publish; never more than there is :attr:`room` for.

        Args:
            chunk: the messages.
            as_given: keep QoS 0 where a message has it; what has QoS 2 goes as 1. Else all go as QoS 1.
        """
        packets: list[bytes] = []
        for one in chunk:
            if as_given and one.qos == 0:
                self._unnumbered += 1
                packet = PublishPacket(one.topic, one.payload, qos=QoS.AT_MOST_ONCE, retain=one.retain)
            else:
                number = self._numbered % PACKET_IDS + 1
                self._numbered += 1
                packet = PublishPacket(
                    one.topic, one.payload, qos=QoS.AT_LEAST_ONCE, retain=one.retain, packet_id=number
                )
            packets.append(packet.write())
        self._writer.write(b"".join(packets))

    async def drained(self) -> None:
        """Return once the broker has acknowledged everything."""
        while self._confirmed < self._numbered:
            await self._settle(wait=True, nap=0.0)
        await self._writer.drain()

    async def settle(self, nap: float) -> None:
        """Take in acknowledgements: without room at least one, else what comes within ``nap`` seconds."""
        await self._settle(wait=self.room <= 0, nap=nap)

    async def _settle(self, *, wait: bool, nap: float) -> None:
        await self._writer.drain()
        try:
            async with asyncio.timeout(PATIENCE if wait else nap):
                packets = await self._hear()
        except TimeoutError as error:
            if not wait:
                return
            raise SimulationError(
                f"the broker has acknowledged nothing for {PATIENCE:.0f} s; "
                f"{self._numbered - self._confirmed} messages wait"
            ) from error
        for packet in packets:
            if isinstance(packet, PubAckPacket):
                if packet.reason_code not in TAKEN:
                    raise SimulationError(f"the broker refused message {self.acknowledged + 1}: {packet}")
                self._confirmed += 1

    async def _hear(self) -> list[object]:
        """The packets of the next bytes from the broker."""
        data = await self._reader.read(65_536)
        if not data:
            raise EOFError("the broker closed the connection")
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
