"""How far a simulation is, on a terminal, and what it came to at the end."""

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Self

import typer

from api.cli.traffic_files import progress
from gateway.core.values import SECOND, Millis
from simulators.living import Progress

OFTEN = 0.1
"""Seconds between two looks at the bar."""


class Watcher:
    """Watches one simulation. A context manager, within which the bar is shown.

    Args:
        duration: simulated seconds; None is without an end.
        rate: messages a second that were asked for.
    """

    def __init__(self, duration: float | None, rate: Fraction | None = None) -> None:
        self._bar = progress(None if duration is None else duration * SECOND)
        self._rate = rate
        self._first: Millis | None = None
        self._state: Progress | None = None
        self._began = time.monotonic()
        self._before = 0
        self._shown = 0.0
        self._noun = "published"

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *fault: object) -> None:
        self._bar.__exit__(None, None, None)

    def see(self, state: Progress) -> None:
        """The simulation has come so far."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._began, self._before = state.now, now, state.published
        self._state = state
        if now - self._shown >= OFTEN:
            self._shown = now
            self._bar.update(self._bar.tasks[0].id, completed=state.now - self._first, words=self._words())

    def until_stopped(self, run: Callable[[], object]) -> None:
        """Run it until it ends or somebody presses Ctrl-C, and say what it came to."""
        stopped = ""
        try:
            run()
        except KeyboardInterrupt:
            stopped = "stopped: "
        self._bar.stop()
        reconnects = self._state.reconnects if self._state else 0
        typer.echo(f"{stopped}{self._words()}, {reconnects} reconnects", err=True)

    def writing(self, file: Path, run: Callable[[], object]) -> None:
        """Write a file until it is complete; after Ctrl-C there is a part of it."""
        self._noun = "written"
        try:
            run()
        except KeyboardInterrupt as stop:
            self._bar.stop()
            typer.echo(f"stopped: {self._words()} so far, in {file}.part", err=True)
            raise typer.Exit(130) from stop
        self._bar.stop()
        typer.echo(f"{file}: {self._words()}, {file.stat().st_size:,} bytes", err=True)

    def _words(self) -> str:
        count = self._state.published if self._state else 0
        spent = time.monotonic() - self._began
        reached = f", {(count - self._before) / spent:,.0f}/s" if spent else ""
        asked = (
            f" of the {float(self._rate):,g}/s asked for" if self._rate and self._noun == "published" else ""
        )
        return f"{count:,} {self._noun} in {spent:,.1f} s{reached}{asked}"
