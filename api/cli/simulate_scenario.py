"""``fgw simulate --scenario``: the device side of a scenario, on a broker or in a traffic file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli.simulation_progress import Watcher
from gateway.core.values import SECOND

if TYPE_CHECKING:
    from api.cli.simulate import Asked
    from gateway.core.plan import SitePlan
    from gateway.core.values import Millis
    from simulators.ready import Story, Telling


def show_ready() -> None:
    """Name the scenarios that ship."""
    from simulators.ready import ready

    found = ready()
    width = max(len(one.name) for one in found)
    for one in found:
        typer.echo(f"{one.name:{width}}  {one.title}")


def tell(given: str, site: Path | None, asked: "Asked") -> None:
    """Play the device side of a scenario."""
    from gateway.site.plan_builder import load_site
    from simulators.ready import Telling, story

    told = story(given)
    plan = told.plan if site is None else load_site(site)
    typer.echo(f"{told.scenarios[0].title}: {told.length / SECOND:g} s on the site {plan.site}", err=True)
    if site is None and asked.out is None:
        typer.echo(_how_to_run(told), err=True)
    start = _start(told, plan, asked)
    devices = Telling(told, start=start, plan=None if site is None else plan)
    end = start + told.length
    with Watcher(told.length / SECOND) as watcher:
        if asked.out is None:
            watcher.until_stopped(lambda: asyncio.run(_publish(devices, asked, end, watcher)))
        else:
            _into_file(devices, asked.out, end, watcher)


def _how_to_run(told: "Story") -> str:
    if told.site is None:
        return f"its site stands in {told.file} itself; --site plays it on a site that a gateway has"
    return f"a gateway for it: fgw run --site {told.site.resolve()}"


def _start(told: "Story", plan: "SitePlan", asked: "Asked") -> "Millis":
    """As told for a file; for a broker now, or so that it ends now: nothing may come from the future."""
    from api.cli.simulate import moment
    from simulators.simulate import beginning

    if asked.begin is not None:
        return moment(asked.begin, plan)
    if asked.out is not None:
        return told.scenarios[0].moments.begin
    return beginning(asked.speed, max(told.length, 1) / SECOND)


async def _publish(devices: "Telling", asked: "Asked", end: "Millis", watcher: Watcher) -> None:
    from simulators.publisher import publisher
    from simulators.simulate import play

    async with publisher(asked.url, devices.plan, connections=asked.connections) as line:
        watcher.see(await play(devices, line, speed=asked.speed, end=end, progress=watcher.see))


def _into_file(devices: "Telling", out: Path, end: "Millis", watcher: Watcher) -> None:
    from simulators.traffic_file import write_traffic

    watcher.writing(out, lambda: write_traffic(devices, out, end, watcher.see))
