"""The loop: take what has arrived, decode, step, commit, acknowledge.

A failed commit acknowledges nothing: the state is loaded again from disk and the broker delivers again. If the
process dies anywhere in between, the same holds. There is no other recovery path.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from gateway.adapters.sql import journal
from gateway.adapters.sql.store import Bundle, Store
from gateway.clock import Clock
from gateway.codecs.decoder import Decoder
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import (
    Command,
    Configured,
    Input,
    LinkLost,
    LinkUp,
    Rejection,
    Started,
    Telemetry,
    Tick,
)
from gateway.core.plan import SitePlan
from gateway.core.state import Reply
from gateway.core.values import Message, Millis
from gateway.errors import SiteError, StoreError
from gateway.feed import Feed, Published
from gateway.jobs import Job, Jobs, Work
from gateway.meters import Meters
from gateway.ports import Batch, Link, Source

log = logging.getLogger(__name__)

NOTHING = Batch((), None)


class Loop:
    """The one writer. Owns the engine; everybody else asks it through :meth:`submit` and its kin.

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
    ) -> None:
        self._source, self._store = source, store
        self._bundle, self._plan, self._plan_of = bundle, plan, plan_of
        self._linger, self._batch, self._outbox_cap = linger, batch, outbox_cap
        self._jobs = Jobs()
        self._stopping = asyncio.Event()
        self._link_reason = "the broker has not been reached yet"
        self._link_up = False
        self._blocked = False
        self._committed_at: Millis = 0
        self._clock_from = clock
        self._clock = clock(0)
        self.feed = Feed()
        self.meters = Meters()
        self.trouble = ""
        """Why the last commit failed; empty when it did not."""

    async def run(self) -> None:
        """Work until :meth:`stop`; returns when everything taken is committed and acknowledged."""
        await self._recover()
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
    def link(self) -> tuple[bool, str]:
        """Whether the broker is there, and why not."""
        return self._link_up, self._link_reason

    @property
    def blocked(self) -> bool:
        """Whether reading has stopped because the telemetry outbox is full."""
        return self._blocked

    @property
    def clock_ahead(self) -> Millis:
        """How far the gateway's time is ahead of a machine clock that was set back."""
        return self._clock.ahead

    @property
    def now(self) -> Millis:
        """The gateway's time."""
        return self._clock.now()

    # --- what others ask -------------------------------------------------------------------------------------

    async def submit(self, command: Callable[[Millis], Command]) -> Reply:
        """Have a command carried out and committed, and get its reply.

        Raises:
            StoreError: it was not committed.
        """

        def work(at: Millis) -> Work:
            one = command(at)
            return Work([one], [journal.entry(one)], command=one.id)

        reply = await self._jobs.ask(work)
        if reply is None:
            raise StoreError("the command got no reply")
        return reply

    async def configure(self, bundle: Bundle, plan: SitePlan) -> None:
        """Put another site plan in force. Raises :class:`StoreError`."""

        def work(at: Millis) -> Work:
            one = Configured(at, plan)
            return Work([one], [journal.entry(one)], bundle)

        await self._jobs.ask(work)

    async def take_again(self, messages: Sequence[Message]) -> list[str]:
        """Try refused messages again; one word each: ``accepted`` or the reason. Raises :class:`StoreError`."""
        words: list[str] = []

        def work(at: Millis) -> Work:
            inputs: list[Input] = []
            entries: list[journal.Entry] = []
            for message in messages:
                facts = self._decoder.decode(message, at)
                refused = [fact.reason for fact in facts if isinstance(fact, Rejection)]
                taken = len(refused) < len(facts)
                words.append("accepted" if taken else refused[0])
                if taken:  # and what is still refused of it goes back into quarantine
                    inputs.extend(facts)
                    entries.append((at, "message", message))
            return Work(inputs, entries)

        await self._jobs.ask(work)
        return words

    # --- one turn --------------------------------------------------------------------------------------------

    async def _wait(self, arrivals: asyncio.Task[None]) -> asyncio.Task[None]:
        """Until there is something to do: a message, a job, a timer, or the next sign of life on disk."""
        due = self._engine.next_due()
        now = self._clock.now()
        pause = min(HEARTBEAT, max(0, due - now)) / 1000 if due is not None else HEARTBEAT / 1000
        job = asyncio.create_task(self._jobs.arrived.wait(), name="jobs")
        waiting = {job} if self._blocked else {job, arrivals}
        await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        job.cancel()
        if arrivals.done():
            arrivals.result()
            if not self._blocked:
                arrivals = asyncio.create_task(self._source.arrived(), name="arrivals")
                await asyncio.sleep(self._linger)
        return arrivals

    async def _turn(self) -> None:
        at = self._clock.now()
        inputs: list[Input] = []
        entries: list[journal.Entry] = []
        self._heed_outbox(at, inputs, entries)
        jobs = self._begin(at, inputs, entries)
        batch = NOTHING if self._blocked else self._source.take(self._batch)
        self._decode(batch, at, inputs, entries)
        inputs.append(Tick(at))
        effects = self._engine.step(inputs)
        if not entries:
            if effects.devices or effects.outcomes or effects.orders:
                entries.append((at, "tick", None))
            elif at - self._committed_at < HEARTBEAT and not batch.items:
                self._answer(jobs, effects)
                return
        bundle = next((work.bundle for _, work in reversed(jobs) if work.bundle is not None), None)
        try:
            last = await self._store.commit(entries, effects, self._engine.state, bundle)
        except StoreError as error:
            await self._fall_back([job for job, _ in jobs], error)
            return
        if batch is not NOTHING:
            self._source.ack(batch.ticket)
        if self.trouble:
            log.warning("the records can be written again")
        self._committed_at, self.trouble, self._plan = at, "", self._engine.plan
        self.meters.count(batch, effects)
        if self.feed.listeners:
            self.feed.publish(Published(last, effects.outcomes, effects.rows))
        self._answer(jobs, effects)

    def _heed_outbox(self, at: Millis, inputs: list[Input], entries: list[journal.Entry]) -> None:
        """Stop reading when the outbox is full, go on when a fifth of it is free again."""
        waiting = self._store.waiting_bytes
        blocked = waiting > (self._outbox_cap * 4 // 5 if self._blocked else self._outbox_cap)
        if blocked is self._blocked:
            return
        self._blocked = blocked
        full = f"the telemetry outbox is full ({waiting >> 20} MiB wait): nothing is read until it drains"
        log.warning("%s", full if blocked else "the telemetry outbox has room again: reading goes on")
        if self._link_up:
            one = LinkLost(at, "the telemetry outbox is full") if blocked else LinkUp(at)
            inputs.append(one)
            entries.append(journal.entry(one))

    def _begin(self, at: Millis, inputs: list[Input], entries: list[journal.Entry]) -> list[tuple[Job, Work]]:
        """Turn the waiting jobs into inputs; a new configuration is in force before the next message is decoded."""
        begun = [(job, job.work(at)) for job in self._jobs.take()]
        for _, work in begun:
            inputs.extend(work.inputs)
            entries.extend(work.entries)
            for one in work.inputs:
                if isinstance(one, Configured):
                    self._decoder = Decoder(one.plan)
        return begun

    def _decode(self, batch: Batch, at: Millis, inputs: list[Input], entries: list[journal.Entry]) -> None:
        decode = self._decoder.decode
        for item in batch.items:
            if type(item) is Message:
                facts = decode(item, at)
                inputs.extend(facts)
                if type(facts[0]) is Telemetry or not all(type(fact) is Rejection for fact in facts):
                    entries.append((at, "message", item))
                else:
                    entries.extend(journal.entry(fact) for fact in facts if isinstance(fact, Rejection))
            elif isinstance(item, Link):
                self._follow_link(item, at, inputs, entries)

    def _follow_link(self, link: Link, at: Millis, inputs: list[Input], entries: list[journal.Entry]) -> None:
        changed = link.up is not self._link_up
        if changed or link.reason != self._link_reason:
            log.warning("%s", "the broker is connected" if link.up else link.reason)
        self._link_up, self._link_reason = link
        if changed:
            one = LinkUp(at) if link.up else LinkLost(at, link.reason)
            inputs.append(one)
            entries.append(journal.entry(one))

    def _answer(self, jobs: Sequence[tuple[Job, Work]], effects: Effects) -> None:
        replies = {reply.command: reply for reply in effects.replies}
        for job, work in jobs:
            if not job.done.done():
                job.done.set_result(replies.get(work.command or ""))

    # --- beginnings and ends ---------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Take up what the disk remembers, and say since when nobody was watching."""
        loaded = await self._store.load()
        scalars = loaded.state.scalars
        self._clock = self._clock_from(scalars.now)
        self._engine = Engine(self._plan_before(loaded.config), loaded.state)
        self._decoder = Decoder(self._plan)
        last = scalars.now or None
        at = self._clock.now()
        inputs: list[Input] = [Started(at, last)]
        bundle = None
        if loaded.config is None or loaded.config.digest != self._bundle.digest:
            inputs.append(Configured(at, self._plan))
            bundle = self._bundle
        effects = self._engine.step(inputs)
        entries = [journal.entry(one) for one in inputs]  # type: ignore[arg-type]  # both kinds are recorded
        await self._store.commit(entries, effects, self._engine.state, bundle)
        self._committed_at = at

    def _plan_before(self, config: Bundle | None) -> SitePlan:
        """What was in force until now. One that this version cannot read any more ends here."""
        if config is None:
            return self._plan
        try:
            return self._plan_of(config.digest, config.body)
        except SiteError as error:
            log.warning("the site file that was in force until now is not valid any more: %s", error)
            return self._plan

    async def _fall_back(self, jobs: Sequence[Job], error: StoreError) -> None:
        """Nothing was committed: forget what memory holds, have the broker send again, try after a pause."""
        if str(error) != self.trouble:
            log.error("nothing is acknowledged, and it is tried again every second: %s", error)
        self.trouble = str(error)
        self.meters.failed_commits += 1
        self._jobs.fail(jobs, error)
        self._source.refuse()
        await asyncio.sleep(RETRY)
        while not self._stopping.is_set():
            try:
                loaded = await self._store.load()
            except StoreError as again:
                self.trouble = str(again)
                await asyncio.sleep(RETRY)
                continue
            self._engine, self._decoder = Engine(self._plan, loaded.state), Decoder(self._plan)
            self._link_up = loaded.state.scalars.observing
            self._blocked = False
            return

    async def _finish(self) -> None:
        """The last turn: what is unseen from now on is unobserved, and said so."""
        if self.trouble:
            return  # memory may hold what was never committed; the next start says it from the last sign of life
        one = LinkLost(self._clock.now(), "the gateway was stopped")
        effects = self._engine.step([one])
        with contextlib.suppress(StoreError):
            await self._store.commit([journal.entry(one)], effects, self._engine.state)


HEARTBEAT: Millis = 5_000
"""A sign of life is on disk at least this often: it bounds the time called unobserved after a crash."""
RETRY = 1.0
"""Seconds between attempts after a failed commit."""
