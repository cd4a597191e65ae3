"""A month of a few chillers on the wire: a random walk that crosses its limits, gaps, late data, two outages."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.core.inputs import LinkLost, LinkUp, Started
from gateway.traffic import TrafficWriter

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_790_000_000_000
"""2026-09-21 22:13:20 in Shanghai."""
DEVICES = ("ch-1", "ch-2", "ch-3")

PROFILE = """
profile: chiller
report_every: 60s
params: {temp_high: 80, temp_critical: 88, flow_low: 20, high_for: 3m}
points: {temp: {type: float, valid: [-40, 200]}, flow: {type: float}}
rules:
  hot:
    levels:
      warning: {when: {point: temp, above: $temp_high}, for: $high_for}
      critical: {when: {point: temp, above: $temp_critical}, for: 2m}
    clear: {deadband: 3, for: 4m}
    work_order: {critical: repair}
    flapping: &never {transitions: 100, within: 1s}
  flow:
    levels: {warning: {when: {point: flow, below: $flow_low}}}
    clear: {deadband: 1}
    flapping: *never
  silent:
    levels: {warning: {when: {silent_for: 10m}}}
    flapping: *never
"""
SITE = """
site: mill
timezone: Asia/Shanghai
profiles: [chiller.yaml]
settings: {boot_grace: 2m}
teams: {house: {notify: [duty]}}
work_orders: {repair: {team: house, priority: high, clocks: {accept: 2h}}}
notify:
  targets: {duty: {}, lead: {}}
  callouts: {all: {to: [duty], escalate: [{after: 1h, to: [lead]}]}}
devices: [{id: ch-1, profile: chiller}, {id: ch-2, profile: chiller}, {id: ch-3, profile: chiller, params: {flow_low: 18}}]
"""
ONE = SITE.replace(", {id: ch-2, profile: chiller}, {id: ch-3, profile: chiller, params: {flow_low: 18}}", "")
"""The first of them alone: the others would be silent where a test does not let them speak."""


class Reading(NamedTuple):
    """What a device says, when it is received, and of when it speaks."""

    at: int
    device: str
    ts: int
    values: dict[str, float]


class Sight(NamedTuple):
    """The gateway loses sight, at once or as found out at a start, or regains it."""

    at: int
    sees: bool
    last: int | None = None
    """It was down since then."""


def write_site(folder: Path, site: str = SITE, profile: str = PROFILE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chiller.yaml").write_text(profile)
    path = folder / "site.yaml"
    path.write_text(site)
    return path


def month(days: int = 30, seed: int = 1, start: int = START) -> list[Reading | Sight]:
    """All of it in the order of receipt."""
    chance = random.Random(seed)
    blind = _outages(start, days)
    found: list[Reading | Sight] = [
        one for name in DEVICES for one in _device(name, start, days, chance, [(a, b) for a, b, _ in blind])
    ]
    for lost, back, down in blind:
        if down:
            found += [Sight(back - SECOND, sees=False, last=lost), Sight(back, sees=True)]
        else:
            found += [Sight(lost, sees=False), Sight(back, sees=True)]
    found.sort(key=lambda one: (one.at, isinstance(one, Reading)))
    return found


def _outages(start: int, days: int) -> list[tuple[int, int, bool]]:
    """From, to, and whether the gateway itself was down."""
    first = start + days * DAY * 2 // 5 + 777
    other = start + days * DAY * 2 // 3 + 333
    return [(first, first + 2 * HOUR + 17 * MINUTE, False), (other, other + 40 * MINUTE, True)]


def _device(
    name: str, start: int, days: int, chance: random.Random, blind: list[tuple[int, int]]
) -> Iterator[Reading]:
    temp, flow, ts = 74.0, 30.0, start + chance.randrange(5 * SECOND)
    quiet_until, held = 0, list[Reading]()
    while ts < start + days * DAY:
        temp += 0.05 * (73 - temp) + chance.gauss(0, 1.5)
        flow += 0.03 * (28 - flow) + chance.gauss(0, 0.9)
        one = Reading(ts, name, ts, {"temp": round(temp, 1), "flow": round(flow, 1)})
        unseen = any(lost - 30 * MINUTE <= ts < back for lost, back in blind)
        draw = chance.random()
        if any(lost <= ts < back for lost, back in blind):
            held = [*held, one][-5:]  # it buffers the last ones
        elif ts < quiet_until:
            held = [*held, one][-5:]
        elif draw < 0.0004 and not unseen:
            quiet_until = ts + chance.randrange(5, 90) * MINUTE
        elif draw < 0.02:
            pass  # lost on the way
        elif draw < 0.03 and not unseen:
            yield one._replace(at=ts + chance.randrange(3 * MINUTE, 20 * MINUTE))  # others overtake it
        else:
            yield from (early._replace(at=ts) for early in held)
            held = []
            yield one
        ts += 60 * SECOND + chance.randrange(-400, 400)


def record(path: Path, found: list[Reading | Sight]) -> Path:
    """Write it as a traffic file."""
    with TrafficWriter.open(path) as file:
        for one in found:
            if isinstance(one, Reading):
                body = json.dumps({"ts": one.ts, "values": one.values}).encode()
                file.message(one.at, f"facility/mill/{one.device}/telemetry", body)
            elif one.sees:
                file.write(one.at, LinkUp(one.at))
            elif one.last is not None:
                file.write(one.at, Started(one.at, one.last))
            else:
                file.write(one.at, LinkLost(one.at, "cut"))
    return path
