"""The loop: take what has arrived, decode, step, commit, acknowledge.

A failed commit acknowledges nothing: the state is loaded again from disk and the broker delivers again. If the
process dies anywhere in between, the same holds. There is no other recovery path.

A fault of our own that a message brings to light must not bring the gateway down again and again: such a batch is
asked for once more and taken one message at a time, and the one that fails is quarantined.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection

from gateway.adapters.sql.recorder import Bundle
from gateway.adapters.sql.store import Store
from gateway.clock import Clock
from gateway.codecs.decoder import Decoder
from gateway.codecs.tag_keys import TagKeys
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import LinkLost, Rejection, Tick
from gateway.core.patrol import duty
from gateway.core.patrol.memory import PatrolState
from gateway.core.patrol.routes import Post
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, Reply, State
from gateway.core.values import Message, Millis, Seal
from gateway.errors import StoreError
from gateway.feed import Feed, Published
from gateway.jobs import Jobs, Work
from gateway.meters import Meters
from gateway.ports import Batch, Link, Source
from gateway.recovery import recover
from gateway.sight import Sight
from gateway.turn import NOTHING, Turn

log = logging.getLogger(__name__)

HEARTBEAT: Millis = 5_000
"""A sign of life is on disk at least this often: it bounds the time called unobserved after a crash."""
RETRY = 1.0
"""Seconds between attempts after a failed commit."""
WORDS = 1_000
"""Characters that are kept of what a fault of ours says."""


class Loop:
    """The one writer. Owns the engine; everybody else asks it through :meth:`ask`.

    Args:
        source: where messages come from.
        store: where everything is committed.
        bundle: the configuration to run with, as text, and
        plan: what it means.
        plan_of: builds a plan from the digest and body of a configuration that was in force earlier.
        linger: seconds to wait for more when little has arrived, so that load makes batches larger.
        clock: makes the gateway's clock from the latest moment the records know.
        batch: messages in one turn at the most.
        outbox_cap: bytes of readings that may wait for the telemetry store before reading stops.
        keys: what cryptographic tags are verified with.
    """

    def __init__(  # noqa: PLR0913 - a third of them have defaults
        self,
        source: Source,
        store: Store,
        bundle: Bundle,
        plan: SitePlan,
        plan_of: Callable[[str, bytes], SitePlan],
        *,
        clock: Callable[[Millis], Clock] = Clock,
        linger: float = 0.005,
        batch: int = 2_000,
        outbox_cap: int = 512 << 20,
        keys: TagKeys | None = None,
    ) -> None:
        self._source, self._store = source, store
        self._bundle, self._plan, self._plan_of = bundle, plan, plan_of
        self._linger, self._batch, self._careful = linger, batch, 0
        self._jobs = Jobs()
        self._stopping = asyncio.Event()
        self._committed_at: Millis = 0
        self._clock_from = clock
        self._clock = clock(0)
        self._engine = Engine(plan, State())  # until it is known what the disk remembers
        self._decoder = Decoder(plan, keys)
        self.sight = Sight(outbox_cap)
        self.feed = Feed()
        self.meters = Meters()
        self.trouble = ""
        """Why the last commit failed; empty when it did not."""

    async def run(self) -> None:
        """Work until :meth:`stop`; returns when everything taken is committed and acknowledged."""
        self._engine, self._clock = await recover(
            self._store, self._bundle, self._plan, self._plan_of, self._clock_from
        )
        arrivals = asyncio.create_task(self._source.arrived(), name="arrivals")
        try:
            while not self._stopping.is_set():
                arrivals = await self._wait(arrivals)
                await self._turn()
            await self._finish()
        finally:
            arrivals.cancel()
            self._jobs.close()
            self.feed.close()

    def stop(self) -> None:
        """Ask the loop to end after what it is doing."""
        self._stopping.set()
        self._jobs.arrived.set()

    @property
    def plan(self) -> SitePlan:
        """The site in force."""
        return self._plan

    @property
    def clock(self) -> Clock:
        """The gateway's time."""
        return self._clock

    @property
    def live_alerts(self) -> Collection[Alert]:
        """The alerts that have not ended, as they stand."""
        return self._engine.state.alerts.values()

    @property
    def patrol(self) -> PatrolState:
        """What is remembered of patrol, as it stands; to be read in the loop's thread, and never changed."""
        return self._engine.state.patrol

    def read_tag(self, url: str) -> Seal:
        """What the address of a tag proves, without taking it for a tap."""
        return self._decoder.seal_of(url)

    def open_at(self, post: Post) -> duty.Open:
        """What belongs to a hand-over of the post now."""
        return duty.open_at(self._engine.state, post)

    async def ask(self, work: Callable[[Millis, Decoder], Work]) -> list[Reply]:
        """Have work done and committed; returns the replies to its commands. Raises :class:`StoreError`."""
        return await self._jobs.ask(work)

    async def _wait(self, arrivals: asyncio.Task[None]) -> asyncio.Task[None]:
        """Until there is something to do: a message, a job, a timer, or the next sign of life on disk."""
        due = self._engine.next_due()
        now = self._clock.now()
        pause = min(HEARTBEAT, max(0, due - now)) / 1000 if due is not None else HEARTBEAT / 1000
        job = asyncio.create_task(self._jobs.arrived.wait(), name="jobs")
        waiting = {job} if self.sight.blocked else {job, arrivals}
        await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        job.cancel()
        if arrivals.done():
            arrivals.result()
            if not self.sight.blocked:
                arrivals = asyncio.create_task(self._source.arrived(), name="arrivals")
                await asyncio.sleep(0 if self._careful else self._linger)
        return arrivals

    async def _turn(self) -> None:
        turn = Turn(self._clock.now())
        try:
            self._fill(turn)
            effects = self._engine.step(turn.inputs)
        except Exception as fault:  # noqa: BLE001 - whatever it is, one message must not stop the others
            await self._isolate(turn, fault)
        else:
            await self._commit(turn, effects)

    def _fill(self, turn: Turn) -> None:
        self.sight.remember()
        self.sight.heed_outbox(self._store.waiting_bytes, turn)
        self._decoder = turn.begin(self._jobs.take(), self._decoder)
        if not self.sight.blocked:
            turn.batch = self._source.take(1 if self._careful else self._batch)
        for item in turn.batch.items:
            if type(item) is Message:
                turn.decode(item, self._decoder)
            elif isinstance(item, Link):
                self.sight.follow(item, turn)
        turn.inputs.append(Tick(turn.at))

    async def _commit(self, turn: Turn, effects: Effects) -> None:
        """Commit a turn, acknowledge its messages, answer its jobs and tell the feed."""
        if not turn.entries:
            if effects.devices or effects.outcomes or effects.orders:
                turn.entries.append((turn.at, "tick", None))
            elif turn.at - self._committed_at < HEARTBEAT and not turn.batch.items:
                _answer(turn, effects)
                return
        try:
            last = await self._store.commit(turn.entries, effects, self._engine.state, turn.bundle)
        except StoreError as error:
            await self._fall_back(turn, error)
            return
        except Exception as fault:  # noqa: BLE001 - what cannot be written down must not stop the others either
            await self._isolate(turn, fault)
            return
        if turn.batch is not NOTHING:
            self._source.ack(turn.batch.ticket)
        if self.trouble:
            log.warning("the records can be written again")
        self._committed_at, self.trouble, self._plan = turn.at, "", self._engine.plan
        self._careful = max(0, self._careful - len(turn.batch.items))
        self.meters.count(turn.batch, effects)
        if self.feed.listeners:
            self.feed.publish(Published(last, effects.outcomes, effects.rows))
        _answer(turn, effects)

    async def _fall_back(self, turn: Turn, error: StoreError) -> None:
        """Nothing was committed: have the broker send again, try after a pause."""
        if str(error) != self.trouble:
            log.error("nothing is acknowledged, and it is tried again every second: %s", error)
        self.trouble = str(error)
        self.meters.failed_commits += 1
        self._jobs.fail(turn.jobs, error)
        self._source.refuse()
        await asyncio.sleep(RETRY)
        await self._reload()

    async def _isolate(self, turn: Turn, fault: Exception) -> None:
        """A fault of ours came to light: find the message that did it, and put that one into quarantine."""
        messages = [item for item in turn.batch.items if isinstance(item, Message)]
        if turn.set_aside or (not messages and not turn.begun):
            raise fault  # time itself brought it up: only a new version can help
        log.error("a fault of the gateway, please report it", exc_info=fault)
        self.meters.faults += 1
        self._jobs.fail(turn.jobs, StoreError(f"the gateway failed on this: {fault!r}"))
        await self._reload()
        if len(messages) > 1 or turn.begun or self.trouble:  # the latter: told to stop, with nothing loaded
            self._careful = 2 * self._batch
            self._source.refuse()
            return
        again = Turn(turn.at, set_aside=True)
        self.sight.heed_outbox(self._store.waiting_bytes, again)
        _set_aside(turn.batch, again, self.sight, repr(fault)[:WORDS])
        await self._commit(again, self._engine.step(again.inputs))

    async def _reload(self) -> None:
        """Forget what memory holds and take up what the disk remembers."""
        while True:
            try:
                loaded = await self._store.load()
            except StoreError as error:
                self.trouble = str(error)
                if self._stopping.is_set():
                    return
                await asyncio.sleep(RETRY)
                continue
            self._engine, self._decoder = Engine(self._plan, loaded.state), self._decoder.anew(self._plan)
            self.sight.recall()
            return

    async def _finish(self) -> None:
        """The last turn: what is unseen from now on is unobserved, and said so."""
        if self.trouble:
            return  # memory may hold what was never committed; the next start says it from the last sign of life
        turn = Turn(self._clock.now())
        turn.record(LinkLost(turn.at, "the gateway was stopped"))
        effects = self._engine.step(turn.inputs)
        with contextlib.suppress(StoreError):
            await self._store.commit(turn.entries, effects, self._engine.state)


def _answer(turn: Turn, effects: Effects) -> None:
    replies = {reply.command: reply for reply in effects.replies}
    for job, work in turn.begun:
        if not job.done.done():
            job.done.set_result([replies[name] for name in work.commands if name in replies])


def _set_aside(batch: Batch, turn: Turn, sight: Sight, words: str) -> None:
    """Put a batch's message into quarantine; what the batch says of the link beside it goes on counting."""
    turn.batch = batch
    for item in batch.items:
        if isinstance(item, Link):
            sight.follow(item, turn)
        else:
            turn.record(Rejection(turn.at, None, item.topic, "internal_error", words, item.payload))
