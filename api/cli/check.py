"""``fgw check``: is a site file or a profile right, before anything runs on it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.site.check import Checked


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Site files and device profiles.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Show the JSON Schema of both files.")] = False,
) -> None:
    """Check site files and device profiles; every problem with file, line and field."""
    from gateway.site.check import check_files, schemas

    if schema:
        typer.echo(json.dumps(schemas(), indent=2, ensure_ascii=False))
        return
    if not files:
        typer.echo("fgw check: name at least one file", err=True)
        raise typer.Exit(2)
    found = check_files(files)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(str(one), err=not one.good)
    if not all(one.good for one in found):
        raise typer.Exit(1)


def _as_json(one: "Checked") -> dict[str, object]:
    return {
        "file": one.file,
        "what": one.what,
        "name": one.name,
        "good": one.good,
        "counts": dict(one.counts),
        "problems": [problem._asdict() for problem in one.problems],
    }
