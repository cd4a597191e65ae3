"""Reading traffic files for a command: several in a row, with progress, and with what could not be read."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.core.values import Millis
from gateway.errors import Problem
from gateway.traffic.lines import Line
from gateway.traffic.reader import TrafficReader

SHOWN = 20
"""Faults that are shown; the others are counted."""


class TrafficFiles:
    """Some files that belong together, such as those of a recording that was rotated.

    Args:
        paths: in order of time.
        command: begins what is said of faults.

    Raises:
        typer.BadParameter: one of them is given twice.
    """

    def __init__(self, paths: Sequence[Path], command: str) -> None:
        _check_once(paths)
        self.paths = paths
        self.problems: list[Problem] = []
        """The first faults."""
        self.faults = 0
        """Lines that could not be read, and files that are cut off."""
        self.last: Millis = 0
        self._command = command
        self._said: str | None = None

    def say(self, words: str) -> None:
        """What stands beside the bar from now on, in place of the number of lines."""
        self._said = words

    def batches(self) -> Iterator[Sequence[Line]]:
        """Their lines, some thousand at a time. Raises :class:`gateway.errors.TrafficError`."""
        with progress(_size(self.paths)) as bar:
            task = bar.tasks[0].id
            done = 0
            for path in self.paths:
                reader = TrafficReader(path, self._fault, self.last)
                for batch in reader.batches():
                    self.last = reader.last
                    yield batch
                    bar.update(
                        task, completed=done + reader.taken, words=self._said or f"{reader.lines:,} lines"
                    )
                done += reader.taken

    def _fault(self, problem: Problem) -> None:
        self.faults += 1
        if self.faults <= SHOWN:
            self.problems.append(problem)
            typer.echo(f"fgw {self._command}: {problem}", err=True)
        elif self.faults == SHOWN + 1:
            typer.echo(f"fgw {self._command}: further lines that cannot be read are only counted", err=True)


def place_of(path: Path) -> str:
    """Where a file lies, whatever way leads to it; the standard input is ``-``."""
    return "-" if str(path) == "-" else os.path.realpath(path)


def _check_once(paths: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        first = seen.setdefault(place_of(path), path)
        if first is not path:
            words = f"{path} is given twice" + (f", first as {first}" if first != path else "")
            raise typer.BadParameter(words, param_hint="FILES")


def progress(total: float | None) -> Progress:
    """A bar on a terminal; nothing elsewhere. Its one task has a field ``words``."""
    bar = Progress(
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    bar.add_task("", total=total, words="")
    return bar


def _size(paths: Sequence[Path]) -> float | None:
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError:
        return None
