"""MQTT 5 on the asyncio loop: a socket, the ``mqtt5`` packet codec, and a session of which we ask little."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from gateway.adapters.mqtt5_reader import Suspicion
from gateway.adapters.mqtt5_session import ANSWER_TIME
from gateway.adapters.mqtt5_wire import Mqtt5Wire
from gateway.adapters.mqtt_endings import Ending, unreachable
from gateway.adapters.mqtt_inbox import Inbox
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_subscriptions import Subscriptions

LEAVE_TIME: Final = 1.0
"""Seconds to get the last bytes out when leaving."""


class Mqtt5Dialect:
    """Makes one MQTT 5 connection after another.

    Args:
        settings: the broker and what to ask of it.
        inbox: where everything goes.
        subscriptions: what to receive, over all connections.
        context: for TLS, else None.
    """

    name = "MQTT 5"

    def __init__(
        self,
        settings: MqttSettings,
        inbox: Inbox,
        subscriptions: Subscriptions,
        context: ssl.SSLContext | None,
    ) -> None:
        self._settings, self._inbox, self._context = settings, inbox, context
        self._subscriptions = subscriptions
        self._suspicion = Suspicion()
        self._wire: Mqtt5Wire | None = None

    @property
    def caveats(self) -> str:
        """What the broker did not grant."""
        return "; ".join(self._wire.session.caveats) if self._wire else ""

    async def converse(self) -> Ending:
        """Connect, subscribe and receive until it is over; when cancelled, leave cleanly."""
        wire = Mqtt5Wire(self._settings, self._inbox, self._subscriptions, self._suspicion)
        loop = asyncio.get_running_loop()
        place = self._settings.host, self._settings.port
        try:
            async with asyncio.timeout(ANSWER_TIME):
                await loop.create_connection(lambda: wire, *place, ssl=self._context)
        except (OSError, UnicodeError) as error:  # the latter for a host name that cannot be encoded
            return unreachable(self._settings, error)
        self._wire = wire
        try:
            return await wire.watch()
        finally:
            self._wire = None
            wire.leave()
            # Not even a second cancellation may leave the socket behind.
            await asyncio.wait([wire.gone], timeout=LEAVE_TIME)
            wire.abort()

    def subscribe(self) -> None:
        """Have the broker send what is wanted now; without a connection the next one does it."""
        if self._wire:
            self._wire.session.ask()

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Acknowledge these messages in this order, in one write."""
        if self._wire:
            self._wire.acknowledge(receipts)

    def drop(self, ending: Ending) -> None:
        """Break the connection off and hand over nothing more of it."""
        if self._wire:
            self._wire.end(ending)
            self._wire.abort()

    def resume(self) -> None:
        """Read on after the inbox was crowded."""
        if self._wire:
            self._wire.resume()
