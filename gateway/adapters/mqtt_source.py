"""The MQTT source: one persistent session with the broker, kept up over any number of connections.

What MQTT 5 and MQTT 3.1.1 have in common lives here; a *dialect* (:mod:`gateway.adapters.mqtt5_dialect`,
:mod:`gateway.adapters.paho_dialect`) holds one connection at a time and speaks one version of the protocol.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gateway.adapters.mqtt5_dialect import Mqtt5Dialect
from gateway.adapters.mqtt_endings import BackOff, Ending, Retry
from gateway.adapters.mqtt_inbox import VOID, Inbox
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_subscriptions import Record, Subscriptions
from gateway.adapters.paho_dialect import PahoDialect
from gateway.ports import Batch, Health

REFUSED: Final = Ending("the gateway could not keep what it received and asked for it again")


class Dialect(Protocol):
    """One version of the protocol, one connection at a time; it reports everything to the inbox it was built with."""

    name: str

    async def converse(self) -> Ending:
        """Connect, subscribe and receive until it is over; when cancelled, leave cleanly."""

    def subscribe(self) -> None:
        """Ask the present connection, if there is one, for what is wanted now."""

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge these messages of the present connection, in this order."""

    def drop(self, ending: Ending) -> None:
        """Break the present connection off, if there is one, and hand over nothing more of it."""

    def resume(self) -> None:
        """Read on, if reading was paused because the inbox was crowded."""

    @property
    def caveats(self) -> str:
        """What the broker did not grant, for a person; empty when all is as asked for."""


class Ticket:
    """The receipts of a batch. They are spent when acknowledged: a second time would hit a later message."""

    __slots__ = ("epoch", "receipts")

    def __init__(self, epoch: int, receipts: Sequence[int]) -> None:
        self.epoch = epoch
        self.receipts = receipts


class MqttSource:
    """A :class:`gateway.ports.Source`; everything but :meth:`run` and :meth:`arrived` returns at once.

    Args:
        settings: for texts; the dialects have their own reference.
        inbox: shared with the dialects, and so are
        subscriptions: what to receive.
        dialects: each connection is tried with the first; while the broker refuses the version, with the next.
        back_off: how long to wait between attempts.
    """

    def __init__(
        self,
        settings: MqttSettings,
        inbox: Inbox,
        subscriptions: Subscriptions,
        dialects: Sequence[Dialect],
        back_off: BackOff | None = None,
    ) -> None:
        self.acked = 0
        self.dropped_acks = 0
        """Acknowledgements that came too late, after their connection was gone."""
        self._settings = settings
        self._inbox = inbox
        self._subscriptions = subscriptions
        self._dialects = deque(dialects)
        self._dialect = dialects[0]
        self._back_off = back_off or BackOff()

    @property
    def received(self) -> int:
        """Messages received, those sent again included."""
        return self._inbox.received

    @property
    def reconnects(self) -> int:
        """Connections that the broker accepted after the first."""
        return max(0, self._inbox.openings - 1)

    @property
    def malformed(self) -> int:
        """Packets that could not be read, or were larger than we allow."""
        return self._inbox.malformed

    async def run(self) -> None:
        """Connect, stay connected and collect until cancelled; leave cleanly then, keeping the session."""
        while True:
            await self._inbox.room()
            ending = await self._round()
            self._inbox.close(ending.reason)
            await asyncio.sleep(self._back_off.wait(ending.retry))

    async def _round(self) -> Ending:
        """One connection, from the attempt to its end, by the first dialect that the broker speaks."""
        clock = asyncio.get_running_loop().time
        for dialect in tuple(self._dialects):
            self._dialect = dialect
            began, openings = clock(), self._inbox.openings
            ending = await dialect.converse()
            if ending.retry is Retry.OTHER_VERSION_FIRST:
                self._dialects.rotate(-1)
            elif ending.retry is not Retry.OTHER_VERSION:
                break
        accepted = self._inbox.openings != openings
        return self._back_off.judge(ending, clock() - began if accepted else 0.0, self._settings.client_id)

    def subscribe(self, filters: Sequence[str]) -> None:
        """From now on receive these topics and no others; now, or when there is a connection again.

        The connection stays, and messages of topics that were and are wanted go on coming. What the broker refuses is
        in :meth:`health`, and asked for again every half minute.
        """
        self._subscriptions.want(filters)
        self._dialect.subscribe()

    async def arrived(self) -> None:
        """Return once there is something to take."""
        await self._inbox.filled()

    def take(self, limit: int) -> Batch:
        """At most ``limit`` messages and link changes, oldest first."""
        crowded = self._inbox.crowded
        items, receipts = self._inbox.take(limit)
        if crowded and not self._inbox.crowded:
            self._dialect.resume()
        return Batch(items, Ticket(self._inbox.epoch, receipts))

    def ack(self, ticket: object) -> None:
        """Acknowledge the batch; a ticket of an old connection, or a spent one, does nothing."""
        if not isinstance(ticket, Ticket):
            raise TypeError(f"a ticket comes from take(), not {ticket!r}")
        receipts, ticket.receipts = ticket.receipts, ()
        if ticket.epoch != self._inbox.epoch:
            self.dropped_acks += sum(1 for receipt in receipts if receipt)
            return
        valid = [receipt for receipt in receipts if receipt > 0]
        self.dropped_acks += receipts.count(VOID)
        self.acked += len(valid)
        if valid:
            self._dialect.acknowledge(valid)

    def refuse(self) -> None:
        """Drop the connection and everything taken or waiting, unacknowledged, so that the broker sends it again."""
        self._inbox.epoch += 1
        self._dialect.drop(REFUSED)
        self._inbox.clear()

    def health(self) -> Health:
        """Whether the broker is connected, and if not, why."""
        link, place = self._inbox.link, self._settings.url
        if link is None:
            return Health(ok=False, words=f"connecting to {place}")
        if not link.up:
            return Health(ok=False, words=link.reason)
        caveats = f"; {self._dialect.caveats}" if self._dialect.caveats else ""
        waiting = f"; {len(self._inbox.items)} messages wait" if self._inbox.crowded else ""
        refused = "".join(
            f"; it refuses the subscription to '{name}': {words}"
            for name, words in self._subscriptions.refused.items()
        )
        words = f"connected to {place} by {self._dialect.name}{refused}{caveats}{waiting}"
        return Health(ok=not refused, words=words)


def connect_source(
    settings: MqttSettings, back_off: BackOff | None = None, record: Path | None = None
) -> MqttSource:
    """A source for these settings; nothing is connected before :meth:`MqttSource.run`.

    Version ``auto`` tries MQTT 5 first and goes over to 3.1.1 when the broker refuses it; the broker need not be there yet.

    Args:
        settings: the broker and what to ask of it.
        back_off: how long to wait between attempts.
        record: a file that remembers what the broker's session may hold, so that a later start can give it up.

    Raises:
        SettingsError: a certificate file cannot be used.
    """
    inbox = Inbox()
    subscriptions = Subscriptions(settings, Record(settings, record))
    context = settings.tls_context()
    dialects: list[Dialect] = []
    if settings.version in ("auto", "5"):
        dialects.append(Mqtt5Dialect(settings, inbox, subscriptions, context))
    if settings.version in ("auto", "3.1.1"):
        dialects.append(PahoDialect(settings, inbox, subscriptions, context))
    return MqttSource(settings, inbox, subscriptions, dialects, back_off)
