"""A small site whose rules answer to device time alone, so that a disturbed run must end like an undisturbed one.

Nothing chatters on it: chatter is a matter of when things were received.
"""

import itertools
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.core.values import HOUR, Millis, Series

PROFILE = """\
profile: press
title: {en: Press, zh: 压机}
report_every: 1h
points:
  seq: {type: int}
  temp: {type: float, unit: Cel, valid: [-40, 200]}
  mode: {type: enum, values: [off, on, jammed]}
  label: {type: text}
events:
  stop: {attributes: {zone: {type: text}}}
  denied: {}
rules:
  hot:
    levels:
      warning: {when: {point: temp, above: 80}}
      critical: {when: {point: temp, above: 100}}
    clear: {deadband: 5}
    work_order: {critical: repair}
    flapping: &never {transitions: 100, within: 1ms}
  jammed:
    levels: {warning: {when: {point: mode, is: jammed}}}
    auto_ack: true
    flapping: *never
  stopped:
    levels: {critical: {when: {event: stop}}}
    latched: true
    work_order: {critical: rescue}
    flapping: *never
  burst:
    levels: {warning: {when: {count: {event: denied, within: 1h, at_least: 3}}}}
    flapping: *never
  silent:
    levels: {warning: {when: {silent_for: %(silent)s}}}
"""

SITE = """\
site: mill
timezone: Asia/Shanghai
settings: {boot_grace: %(grace)s}
profiles: [press.yaml]
teams: {house: {}}
work_orders:
  repair: {team: house, priority: high, clocks: {accept: 2h, resolve: 1d}}
  rescue: {team: house, priority: emergency, clocks: {arrive: 3h}}
devices:
%(devices)s
"""

DEVICES = tuple(f"press-{number}" for number in range(8))


def write_site(folder: Path, *, silent: str = "3x", grace: str = "2m") -> Path:
    """Site file and profile in a folder; ``silent`` and ``grace`` as the files write them."""
    folder.mkdir(parents=True, exist_ok=True)
    devices = "\n".join(f"  - {{id: {name}, profile: press}}" for name in DEVICES)
    (folder / "press.yaml").write_text(PROFILE % {"silent": silent})
    site = folder / "site.yaml"
    site.write_text(SITE % {"grace": grace, "devices": devices})
    return site


def series(device: str) -> Series:
    """Where the readings of a device are kept."""
    return Series("press", (("device", device), ("site", "mill")))


class Sent(NamedTuple):
    """One message of the stream."""

    device: str
    ts: Millis
    seq: int | None
    """The number it carries; None for an event."""
    topic: str
    payload: bytes


class Stream:
    """Numbered messages: heating up and cooling down, jams, stops and refusals, all from one seed.

    Args:
        count: messages in all.
        seed: the same one gives the same stream.
        padding: characters of a label on each reading, to make it larger.

    Its first message is from an hour ago, so that none is in anybody's future; each one is a millisecond later.
    """

    def __init__(self, count: int, seed: int = 1, padding: int = 0) -> None:
        self.base, self.count = now() - HOUR, count
        self.messages = list(_messages(self.base, count, random.Random(seed), padding))

    def cut(self, parts: int, chance: random.Random) -> list[list[Sent]]:
        """The messages in so many parts, cut at random within half a part of where even cuts would be."""
        even = self.count // parts
        within = range(-even // 2 + 1, even // 2)
        places = [0, *(even * number + chance.choice(within) for number in range(1, parts)), self.count]
        return [self.messages[start:end] for start, end in itertools.pairwise(places)]

    @property
    def readings(self) -> dict[str, list[tuple[Millis, int]]]:
        """Time and number of every reading, by device."""
        found: dict[str, list[tuple[Millis, int]]] = {name: [] for name in DEVICES}
        for one in self.messages:
            if one.seq is not None:
                found[one.device].append((one.ts, one.seq))
        return found

    @property
    def span(self) -> tuple[Millis, Millis]:
        """From the first to past the last device time."""
        return self.base, self.base + self.count


def _messages(base: Millis, count: int, chance: random.Random, padding: int) -> Iterator[Sent]:
    heat = dict.fromkeys(DEVICES, 60.0)
    for number in range(count):
        device, ts = DEVICES[chance.randrange(len(DEVICES))], base + number
        draw = chance.random()
        if draw < 0.004:
            kind = "stop" if draw < 0.001 else "denied"
            yield _event(device, ts, number, kind, zone="B1" if kind == "stop" else None)
            continue
        heat[device] = min(120.0, max(20.0, heat[device] + chance.uniform(-9, 9)))
        values: dict[str, object] = {"seq": number, "temp": round(heat[device], 1)}
        if draw > 0.98:
            values["mode"] = "jammed" if draw > 0.995 else "on"
        if padding:
            values["label"] = "x" * padding
        yield Sent(device, ts, number, topic(device), _json({"ts": ts, "values": values}))


def _event(device: str, ts: Millis, number: int, kind: str, zone: str | None) -> Sent:
    body = {"ts": ts, "id": f"e{number}", "type": kind, **({"zone": zone} if zone else {})}
    return Sent(device, ts, None, topic(device, "event"), _json(body))


def topic(device: str, channel: str = "telemetry") -> str:
    """The native topic of a device."""
    return f"facility/mill/{device}/{channel}"


def telemetry(ts: Millis, **values: object) -> bytes:
    """A payload of one reading."""
    return _json({"ts": ts, "values": values})


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def now() -> Millis:
    """The moment it is, in milliseconds."""
    return time.time_ns() // 1_000_000
