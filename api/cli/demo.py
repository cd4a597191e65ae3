"""``fgw demo``: a whole site on this machine, nothing to set up."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.cli.durations import seconds


def demo(
    *,
    duration: Annotated[
        str | None, typer.Option("--for", help="End by itself after this long, as 60s.")
    ] = None,
    http: Annotated[str | None, typer.Option(help="host:port to serve on; a free port when taken.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the records here; by default they go when the demo ends.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 7,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
) -> None:
    """Show the main job: two towers, 27 devices over real MQTT, guards with phones, faults, alerts, work orders."""
    from api.cli.staging import perform

    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    asyncio.run(perform(seconds(duration) if duration else None, http, data_dir, seed, language))  # type: ignore[arg-type]  # just checked
