"""Publishing as fast as a broker takes it, for load tests: one MQTT 5 connection, QoS 1, a few µs a message.

There is no reconnecting here; a load test whose connection breaks has failed. For devices that live on through a
restart of the broker see :mod:`simulators.publisher`.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simulators.hose import CHUNK, Hose, hose
from simulators.publication import Publication

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
    """Publish the first ``count`` publications at QoS 1 and wait until the broker has acknowledged all of them.

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
    async with hose(url, name, window) as line:
        return await _pour(line, itertools.islice(publications, count), rate)


async def _pour(line: Hose, publications: Iterator[Publication], rate: float | None) -> Flooded:
    """Publish everything; returns once all of it is acknowledged."""
    began = time.monotonic()
    while True:
        room = min(CHUNK, line.room)
        if rate is not None:
            room = min(room, int((time.monotonic() - began) * rate) + 1 - line.sent)
        chunk = list(itertools.islice(publications, max(0, room)))
        if room > 0 and not chunk:
            break
        line.write(chunk)
        await line.settle(NAP if rate else 0.0)
    await line.drained()
    return Flooded(line.acknowledged, time.monotonic() - began)
