"""``fgw test``: rule tests, what a site's rules would do in the scenarios of a file."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from api.cli.words import Language

if TYPE_CHECKING:
    from api.rule_tests import Timed
    from gateway.rehearsal import Coverage

SHIPPED = "scenarios"
"""The folder of ``device_profiles`` with the rule tests of the profiles that ship."""


def trial(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, and folders with *.scenario.yaml files in them.")
    ] = None,
    *,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="The rule tests of the profiles that ship.")
    ] = False,
    title: Annotated[str, typer.Option("-k", help="Only scenarios with this text in their title.")] = "",
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML report to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which levels of which rules were raised.")
    ] = False,
    require_coverage: Annotated[
        bool, typer.Option("--require-coverage", help="Fail when some level is never raised.")
    ] = False,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
) -> None:
    """Play rule tests; each failure with file, line, what was expected and what was found."""
    if language not in get_args(Language):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    began = time.perf_counter()
    files = _files(paths or [], shipped)
    if junit is not None and any(os.path.realpath(junit) == os.path.realpath(file) for file in files):
        raise typer.BadParameter(f"{junit} is one of the files that are played", param_hint="--junit")
    results = [one for one in _performed(files, title) if one.result.problems or one.result.played]
    if not results:
        raise typer.BadParameter(_nothing(title))
    covered = _covered(results, shipped) if coverage or require_coverage else None
    took = time.perf_counter() - began
    _show(results, took, covered, language if not as_json else None)  # type: ignore[arg-type]  # just checked
    if junit is not None:
        _save(junit, results)
    short = require_coverage and covered is not None and bool(covered.missing)
    if short or not all(one.good for one in results):
        raise typer.Exit(1)


def _files(paths: Sequence[Path], shipped: bool) -> list[Path]:
    from api.rule_tests import NoSuchTests, find

    if not paths and not shipped:
        raise typer.BadParameter("name a file or a folder, or give --shipped", param_hint="PATHS")
    try:
        return find([*paths, *([_shipped_folder()] if shipped else [])])
    except NoSuchTests as error:
        raise typer.BadParameter(str(error), param_hint="PATHS") from error


def _shipped_folder() -> Path:
    """Where the package is installed, as seen from here where it is below."""
    import device_profiles

    folder = Path(str(device_profiles.__path__[0]), SHIPPED)
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _performed(files: Sequence[Path], title: str) -> Iterator["Timed"]:
    """What became of each file, in order; on a terminal with how far it is."""
    from api.rule_tests import perform

    watched = sys.stderr.isatty()
    for number, file in enumerate(files, 1):
        if watched:
            typer.echo(f"\r\x1b[K{number} / {len(files)}  {file}", nl=False, err=True)
        yield perform(file, title)
    if watched:
        typer.echo("\r\x1b[K", nl=False, err=True)


def _covered(results: Sequence["Timed"], shipped: bool) -> "Coverage":
    from gateway import rehearsal

    return rehearsal.coverage((one.result for one in results), rehearsal.shipped() if shipped else ())


def _show(
    results: Sequence["Timed"], took: float, covered: "Coverage | None", language: Language | None
) -> None:
    """As lines in a language, or as JSON without one."""
    from rich.cells import cell_len

    from api.cli import rule_words

    if language is None:
        typer.echo(json.dumps(rule_words.as_json(results, took, covered), indent=2, ensure_ascii=False))
        return
    width = max(cell_len(one.result.file) for one in results)
    for one in results:
        for line in rule_words.file_lines(one, width, language):
            typer.echo(line)
    if covered is not None:
        typer.echo("\n" + "\n".join(rule_words.coverage_table(covered, language)))
    typer.echo("\n" + rule_words.summary(results, took, language))


def _save(file: Path, results: Sequence["Timed"]) -> None:
    """Write the whole report or leave what was there."""
    from api.junit import junit

    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(junit(results))
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        typer.echo(f"fgw test: {file} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error


def _nothing(title: str) -> str:
    return f"no scenario has {title!r} in its title" if title else "the files hold no scenario"
