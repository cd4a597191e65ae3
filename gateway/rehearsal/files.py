"""A whole file: read, played scenario by scenario, nothing raised whatever it holds."""

from pathlib import Path

from gateway.errors import Problem, SiteError
from gateway.rehearsal.coverage import levels_of
from gateway.rehearsal.player import play
from gateway.rehearsal.reading import read
from gateway.rehearsal.results import FileResult, Raise


def rehearse(path: Path) -> FileResult:
    """Read a file and play all its scenarios. What is wrong with it is in the result; then nothing was played."""
    try:
        file = read(path)
    except SiteError as exc:
        problems = exc.problems or (Problem(path.as_posix(), 0, "", str(exc)),)
        return FileResult(path.as_posix(), problems, (), frozenset())
    played = tuple(play(file, scenario) for scenario in file.scenarios)
    known = frozenset[Raise]().union(*(levels_of(plan) for plan in file.plans))
    return FileResult(file.file, (), played, known)
