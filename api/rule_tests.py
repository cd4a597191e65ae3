"""Rule tests as their faces need them: the files, a clock around each scenario, and failures in words."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from gateway.errors import GatewayError, Problem, SiteError
from gateway.rehearsal import Failure, FileResult, Played, Raise, Scenario, ScenarioFile, play, read
from gateway.rehearsal.coverage import levels_of
from gateway.site.bundle import is_shipped

SUFFIX: Final = ".scenario.yaml"
"""How the name of a file of rule tests ends."""
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
APART: Final = frozenset({"node_modules", "__pycache__"})
"""Folders that hold nobody's own tests."""


class NoSuchTests(GatewayError):
    """A path that was named leads nowhere."""


class Timed(NamedTuple):
    """What became of a file, and how long it took."""

    result: FileResult
    seconds: tuple[float, ...]
    """Of each scenario that was played, in order."""

    @property
    def good(self) -> bool:
        """Whether it could be read and every scenario passed."""
        return not self.result.problems and all(not one.failures for one in self.result.played)


def find(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are, each once; a folder's in order of their paths.

    Folders whose names begin with a dot and virtual environments inside a folder are passed over.

    Raises:
        NoSuchTests: one is neither a file nor a folder, or a folder holds no scenario.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(_below(path))
            if not inside:
                raise NoSuchTests(f"there is no *{SUFFIX} in {path}")
        elif path.exists():
            inside = [path]
        else:
            raise NoSuchTests(f"there is no file or folder {path}")
        for one in inside:
            found.setdefault(os.path.realpath(one), one)
    return list(found.values())


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        place = Path(here)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in APART and not (place / name / "pyvenv.cfg").exists()
        ]
        yield from (place / name for name in names if name.endswith(SUFFIX))


def perform(file: Path, text: str = "") -> Timed:
    """Play the scenarios of a file whose titles have ``text`` in them, in whatever case. Raises nothing."""
    try:
        whole = read(file)
    except SiteError as error:
        return Timed(FileResult(str(file), located(error.problems), (), frozenset()), ())
    played: list[Played] = []
    seconds: list[float] = []
    for scenario in whole.scenarios:
        if text.casefold() in scenario.title.casefold():
            began = time.perf_counter()
            played.append(play_one(whole, scenario, file))
            seconds.append(time.perf_counter() - began)
    known = frozenset[Raise]().union(*(levels_of(plan) for plan in whole.plans))
    return Timed(FileResult(str(file), (), tuple(played), known), tuple(seconds))


def play_one(whole: ScenarioFile, scenario: Scenario, file: Path) -> Played:
    """Play a scenario; the result names its file as ``file`` does."""
    played = play(whole, scenario)
    failures = tuple(one._replace(file=str(file)) for one in played.failures)
    return played._replace(file=str(file), failures=failures)


def located(problems: Iterable[Problem], start: Path | None = None) -> tuple[Problem, ...]:
    """The problems with short file names: without detours, and as seen from ``start`` where that is given."""
    return tuple(
        one if is_shipped(one.file) else one._replace(file=_short(one.file, start)) for one in problems
    )


def _short(file: str, start: Path | None) -> str:
    return os.path.normpath(file) if start is None else os.path.relpath(file, start)


def failure_text(title: str, failure: Failure) -> str:
    """A failure for a person: where, in which scenario, when, what was expected and what was found."""
    rows = (("expected", failure.expected), ("found", failure.found))
    lines = [f"    {name:<10}" + text.replace("\n", "\n" + " " * 14) for name, text in rows]
    return visible("\n".join([f"{failure.file}:{failure.line}  {title}, at {failure.at}", *lines]))


def visible(text: str) -> str:
    """A text whose control characters, but for ends of lines, are written out: none may reach a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
