"""CPU time a message of the MQTT sources, beside a plain aiomqtt reader. Run ``python -m tests.bench.bench_sources``.

A real Mosquitto carries QoS 1 messages with payloads of 100 bytes from a driver in a child process; the figure is the
process time (user and system) of this process alone, from the first message to the last, with every acknowledgement.
"""

import argparse
import asyncio
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import aiomqtt
from mqtt5 import ConnectPacket, DisconnectPacket, PublishPacket, QoS

from gateway.adapters.mqtt5_reader import BUFFER, Mqtt5Reader, Suspicion
from gateway.adapters.mqtt_inbox import Inbox
from gateway.adapters.mqtt_settings import MqttSettings, Version
from gateway.adapters.mqtt_source import connect_source
from gateway.core.values import Message
from tests.servers.mosquitto import Mosquitto

PAYLOAD = 100
WINDOW = 500


class Figure(NamedTuple):
    """What one run measured."""

    name: str
    cpu: float
    """Microseconds of process time a message."""
    rate: float
    """Messages per second, from the first to the last."""
    batch: float
    """Messages per batch, on average."""


def drive(port: int, count: int) -> None:
    """Publish ``count`` messages at QoS 1 as fast as the broker takes them."""
    packets = [
        PublishPacket(
            "facility/hq/lift-1/telemetry",
            b"%0100d" % number,
            qos=QoS.AT_LEAST_ONCE,
            packet_id=1 + number % WINDOW,
        ).write()
        for number in range(WINDOW)
    ]
    burst = b"".join(packets)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(ConnectPacket("driver").write())
        connection.recv(1024)
        for _ in range(count // WINDOW):
            connection.sendall(burst)
            missing = 4 * WINDOW  # a PUBACK without reason is four bytes
            while missing > 0:
                missing -= len(connection.recv(1 << 16))
        connection.sendall(DisconnectPacket().write())


async def measure_source(broker: Mosquitto, version: Version, count: int) -> Figure:
    """The source of the gateway, taken and acknowledged in batches."""
    source = connect_source(
        MqttSettings(url=broker.url, client_id=f"bench-{version}", filters=("facility/#",), version=version)
    )
    running = asyncio.create_task(source.run(), name="source")
    received = batches = 0

    async def receive(until: int) -> None:
        nonlocal received, batches
        while received < until:
            await source.arrived()
            batch = source.take(1000)
            received += sum(1 for item in batch.items if isinstance(item, Message))
            batches += 1
            source.ack(batch.ticket)

    await source.arrived()
    figure = await _measured(f"source, MQTT {version}", broker, count, receive)
    running.cancel()
    await asyncio.wait([running])
    return figure._replace(batch=received / batches)


async def measure_aiomqtt(broker: Mosquitto, count: int) -> Figure:
    """aiomqtt as its documentation shows it: it acknowledges on arrival, one message at a time."""
    async with aiomqtt.Client("127.0.0.1", broker.port, identifier="bench-aiomqtt") as client:
        await client.subscribe("facility/#", qos=1)
        messages = aiter(client.messages)
        received = 0

        async def receive(until: int) -> None:
            nonlocal received
            while received < until:
                await anext(messages)
                received += 1

        return await _measured("aiomqtt, MQTT 3.1.1", broker, count, receive)


async def _measured(
    name: str, broker: Mosquitto, count: int, receive: Callable[[int], Awaitable[None]]
) -> Figure:
    driver = multiprocessing.get_context("spawn").Process(target=drive, args=(broker.port, count))
    driver.start()
    await receive(1)
    cpu, clock = time.process_time(), time.monotonic()
    await receive(count)
    cpu, clock = time.process_time() - cpu, time.monotonic() - clock
    await asyncio.to_thread(driver.join)
    return Figure(name, cpu / count * 1e6, count / clock, 1.0)


def measure_reader(count: int) -> Figure:
    """The reader alone, without a socket: bytes to messages in the inbox."""
    inbox = Inbox(most_messages=count + BUFFER)
    reader = Mqtt5Reader(inbox, 1 << 20, Suspicion(), lambda _: None, lambda *_: None)
    reader.accepted = True
    packet = PublishPacket(
        "facility/hq/lift-1/telemetry", bytes(PAYLOAD), qos=QoS.AT_LEAST_ONCE, packet_id=9
    ).write()
    chunk = packet * (BUFFER // 2 // len(packet))
    rounds = count // (len(chunk) // len(packet))
    start = time.process_time()
    for _ in range(rounds):
        reader.space()[: len(chunk)] = chunk
        reader.feed(len(chunk))
        inbox.take(1 << 20)
    spent = time.process_time() - start
    return Figure(
        "reader alone", spent / inbox.received * 1e6, inbox.received / spent, inbox.received / rounds
    )


async def measure(count: int) -> list[Figure]:
    """Every figure, one after the other."""
    figures = [measure_reader(count)]
    lines: dict[str, str | None] = {
        "persistence": "false",
        "max_inflight_messages": "1000",
        "log_type": "error",
    }
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder), lines) as broker:
        figures.append(await measure_source(broker, "5", count))
        figures.append(await measure_source(broker, "3.1.1", count))
        figures.append(await measure_aiomqtt(broker, count))
    return figures


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help=f"messages a run, a multiple of {WINDOW}")
    figures = asyncio.run(measure(parser.parse_args().count))
    print(f"{'':24}{'CPU µs/message':>16}{'messages/s':>14}{'batch':>8}")
    for figure in figures:
        print(f"{figure.name:24}{figure.cpu:16.2f}{figure.rate:14,.0f}{figure.batch:8.0f}")


if __name__ == "__main__":
    main()
