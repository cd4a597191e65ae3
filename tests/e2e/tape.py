"""A source and a clock in a test's hands, around the real loop and the real store."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.adapters.sql.store import Store
from gateway.bootstrap import plan_of, read_site
from gateway.clock import Clock
from gateway.core.state import Reply
from gateway.core.values import HOUR, Message, Millis
from gateway.jobs import Order, carry_out
from gateway.ports import Batch, Link
from gateway.runtime import Loop
from tests.e2e.kept import Kept
from tests.e2e.mill import telemetry, topic
from tests.e2e.waiting import eventually

START: Millis = 1_790_000_000_000


class Hands:
    """The machine's clocks: one that can be set, one that cannot."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = HOUR

    def pass_by(self, millis: Millis) -> None:
        """Time passes."""
        self.wall += millis
        self.steady += millis

    def clock(self, last: Millis) -> Clock:
        return Clock(last, lambda: self.wall, lambda: self.steady)


class Tape:
    """A :class:`gateway.ports.Source` that keeps what is not acknowledged, as a broker does."""

    def __init__(self) -> None:
        self.acked: list[Message] = []
        self.refusals = 0
        self._waiting: list[Message | Link] = []
        self._under_way: list[Message] = []
        self._epoch = 0
        self._news = asyncio.Event()

    def put(self, *items: Message | Link) -> None:
        """Something arrives."""
        self._waiting.extend(items)
        self._news.set()

    def read(self, device: str, ts: Millis, **values: object) -> Message:
        """A reading arrives."""
        message = Message(topic(device), telemetry(ts, **values))
        self.put(message)
        return message

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def arrived(self) -> None:
        await self._news.wait()

    def take(self, limit: int) -> Batch:
        taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if not self._waiting:
            self._news.clear()
        messages = [item for item in taken if isinstance(item, Message)]
        self._under_way += messages
        return Batch(taken, (self._epoch, messages))

    def ack(self, ticket: object) -> None:
        assert isinstance(ticket, tuple)
        epoch, messages = ticket
        if epoch == self._epoch:
            self.acked += messages
            del self._under_way[: len(messages)]

    def refuse(self) -> None:
        self.refusals += 1
        self._epoch += 1
        again = [*self._under_way, *(item for item in self._waiting if isinstance(item, Message))]
        self._under_way, self._waiting = [], []
        self.put(Link(up=False, reason="refused"), Link(up=True), *again)


class Life:
    """One life of the loop."""

    def __init__(self, loop: Loop, tape: Tape, store: Store, hands: Hands) -> None:
        self.loop, self.tape, self.store, self.hands = loop, tape, store, hands
        self.kept = Kept(store.path)
        self._numbers = itertools.count(hands.steady)

    async def turn(self) -> Reply:
        """One turn of the loop, at the time it is now."""
        name = f"turn-{next(self._numbers)}"
        (reply,) = await self.loop.ask(carry_out([Order("test.turn", "", {}, "test", name)]))
        return reply

    async def pass_by(self, millis: Millis) -> None:
        """Time passes, and the loop notices."""
        self.hands.pass_by(millis)
        await self.turn()

    async def all_acked(self, count: int) -> None:
        """Return once so many messages were acknowledged in this life."""
        await eventually(lambda: len(self.tape.acked) >= count, f"{count} acknowledgements")

    async def link(self, *, up: bool) -> None:
        """The connection comes or goes, and the loop notices."""
        self.tape.put(Link(up) if up else Link(up, "cut"))
        await eventually(lambda: self.loop.sight.link_up is up, "the link to change")
        await self.turn()

    def raised(self, rule: str) -> list[Millis]:
        """When alerts of a rule were raised, by the gateway's time."""
        return [one.at for one in self.kept.outcomes("alert.raised") if one.rule == rule]


@contextlib.asynccontextmanager
async def living(
    folder: Path, site: Path, hands: Hands, *, crash: bool = False, outbox_cap: int = 512 << 20
) -> AsyncIterator[Life]:
    """A loop that is stopped at the end, or with ``crash`` just ceases to be, saying nothing."""
    tape, store = Tape(), Store.open(folder)
    bundle, plan = read_site(site)
    loop = Loop(tape, store, bundle, plan, plan_of, clock=hands.clock, linger=0, outbox_cap=outbox_cap)
    running = asyncio.create_task(loop.run(), name="loop")
    try:
        yield Life(loop, tape, store, hands)
        if crash:
            running.cancel()
        else:
            loop.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        running.cancel()
        await store.close()
