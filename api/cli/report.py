"""``fgw report``: what the records come to, as a file to hand over."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from api.cli.letters import Font, letters
from api.cli.words import Language

if TYPE_CHECKING:
    from api.patrol_month import Style, Written

app = typer.Typer(help="Reports from the records of a gateway, also while it runs.", no_args_is_help=True)

FORMATS = ("html", "pdf", "csv")


@app.callback()
def report() -> None:
    """Reports from the records of a gateway, also while it runs."""


@app.command("patrol")
def patrol(
    month: Annotated[str, typer.Option(help="The month in the site's time zone, such as 2026-10.")],
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Where the records are (FGW_DATA_DIR).")] = None,
    form: Annotated[str, typer.Option("--format", help="html, pdf or csv.")] = "pdf",
    out: Annotated[
        Path | None, typer.Option(help="The file; patrol-SITE-MONTH.FORMAT when not given, - for the output.")
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    font: Font = None,
) -> None:
    """Write the patrol report of a month: rounds, evidence, gaps, exceptions. The records are only read."""
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    if language not in get_args(Language):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    from api.patrol_month import Style, is_month
    from gateway.settings import read_settings

    if not is_month(month):
        raise typer.BadParameter(f"{month!r} is no month; write it as 2026-10", param_hint="--month")
    folder = read_settings(data_dir=data_dir).data_dir
    face = letters(font) if form == "pdf" else None
    written = _written(folder, month, Style(form, language, face))  # type: ignore[arg-type]  # just checked
    if out == Path("-"):
        sys.stdout.buffer.write(written.body)
        sys.stdout.buffer.flush()
        return
    _save(out or Path(written.name), written.body)


def _written(folder: Path, month: str, style: "Style") -> "Written":
    from api.patrol_month import nothing, plan_then, write_report
    from gateway.adapters.sql.beside import beside

    watched = sys.stderr.isatty()
    with beside(folder) as connection:
        plan = plan_then(connection, month)
        now = time.time_ns() // 1_000_000
        written = write_report(connection, plan, month, now, style, _tell if watched else nothing)
    if watched:
        typer.echo("\r\x1b[K", nl=False, err=True)
    return written


def _tell(what: str, count: int) -> None:
    words = f"reading {what}: {count:,}" if what not in FORMATS else f"writing {what} …"
    typer.echo(f"\r\x1b[K{words}", nl=False, err=True)


def _save(file: Path, body: bytes) -> None:
    """Write the whole file or leave what was there."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        part.write_bytes(body)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        typer.echo(f"fgw report: {file} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    typer.echo(str(file))
