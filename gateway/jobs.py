"""What people and the program itself ask of the loop: each is turned into inputs when its turn comes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.adapters.sql.journal import Entry, entry, message_entry
from gateway.adapters.sql.recorder import Bundle
from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Command, Configured, Input, Rejection
from gateway.core.plan import SitePlan
from gateway.core.state import Reply
from gateway.core.values import Json, Message, Millis
from gateway.errors import StoreError

WAITING_MOST = 1_000
"""Jobs that may wait; beyond it a caller is told to come back."""


class Work(NamedTuple):
    """A job as inputs, journal entries, and the configuration it brings, if it brings one."""

    inputs: Sequence[Input]
    entries: Sequence[Entry]
    bundle: Bundle | None = None
    commands: Sequence[str] = ()
    """The ids of the commands in it, whose replies are wanted."""


class Order(NamedTuple):
    """What a person wants done, before its time has come."""

    verb: str
    target: str
    args: dict[str, Json]
    actor: str
    id: str
    """The same id again is answered again and not carried out again."""
    expect: int | None = None
    """The version of the record the person saw."""


def carry_out(orders: Sequence[Order]) -> Callable[[Millis, Decoder], Work]:
    """What a person wants as work, all of it in one turn and one transaction; each is judged by itself."""

    def work(at: Millis, _: Decoder) -> Work:
        commands = [
            Command(
                at=at,
                id=one.id,
                actor=one.actor,
                verb=one.verb,
                target=one.target,
                args=one.args,
                expect=one.expect,
            )
            for one in orders
        ]
        return Work(commands, [entry(one) for one in commands], commands=[one.id for one in orders])

    return work


def configure(bundle: Bundle, plan: SitePlan) -> Callable[[Millis, Decoder], Work]:
    """Another site plan as work."""

    def work(at: Millis, _: Decoder) -> Work:
        one = Configured(at, plan)
        return Work([one], [entry(one)], bundle)

    return work


def take_again(messages: Sequence[Message], words: list[str]) -> Callable[[Millis, Decoder], Work]:
    """Refused messages tried again as work; ``words`` gets ``accepted`` or the reason for each."""

    def work(at: Millis, decoder: Decoder) -> Work:
        inputs: list[Input] = []
        entries: list[Entry] = []
        for message in messages:
            facts = decoder.decode(message, at)
            refused = [fact.reason for fact in facts if isinstance(fact, Rejection)]
            taken = len(refused) < len(facts)
            words.append("accepted" if taken else refused[0])
            if taken:  # and what is still refused of it goes back into quarantine
                inputs.extend(facts)
                entries.append(message_entry(at, message, facts))
        return Work(inputs, entries)

    return work


class Job(NamedTuple):
    """Something to do in the loop's next turn and who waits for it."""

    work: Callable[[Millis, Decoder], Work]
    """Given the time and what decodes by the plan in force at its place among the jobs."""
    done: asyncio.Future[list[Reply]]


class Jobs:
    """The queue of jobs, bounded."""

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._closed = False
        self.arrived = asyncio.Event()

    async def ask(self, work: Callable[[Millis, Decoder], Work]) -> list[Reply]:
        """Have work done and committed; returns the replies to the commands in it, in their order.

        Raises:
            StoreError: it was not committed, or too much is waiting already.
        """
        if self._closed:
            raise StoreError("the gateway is stopping")
        if len(self._waiting) >= WAITING_MOST:
            raise StoreError(f"{WAITING_MOST} commands are waiting already; try again in a moment")
        job = Job(work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self.arrived.set()
        return await job.done

    def take(self) -> list[Job]:
        """All that wait, oldest first."""
        self.arrived.clear()
        taken, self._waiting = self._waiting, []
        return taken

    def close(self) -> None:
        """Take no more; those who wait are told that nothing was done."""
        self._closed = True
        self.fail(self.take(), StoreError("the gateway is stopping"))

    def fail(self, jobs: Sequence[Job], error: StoreError) -> None:
        """Tell those who wait that it was not done."""
        for job in jobs:
            if not job.done.done():
                job.done.set_exception(error)
