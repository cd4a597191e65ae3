"""A recorder beside a test, and what it has on file."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.core.values import Message
from gateway.traffic import Line, TrafficReader
from gateway.traffic.masking import Mask
from simulators.filters import EVERYTHING
from simulators.recorder import Recorded, Tally, record
from simulators.reel import Reel, Rotation
from tests.e2e.waiting import eventually


class Tape:
    """A running recording."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.said: list[str] = []
        self.tally = Tally(0, 0, connected=False, seconds=0.0)
        self.result: Recorded | None = None

    def count(self, tally: Tally) -> None:
        self.tally = tally

    async def until(self, messages: int) -> None:
        """Return once so many messages are on file."""
        await eventually(
            lambda: self.tally.messages >= messages, f"{messages} recorded messages", lambda: str(self.tally)
        )

    async def listening(self) -> None:
        await eventually(
            lambda: self.tally.connected, "the recorder to be connected", lambda: str(self.tally)
        )


@asynccontextmanager
async def taping(
    url: str,
    out: Path,
    filters: Sequence[str] = (EVERYTHING,),
    rotation: Rotation | None = None,
    mask: Mask | None = None,
) -> AsyncIterator[Tape]:
    """Record while the block runs; the files are whole after it."""
    tape = Tape()
    reel = Reel(out, rotation or Rotation())
    task = asyncio.create_task(
        record(url, filters, reel, stop=tape.stop, mask=mask, say=tape.said.append, progress=tape.count)
    )
    task.add_done_callback(lambda _: None)
    try:
        await eventually(lambda: tape.tally.connected or task.done(), "the recorder to be connected")
        yield tape
    finally:
        tape.stop.set()
        tape.result = await task


def lines(path: Path) -> list[Line]:
    """What is in a file; every line of it has to be readable."""
    reader = TrafficReader(path)
    found = list(reader)
    assert reader.faults == 0
    return found


def messages(found: Sequence[Line]) -> list[tuple[Message, int]]:
    """The messages with their QoS."""
    return [(line.input, line.qos) for line in found if isinstance(line.input, Message)]


def by_topic(found: Sequence[Line]) -> dict[str, list[tuple[bytes, int]]]:
    """Payloads with their QoS, in their order, by topic."""
    told: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for message, qos in messages(found):
        told[message.topic].append((message.payload, qos))
    return told
