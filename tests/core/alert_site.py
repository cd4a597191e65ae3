"""A small site for alerts: limits with and without a hold and a deadband, latches, life safety, a test mode, a window."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

PROFILE = """
profile: thing
report_every: 1h
params: {high: 80}
points: {temp: {type: float}, flow: {type: float}, load: {type: float}, leak: {type: bool}, mode: {type: enum, values: [normal, test]}}
events: {smoke: {attributes: {zone: {type: text}}}}
rules:
  burst:
    levels: {warning: {when: {point: load, above: 50}}, critical: {when: {point: load, above: 90}, for: 10s}}
    latched: true
    flapping: &never {transitions: 100, within: 1s}
    work_order: {critical: fix}
  fire: {levels: {critical: {when: {event: smoke}}}, latched: true, shelvable: false, flapping: *never, work_order: {critical: fix}}
  gone: {levels: {warning: {when: {offline: true}, for: 30s}}, flapping: *never}
  hot:
    levels: {warning: {when: {point: temp, above: $high}, for: 2m}, critical: {when: {point: temp, above: 100}, for: 30s}}
    clear: {deadband: 5, for: 1m}
    re_alarm: 30m
    flapping: *never
    work_order: {warning: fix}
  low: {levels: {info: {when: {point: flow, below: 10}}, warning: {when: {point: flow, below: 5}}}, clear: {deadband: 1}, auto_ack: true, flapping: *never}
  scant: {levels: {warning: {when: {point: flow, below: 7}}}, re_alarm: 10m, flapping: *never}
  wet: {levels: {warning: {when: {point: leak, is: true}}}, latched: true, re_alarm: 10m, flapping: *never}
suppressions:
  in_test: {title: Test mode, when: {point: mode, is: test}, clear: {for: 1m}, rules: [burst, hot, wet]}
"""
SITE = """
site: mill
timezone: Europe/Berlin
profiles: [thing.yaml]
settings: {boot_grace: 1m, shelve_max: {info: 2h, warning: 2h, critical: 2h}}
teams: {house: {}}
work_orders: {fix: {team: house}}
maintenance: {service: {title: Service, devices: [d2], every: "FREQ=HOURLY", start: 2026-09-21 17:00, lasts: 20m}}
notify:
  targets: {duty: {}, lead: {}}
  callouts: {all: {to: [duty], escalate: [{after: 5m, to: [lead]}]}}
devices: [{id: d1, profile: thing}, {id: d2, profile: thing}]
"""
START = 1_790_000_000_000
FIRST_WINDOW = START + 46 * MINUTE + 40 * SECOND
"""17:00 in Berlin; then every hour, for twenty minutes."""
WINDOW = 20 * MINUTE


def in_window(at: int) -> bool:
    """Whether maintenance is going on."""
    return at >= FIRST_WINDOW and (at - FIRST_WINDOW) % HOUR < WINDOW


def window_turns(after: int, until: int) -> Iterator[int]:
    """When it begins and ends, in between."""
    since = max(0, (after - FIRST_WINDOW) // HOUR) * HOUR + FIRST_WINDOW
    turns = (start + offset for start in range(since, until + 1, HOUR) for offset in (0, WINDOW))
    yield from (turn for turn in turns if after < turn <= until)


GRACE = MINUTE
LONGEST_SHELF = 2 * HOUR
LAPSE = HOUR

LEVELS = ("info", "warning", "critical")
RAISED = ("unacknowledged", "acknowledged")


class Limit(NamedTuple):
    """A level of a rule: a point beyond a limit, or (without limit) holding a word."""

    rule: str
    level: int
    point: str
    above: float | None = None
    below: float | None = None
    word: object = None
    hold: int = 0
    clear: int = 0
    deadband: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.rule}/{LEVELS[self.level - 1]}"

    def judge(self, value: object, high: float, *, active: bool) -> bool | None:
        """Whether the value is beyond it; ``high`` is what was tuned for the warning of ``hot``."""
        if value is None or self.word is not None:
            return None if value is None else value == self.word
        assert isinstance(value, float)
        slack = self.deadband if active else 0.0
        if self.above is not None:
            return value > (high if self.key == "hot/warning" else self.above) - slack
        assert self.below is not None
        return value < self.below + slack


LIMITS = (
    Limit("~in_test", 1, "mode", word="test", clear=MINUTE),
    Limit("burst", 2, "load", above=50),
    Limit("burst", 3, "load", above=90, hold=10 * SECOND),
    Limit("gone", 2, "online", word=False, hold=30 * SECOND),
    Limit("hot", 2, "temp", above=80, hold=2 * MINUTE, clear=MINUTE, deadband=5),
    Limit("hot", 3, "temp", above=100, hold=30 * SECOND, clear=MINUTE, deadband=5),
    Limit("low", 1, "flow", below=10, deadband=1),
    Limit("low", 2, "flow", below=5, deadband=1),
    Limit("scant", 2, "flow", below=7),
    Limit("wet", 2, "leak", word=True),
)
RULES = ("burst", "fire", "gone", "hot", "low", "scant", "wet")
LATCHED = ("burst", "fire", "wet")
BY_DESIGN = ("burst", "hot", "wet")
RE_ALARM = {"hot": 30 * MINUTE, "scant": 10 * MINUTE, "wet": 10 * MINUTE}
ORDER_FROM = {"burst": 3, "fire": 3, "hot": 2}
LIFE_SAFETY = "fire"


@dataclass
class Phase:
    """Where a limit stands; ``due`` while its time runs, ``left`` while that stands still."""

    name: str
    due: int | None = None
    left: int | None = None


@dataclass
class Occurrence:
    """One episode of a rule on a device."""

    number: int
    level: int
    state: str = "unacknowledged"
    count: int = 1
    gone: bool = False
    how: str | None = None
    acked_by: str | None = None
    assignee: str | None = None
    order: int | None = None
    comments: int = 0
    re_alarm: int | None = None


@dataclass
class Order:
    number: int
    live: bool = True


@dataclass
class Outage:
    by: str
    since: int
    until: int | None
    confirmed: bool = False

    @property
    def due(self) -> int | None:
        return self.until if self.confirmed else self.since + LAPSE


@dataclass
class Thing:
    """A device."""

    values: dict[str, object] = field(default_factory=dict)
    frozen: bool = False
    in_grace: bool = False
    """It said that it is gone, and that counts from the end of the grace."""
    phases: dict[str, Phase] = field(default_factory=dict)
    live: dict[str, Occurrence] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """Why the last occurrence of each rule ended."""
    orders: dict[str, Order] = field(default_factory=dict)
    shelves: dict[str, tuple[int, bool]] = field(default_factory=dict)
    outages: dict[str, Outage] = field(default_factory=dict)
    high: float = 80.0
