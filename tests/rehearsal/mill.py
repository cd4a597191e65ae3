"""A small mill on which the stories of these tests are played."""

import shutil
from pathlib import Path
from textwrap import dedent, indent

from gateway.rehearsal import Failure, FileResult, rehearse

HERE = Path(__file__).parent
HEAD = "site: mill.yaml\ndevice: d1\n"


def file_of(folder: Path, text: str) -> Path:
    """A scenario file beside the mill's own files."""
    for name in ("mill.yaml", "thing.yaml"):
        shutil.copy(HERE / name, folder / name)
    path = folder / "mill.scenario.yaml"
    path.write_text(text, "utf-8")
    return path


def result_of(folder: Path, text: str) -> FileResult:
    return rehearse(file_of(folder, dedent(text)))


def failures_of(folder: Path, steps: str, more: str = "", head: str = HEAD) -> tuple[Failure, ...]:
    """The failures of one scenario, told by its steps; ``more`` stands beside them."""
    text = f"{head}scenarios:\n  - scenario: told\n    steps:\n"
    text += (
        indent(dedent(steps).strip("\n"), "      ") + "\n" + indent(dedent(more).strip("\n"), "    ") + "\n"
    )
    result = rehearse(file_of(folder, text))
    assert not result.problems, [str(problem) for problem in result.problems]
    (played,) = result.played
    return played.failures


def problems_of(folder: Path, steps: str, more: str = "", head: str = HEAD) -> list[str]:
    """What is wrong with such a file, without the way to it."""
    text = f"{head}scenarios:\n  - scenario: told\n    steps:\n"
    text += (
        indent(dedent(steps).strip("\n"), "      ") + "\n" + indent(dedent(more).strip("\n"), "    ") + "\n"
    )
    result = rehearse(file_of(folder, text))
    assert not result.played
    return [
        str(problem).removeprefix(f"{folder.as_posix()}/mill.scenario.yaml:") for problem in result.problems
    ]
