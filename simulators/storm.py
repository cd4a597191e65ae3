"""A connection that cannot make up its mind: up and down again every few seconds."""

import random

from gateway.core.values import SECOND, Millis
from simulators.agenda import Agenda
from simulators.uplink import Uplink

AWAY: tuple[Millis, Millis] = (SECOND // 5, 3 * SECOND)
"""Shortest and longest time without a connection, milliseconds."""
BACK: tuple[Millis, Millis] = (SECOND // 2, 5 * SECOND)
"""Shortest and longest time with one."""


class Storm:
    """Breaks one device's connection again and again. Its random numbers are its own.

    Args:
        agenda: the device's.
        uplink: the device's.
        seed: the same seed breaks it at the same moments.
    """

    def __init__(self, agenda: Agenda, uplink: Uplink, seed: str) -> None:
        self._agenda = agenda
        self._uplink = uplink
        self._seed = seed
        self._rng: random.Random | None = None

    def begin(self, at: Millis) -> None:
        """The first break."""
        if self._rng is None:
            self._rng = random.Random(self._seed)
        self._break(at)

    def end(self, at: Millis) -> None:
        """The connection is back and stays."""
        self._agenda.drop("storm")
        self._uplink.rejoin(at)

    def _break(self, at: Millis) -> None:
        self._uplink.cut(at)
        self._agenda.at("storm", at + self._wait(AWAY), self._rejoin)

    def _rejoin(self, at: Millis) -> None:
        self._uplink.rejoin(at)
        self._agenda.at("storm", at + self._wait(BACK), self._break)

    def _wait(self, bounds: tuple[Millis, Millis]) -> Millis:
        return self._rng.randint(*bounds) if self._rng else bounds[0]
