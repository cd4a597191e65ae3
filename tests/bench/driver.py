"""The load of a benchmark: readings of four points, about 100 bytes, stamped as they are sent.

Run as ``python -m tests.bench.driver``; prints one line of JSON at the end.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections.abc import Iterator

from simulators.flood import flood
from simulators.publication import Publication


def payload(ts: int, number: int) -> bytes:
    """A reading of four points, none of them alarming."""
    return b'{"ts":%d,"values":{"motor_temp":%.1f,"floor":%d,"speed":%.2f,"load":%d.5}}' % (
        ts,
        30 + number % 400 / 10,
        number % 20,
        number % 200 / 100,
        number % 80,
    )


def readings(site: str, devices: int) -> Iterator[Publication]:
    """Readings without end, one device after the other."""
    topics = [f"facility/{site}/d{number}/telemetry" for number in range(devices)]
    for number, topic in enumerate(itertools.cycle(topics)):
        yield Publication(topic, payload(time.time_ns() // 1_000_000, number))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--site", default="bench")
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=0)
    given = parser.parse_args()
    messages = readings(given.site, given.devices)
    done = asyncio.run(flood(given.url, messages, count=given.count, rate=given.rate or None))
    print(json.dumps({"sent": done.messages, "seconds": done.seconds}))
