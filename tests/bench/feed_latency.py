"""How long a reading takes from the publisher to the live feed."""

import asyncio
import datetime as dt
import json
import time


async def latencies(port: int, device: str, count: int) -> list[float]:
    """Milliseconds from the ``ts`` in each reading of one device to its arrival on the feed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    query = f"/api/v1/live?readings=all&device={device}"
    writer.write(
        f"GET {query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    found: list[float] = []
    kind = b""
    try:
        async with asyncio.timeout(120):
            while len(found) < count:
                line = (await reader.readline()).strip()
                if line.startswith(b"event:"):
                    kind = line[6:].strip()
                elif line.startswith(b"data:") and kind == b"reading":
                    found.append(time.time() * 1000 - moment(json.loads(line[5:])))
    finally:
        writer.close()
    return found


def moment(body: dict[str, object]) -> float:
    """Device time of a reading event, milliseconds."""
    return dt.datetime.fromisoformat(str(body["ts"])).timestamp() * 1000
