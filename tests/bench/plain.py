"""The plain script one would write first: aiomqtt, pydantic and influxdb-client's batching API, no rule, no commit.

Run as a module; counts until it has received ``--count`` messages and says what that cost in one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import time

import aiomqtt
from influxdb_client import InfluxDBClient, Point, WriteOptions  # type: ignore[attr-defined]  # it declares no exports
from pydantic import BaseModel


class Reading(BaseModel):
    """What the load generator sends."""

    ts: int
    values: dict[str, float]


async def receive(port: int, url: str, count: int) -> dict[str, float]:
    """Receive, validate and write; acknowledged by the library on arrival."""
    client = InfluxDBClient(url=url, token="-", org="-", timeout=30_000)  # noqa: S106 - VictoriaMetrics asks for none
    writer = client.write_api(write_options=WriteOptions(batch_size=5_000, flush_interval=1_000))
    received, began = 0, 0.0
    async with aiomqtt.Client("127.0.0.1", port, identifier="plain", clean_session=True) as broker:
        await broker.subscribe("facility/bench/+/telemetry", qos=1)
        print("ready", flush=True)
        async for message in broker.messages:
            if not received:
                began, cpu = time.perf_counter(), time.process_time()
            assert isinstance(message.payload, bytes)
            reading = Reading.model_validate_json(message.payload)
            point = Point("elevator").tag("device", str(message.topic).split("/")[2])  # type: ignore[no-untyped-call]  # it has no types
            for name, value in reading.values.items():
                point = point.field(name, value)
            writer.write("bench", record=point.time(reading.ts, write_precision="ms"))
            received += 1
            if received == count:
                break
        elapsed, spent = time.perf_counter() - began, time.process_time() - cpu
    await asyncio.to_thread(writer.close)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"received": received, "seconds": elapsed, "cpu": spent, "peak_mib": peak}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(receive(given.port, given.url, given.count))))
