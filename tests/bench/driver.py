"""A publisher for load: QoS 1 over a raw socket, packets made beforehand, paced or as fast as the broker takes it.

Run as ``python -m tests.bench.driver``; prints one line of JSON at the end.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Iterator

import mqtt5

WINDOW = 1_000
"""Messages under way without an answer."""


def payload(ts: int, number: int) -> bytes:
    """A reading of four points, about 100 bytes."""
    temperature, load = 30 + number % 400 / 10, number % 80
    return b'{"ts":%d,"values":{"motor_temp":%.1f,"floor":%d,"speed":%.2f,"load":%d.5}}' % (
        ts,
        temperature,
        number % 20,
        number % 200 / 100,
        load,
    )


class Publisher(asyncio.Protocol):
    """One connection. Counts answers; four bytes each, since Mosquitto sends no properties with them."""

    def __init__(self) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self.answered = 0
        self.room = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(mqtt5.ConnectPacket("load", clean_start=True, keep_alive=0).write())

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            packet, used = mqtt5.read(memoryview(data))
            assert isinstance(packet, mqtt5.ConnAckPacket)
            self.ready.set_result(packet.receive_max)
            data = data[used:]
            self._rest = 0
        size = len(data) + self._rest
        self.answered += size // 4
        self._rest = size % 4
        self.room.set()


def packets(site: str, devices: int, count: int) -> Iterator[bytes]:
    """The messages, stamped when they are taken out."""
    topics = [f"facility/{site}/d{number}/telemetry" for number in range(devices)]
    for number, topic in zip(range(count), itertools.cycle(topics), strict=False):
        ts = time.time_ns() // 1_000_000
        yield mqtt5.PublishPacket(
            topic, payload(ts, number), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 65_000 + 1
        ).write()


async def drive(port: int, site: str, devices: int, count: int, rate: float) -> dict[str, float]:
    """Publish ``count`` messages at ``rate`` a second (0: as fast as it goes) until all are answered."""
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(Publisher, "127.0.0.1", port)
    window = min(WINDOW, await link.ready)
    began = loop.time()
    sent = 0
    source = packets(site, devices, count)
    while sent < count:
        link.room.clear()
        allowed = window - (sent - link.answered)
        if rate:
            allowed = min(allowed, int((loop.time() - began) * rate) - sent)
        block = b"".join(itertools.islice(source, max(0, allowed)))
        sent += max(0, min(allowed, count - sent))
        if block:
            link.transport.write(block)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.002 if rate else 1):
                await link.room.wait()
    while link.answered < count:
        link.room.clear()
        await link.room.wait()
    elapsed = loop.time() - began
    link.transport.close()
    return {"sent": sent, "seconds": elapsed}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", default="bench")
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=0)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(drive(given.port, given.site, given.devices, given.count, given.rate))))
