"""``fgw export``: what a data directory holds, as files for other tools; also while the gateway runs."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from gateway.core.values import Millis
    from gateway.traffic.lines import TrafficInput

app = typer.Typer(help="The records of a gateway as files, also while it runs.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Where the records are (FGW_DATA_DIR).")]
Since = Annotated[str | None, typer.Option(help="From this moment on, such as 2026-10-01T00:00Z, or 30d.")]
Until = Annotated[str | None, typer.Option(help="Up to this moment.")]


@app.callback()
def export() -> None:
    """The records of a gateway as files, also while it runs."""


@app.command("journal")
def journal(
    out: Annotated[Path, typer.Option(help="The traffic file; .gz and .zst are compressed.")],
    *,
    data_dir: DataDir = None,
    since: Since = None,
    until: Until = None,
    mask: Annotated[bool, typer.Option("--mask", help="Put pseudonyms for personal data.")] = False,
) -> None:
    """Write every input the gateway has kept, as a traffic file that `fgw replay` and `fgw backtest` read."""
    from api.cli.moments import stretch
    from api.cli.traffic_files import progress
    from gateway.adapters.sql.beside import beside
    from gateway.adapters.sql.recording import journal_lines, span
    from gateway.errors import DataDirError
    from gateway.settings import read_settings
    from gateway.traffic import TrafficWriter

    folder = read_settings(data_dir=data_dir).data_dir
    with beside(folder) as connection:
        kept = span(connection)
        if kept is None:
            raise DataDirError(f"the journal in {folder} is empty")
        first, last = stretch(since, until, kept)
        masked = _mask(connection) if mask else None
        with TrafficWriter.open(out) as file, progress(last - first) as bar:
            for lines in journal_lines(connection, first, last):
                for line in lines:
                    file.write(line.at, line.input if masked is None else masked(line.at, line.input))
                bar.update(bar.tasks[0].id, completed=lines[-1].at - first, words=f"{file.lines:,} lines")
    typer.echo(f"{out}: {file.lines:,} inputs, {out.stat().st_size:,} bytes")


def _mask(connection: "sa.Connection") -> "Callable[[Millis, TrafficInput], TrafficInput]":
    """What puts pseudonyms in place of what the site in force last declares to be personal."""
    from gateway.adapters.sql.report_records import configurations
    from gateway.bootstrap import plan_of
    from gateway.traffic.masking import Mask

    sites = configurations(connection, 0)
    plan = plan_of(sites[-1].digest, sites[-1].body) if sites else None
    return Mask(plan, secrets.token_bytes(16)).line


@app.command("outcomes")
def outcomes(
    out: Annotated[Path, typer.Option(help="The file of outcomes, as `fgw replay --out` writes them.")],
    *,
    data_dir: DataDir = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write what the gateway made of its inputs: alerts, work orders, rounds and all else that happened."""
    from api.cli.moments import stretch
    from gateway.adapters.sql.beside import beside
    from gateway.adapters.sql.recording import outcomes as stored
    from gateway.replay import OutcomeFile
    from gateway.settings import read_settings
    from gateway.traffic.lines import LATEST

    folder = read_settings(data_dir=data_dir).data_dir
    with beside(folder) as connection, OutcomeFile(out) as file:
        for some in stored(connection, *stretch(since, until, (0, LATEST - 1))):
            file.add(some)
    typer.echo(f"{out}: {file.count:,} outcomes, SHA-256 {file.sha256}")
