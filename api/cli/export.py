"""``fgw export``: what a data directory holds, as files for other tools; also while the gateway runs."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from gateway.core.values import Millis
    from gateway.traffic.lines import Line, TrafficInput
    from gateway.traffic.masking import Mask

app = typer.Typer(help="The records of a gateway as files, also while it runs.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Where the records are (FGW_DATA_DIR).")]
Since = Annotated[str | None, typer.Option(help="From this moment on, such as 2026-10-01T00:00:00Z, or 30d.")]
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
    keep_guards: Annotated[
        bool, typer.Option("--keep-guards", help="With --mask: leave ids of guards.")
    ] = False,
) -> None:
    """Write every input the gateway has kept, as a traffic file that `fgw replay` and `fgw backtest` read."""
    from api.cli.moments import stretch
    from api.cli.traffic_files import progress
    from api.http.instants import written
    from gateway.adapters.sql.beside import beside
    from gateway.adapters.sql.recording import span
    from gateway.errors import DataDirError
    from gateway.settings import read_settings
    from gateway.traffic import TrafficWriter

    if keep_guards and not mask:
        raise typer.BadParameter("it goes with --mask", param_hint="--keep-guards")
    folder = read_settings(data_dir=data_dir).data_dir
    with beside(folder) as connection:
        kept = span(connection)
        if kept is None:
            raise DataDirError(f"the journal in {folder} is empty")
        first, last = stretch(since, until, kept)
        if first < kept[0]:
            typer.echo(
                f"the journal begins at {written(kept[0], 'UTC')}: nothing before that is in it", err=True
            )
        masked = _Masked(connection, keep_guards) if mask else None
        with TrafficWriter.open(out) as file, progress(last - first) as bar:
            for lines in _lines(connection, first, last):
                for line in lines:
                    file.write(line.at, line.input if masked is None else masked.line(line))
                bar.update(bar.tasks[0].id, completed=lines[-1].at - first, words=f"{file.lines:,} lines")
    typer.echo(f"{out}: {file.lines:,} inputs, {out.stat().st_size:,} bytes")


def _lines(connection: "sa.Connection", since: "Millis", until: "Millis") -> "Iterator[Sequence[Line]]":
    """The journal, and before what begins in the middle the site that was in force there."""
    from gateway.adapters.sql.recording import journal_lines, site_before
    from gateway.core.inputs import Started
    from gateway.traffic.lines import Line, Setup

    begun = False
    for lines in journal_lines(connection, since, until):
        if begun:
            yield lines
            continue
        begun = True
        named = next((line for line in lines if not isinstance(line.input, Started)), None)
        site = site_before(connection, lines[0].at)
        if site is None or (named is not None and isinstance(named.input, Setup)):
            yield lines
            continue
        leading = 1 if isinstance(lines[0].input, Started) else 0
        yield [*lines[:leading], Line(0, lines[0].at, site), *lines[leading:]]


class _Masked:
    """Puts pseudonyms in place of what the site in force at each moment declares to be personal."""

    def __init__(self, connection: "sa.Connection", keep_guards: bool) -> None:
        from gateway.adapters.sql.report_records import configurations

        self._key = secrets.token_bytes(16)
        self._keep_guards = keep_guards
        self._masks: dict[str, Mask] = {}
        last = [(one.digest, one.body) for one in configurations(connection, 0)][-1:]
        self._mask = self._of(*last[0]) if last else self._of("", None)

    def line(self, line: "Line") -> "TrafficInput":
        """An input without what is personal."""
        from gateway.traffic.lines import Setup

        if isinstance(line.input, Setup):
            self._mask = self._of(line.input.digest, line.input.bundle)
        return self._mask.line(line.at, line.input)

    def _of(self, digest: str, bundle: bytes | None) -> "Mask":
        from gateway.bootstrap import plan_of
        from gateway.traffic.masking import Mask

        if digest not in self._masks:
            plan = None if bundle is None else plan_of(digest, bundle)
            self._masks[digest] = Mask(plan, self._key, keep_guards=self._keep_guards)
        return self._masks[digest]


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
    from gateway.adapters.sql.recording import latest
    from gateway.adapters.sql.recording import outcomes as stored
    from gateway.replay import OutcomeFile
    from gateway.settings import read_settings

    folder = read_settings(data_dir=data_dir).data_dir
    with beside(folder) as connection:
        first, last = stretch(since, until, (0, latest(connection)))
        with OutcomeFile(out) as file:
            for some in stored(connection, first, last):
                file.add(some)
    typer.echo(f"{out}: {file.count:,} outcomes, SHA-256 {file.sha256}")
