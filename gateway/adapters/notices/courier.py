"""Carries each notice to every address of its targets: at least once, each address at its own pace.

A delivery is forgotten only once it has arrived. One that fails is tried again with growing pauses; what is new goes
first, so that a message a server will never take holds up no other. Notices that come late are told as one.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from gateway.adapters.notices.wording import Message, Writer
from gateway.adapters.sql.notices import Deliveries, Delivery, Line
from gateway.adapters.telemetry_drain import Backoff
from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, Millis
from gateway.errors import StoreError
from gateway.ports import Health

log = logging.getLogger(__name__)

TRIES_LEAST: Final = 5
"""Before a notice is given up, however old it is."""
WORRYING: Final = 3
"""Failed tries in a row from which on an address counts as not well."""
PAUSES: Final = Backoff(first=1.0, most=300.0)


class Carrier(Protocol):
    """Brings messages to one address."""

    scheme: str
    """What kind of address it is, such as ``mailto``: all of it that may be shown."""

    async def carry(self, message: Message) -> str | None:
        """Returns None once the message is there, else why not, for a person; never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long notices are worth something."""

    fresh: Millis = HOUR
    """Older ones are not told one by one."""
    give_up: Millis = DAY
    """Older ones are not tried again, once they were tried a few times."""
    pauses: Backoff = PAUSES


@dataclass(slots=True)
class CourierCounters:
    """What the courier has done since it was made, counted for each address by itself."""

    sent: int = 0
    failed: int = 0
    """Tries in vain."""
    given_up: int = 0
    unaddressed: int = 0
    """Notices for targets without an address."""


@dataclass(slots=True)
class _Address:
    """One address at work."""

    line: Line
    carrier: Carrier
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    """In a row."""
    trouble: str = ""


class Courier:
    """One per gateway.

    Args:
        deliveries: what is on its way.
        carriers: the addresses of each target; a target without one is counted, not told.
        plan: the site in force.
        now: the gateway's time.
        public_url: where the gateway is reached from outside, for links.
        patience: how long notices are worth something.
        chance: numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        carriers: Mapping[str, Sequence[Carrier]],
        plan: Callable[[], SitePlan],
        now: Callable[[], Millis],
        *,
        public_url: str | None = None,
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._deliveries, self._plan, self._now = deliveries, plan, now
        self._public_url, self._patience, self._chance = public_url, patience or Patience(), chance
        self._known = {name: len(found) for name, found in carriers.items()}
        self._addresses = {
            Line(name, number): _Address(Line(name, number), carrier)
            for name, found in sorted(carriers.items())
            for number, carrier in enumerate(found)
        }
        self._waiting: dict[Line, int] = {}
        self._lost: dict[Line, int] = {}
        self.counters = CourierCounters()

    async def run(self) -> None:
        """Deliver until cancelled. What is under way then may be told twice."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="notices from the log")
            for line, address in self._addresses.items():
                group.create_task(self._serve(address), name=f"notices to {line.target} {line.address}")

    @property
    def waiting(self) -> int:
        """Deliveries on their way."""
        return sum(self._waiting.values())

    def health(self) -> Health | None:
        """How delivery stands, address by address; None where the site has nobody to tell."""
        targets = self._plan().targets
        if not targets:
            return None
        words = [f"{self.counters.sent} sent, {self.waiting} waiting"]
        ill = [one for one in self._addresses.values() if one.failures >= WORRYING]
        words += [
            f"{one.line.target} by {one.carrier.scheme}: {one.trouble} ({one.failures} tries)" for one in ill
        ]
        words += [f"{count} given up for {line.target}" for line, count in sorted(self._lost.items())]
        without = [name for name in targets if not self._known.get(name)]
        words += [f"no address for {', '.join(without)}"] if without else []
        return Health(not ill and not self._lost, "; ".join(words))

    # --- from the log ------------------------------------------------------------------------------------------

    async def _follow(self) -> NoReturn:
        await self._patiently(self._drop_others)
        while True:
            while await self._patiently(self._take):
                pass
            try:
                async with asyncio.timeout(HOUR / 1000):
                    await self._deliveries.noticed()
            except TimeoutError:
                await self._patiently(self._count)  # what was given up long ago is no news any more

    async def _drop_others(self) -> bool:
        dropped = await self._deliveries.drop_others(self._addresses.keys())
        if dropped:
            log.warning(
                "%d notices waited for addresses that are not set any more; they are dropped", dropped
            )
        return await self._count()

    async def _take(self) -> bool:
        taken = await self._deliveries.take(self._known)
        for target in taken.unaddressed:
            if not self.counters.unaddressed:
                log.warning("there is no address for %s; what it should be told goes nowhere", target)
            self.counters.unaddressed += 1
        if taken.lines:
            await self._count()
        for line in taken.lines:
            self._addresses[line].wake.set()
        return taken.more

    async def _patiently(self, work: Callable[[], Awaitable[bool]]) -> bool:
        """Do it, however long the records are out of reach."""
        tries = 0
        while True:
            try:
                return await work()
            except StoreError as error:
                tries += 1
                log.warning("notices wait, the records are out of reach: %s", error)
                await asyncio.sleep(self._patience.pauses.pause(tries, error, self._chance))

    async def _count(self) -> bool:
        self._waiting, self._lost = await self._deliveries.counts(self._now() - DAY)
        return True

    # --- to an address -----------------------------------------------------------------------------------------

    async def _serve(self, address: _Address) -> NoReturn:
        while True:
            address.wake.clear()
            try:
                pending = await self._deliveries.pending(address.line)
                if not pending:
                    await address.wake.wait()
                elif await self._deliver(address, pending):
                    continue
                else:
                    await self._rest(address)
            except StoreError as error:
                log.warning(
                    "notices to %s wait, the records are out of reach: %s", address.line.target, error
                )
                address.failures += 1
                await self._rest(address)

    async def _rest(self, address: _Address) -> None:
        """Until the pause is over or there is something new to try."""
        pause = self._patience.pauses.pause(max(1, address.failures), Exception(), self._chance)
        try:
            async with asyncio.timeout(pause):
                await address.wake.wait()
        except TimeoutError:
            return

    async def _deliver(self, address: _Address, pending: Sequence[Delivery]) -> bool:
        """Try what comes next; True when it has arrived."""
        line, now = address.line, self._now()
        late = [one for one in pending if one.at < now - self._patience.fresh]
        batch = late if len(late) > 1 and pending[0] in late else pending[:1]
        trouble = await address.carrier.carry(await self._words(line.target, batch))
        seqs = [one.seq for one in batch]
        if trouble is None:
            await self._deliveries.arrived(line, seqs)
            self.counters.sent += len(batch)
            if address.failures:
                log.info("notices to %s by %s arrive again", line.target, address.carrier.scheme)
            address.failures, address.trouble = 0, ""
        else:
            await self._note_failure(address, batch, trouble)
        await self._count()
        return trouble is None

    async def _note_failure(self, address: _Address, batch: Sequence[Delivery], trouble: str) -> None:
        line, now = address.line, self._now()
        oldest = now - self._patience.give_up
        hopeless = [one.seq for one in batch if one.tries + 1 >= TRIES_LEAST and one.at < oldest]
        if not address.failures:
            log.warning(
                "a notice to %s by %s did not arrive, it is tried again: %s",
                line.target,
                address.carrier.scheme,
                trouble,
            )
        if hopeless:
            log.error(
                "%d notices to %s by %s are given up", len(hopeless), line.target, address.carrier.scheme
            )
        address.failures, address.trouble = address.failures + 1, trouble
        self.counters.failed += 1
        self.counters.given_up += len(hopeless)
        await self._deliveries.failed(line, [one.seq for one in batch], hopeless, now)

    async def _words(self, target: str, batch: Sequence[Delivery]) -> Message:
        plan = self._plan()
        reader = plan.targets.get(target)
        writer = Writer(plan, "en" if reader is None else reader.language, self._public_url)
        subjects = await self._deliveries.subjects(one.notice for one in batch)
        return writer.notice(batch[0], subjects) if len(batch) == 1 else writer.late(batch, subjects)
