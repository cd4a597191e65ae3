"""Which topics the broker is to send, what it grants, and what its session may still hold from before.

The broker keeps the subscriptions of a persistent session while the gateway is away, and with them it goes on queuing
messages for topics nobody wants any more. So every filter that was ever asked for stays on record, in the data
directory too, until the broker has confirmed that it let go of it.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.adapters import mqtt_endings as endings
from gateway.adapters.mqtt_endings import Ending
from gateway.adapters.mqtt_settings import MqttSettings

log = logging.getLogger(__name__)

AGAIN: Final = 30.0
"""Seconds until a filter that the broker refused is asked for again."""
REFUSES: Final = 0x80
"""Reason codes from here on are failures (MQTT 5.0, section 2.4; MQTT 3.1.1, section 3.9.3)."""


class Ask(NamedTuple):
    """What to ask of the broker next."""

    subscribe: bool
    """Else unsubscribe."""
    filters: tuple[str, ...]


class Grant(NamedTuple):
    """The broker's answer for one filter."""

    code: int
    """0 for QoS 0, 1 and 2 for the others, failures from :data:`REFUSES` on."""
    words: str
    """Why it is refused, for a person."""


REFUSED_IN_SILENCE: Final = Grant(REFUSES, "no answer to it")


class Session(msgspec.Struct):
    """What is on record of one session."""

    broker: str
    client_id: str
    filters: list[str]


class Record:
    """The filters that the broker's session may hold, kept in a file.

    Args:
        settings: whose session it is: that of another broker or client id says nothing about this one.
        path: the file; None to remember nothing beyond this process.
    """

    def __init__(self, settings: MqttSettings, path: Path | None) -> None:
        self._settings, self._path = settings, path
        self._held: dict[str, None] | None = None

    @property
    def filters(self) -> tuple[str, ...]:
        """In the order they were asked for."""
        return tuple(self._load())

    def add(self, filters: Sequence[str]) -> None:
        """They are about to be asked for."""
        self._save(self._load() | dict.fromkeys(filters))

    def remove(self, filters: Sequence[str]) -> None:
        """The broker does not hold them any more."""
        self._save({name: None for name in self._load() if name not in filters})

    def _load(self) -> dict[str, None]:
        if self._held is None:
            self._held = {}
            try:
                body = self._path.read_bytes() if self._path else b""
                found = msgspec.json.decode(body, type=Session) if body else None
            except FileNotFoundError:
                found = None
            except (OSError, msgspec.DecodeError) as error:
                log.warning("what the broker was asked for before cannot be read: %s", error)
                found = None
            if found and (found.broker, found.client_id) == (self._settings.url, self._settings.client_id):
                self._held = dict.fromkeys(found.filters)
        return self._held

    def _save(self, held: dict[str, None]) -> None:
        if held == self._held:
            return
        self._held = held
        if self._path is None:
            return
        body = msgspec.json.encode(Session(self._settings.url, self._settings.client_id, list(held)))
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:  # all it costs is a topic that may be sent for nothing after a restart
            log.warning("what the broker is asked for cannot be written down: %s", error)


class Subscriptions:
    """What one session is subscribed to, over any number of connections. One question is under way at a time.

    New filters are asked for before old ones are given up, so that nothing is missed where they overlap.

    Args:
        settings: what is wanted at first; for texts.
        record: what the session may hold.
    """

    def __init__(self, settings: MqttSettings, record: Record) -> None:
        self.wanted = settings.filters
        self.refused: dict[str, str] = {}
        """What the broker would not grant, and why; it is asked again after a while."""
        self.asked: Ask | None = None
        """What it has not answered yet."""
        self._settings, self._record = settings, record
        self._granted: dict[str, int] = {}
        """At which quality of service."""
        self._kept: set[str] = set()
        """What the broker would not let go of on this connection."""
        self._told: dict[str, str] = {}
        self._again = 0.0

    def want(self, filters: Sequence[str]) -> None:
        """From now on these are wanted, and no others."""
        self.wanted = tuple(filters)
        self.refused = {name: words for name, words in self.refused.items() if name in filters}

    @property
    def caveats(self) -> list[str]:
        """What it granted less than fully, for a person."""
        return [
            f"it grants '{name}' at QoS 0 only, where messages can be lost"
            for name, quality in self._granted.items()
            if quality < 1 and name in self.wanted
        ]

    def opened(self, *, kept: bool) -> None:
        """A connection was accepted.

        Args:
            kept: the broker still has the session.
        """
        self.asked, self._again = None, 0.0
        self.refused, self._granted, self._kept = {}, {}, set()
        if not kept:
            self._record.remove(self._record.filters)

    def next(self, now: float) -> Ask | None:
        """What to ask now; None when there is nothing, or an answer is still awaited."""
        if self.asked is not None:
            return None
        if self.refused and now >= self._again:
            lacking = [name for name in self.wanted if name not in self._granted]
        else:
            lacking = [name for name in self.wanted if name not in self._granted.keys() | self.refused.keys()]
        if lacking:
            self._record.add(lacking)
            self.asked = Ask(True, tuple(lacking))
            return self.asked
        stale = [name for name in self._record.filters if name not in {*self.wanted, *self._kept}]
        if stale:
            self.asked = Ask(False, tuple(stale))
        return self.asked

    def answered(self, grants: Sequence[Grant], now: float) -> Ending | None:
        """The broker's answer to what was asked; an ending when it grants nothing at all."""
        asked, self.asked = self.asked, None
        if asked is None:
            return None
        # Nothing said of a filter: granted where it was to be given up (MQTT 3.1.1 never says more), else not.
        silence = REFUSED_IN_SILENCE if asked.subscribe else Grant(0, "")
        pairs = [(name, grants[n] if n < len(grants) else silence) for n, name in enumerate(asked.filters)]
        refused = {name: grant.words for name, grant in pairs if grant.code >= REFUSES}
        if not asked.subscribe:
            self._let_go(asked, refused)
            return None
        for name, grant in pairs:
            if name in refused:
                continue
            self._granted[name] = grant.code
            self.refused.pop(name, None)
        self.refused |= {name: words for name, words in refused.items() if name in self.wanted}
        if not self._granted and refused:
            return endings.unsubscribed(*next(iter(refused.items())))
        self._say(now)
        return None

    def _let_go(self, asked: Ask, refused: dict[str, str]) -> None:
        gone = [name for name in asked.filters if name not in refused]
        self._record.remove(gone)
        for name in gone:
            self._granted.pop(name, None)
        self._kept |= refused.keys()
        for name, words in refused.items():
            log.warning("the broker goes on sending '%s', which is not wanted any more: %s", name, words)

    def _say(self, now: float) -> None:
        """Say what is newly refused, once."""
        for name, words in self.refused.items():
            if self._told.get(name) != words:
                log.warning("broker refused the subscription to '%s': %s", name, words)
        self._told = dict(self.refused)
        self._again = now + AGAIN
