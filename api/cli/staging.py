"""The demo's stage: broker, devices, guards with phones, gateway, store and API on this machine, nothing to set up."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.live import Live

from api.cli.board import Board
from api.cli.serving import serve_until_done
from api.cli.words import Language
from gateway.bootstrap import build
from gateway.codecs.tag_keys import TagKeys
from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, Millis
from gateway.gateway import Gateway
from gateway.settings import Settings, read_settings
from simulators.broker import broker, find_mosquitto, free_port
from simulators.guard_phone import GuardPhone, Habit, TagWall
from simulators.guards import walk_rounds
from simulators.ntag import SimulatedTag
from simulators.simulate import simulate

log = logging.getLogger(__name__)

REDRAWS = 4
"""Screens a second."""
DEMO_TAG_KEY: Final = "DE30DE30DE30DE30DE30DE30DE30DE30"
"""The master key of the demo's secure tags. It is public: no real tag may ever be written with it."""
TAG_BASE: Final = "https://riverside.example/t"
"""What the demo's tags say before the question mark; nothing is ever sent there."""
TAGS_SINCE: Millis = 1_735_689_600_000
"""2025-01-01: the demo's tags have been tapped once a minute since. So no kept record knows a later tap than the next."""
PHONES: Final = (
    # route, phone, guard, how the rounds are done in turn
    ("lobby-loop", "phone-1", "g-05", (Habit.SKIPS, Habit.STEADY)),
    ("dock-loop", "phone-2", "g-06", (Habit.NO_SIGNAL, Habit.STEADY)),
    ("lobby-loop", "phone-3", "g-09", (Habit.ABSENT, Habit.REPLAYS)),
)
"""Something for everybody: a checkpoint left out, an upload after the round was judged, an old address sent again."""


async def perform(
    duration: float | None, http: str | None, data_dir: Path | None, seed: int, language: Language
) -> None:
    """Show a whole site until ``duration`` seconds are over, or until Ctrl-C."""
    async with contextlib.AsyncExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fgw-demo-")))
        url = await stack.enter_async_context(broker())
        site = stack.enter_context(as_file(files("simulators") / "sites" / "riverside" / "site.yaml"))
        settings = read_settings(
            site=site,
            data_dir=folder,
            mqtt_url=url,
            mqtt_version="auto" if find_mosquitto() else "3.1.1",  # all that amqtt, the stand-in, speaks
            http=http or _free_address(),
            influx_url="",
            tag_key=DEMO_TAG_KEY,
        )
        gateway = await stack.enter_async_context(build(settings))
        board = Board(gateway, f"http://{settings.http}", language)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, gateway.stop)
        if duration is not None:
            loop.call_later(duration, gateway.stop)
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(_devices(site, url, seed), name="devices"),
                group.create_task(_guards(gateway.plan, f"http://{settings.http}", seed), name="guards"),
                group.create_task(_show(gateway, board), name="screen"),
            ]
            await serve_until_done(gateway, settings)
            for task in beside:
                task.cancel()
        typer.echo(board.summary())


def _free_address() -> str:
    """The usual address, or another port where that one is taken."""
    usual = Settings.model_fields["http"].default
    return usual if _is_free(int(usual.rpartition(":")[2])) else f"127.0.0.1:{free_port()}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _devices(site: Path, url: str, seed: int) -> None:
    await simulate(site=site, url=url, seed=seed, own=("t1-lift-3",))


async def _guards(plan: SitePlan, url: str, seed: int) -> None:
    start = time.time_ns() // 1_000_000
    wall = TagWall(plan, secure_tags(plan, DEMO_TAG_KEY, counter=(start - TAGS_SINCE) // MINUTE))
    guards = [
        GuardPhone(plan, route, wall, phone=phone, guard=guard, habits=habits, seed=seed, start=start)
        for route, phone, guard, habits in PHONES
    ]
    await walk_rounds(guards, url, start=start)


def secure_tags(plan: SitePlan, key: str, *, counter: int = 0) -> dict[str, SimulatedTag]:
    """The secure tags of a site as the owner of the key would write them, by their ids."""
    own = TagKeys.parse(key).of_site(plan.site)[0]
    return {
        tag.id: SimulatedTag(
            tag.id,
            tag.epoch,
            TAG_BASE,
            own.meta,
            own.file(bytes.fromhex(tag.id), tag.epoch),
            counter=counter,
        )
        for checkpoint in plan.checkpoints.values()
        for tag in checkpoint.tags
        if tag.secure
    }


async def _show(gateway: Gateway, board: Board) -> None:
    """A live screen on a terminal; elsewhere a line for each thing that happens."""
    with gateway.feed.listening() as listener:
        if not sys.stdout.isatty():
            async for batch in listener.batches():
                for line in board.follow(batch):
                    typer.echo(line)
            return
        with Live(console=Console(), screen=True, auto_refresh=False) as live:
            async with _redrawing(live, board):
                async for batch in listener.batches():
                    board.follow(batch)


@contextlib.asynccontextmanager
async def _redrawing(live: Live, board: Board) -> AsyncIterator[None]:
    async def redraw() -> None:
        while True:
            live.update(board.draw(), refresh=True)
            await asyncio.sleep(1 / REDRAWS)

    task = asyncio.create_task(redraw(), name="redraw")
    try:
        yield
    finally:
        task.cancel()
