"""``fgw simulate``: the devices of a site, living on a broker."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.cli.durations import seconds


def simulate_command(
    site: Annotated[Path, typer.Option(help="The site file whose devices to simulate.")],
    *,
    url: Annotated[str, typer.Option(help="The broker.", envvar="FGW_MQTT_URL")] = "mqtt://localhost:1883",
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 0,
    speed: Annotated[float, typer.Option(help="Simulated seconds a second; 0 is as fast as it goes.")] = 1.0,
    devices: Annotated[int | None, typer.Option(help="Blow the site up to so many devices.")] = None,
    duration: Annotated[str | None, typer.Option("--for", help="Simulated time, such as 10m.")] = None,
    connections: Annotated[int, typer.Option(help="MQTT connections the devices share.")] = 1,
    healthy: Annotated[bool, typer.Option("--healthy", help="Nothing goes wrong.")] = False,
) -> None:
    """Let the devices of a site publish over MQTT, with faults on a schedule."""
    from simulators.simulate import Progress, simulate

    def report(progress: Progress) -> None:
        typer.echo(f"\r{progress.published} published", nl=False, err=True)

    end = asyncio.run(
        simulate(
            site=site,
            url=url,
            seed=seed,
            speed=speed,
            devices=devices,
            duration=seconds(duration) if duration else None,
            faults=[] if healthy else None,
            connections=connections,
            progress=report,
        )
    )
    typer.echo(f"\r{end.published} published, {end.reconnects} reconnects", err=True)
