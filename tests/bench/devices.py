"""What a reading costs, how long a start takes and how much memory a device needs, by the number of devices.

Part of ``make bench``; alone: ``make bench ARGS=devices``.
"""

import asyncio
import gc
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gateway.bootstrap import read_site
from gateway.collector import THRESHOLDS
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, LinkUp, Started, Telemetry
from gateway.core.plan import SitePlan
from gateway.core.state import State
from tests.bench.sites import room_readings, write_rooms

START = 1_790_000_000_000
SIZES = 1_000, 100_000
BATCH = 2_000
"""Readings in a step: what the gateway takes at once under load."""
WARM_ROUNDS = 5
"""How often every device speaks before anything is measured: long enough for every silence timer to have come up."""
BLOCK = 100
"""Batches measured in a row: two rounds of the largest site, in which every silence is looked at once."""


class Running:
    """An engine with its devices speaking, ready to be measured."""

    def __init__(self, plan: SitePlan) -> None:
        self.engine = Engine(plan, State())
        self.engine.step([Configured(START, plan), Started(START, None), LinkUp(START)])
        self._readings: Iterator[Telemetry] = room_readings(tuple(plan.devices), START)
        for _ in range(WARM_ROUNDS * len(plan.devices) // BATCH + 1):
            self.step()

    def step(self) -> float:
        """One batch; returns CPU seconds of judging alone."""
        batch = list(itertools.islice(self._readings, BATCH))
        began = time.process_time()
        self.engine.step(batch)
        return time.process_time() - began


def cost_by_size(plans: dict[int, SitePlan], repeats: int) -> dict[int, list[float]]:
    """Microseconds a reading for each size, measured in turns so that a busy machine slows all of them alike."""
    gc.collect()
    gc.freeze()  # as the gateway does when its plan is read; what the engine remembers is made after it
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    running = {size: Running(plan) for size, plan in plans.items()}
    found: dict[int, list[float]] = {size: [] for size in plans}
    for _ in range(repeats):
        for size, one in running.items():
            spent = sum(one.step() for _ in range(BLOCK))
            found[size].append(spent / BLOCK / BATCH * 1e6)
    gc.set_threshold(*before)
    gc.unfreeze()
    return found


async def starts(site: Path, data: Path, repeats: int) -> list[dict[str, float]]:
    """What starts with the state of every device on disk took, each in a process of its own."""
    await _start(site, data, "--fill")
    return [await _start(site, data) for _ in range(repeats)]


async def _start(site: Path, data: Path, *more: str) -> dict[str, float]:
    arguments = ["-m", "tests.bench.start", "--site", str(site), "--data", str(data), *more]
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    if child.returncode:
        sys.exit("the start that was to be measured failed, as it says above")
    found: dict[str, float] = json.loads(out)
    return found


async def show_devices(console: Console, folder: Path, repeats: int) -> None:
    """Measure and print, for a thousand and for a hundred thousand devices with five rules each."""
    files = {size: write_rooms(folder / f"rooms-{size}", size) for size in SIZES}
    taken = {size: await starts(site, folder / f"data-{size}", repeats) for size, site in files.items()}
    costs = cost_by_size({size: read_site(site)[1] for size, site in files.items()}, repeats)
    table = Table("", *(f"{size:,} devices" for size in SIZES), title="Five rules a device, medians")
    middle = {size: statistics.median(costs[size]) for size in SIZES}
    table.add_row("µs of CPU a reading, judged", *(f"{middle[size]:.1f}" for size in SIZES))
    for name, words in (
        ("read", "s of CPU to read and check the site file"),
        ("recover", "s of CPU to load the state and commit the start"),
        ("watch", "s of CPU to begin watching when the broker is there"),
        ("clock", "s by the clock, all three"),
        ("plan_mib", "MiB for the site"),
        ("state_mib", "MiB for what is remembered"),
    ):
        figures = (statistics.median(one[name] for one in taken[size]) for size in SIZES)
        table.add_row(words, *(f"{figure:.1f}" for figure in figures))
    console.print(table)
    few, many = SIZES
    pairs = (more / less for less, more in zip(costs[few], costs[many], strict=True))
    memory = statistics.median(one["plan_mib"] + one["state_mib"] for one in taken[many])
    console.print(
        f"cost a reading with {many:,} devices: {statistics.median(pairs):.2f} x that with {few:,}; "
        f"memory: {memory * 1024 / many:.1f} KiB a device"
    )
