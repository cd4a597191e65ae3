"""A start, stage by stage, in a process of its own: run as a module, prints one line of JSON.

With ``--fill`` it makes the state first: every device speaks and all of it is committed.
"""

import argparse
import asyncio
import gc
import itertools
import json
import time
from pathlib import Path

from gateway.adapters.sql.recorder import Bundle
from gateway.adapters.sql.store import Store, opened
from gateway.bootstrap import plan_of, read_site
from gateway.clock import Clock
from gateway.collector import THRESHOLDS
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, LinkUp, Started
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.recovery import recover
from tests.bench.sites import REPORT_EVERY, room_readings

ROUNDS = 3
BATCH = 10_000


def resident() -> float:
    """Resident memory of this process in MiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def fill(store: Store, bundle: Bundle, plan: SitePlan) -> None:
    """Let every device speak up to now, and commit: the start that is measured comes soon after."""
    begin = time.time_ns() // 1_000_000 - ROUNDS * REPORT_EVERY
    engine = Engine(plan, State())
    effects = engine.step([Configured(begin, plan), Started(begin, None), LinkUp(begin)])
    await store.commit([], effects, engine.state, bundle)
    readings = room_readings(tuple(plan.devices), begin)
    for _ in range(ROUNDS * len(plan.devices) // BATCH + 1):
        effects = engine.step(list(itertools.islice(readings, BATCH)))
        effects.rows.clear()  # the telemetry store is not what is measured
        await store.commit([], effects, engine.state)


async def start(site: Path, data: Path, *, filling: bool) -> dict[str, float]:
    """Seconds (of CPU, and by the clock in all) and MiB of each stage."""
    clock = time.perf_counter()
    empty, began = resident(), time.process_time()
    bundle, plan = read_site(site)
    read = time.process_time() - began
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    planned = resident()
    async with opened(data) as store:
        if filling:
            await fill(store, bundle, plan)
            return {}
        began = time.process_time()
        engine, _ = await recover(store, bundle, plan, plan_of, Clock)
        recovered = time.process_time() - began
        began = time.process_time()
        effects = engine.step([LinkUp(engine.state.scalars.now)])
        await store.commit([], effects, engine.state)
        seen = time.process_time() - began
        remembered = resident()
    return {
        "read": read,
        "recover": recovered,
        "watch": seen,
        "clock": time.perf_counter() - clock,
        "plan_mib": planned - empty,
        "state_mib": remembered - planned,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fill", action="store_true")
    given = parser.parse_args()
    print(json.dumps(asyncio.run(start(given.site, given.data, filling=given.fill))))
