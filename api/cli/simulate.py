"""``fgw simulate``: the devices of a site, living on a broker or written into a traffic file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from api.cli.durations import seconds

if TYPE_CHECKING:
    from fractions import Fraction

    from api.cli.simulation_progress import Watcher
    from gateway.core.plan import SitePlan
    from gateway.core.values import Millis
    from simulators.simulate import Cast

REAL_TIME = 1.0
A_DAY = 86_400.0
"""Seconds a simulation lasts that does not go at real time and is not told how long."""


class Asked(NamedTuple):
    """What the flags ask for."""

    url: str
    seed: int
    speed: float
    devices: int | None
    duration: float | None
    begin: str | None
    connections: int
    healthy: bool
    orders: list[str]
    rate: "Fraction | None"
    lean: bool
    out: Path | None


def simulate_command(  # noqa: PLR0913 - one for each flag
    site: Annotated[Path | None, typer.Option(help="The site file whose devices to simulate.")] = None,
    *,
    url: Annotated[str, typer.Option(help="The broker.", envvar="FGW_MQTT_URL")] = "mqtt://localhost:1883",
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 0,
    speed: Annotated[float, typer.Option(help="Simulated seconds a second; 0 is as fast as it goes.")] = 1.0,
    devices: Annotated[int | None, typer.Option(help="Blow the site up to so many devices.")] = None,
    rate: Annotated[str | None, typer.Option(help="Messages a second altogether, such as 5000/s.")] = None,
    lean: Annotated[
        bool, typer.Option("--lean", help="Reports alone, for load; nothing goes wrong.")
    ] = False,
    duration: Annotated[str | None, typer.Option("--for", help="Simulated time, such as 10m.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="When it begins, at the site: 2026-01-05 08:00.")
    ] = None,
    connections: Annotated[int, typer.Option(help="MQTT connections the devices share.")] = 1,
    healthy: Annotated[
        bool, typer.Option("--healthy", help="Nothing goes wrong but what --fault says.")
    ] = False,
    fault: Annotated[
        list[str] | None, typer.Option(help="KIND:DEVICE@START+DURATION, such as stuck:lift-1@5m+10m.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="A ready scenario by name, a file, or list.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a traffic file in place of a broker.")] = None,
    write_site: Annotated[
        Path | None, typer.Option(help="Write the site file of --devices for a gateway, and end.")
    ] = None,
) -> None:
    """Let the devices of a site publish over MQTT, with faults on a schedule or on demand."""
    asked = Asked(
        url,
        seed,
        speed,
        devices,
        seconds(duration) if duration else None,
        begin,
        connections,
        healthy,
        fault or [],
        _rate(rate),
        lean,
        out,
    )
    _agree(asked, site, scenario, write_site)
    if scenario is not None:
        _tell(scenario, site, asked)
    elif write_site is not None and site is not None and devices is not None:
        _write_site(site, devices, write_site)
    elif site is not None:
        _live(site, asked)


def _rate(text: str | None) -> "Fraction | None":
    if text is None:
        return None
    from simulators.errors import SimulationError
    from simulators.rate import parse_rate

    try:
        return parse_rate(text)
    except SimulationError as error:
        raise typer.BadParameter(str(error), param_hint="--rate") from error


def _agree(asked: Asked, site: Path | None, scenario: str | None, write_site: Path | None) -> None:
    """Refuse flags that do not go together."""
    if site is None and scenario is None:
        raise typer.BadParameter("give a site file, or a scenario with --scenario", param_hint="--site")
    if scenario is not None:
        beside = {
            "--devices": asked.devices is not None,
            "--rate": asked.rate is not None,
            "--lean": asked.lean,
            "--for": asked.duration is not None,
            "--healthy": asked.healthy,
            "--fault": bool(asked.orders),
            "--write-site": write_site is not None,
        }
        if odd := [flag for flag, given in beside.items() if given]:
            words = "a scenario says itself which devices do what and for how long"
            raise typer.BadParameter(words, param_hint=odd[0])
    if write_site is not None and asked.devices is None:
        raise typer.BadParameter("needs --devices: how many the site is to have", param_hint="--write-site")
    if asked.out is not None and asked.speed != REAL_TIME:
        words = "a file is written as fast as it goes; a speed is for a broker"
        raise typer.BadParameter(words, param_hint="--speed")
    if asked.out is not None and scenario is None and write_site is None and asked.duration is None:
        raise typer.BadParameter("needs --for: a file has an end", param_hint="--out")
    if asked.lean and asked.orders:
        raise typer.BadParameter("a lean fleet has no faults", param_hint="--fault")


def _tell(scenario: str, site: Path | None, asked: Asked) -> None:
    from api.cli.simulate_scenario import show_ready, tell

    if scenario == "list":
        show_ready()
    else:
        tell(scenario, site, asked)


def _write_site(site: Path, devices: int, file: Path) -> None:
    from simulators.site_writer import write_site

    write_site(site, devices, file)
    typer.echo(f"{file}: {devices:,} devices; a gateway for it: fgw run --site {file}")


def _live(site: Path, asked: Asked) -> None:
    from api.cli.simulation_progress import Watcher
    from gateway.site.plan_builder import load_site

    plan = load_site(site)
    start = None if asked.begin is None else moment(asked.begin, plan)
    duration = asked.duration
    if duration is None and start is None and asked.speed != REAL_TIME:
        duration = A_DAY
        typer.echo("a day that ends now; --for says another time", err=True)
    with Watcher(duration, asked.rate) as watcher:
        if asked.out is None:
            watcher.until_stopped(lambda: asyncio.run(_publish(plan, asked, start, duration, watcher)))
        else:
            _into_file(plan, asked, asked.out, start, watcher)


async def _publish(
    plan: "SitePlan", asked: Asked, start: "Millis | None", duration: float | None, watcher: "Watcher"
) -> None:
    from simulators.simulate import simulate

    end = await simulate(
        site=plan,
        url=asked.url,
        devices=asked.devices,
        speed=asked.speed,
        duration=duration,
        start=start,
        rate=asked.rate,
        connections=asked.connections,
        progress=watcher.see,
        **_cast(asked),
    )
    watcher.see(end)


def _into_file(plan: "SitePlan", asked: Asked, out: Path, start: "Millis | None", watcher: "Watcher") -> None:
    from simulators.simulate import simulate_into

    watcher.writing(
        out,
        lambda: simulate_into(
            out,
            site=plan,
            duration=asked.duration or A_DAY,
            devices=asked.devices,
            start=start,
            rate=asked.rate,
            progress=watcher.see,
            **_cast(asked),
        ),
    )


def _cast(asked: Asked) -> "Cast":
    return {
        "seed": asked.seed,
        "faults": [] if asked.healthy else None,
        "orders": asked.orders,
        "lean": asked.lean,
    }


def moment(text: str, plan: "SitePlan") -> "Millis":
    """A moment of ``--from``, milliseconds UTC: a date and time at the site, or one with its offset."""
    from datetime import UTC, datetime

    from gateway.site.zones import zone

    words = f"{text!r} is no moment; write the date and time at the site, such as 2026-01-05 08:00"
    try:
        found = datetime.fromisoformat(text.strip())
        known = found if found.tzinfo else found.replace(tzinfo=zone(plan.timezone))
        millis = round(known.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(words, param_hint="--from") from error
    if not 0 <= millis < datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000:
        raise typer.BadParameter(f"{text!r} is not between 1970 and 9999", param_hint="--from")
    return millis
