"""Why a connection to the broker ended, in words for a person, and how soon to try again."""

import enum
import errno
import random
import socket
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.adapters.mqtt_settings import MqttSettings

SHORT: Final = 60.0
"""Seconds: a connection that lasted less did not prove that the trouble is over."""


class Retry(enum.Enum):
    """How to go on after an ending."""

    SOON = enum.auto()
    """With exponential back-off and full jitter."""
    SLOWLY = enum.auto()
    """Somebody has to change something first: credentials, certificates, rights."""
    STRONGLY = enum.auto()
    """Another client holds our client id: fighting over it would serve neither."""
    OTHER_VERSION = enum.auto()
    """The broker does not speak this version of MQTT, and says so at once: try the next one."""
    OTHER_VERSION_FIRST = enum.auto()
    """The broker does not answer this version of MQTT (amqtt hangs at MQTT 5): try the next one, from now on first."""


class Ending(NamedTuple):
    """How a connection, or the attempt to make one, came to its end."""

    reason: str
    """For a person. The same trouble always gives the same text, so that it is reported once."""
    retry: Retry = Retry.SOON
    unexplained: bool = False
    """The broker closed an accepted connection without saying why, as MQTT 3.1.1 brokers do when a client id is taken over."""


class BackOff:
    """How long to wait before the next attempt.

    Args:
        base: seconds, the upper end of the first wait.
        cap: seconds, the upper end of every ordinary wait.
        draw: a random number in [0, 1).
    """

    def __init__(
        self, base: float = 0.5, cap: float = 30.0, draw: Callable[[], float] = random.random
    ) -> None:
        self._base, self._cap, self._draw = base, cap, draw
        self._attempts = 0
        self._takeovers = 0
        self._unexplained = 0

    def judge(self, ending: Ending, lasted: float, client_id: str) -> Ending:
        """The ending, seen together with those before it: three short unexplained ones are most likely a takeover.

        Args:
            ending: how the connection ended.
            lasted: seconds it was up; 0 when it never was.
            client_id: for the text.
        """
        if lasted >= SHORT:
            self._attempts = self._takeovers = self._unexplained = 0
        if not ending.unexplained:
            return ending
        self._unexplained += 1
        if self._unexplained < 3:  # noqa: PLR2004  # twice may be a restarted broker
            return ending
        return Ending(
            "the broker keeps closing the connection soon after accepting it; "
            f"most likely another client uses the client id '{client_id}'",
            Retry.STRONGLY,
        )

    def wait(self, retry: Retry) -> float:
        """Seconds until the next attempt."""
        if retry is Retry.STRONGLY:
            self._takeovers += 1
            return (0.5 + self._draw() / 2) * self._cap * 2.0 ** min(self._takeovers, 5)
        if retry is Retry.SLOWLY:
            return (0.5 + self._draw() / 2) * self._cap
        self._attempts += 1
        return self._draw() * min(self._cap, self._base * 2.0 ** min(self._attempts - 1, 30))


def unreachable(settings: MqttSettings, error: Exception) -> Ending:
    """Why no connection came about, or why it broke, from the error the network or TLS gave."""
    place = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return Ending(
                f"the certificate of the broker at {place} is not trusted: {error.verify_message}",
                Retry.SLOWLY,
            )
        case ssl.SSLError():
            words = (error.reason or str(error)).replace("_", " ").lower()
            return Ending(f"TLS with the broker at {place} failed: {words}", Retry.SLOWLY)
        case socket.gaierror():
            return Ending(f"the name of the broker, '{settings.host}', cannot be resolved: {error.strerror}")
        case TimeoutError():
            return Ending(f"the broker at {place} did not answer in time")
        case OSError() if error.errno == errno.ECONNREFUSED or f"[Errno {errno.ECONNREFUSED}]" in str(error):
            return Ending(f"no broker listens at {place} (connection refused)")
        case ConnectionResetError() | BrokenPipeError():
            return Ending(f"the broker at {place} broke the connection off")
        case OSError():
            return Ending(f"the broker at {place} cannot be reached: {error.strerror or error}")
        case _:
            return Ending(f"the connection to the broker at {place} failed: {error}")


def refused(settings: MqttSettings, code: int) -> Ending:
    """Why the broker did not accept us, from the reason code of its CONNACK (MQTT 5.0, section 3.2.2.2)."""
    words = _REFUSALS.get(code, f"reason code {code}")
    match code:
        case 0x84:
            return other_version(settings)
        case 0x86 | 0x87:
            who = f"user '{settings.username}'" if settings.username else "a client without user name"
            return Ending(f"broker refused {who}: {words}", Retry.SLOWLY)
        case 0x85:
            return Ending(f"broker refused the client id '{settings.client_id}'", Retry.SLOWLY)
        case 0x88 | 0x89 | 0x9F:
            return Ending(f"broker refused the connection: {words}")
        case _:
            return Ending(f"broker refused the connection: {words}", Retry.SLOWLY)


_REFUSALS: Final = {
    0x80: "unspecified error",
    0x81: "it called our packet malformed",
    0x82: "it called our packet a protocol error",
    0x83: "implementation specific error",
    0x86: "bad user name or password",
    0x87: "not authorised (wrong password, or no right to connect)",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8C: "bad authentication method",
    0x90: "topic name invalid",
    0x95: "packet too large",
    0x97: "quota exceeded",
    0x9A: "it does not support retained messages",
    0x9B: "it does not support this quality of service",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}


def other_version(settings: MqttSettings) -> Ending:
    """The broker said that it does not speak the version of MQTT that was tried."""
    return Ending(
        f"the broker at {settings.host}:{settings.port} does not speak this version of MQTT",
        Retry.OTHER_VERSION,
    )


def unanswered(settings: MqttSettings) -> Ending:
    """The broker closed the connection instead of answering: so do some when they do not know the version."""
    guess = "does it ask for a client certificate?" if settings.secure else "does it expect TLS (mqtts://)?"
    place = f"{settings.host}:{settings.port}"
    return Ending(
        f"the broker at {place} closes the connection without an answer; {guess}", Retry.OTHER_VERSION
    )


def no_broker(settings: MqttSettings, heard: bytes) -> Ending:
    """What answers does not speak MQTT at all."""
    return Ending(
        f"what answers at {settings.host}:{settings.port} is not an MQTT broker; it sent {heard[:20]!r}",
        Retry.SLOWLY,
    )


def late(settings: MqttSettings, seconds: float, *, accepted: bool) -> Ending:
    """The connection came about, but the broker does not answer CONNECT or, when it has accepted us, SUBSCRIBE."""
    retry = Retry.SOON if accepted else Retry.OTHER_VERSION_FIRST
    return Ending(f"the broker at {settings.host}:{settings.port} did not answer within {seconds:g} s", retry)


def protocol_error(settings: MqttSettings, packet: str) -> Ending:
    """The broker sent something at a moment when it may not."""
    return Ending(
        f"the broker at {settings.host}:{settings.port} broke the protocol: {packet} was not expected"
    )


def unreadable(settings: MqttSettings, *, oversize: bool = False) -> Ending:
    """The broker sent a packet that cannot be read, or is larger than we said we would take."""
    what = f"larger than {settings.max_packet:,} bytes" if oversize else "that cannot be read"
    return Ending(f"the broker at {settings.host}:{settings.port} sent a packet {what}")


def dismissed(settings: MqttSettings, words: str) -> Ending:
    """The broker said goodbye, and why."""
    return Ending(f"the broker at {settings.host}:{settings.port} ended the connection: {words}")


def taken_over(settings: MqttSettings) -> Ending:
    """The broker said that somebody else connected with our client id."""
    return Ending(
        f"another client took over the client id '{settings.client_id}'; give each gateway its own",
        Retry.STRONGLY,
    )


def closed(settings: MqttSettings) -> Ending:
    """The broker closed an accepted connection and gave no reason."""
    return Ending(f"the broker at {settings.host}:{settings.port} closed the connection", unexplained=True)


def silent(settings: MqttSettings) -> Ending:
    """Nothing came back for a whole keep-alive time."""
    return Ending(f"the broker at {settings.host}:{settings.port} has stopped answering")


def unsubscribed(topic_filter: str, words: str) -> Ending:
    """The broker refused a subscription."""
    return Ending(f"broker refused the subscription to '{topic_filter}': {words}", Retry.SLOWLY)
