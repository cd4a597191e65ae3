"""A year of rounds through the core: 200 checkpoints, 60 guards, twenty routes walked every two hours.

Part of ``make bench``; alone: ``make bench ARGS=patrol``.
"""

import gc
import json
import random
import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import TagReader
from gateway.collector import THRESHOLDS
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, LinkUp, Started, Tap, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Seal
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles
from simulators.ntag import SimulatedTag

START: Millis = 1_767_196_800_000  # 2026-01-01 00:00 in Shanghai
ROUTES, STOPS, GUARDS, EVERY = 20, 10, 60, 2 * HOUR
SECURE = 4
"""Every fourth checkpoint has a cryptographic tag."""
BATCH = 500
SKIPPED, LATE, DAMP = 0.01, 0.05, 40 * MINUTE
"""Shares of stops that are skipped and uploaded late, and how late at the most."""


def site() -> SitePlan:
    """The site of the measurement."""
    names = [[f"c{route:02}-{stop}" for stop in range(STOPS)] for route in range(ROUTES)]
    flat = [name for route in names for name in route]
    text = {
        "site": "bench",
        "timezone": "Asia/Shanghai",
        "guards": {f"g-{number:02}": {} for number in range(GUARDS)},
        "checkpoints": [
            {"id": name, "tags": [{"id": _uid(index), "secure": index % SECURE == 0}]}
            for index, name in enumerate(flat)
        ],
        "routes": [
            {
                "id": f"r{number:02}",
                "checkpoints": stops,
                "every": "FREQ=HOURLY;INTERVAL=2",
                "start": "2026-01-01 00:00",
                "lasts": "100m",
                "grace": "15m",
                "guards": [f"g-{number + shift * ROUTES:02}" for shift in range(3)],
                "leg": ["20s", "30m"],
                "check_in": "40m",
            }
            for number, stops in enumerate(names)
        ],
        "patrol": {"coverage": {"all": {"every": "3h", "grave": "6h"}}},
    }
    return build_plan(SiteBundle("site.yaml", {**internal_profiles(), "site.yaml": json.dumps(text)}))


def _uid(index: int) -> str:
    return f"04{index:012X}"


def taps(days: int, seed: int = 7) -> Iterator[Tap]:
    """Everything the guards upload in so many days, in order of receipt; the same for the same seed."""
    rng = random.Random(seed)
    counters = dict.fromkeys(range(ROUTES * STOPS), 0)
    number = 0
    for begin in range(START, START + days * DAY, EVERY):
        made: list[tuple[Millis, Tap]] = []
        for route in range(ROUTES):
            shift = (begin - START) // (8 * HOUR) % 3
            guard = f"g-{route + shift * ROUTES:02}"
            ts = begin + rng.randint(1, 10) * MINUTE
            for stop in range(STOPS):
                ts += rng.randint(2 * MINUTE, 8 * MINUTE)
                if rng.random() < SKIPPED:
                    continue
                index = route * STOPS + stop
                number += 1
                late = rng.randint(MINUTE, DAMP) if rng.random() < LATE else rng.randint(0, 3 * SECOND)
                secure = index % SECURE == 0
                counters[index] += 1
                at = ts + late
                made.append(
                    (
                        at,
                        Tap(
                            at=at,
                            id=f"{number:08x}-0000-4000-8000-000000000000",
                            source=f"phone-{guard}",
                            ts=ts,
                            sent=at,
                            guard=guard,
                            tag=None if secure else _uid(index),
                            url="u" if secure else None,
                            seal=Seal("good", _uid(index), counters[index]) if secure else None,
                        ),
                    )
                )
        yield from (tap for _, tap in sorted(made, key=lambda one: (one[0], one[1].id)))


def replay(plan: SitePlan, days: int) -> tuple[int, int, float]:
    """Taps, rounds and seconds of CPU of judging alone."""
    engine = Engine(plan, State())
    engine.step([Configured(START, plan), Started(START, None), LinkUp(START)])
    count, rounds, spent = 0, 0, 0.0
    last = START
    batch: list[Tap | Tick] = []
    for one in taps(days):
        last = max(last, one.at)
        batch.append(one)
        if len(batch) == BATCH:
            seconds, closed = _step(engine, batch)
            count, rounds, spent = count + len(batch), rounds + closed, spent + seconds
            batch = []
    seconds, closed = _step(engine, [*batch, Tick(last + 2 * DAY)])
    return count + len(batch), rounds + closed, spent + seconds


def _step(engine: Engine, batch: list[Tap | Tick]) -> tuple[float, int]:
    began = time.process_time()
    effects = engine.step(batch)
    spent = time.process_time() - began
    return spent, sum(outcome.kind == "round.closed" for outcome in effects.outcomes)


def verification(repeats: int = 5_000) -> float:
    """Microseconds to verify one cryptographic tap, keys of the tag known."""
    keys = TagKeys.parse("00112233445566778899AABBCCDDEEFF")
    (own,) = keys.of_site("bench")
    uid = "04DE5F1EACC040"
    tag = SimulatedTag(uid, 1, "https://gateway.example/t", own.meta, own.file(bytes.fromhex(uid), 1))
    urls = [tag.tap() for _ in range(repeats)]
    read = TagReader("bench", keys).read
    began = time.process_time()
    good = sum(read(url).verdict == "good" for url in urls)
    spent = time.process_time() - began
    if good != repeats:
        raise SystemExit(f"only {good} of {repeats} taps of a genuine tag were verified")
    return spent / repeats * 1e6


def show_patrol(console: Console, days: int = 365) -> None:
    """Measure and print."""
    plan = site()
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # as the gateway does
    gc.set_threshold(*THRESHOLDS)
    count, rounds, spent = replay(plan, days)
    gc.set_threshold(*before)
    gc.unfreeze()
    micros = verification()
    table = Table(
        "", "", title=f"{ROUTES * STOPS} checkpoints, {GUARDS} guards, {days} days of rounds through the core"
    )
    table.add_row("taps judged", f"{count:,}")
    table.add_row("rounds from due to close", f"{rounds:,}")
    table.add_row("s of CPU, all", f"{spent:.1f}")
    table.add_row("µs of CPU a tap, its rounds included", f"{spent / count * 1e6:.1f}")
    table.add_row("µs of CPU to verify a cryptographic tap", f"{micros:.1f}")
    table.add_row("verification beside judging", f"{micros / (spent / count * 1e6):.2f} x")
    console.print(table)
