"""How to reach the MQTT broker and what to ask of it, checked whole before anything connects."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self, TypedDict, Unpack
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.errors import SettingsError

Version = Literal["auto", "5", "3.1.1"]

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
LONGEST_TEXT: Final = 65_535
"""Bytes of UTF-8 in any MQTT string (MQTT 5.0, section 1.5.4)."""
LARGEST_PACKET: Final = 268_435_460
"""Bytes: the largest packet MQTT can frame (MQTT 5.0, section 2.1.4), fixed header included."""
DAY_SECONDS: Final = 86_400


class Options(TypedDict, total=False):
    """Everything of :class:`MqttSettings` but the URL."""

    client_id: str
    filters: tuple[str, ...]
    username: str | None
    password: str | None
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None
    receive_maximum: int
    keep_alive: int
    session_expiry: int
    max_packet: int
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker connection. Every wrong value raises :class:`gateway.errors.SettingsError` that says what is allowed.

    Attributes:
        url: ``mqtt://host[:port]`` or ``mqtts://host[:port]``, without credentials (see :meth:`from_url`).
        client_id: stable over restarts, as the broker keeps the session under it.
        filters: the topic filters to subscribe to, at QoS 1.
        ca_file: PEM file with the authorities to trust; the system's when None.
        cert_file: PEM file with the client's certificate, for brokers that ask for one.
        key_file: PEM file with its unencrypted key; None when ``cert_file`` holds it too.
        receive_maximum: unacknowledged messages the broker may have under way, 1 to 65,535 (MQTT 5 only).
        keep_alive: seconds, 1 to 65,535; a peer silent for this long is given up after at most half as long again.
        session_expiry: seconds the broker keeps the session of an absent gateway (MQTT 5 only).
        max_packet: bytes, 1,024 to 268,435,460 (MQTT 5 only).
        version: ``auto`` tries MQTT 5 and falls back to 3.1.1.
    """

    url: str
    client_id: str
    filters: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    receive_maximum: int = 1_000
    keep_alive: int = 30
    session_expiry: int = 7 * DAY_SECONDS
    max_packet: int = 1 << 20
    version: Version = "auto"

    @classmethod
    def from_url(cls, url: str, **options: Unpack[Options]) -> Self:
        """Settings from a URL that may carry user and password (percent-encoded); explicit options win over it."""
        parts = _split(url)
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password is not None else None
        _, at, rest = url.rpartition("@")
        bare = f"{parts.scheme}://{rest}" if at else url
        return cls(**{"url": bare, "username": user, "password": password, **options})  # type: ignore[arg-type]  # mypy sees one type for all values of a mixed dict

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.username is not None or parts.password is not None:
            raise SettingsError(
                "MQTT URL: give user and password as settings of their own here, not inside the URL"
            )
        self._check_identity()
        self._check_tls_files(parts.scheme)
        if not self.filters:
            raise SettingsError("MQTT: there is no topic filter to subscribe to; give at least one")
        for topic_filter in self.filters:
            _check_filter(topic_filter)
        _check_range("receive maximum", self.receive_maximum, 1, 65_535, "messages")
        _check_range("keep-alive", self.keep_alive, 1, 65_535, "seconds")
        _check_range("session expiry", self.session_expiry, 1, 0xFFFF_FFFF, "seconds")
        _check_range("largest packet", self.max_packet, 1_024, LARGEST_PACKET, "bytes")
        if self.version not in ("auto", "5", "3.1.1"):
            raise SettingsError(f"MQTT version is '{self.version}'; allowed are auto, 5 and 3.1.1")

    def _check_identity(self) -> None:
        if not self.client_id:
            raise SettingsError(
                "MQTT client id is empty; the broker keeps the gateway's session under it, so give a stable one"
            )
        for name, text in (
            ("client id", self.client_id),
            ("user", self.username),
            ("password", self.password),
        ):
            if text is not None and ("\0" in text or len(text.encode()) > LONGEST_TEXT):
                raise SettingsError(
                    f"MQTT {name} holds a NUL character or is longer than {LONGEST_TEXT:,} bytes"
                )
        if self.password is not None and self.username is None:
            raise SettingsError("MQTT password is given without a user; MQTT 3.1.1 does not allow that")

    def _check_tls_files(self, scheme: str) -> None:
        if scheme == "mqtt" and (self.ca_file or self.cert_file or self.key_file):
            raise SettingsError(
                f"MQTT: certificate files are given, but '{self.url}' is not encrypted; use mqtts://"
            )
        if self.key_file and not self.cert_file:
            raise SettingsError(f"MQTT: the key file {self.key_file} is given without a certificate file")

    @property
    def host(self) -> str:
        """Name or address of the broker."""
        return _split(self.url).hostname or ""

    @property
    def port(self) -> int:
        """TCP port, by default 1883, with TLS 8883."""
        parts = _split(self.url)
        return parts.port or PORTS[parts.scheme]

    @property
    def secure(self) -> bool:
        """Whether TLS is used."""
        return _split(self.url).scheme == "mqtts"

    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS context, read from the certificate files now; None without TLS.

        Raises:
            SettingsError: a file is missing, unreadable or not what it should be.
        """
        if not self.secure:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise SettingsError(f"MQTT CA file {self.ca_file}: {_words(error)}") from error
        if self.cert_file:
            try:
                # An encrypted key would otherwise ask for its password on the terminal.
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except OSError as error:
                pair = " and ".join(str(path) for path in (self.cert_file, self.key_file) if path)
                raise SettingsError(f"MQTT client certificate {pair}: {_words(error)}") from error
        return context


def _split(url: str) -> SplitResult:
    """Take the URL apart; the text of an error never repeats a password."""
    shown = f"…@{url.rpartition('@')[2]}" if "@" in url else url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"MQTT URL '{shown}' is wrong: {error}") from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise SettingsError(
            f"MQTT URL '{shown}' is wrong; write mqtt://host:1883, or mqtts://host:8883 for TLS"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(
            f"MQTT URL '{shown}' has something after the port; write mqtt://host:1883 (escape / # ? in a password as %2F %23 %3F)"
        )
    return parts


def _check_filter(topic_filter: str) -> None:
    """MQTT 5.0, section 4.7.1."""
    levels = topic_filter.split("/")
    hash_inside = any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#")
    plus_inside = any("+" in level and level != "+" for level in levels)
    if (
        not topic_filter
        or "\0" in topic_filter
        or len(topic_filter.encode()) > LONGEST_TEXT
        or hash_inside
        or plus_inside
    ):
        raise SettingsError(
            f"MQTT topic filter '{topic_filter}' is wrong; '+' stands for one whole level, '#' for all the last ones"
        )


def _check_range(name: str, value: int, least: int, most: int, unit: str) -> None:
    if not least <= value <= most:
        raise SettingsError(f"MQTT {name} is {value}; allowed are {least:,} to {most:,} {unit}")


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not a PEM file of that kind, or certificate and key do not belong together ({error.reason or error})"
    return error.strerror or str(error)
