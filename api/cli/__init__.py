"""``fgw``, the command line. Exit status: 0 done, 1 it failed or something is wrong, 2 called wrongly."""

import logging
import sys
from typing import Annotated

import typer

from api.cli import backtest, check, demo, export, guards, record, replay, report, run, simulate, tags, trial
from gateway import __version__
from gateway.errors import GatewayError, SettingsError
from simulators.errors import SimulationError

app = typer.Typer(
    name="fgw",
    help="Facility gateway: MQTT in, readings, alerts and work orders out, nothing lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("test")(trial.trial)
app.command("simulate")(simulate.simulate_command)
app.command("record")(record.record)
app.command("replay")(replay.replay)
app.command("backtest")(backtest.backtest)
app.add_typer(tags.app, name="tags")
app.add_typer(guards.app, name="guards")
app.add_typer(report.app, name="report")
app.add_typer(export.app, name="export")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fgw {__version__}")
        raise typer.Exit


@app.callback()
def common(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens in detail.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def main() -> None:
    """Run ``fgw``; what goes wrong is said in words, never as a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        known = told(error)
        if known is None:
            raise
        typer.echo(f"fgw: {known}", err=True)
        sys.exit(2 if isinstance(known, SettingsError) else 1)


def told(error: BaseException) -> GatewayError | SimulationError | None:
    """The error with words for a person, also out of a group of tasks that fell together; None for a fault of ours."""
    if isinstance(error, GatewayError | SimulationError):
        return error
    inside = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((known for one in inside if (known := told(one)) is not None), None)
