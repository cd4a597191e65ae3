"""Publishing recorded messages on a live broker, at the pace they were recorded at or any other."""

import math
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gateway.core.inputs import LinkLost, LinkUp
from gateway.core.values import SECOND, Message, Millis
from gateway.traffic import Line, TrafficReader
from gateway.traffic.shifting import shift_message
from simulators.errors import SimulationError
from simulators.hose import CHUNK, Hose, hose
from simulators.publication import Publication, may_be_published

LOOK = 0.25
"""Seconds between two reports of progress, and how long nothing but acknowledgements is waited for at most."""


class Progress(NamedTuple):
    """How far a replay is."""

    messages: int
    """Those the broker has."""
    skipped: int
    """Lines so far that are no message to publish: commands, taps of phones, ticks …"""
    at: Millis
    """The recorded moment it is at, shifted; 0 before the first line."""
    seconds: float
    """Since the beginning."""
    behind: float
    """Seconds by which the latest message left later than the pace asks for; 0 at full speed."""


class Replayed(NamedTuple):
    """What a replay came to."""

    messages: int
    """Those the broker has acknowledged; those of QoS 0 are only known to be sent."""
    skipped: int
    """Lines that are no message to publish. That the broker was lost and came back is not counted: it is kept as a pause."""
    seconds: float
    rate: float
    """Messages a second that were reached."""
    behind: float
    """Seconds by which a message left later than the pace asked for, at the worst; 0 at full speed."""


async def replay_to(
    reader: TrafficReader | Iterable[Line],
    url: str,
    *,
    speed: float = 1.0,
    shift: Millis | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Replayed:
    """Publish the messages of a file in their order, with their topics, payloads and retain flags.

    QoS 0 and 1 are kept, QoS 2 goes as 1. Stretches without messages are kept, at ``speed``, those without a connection
    among them; at full speed there are none. Messages on topics that nobody may publish to (``$…``) are skipped.

    Args:
        reader: the file, or its lines in order of time.
        url: a broker that speaks MQTT 5.
        speed: recorded seconds a second; 1 is real time, 0 is as fast as the broker takes it.
        shift: milliseconds by which device times are moved, see :func:`gateway.traffic.shifting.shift_payload`;
            None leaves them.
        progress: told four times a second.

    Raises:
        SimulationError: the speed cannot be; the broker is not there, refuses us, or breaks the connection off: then
            the text says how far it got.
        TrafficError: the file cannot be opened.
    """
    if not 0 <= speed < math.inf:
        raise SimulationError(
            f"a speed of {speed} is not possible; give 1 for real time, 60, or 0 for full speed"
        )
    player = _Player(iter(reader), speed, shift, progress)
    try:
        async with hose(url, f"fgw-replay-{secrets.token_hex(4)}") as line:
            return await player.play(line)
    except SimulationError as error:
        if not player.number:
            raise
        raise SimulationError(f"{error}; {player.place}") from error


class _Player:
    """Takes lines when they are due and hands them to the connection."""

    def __init__(
        self,
        lines: Iterator[Line],
        speed: float,
        shift: Millis | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._lines, self._speed, self._shift, self._progress = lines, speed, shift or 0, progress
        self._next: Line | None = None
        self._first: Millis | None = None
        self._at: Millis = 0
        self._began = self._looked = time.monotonic()
        self._behind = self._worst = 0.0
        self.skipped = 0
        self.number = 0
        """The line of the file that was taken last."""

    @property
    def place(self) -> str:
        """Where it is in the file, in words."""
        return f"it got as far as line {self.number}"

    async def play(self, line: Hose) -> Replayed:
        """Publish everything; returns once all of it is acknowledged."""
        self._began = self._looked = time.monotonic()
        self._next = next(self._lines, None)
        while self._next is not None:
            line.write(self._due(min(CHUNK, line.room)), as_given=True)
            self._tell(line)
            await line.settle(self._nap())
        await line.drained()
        seconds = time.monotonic() - self._began
        self._tell(line, last=True)
        rate = line.acknowledged / seconds if seconds else 0.0
        return Replayed(line.acknowledged, self.skipped, seconds, rate, self._worst)

    def _due(self, most: int) -> list[Publication]:
        """What has to leave by now, up to so many messages."""
        found: list[Publication] = []
        now = time.monotonic() - self._began
        looked_at = 0
        while (line := self._next) is not None and len(found) < most and looked_at < CHUNK:
            late = now - self._when(line.at)
            if late < 0:
                break
            looked_at += 1
            if (publication := self._publication(line)) is not None:
                found.append(publication)
                self._behind = late if self._speed else 0.0
                self._worst = max(self._worst, self._behind)
            self.number, self._at = line.number, line.at + self._shift
            self._next = next(self._lines, None)
        return found

    def _when(self, at: Millis) -> float:
        """Seconds after the beginning at which a recorded moment is reached."""
        if self._first is None:
            self._first = at
        return (at - self._first) / SECOND / self._speed if self._speed else 0.0

    def _nap(self) -> float:
        """How long nothing is due."""
        if not self._speed or self._next is None:
            return 0.0
        left = self._began + self._when(self._next.at) - time.monotonic()
        return min(LOOK, max(0.0, left))

    def _publication(self, line: Line) -> Publication | None:
        """The line as a message to publish; None where it is none."""
        one = line.input
        if isinstance(one, Message) and may_be_published(one.topic):
            moved = shift_message(one, self._shift) if self._shift else one
            return Publication(moved.topic, moved.payload, line.qos, moved.retained, line.at)
        self.skipped += not isinstance(one, LinkLost | LinkUp)
        return None

    def _tell(self, line: Hose, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or (now < self._looked + LOOK and not last):
            return
        self._looked = now
        state = Progress(line.acknowledged, self.skipped, self._at, now - self._began, self._behind)
        self._progress(state)
