"""What is said on an MQTT 5 connection besides messages: CONNECT, SUBSCRIBE, keep-alive. Numbers: MQTT 5.0."""

import struct
from collections.abc import Callable
from typing import Final, Protocol

from mqtt5 import (
    ConnAckPacket,
    ConnectPacket,
    DisconnectPacket,
    DisconnectReasonCode,
    Packet,
    PingReqPacket,
    PingRespPacket,
    PubRelPacket,
    QoS,
    SubAckPacket,
    SubscribePacket,
    TopicFilter,
    UnsubAckPacket,
    UnsubscribePacket,
)

from gateway.adapters import mqtt_endings as endings
from gateway.adapters.mqtt_endings import Ending
from gateway.adapters.mqtt_inbox import Inbox
from gateway.adapters.mqtt_settings import MqttSettings
from gateway.adapters.mqtt_subscriptions import REFUSES, Grant, Subscriptions
from gateway.ports import Link

ANSWER_TIME: Final = 10.0
"""Seconds a broker may take to accept a connection, and again to answer CONNECT and SUBSCRIBE."""
GUESS_TIME: Final = 3.0
"""The same for the answers while it is not known whether the broker understands MQTT 5 at all."""
PINGREQ: Final = PingReqPacket().write()
_PUBCOMP: Final = 0x7002_0000


class Outlet(Protocol):
    """The way out of the session: the wire."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def end(self, ending: Ending) -> None:
        """It is over."""

    def break_off(self, code: DisconnectReasonCode, ending: Ending) -> None:
        """It is over because of what the broker did wrong; tell it so."""


class Mqtt5Session:
    """The client's side of the conversation.

    Args:
        settings: what to ask of the broker.
        inbox: told about the link.
        subscriptions: what to receive, over all connections.
        outlet: where packets go.
        clock: seconds, going forward.
    """

    def __init__(
        self,
        settings: MqttSettings,
        inbox: Inbox,
        subscriptions: Subscriptions,
        outlet: Outlet,
        clock: Callable[[], float],
    ) -> None:
        self.accepted = False
        self._caveats: list[str] = []
        self.heard = False
        """Set whenever bytes come in."""
        self._settings, self._inbox, self._outlet, self._clock = settings, inbox, outlet, clock
        self._subscriptions = subscriptions
        self._answer_time = GUESS_TIME if settings.version == "auto" else ANSWER_TIME
        self._deadline = clock() + self._answer_time
        self._subscribed = False
        self._keep_alive: float = settings.keep_alive
        self._silences = 0

    def connect(self) -> None:
        """Ask for the session."""
        asked = self._settings
        packet = ConnectPacket(
            asked.client_id,
            username=asked.username,
            password=None if asked.password is None else asked.password.encode(),
            clean_start=False,
            keep_alive=asked.keep_alive,
            session_expiry_interval=asked.session_expiry,
            receive_max=asked.receive_maximum,
            max_packet_size=asked.max_packet,
        )
        self._deadline = self._clock() + self._answer_time
        self._outlet.write(packet.write())

    def handle(self, packet: Packet) -> None:
        """Every packet but PUBLISH."""
        match packet:
            case PingRespPacket() if self.accepted:
                pass
            case PubRelPacket() if self.accepted:
                self._outlet.write(struct.pack(">I", _PUBCOMP | packet.packet_id))
            case ConnAckPacket() if not self.accepted:
                self._answered(packet)
            case SubAckPacket() if self._awaits(subscribe=True):
                self._granted(packet)
            case UnsubAckPacket() if self._awaits(subscribe=False):
                self._granted(packet)
            case DisconnectPacket() if self.accepted:
                self._outlet.end(self._farewell(packet))
            case _:
                self._outlet.break_off(
                    DisconnectReasonCode.PROTOCOL_ERROR,
                    endings.protocol_error(self._settings, type(packet).__name__),
                )

    @property
    def caveats(self) -> list[str]:
        """What the broker did not grant, for a person."""
        return [*self._caveats, *self._subscriptions.caveats]

    @property
    def patience(self) -> float:
        """Seconds until :meth:`check` is due."""
        remaining = self._keep_alive / 2
        return max(0.0, min(remaining, self._deadline - self._clock())) if self._waiting else remaining

    @property
    def _waiting(self) -> bool:
        """An answer is due by the deadline."""
        return not self._subscribed or self._subscriptions.asked is not None

    def _awaits(self, *, subscribe: bool) -> bool:
        asked = self._subscriptions.asked
        return self.accepted and asked is not None and asked.subscribe is subscribe

    def check(self, *, deaf: bool) -> None:
        """Ping the broker; give it up when it has said nothing for a keep-alive time.

        Args:
            deaf: reading is paused, so that its silence proves nothing.
        """
        if self.accepted:
            self._silences = 0 if self.heard or deaf else self._silences + 1
            self.heard = False
            self._outlet.write(PINGREQ)
        if self._silences >= 2:  # noqa: PLR2004  # two halves of a keep-alive time
            self._outlet.end(endings.silent(self._settings))
        elif self._waiting and deaf:
            self._deadline = self._clock() + self._answer_time  # the answer may be among what is not read yet
        elif self._waiting and self._clock() >= self._deadline:
            self._outlet.end(endings.late(self._settings, self._answer_time, accepted=self.accepted))
        elif self._subscribed:
            self.ask()

    def _answered(self, packet: ConnAckPacket) -> None:
        if packet.reason_code.value >= REFUSES:
            self._outlet.end(endings.refused(self._settings, packet.reason_code.value))
            return
        self.accepted = True
        self._inbox.open()
        self._answer_time = ANSWER_TIME
        if packet.server_keep_alive:
            self._keep_alive = packet.server_keep_alive
        expiry = packet.session_expiry_interval
        if expiry is not None and expiry < self._settings.session_expiry:
            self._caveats.append(f"it keeps the session of an absent gateway for {expiry} s only")
        self._subscriptions.opened(kept=packet.session_present)
        self.ask()

    def ask(self) -> None:
        """Subscribe and unsubscribe as is wanted now; one question at a time."""
        asked = self._subscriptions.next(self._clock()) if self.accepted else None
        if asked is None:
            return
        self._deadline = self._clock() + ANSWER_TIME
        if not asked.subscribe:
            self._outlet.write(UnsubscribePacket(2, list(asked.filters)).write())
            return
        # Retained flags as MQTT 3.1.1 has them: set on what was stored, not on what happens now [3.8.3.1].
        wanted = [
            TopicFilter(text, max_qos=QoS.AT_LEAST_ONCE, retain_as_published=False) for text in asked.filters
        ]
        self._outlet.write(SubscribePacket(1, wanted).write())

    def _granted(self, packet: SubAckPacket | UnsubAckPacket) -> None:
        grants = [Grant(code.value, code.name.replace("_", " ").lower()) for code in packet.reason_codes]
        ending = self._subscriptions.answered(grants, self._clock())
        if ending is not None:
            self._outlet.end(ending)
            return
        self._subscribed = True
        self._inbox.say(Link(up=True))
        self.ask()

    def _farewell(self, packet: DisconnectPacket) -> Ending:
        if packet.reason_code is DisconnectReasonCode.SESSION_TAKEN_OVER:
            return endings.taken_over(self._settings)
        words = packet.reason_str or packet.reason_code.name.replace("_", " ").lower()
        return endings.dismissed(self._settings, words)
