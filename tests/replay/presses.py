"""A small site of presses, and a story of theirs as the lines of a traffic file."""

from pathlib import Path

import msgspec

from gateway.core.inputs import Command, LinkLost, LinkUp
from gateway.core.values import MINUTE, SECOND, Message, Millis
from gateway.site import SiteBundle
from gateway.traffic import Line, TrafficInput, TrafficWriter

START: Millis = 1_790_000_000_000
PROFILE = """\
profile: press
title: {en: Press, zh: 压机}
report_every: 10s
points:
  temp: {type: float, unit: Cel, valid: [-40, 200]}
events:
  stop: {}
rules:
  hot:
    levels: {warning: {when: {point: temp, above: %(hot)s}, for: 20s}}
    clear: {deadband: 5}
  stopped:
    levels: {critical: {when: {event: stop}}}
    latched: true
    work_order: {critical: repair}
  silent: {levels: {warning: {when: {silent_for: 3x}}}}
"""
SITE = """\
site: mill
timezone: Asia/Shanghai
settings: {boot_grace: 30s}
profiles: [press.yaml]
work_orders: {repair: {priority: high}}
devices:
  - {id: p1, profile: press}
  - {id: p2, profile: press}
"""


def bundle(hot: int = 80) -> SiteBundle:
    """The site; ``hot`` is the limit of the rule of that name."""
    return SiteBundle("site.yaml", {"site.yaml": SITE, "press.yaml": PROFILE % {"hot": hot}})


def write_site(folder: Path, hot: int = 80) -> Path:
    """The same as files; returns the site file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in bundle(hot).files.items():
        (folder / name).write_text(text, "utf-8")
    return folder / "site.yaml"


def reading(at: Millis, device: str, temp: float) -> Line:
    body = msgspec.json.encode({"ts": at, "values": {"temp": temp}})
    return Line(0, at, Message(f"facility/mill/{device}/telemetry", body))


def story() -> list[Line]:
    """Half an hour: p1 gets hot and cools down, p2 falls silent for five minutes, the broker is away for two."""
    found: list[Line] = []
    for at in range(START, START + 30 * MINUTE, 10 * SECOND):
        minute = (at - START) // MINUTE
        if 20 <= minute < 22:
            continue
        found.append(reading(at, "p1", 90.0 if 3 <= minute < 6 else 85.0 if 8 <= minute < 10 else 60.0))
        if not 12 <= minute < 17:
            found.append(reading(at + 1, "p2", 70.0))
    others: list[tuple[Millis, TrafficInput]] = [
        (START + 11 * MINUTE + 3, Message("facility/mill/p1/event", b'{"type":"stop","id":"e1"}')),
        (START + 20 * MINUTE, LinkLost(START + 20 * MINUTE, "the broker is gone")),
        (START + 22 * MINUTE, LinkUp(START + 22 * MINUTE)),
        (START + 25 * MINUTE + 5, Message("facility/mill/p2/telemetry", b"\xff")),
        (
            START + 26 * MINUTE + 7,
            Command(
                at=START + 26 * MINUTE + 7,
                id="c1",
                actor="anna",
                verb="work_order.open",
                target="p1",
                args={"template": "repair"},
            ),
        ),
    ]
    found.extend(Line(0, at, one) for at, one in others)
    found.sort(key=lambda line: line.at)
    return found


def write_story(path: Path, lines: list[Line] | None = None) -> Path:
    """The story, or other lines, as a traffic file."""
    with TrafficWriter.open(path) as file:
        for line in story() if lines is None else lines:
            file.write(line.at, line.input)
    return path
