"""The gateway as its faces see it: the loop with everything that runs beside it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from gateway import jobs, patrol_meters
from gateway.adapters.mqtt_source import MqttSource
from gateway.adapters.notices.courier import Courier
from gateway.adapters.sql.quarantine import find_messages
from gateway.adapters.sql.recorder import Bundle
from gateway.adapters.sql.store import Store
from gateway.adapters.telemetry_drain import Drain
from gateway.alert_meters import AlertCounts, Standing, stand
from gateway.codecs.decoder import Decoder
from gateway.core.patrol.duty import Open
from gateway.core.patrol.memory import PatrolState
from gateway.core.patrol.routes import Post
from gateway.core.plan import SitePlan
from gateway.core.state import Reply
from gateway.core.values import Millis, Seal
from gateway.errors import StoreError
from gateway.feed import Feed
from gateway.patrol_meters import TapCounts
from gateway.ports import Health, TelemetryStore
from gateway.runtime import Loop
from gateway.upkeep import Upkeep
from gateway.uploads import Taken, TapUpload

log = logging.getLogger(__name__)

FAREWELL = 3.0
"""Seconds that waiting readings get at a clean end; they are safe in the outbox in any case."""


class Gateway:
    """One running gateway. Built by :mod:`gateway.bootstrap`."""

    def __init__(
        self,
        loop: Loop,
        source: MqttSource,
        store: Store,
        telemetry: TelemetryStore,
        drain: Drain,
        courier: Courier,
        upkeep: Upkeep,
        read_site: Callable[[], tuple[Bundle, SitePlan]],
    ) -> None:
        self._loop, self._source, self._drain = loop, source, drain
        self._courier, self._upkeep, self._read_site = courier, upkeep, read_site
        self.store, self.telemetry, self.attachments = store, telemetry, upkeep.attachments

    async def run(self) -> None:
        """Work until :meth:`stop`; then commit what was taken, leave the broker and return."""
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._source.run(), name="mqtt source"),
                group.create_task(self._drain.run(), name="telemetry drain"),
                group.create_task(self._courier.run(), name="notices"),
                group.create_task(self._upkeep.run(self._now), name="upkeep"),
            ]
            try:
                await self._loop.run()
                await self._settle()
            finally:
                for task in beside:
                    task.cancel()

    async def _settle(self) -> None:
        """Let what is committed reach the telemetry store, if that takes no longer than a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                while self.store.waiting_rows and self._drain.health().ok:
                    await self.store.drained()

    def _now(self) -> Millis:
        return self._loop.clock.now()  # the loop takes up another clock when it knows the records

    def stop(self) -> None:
        """Ask for a clean end."""
        self._loop.stop()

    @property
    def plan(self) -> SitePlan:
        """The site in force."""
        return self._loop.plan

    @property
    def feed(self) -> Feed:
        """What is committed, as it happens."""
        return self._loop.feed

    @property
    def patrol(self) -> PatrolState:
        """What is remembered of patrol, as it stands; to be read, and never changed."""
        return self._loop.patrol

    def read_tag(self, url: str) -> Seal:
        """What the address of a tag proves, without taking it for a tap."""
        return self._loop.read_tag(url)

    def open_at(self, post: Post) -> Open:
        """What belongs to a hand-over of the post now."""
        return self._loop.open_at(post)

    async def submit_many(self, orders: Sequence[jobs.Order]) -> list[Reply]:
        """Have several commands carried out in one turn and one transaction, each judged by itself, in order.

        Raises:
            StoreError: nothing of it was committed.
        """
        replies = await self._loop.ask(jobs.carry_out(orders))
        if len(replies) != len(orders):
            raise StoreError("a command got no reply")
        return replies

    async def take_taps(self, upload: TapUpload, items: Sequence[object]) -> list[Taken]:
        """Have the next items of an upload taken in one turn and one transaction, each judged by itself, in order.

        Raises:
            StoreError: nothing of these was committed.
        """
        return upload.results(await self._loop.ask(upload.work(items)))

    async def reload(self) -> SitePlan:
        """Read the site file again and put it in force; a bad one changes nothing.

        Raises:
            SiteError: the file is wrong; the running plan stays.
            StoreError: it could not be committed.
        """
        bundle, plan = await asyncio.to_thread(self._read_site)
        if plan.digest != self.plan.digest:
            await self._loop.ask(jobs.configure(bundle, plan))
            self._source.subscribe(Decoder(self.plan).filters)
        return self.plan

    async def retry(self, ids: Sequence[int]) -> dict[int, str]:
        """Take quarantined payloads again: ``accepted``, ``gone``, ``cut short`` or the reason of the new refusal."""
        found = await self.store.read(lambda connection: find_messages(connection, ids))
        whole = [(number, message) for number, message in found.items() if message is not None]
        words: list[str] = []
        if whole:
            messages = [message for _, message in whole]
            await self._loop.ask(jobs.take_again(messages, words))
        outcome = dict.fromkeys(ids, "gone") | dict.fromkeys(found, "cut short")
        outcome |= {number: word for (number, _), word in zip(whole, words, strict=True)}
        accepted = [number for number, word in outcome.items() if word == "accepted"]
        if accepted:
            await self.store.forget_refused(accepted)
        return outcome

    def health(self) -> dict[str, Health]:
        """Each part by name, for ``/readyz``."""
        sight, trouble = self._loop.sight, self._loop.trouble
        up, reason, blocked = sight.link_up, sight.reason, sight.blocked
        waiting = self.store.waiting_bytes >> 20
        full = f"the telemetry outbox is full ({waiting} MiB wait); nothing is acknowledged until it drains"
        heeded = not (up or blocked)  # while nothing is taken, only the source itself knows about the link
        parts = {
            "broker": Health(up, reason) if heeded and reason else self._source.health(),
            "store": Health(not trouble, trouble or "committing"),
            "telemetry": self._drain.health(),
            "ingest": Health(not blocked, full if blocked else "reading"),
        }
        notices = self._courier.health()
        return parts if notices is None else {**parts, "notices": notices}

    def meters(self) -> dict[str, int | float]:
        """Counters and levels, flat, for ``/metrics`` and the demo's screen."""
        meters, drain, source = self._loop.meters, self._drain.counters, self._source
        notices = self._courier.counters
        flat: dict[str, int | float] = {
            "messages_received": source.received,
            "messages_acknowledged": source.acked,
            "messages_committed": meters.messages,
            "mqtt_reconnects": source.reconnects,
            "mqtt_malformed": source.malformed,
            "acks_dropped": source.dropped_acks,
            "readings_committed": meters.rows,
            "readings_stored": drain.stored,
            "readings_refused": drain.refused,
            "telemetry_retries": drain.retries,
            "telemetry_lag_seconds": drain.lag,
            "outbox_rows": self.store.waiting_rows,
            "outbox_bytes": self.store.waiting_bytes,
            "notices_sent": notices.sent,
            "notices_failed": notices.failed,
            "notices_given_up": notices.given_up,
            "notices_unaddressed": notices.unaddressed,
            "notices_waiting": self._courier.waiting,
            "commits": meters.commits,
            "commits_failed": meters.failed_commits,
            "faults": meters.faults,
            "feed_listeners": self.feed.listeners,
            "feed_cut_off": self.feed.cut_off,
            "clock_ahead_seconds": self._loop.clock.ahead / 1000,
            "rejected": sum(meters.rejected.values()),
        }
        flat |= {f"rejected_{reason}": count for reason, count in sorted(meters.rejected.items())}
        flat |= {f"outcomes_{kind}": count for kind, count in sorted(meters.outcomes.items())}
        return flat

    def alert_meters(self) -> tuple[AlertCounts, Standing]:
        """What was announced since the start, and how the live alerts stand."""
        return self._loop.meters.alerts, stand(self._loop.live_alerts, self._loop.clock.now())

    def patrol_meters(self) -> tuple[TapCounts, dict[str, int]]:
        """The taps since the start, and the live rounds by state."""
        return self._loop.meters.taps, patrol_meters.stand(self.patrol.rounds.values())
