"""Publishing a simulation over real MQTT: a few connections for many devices, or one with a last will for some."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from zlib import crc32

from gateway.core.plan import SitePlan
from simulators.errors import SimulationError
from simulators.line import Address, Line, first
from simulators.publication import Publication, Topics, device_of

ANSWER_WITHIN = 15.0
"""Seconds the broker may take to accept the first connections."""


class Publisher:
    """Sends publications over its lines; the messages of one device keep their order."""

    def __init__(self, shared: list[Line], own: dict[str, Line]) -> None:
        self._shared = shared
        self._own = own

    @property
    def sent(self) -> int:
        """Publications the broker has acknowledged."""
        return sum(line.sent for line in self.lines)

    @property
    def reconnects(self) -> int:
        """How often a connection had to be made again."""
        return sum(line.reconnects for line in self.lines)

    @property
    def lines(self) -> list[Line]:
        """Every connection."""
        return [*self._shared, *self._own.values()]

    async def send(self, publication: Publication) -> None:
        """Queue one publication; waits while its line is full.

        A device with a connection of its own does not say ``offline``: its connection is cut, and the broker says it.
        """
        device = device_of(publication.topic)
        line = self._own.get(device)
        if line is None:
            await self._shared[crc32(device.encode()) % len(self._shared)].send(publication)
        elif publication.retain and publication.payload == b"offline":
            await line.cut()
        else:
            await line.send(publication)

    async def drained(self) -> None:
        """Return once the broker has acknowledged everything."""
        for line in self.lines:
            await line.drained()


@contextlib.asynccontextmanager
async def publisher(
    url: str, plan: SitePlan, *, connections: int = 1, own: Collection[str] = (), window: int = 200
) -> AsyncIterator[Publisher]:
    """Connect to a broker and publish; connections are made again whenever they are lost.

    Args:
        url: ``mqtt://host:port`` or ``mqtts://host:port``, with user and password where the broker asks for them.
        plan: the site, for the topics of last wills.
        connections: how many connections the devices share.
        own: devices with a connection and a last will of their own.
        window: publications on their way per connection.

    Raises:
        SimulationError: the address is wrong, no broker answers within 15 seconds, or MQTT cannot carry a publication.
    """
    if connections < 1:
        raise SimulationError(f"{connections} connections are too few; at least 1 is needed")
    if strangers := sorted(set(own) - plan.equipment.keys()):
        raise SimulationError(
            f"no connection of its own for {strangers[0]!r}: site {plan.site} has no such device"
        )
    address = Address.parse(url)
    # Two simulations of one site on one broker must not throw each other out.
    stem = f"fgw-sim-{plan.site}-{secrets.token_hex(3)}"
    shared = [Line(address, f"{stem}-{number}", window=window) for number in range(connections)]
    wills = {name: Line(address, f"{stem}-{name}", window=window, will=_will(plan, name)) for name in own}
    lines = Publisher(shared, wills)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(line.run(), name="simulation line") for line in lines.lines]
            try:
                await _all_connected(lines.lines, address)
                yield lines
            finally:
                for task in running:
                    task.cancel()
    except BaseExceptionGroup as group:
        # The groups are ours; callers see the error itself.
        raise first(group) from group


def _will(plan: SitePlan, device: str) -> Publication:
    return Publication(Topics.of(plan.topic_root, plan.site, device).status, b"offline", retain=True)


async def _all_connected(lines: Sequence[Line], address: Address) -> None:
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            for line in lines:
                await line.connected()
    except TimeoutError as error:
        why = next((f": {line.trouble}" for line in lines if line.trouble), "")
        raise SimulationError(f"no broker accepts a connection at {address}{why}") from error
