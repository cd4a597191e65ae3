"""A small site with every kind of condition, and random stories on it."""

from typing import Any, NamedTuple, TypeAlias

import msgspec
import yaml
from hypothesis import strategies as st

from gateway.core.effects import Effects, Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import (
    Command,
    Configured,
    Event,
    Input,
    LinkLost,
    LinkUp,
    Rejection,
    Started,
    Status,
    Telemetry,
    Tick,
)
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, DeviceState, State
from gateway.core.values import Millis, Scalar, TelemetryRow
from gateway.core.work_orders import CHAIN, HOLD_REASONS
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles
from tests.core import patrol_stories
from tests.core.patrol_stories import OTHERS as OTHER_PATROLS
from tests.core.patrol_stories import PATROL, PLEAS, TOUCHES, Plea, Touch

START: Millis = 1_790_000_000_000

PROFILE = """
profile: thing
report_every: 10s
points:
  temp: {type: float, valid: [-40, 200]}
  level: {type: float}
  mode: {type: enum, values: [idle, low, high]}
  running: {type: bool}
  starts: {type: int, counter: true}
  label: {type: text}
events:
  trip: {attributes: {cause: {type: enum, values: [heat, phase]}, who: {type: text, personal: true}}}
  denied: {}
  tap: {attributes: {tag: {type: text}, guard: {type: text}}}
params: {high: 80, higher: 100}
rules:
  hot:
    levels:
      warning: {when: {point: temp, above: $high}, for: 2m}
      critical: {when: {point: temp, above: $higher}, for: 30s}
    clear: {deadband: 5, for: 1m}
    work_order: {warning: repair}
  room: {levels: {info: {when: {point: temp, outside: [5, 40]}}}, clear: {deadband: 2}, auto_ack: true}
  mode: {levels: {info: {when: {point: mode, in: [low, high]}}, warning: {when: {point: mode, is: high}, for: 10s}}}
  renamed: {levels: {info: {when: {point: label, changed: true}}}}
  leak: {levels: {warning: {when: {point: level, rate_below: -10, per: 1m, over: 1m}, for: 10s}}, clear: {for: 10s}}
  busy: {levels: {info: {when: {point: starts, rate_above: 10, per: 1m, over: 2m}}}, auto_ack: true}
  trip: {levels: {critical: {when: {event: trip, where: {cause: heat}}}}, latched: true, work_order: {critical: strict}}
  knocking: {levels: {warning: {when: {count: {event: denied, within: 60s, at_least: 3}}, for: 5s}}, clear: {for: 20s}}
  mixed:
    levels:
      warning:
        when:
          any:
            - {all: [{point: running, is: true}, {not: {point: mode, is: idle}}, {point: temp, above: 30, for: 20s}], for: 40s}
            - {count: {event: trip, within: 2m, at_least: 2}}
    latched: true
  half_deaf:
    levels:
      warning: {when: {all: [{point: level, silent_for: 1m, for: 10s}, {not: {point: temp, silent_for: 30s}}]}}
  silent: {levels: {warning: {when: {silent_for: 3x}}, critical: {when: {silent_for: 10m}, for: 1m}}, work_order: {critical: repair}}
  gone: {levels: {info: {when: {any: [{offline: true, for: 15s}, {point: starts, silent_for: 1h}, {point: label, silent_for: 1h}]}}}}
  offline: {levels: {warning: {when: {offline: true}, for: 30s}}, clear: {for: 5s}}
"""

SITE = """
site: mill
timezone: Europe/Berlin
profiles: [thing.yaml]
settings: {boot_grace: 1m}
teams: {house: {}}
work_orders:
  repair:
    team: house
    clocks: {accept: 5m, arrive: 30m, resolve: 2h}
    accept_within: 2m
    longest_hold: {parts: 30m, permit: 10m}
    calendar: shift
    reopen_within: 1h
  strict: {allow_skips: false, checklist: [{name: look, corrective: repair}, {name: note, required: false}], clocks: {resolve: 10m}, reopen_within: 0s}
calendars: {shift: {hours: {mon-sun: ["08:00-16:20", "16:30-24:00"]}}}
devices:
  - {id: d1, profile: thing, tags: ["04A22B1C3D5E80"]}
  - {id: d2, profile: thing, params: {high: 60}}
"""


def _plan(site: str, profile: str) -> SitePlan:
    return build_plan(SiteBundle("site.yaml", {"site.yaml": site, "thing.yaml": profile}))


def _guarded(site: str, profile: str, patrol: dict[str, Any]) -> SitePlan:
    text = yaml.safe_dump({**yaml.safe_load(site), **patrol})
    return build_plan(
        SiteBundle("site.yaml", {**internal_profiles(), "site.yaml": text, "thing.yaml": profile})
    )


def _without_rules(*names: str) -> str:
    text = yaml.safe_load(PROFILE)
    for name in names:
        del text["rules"][name]
    return yaml.safe_dump(text)


TEXTS = (
    (SITE, PROFILE),
    (
        SITE.replace("16:30", "17:00"),
        PROFILE.replace("high: 80", "high: 70").replace("latched: true", "latched: false"),
    ),
    (SITE.replace("  - {id: d2, profile: thing, params: {high: 60}}\n", ""), PROFILE),
    (SITE, _without_rules("trip", "hot", "silent", "mixed")),
    (SITE, PROFILE.replace("  label: {type: text}", "  label: {type: int}")),
)
"""At first; other limits, no latches, other hours; a device less; rules less; another type of a point."""
PLANS = tuple(_plan(*texts) for texts in TEXTS)
"""Of a site that nobody patrols."""
GUARDED = tuple(
    _guarded(*texts, patrol) for texts, patrol in zip(TEXTS, (PATROL, *OTHER_PATROLS), strict=True)
)
"""The same with a patrol, which stories happen on; the first is in force at first."""

DEVICES = ("d1", "d2")
STEPS = (
    0,
    0,
    1,
    999,
    1_000,
    5_000,
    10_000,
    20_000,
    29_999,
    30_000,
    60_000,
    120_000,
    600_000,
    3_600_000,
    10_800_000,
)
PEOPLE = ("anna", "ben")


class Ask(NamedTuple):
    """A command to whatever record is there when its time comes."""

    verb: str
    which: int
    actor: str
    args: dict[str, Any]
    expect: int | None


class Given(NamedTuple):
    """One thing of a story: how long after the one before, and what."""

    after: Millis
    what: Any


def _telemetry() -> st.SearchStrategy[Any]:
    values = st.fixed_dictionaries(
        {},
        optional={
            "temp": st.sampled_from([4.0, 5.0, 20.0, 31.0, 66.0, 75.0, 81.0, 96.0, 101.0]),
            "level": st.sampled_from([0.0, 10.0, 20.0, 90.0]),
            "mode": st.sampled_from(["idle", "low", "high"]),
            "running": st.booleans(),
            "starts": st.integers(0, 100),
            "label": st.sampled_from(["north", "south"]),
        },
    ).filter(bool)
    return st.tuples(st.just("telemetry"), st.sampled_from(DEVICES), OFFSETS, values, RARELY)


OFFSETS = st.sampled_from([0, 0, 0, 0, -1, -1_000, -60_000, -3_600_000, 1_000])
RARELY = st.sampled_from([False] * 7 + [True])
EVENTS = st.tuples(
    st.just("event"),
    st.sampled_from(DEVICES),
    OFFSETS,
    st.sampled_from(["denied", "denied", "trip", "tap"]),
    st.sampled_from([None, None, None, "e1", "e2"]),
    RARELY,
)
STATUSES = st.tuples(st.just("status"), st.sampled_from(DEVICES), st.booleans(), RARELY)
COMMANDS = st.builds(
    Ask,
    st.sampled_from(
        [
            "alert.ack",
            "alert.ack",
            "alert.reset",
            "alert.comment",
            "work_order.open",
            "work_order.assign",
            "work_order.move",
            "work_order.move",
            "work_order.move",
            "work_order.check",
            "work_order.comment",
            "work_order.add_cost",
            "work_order.void_cost",
            "work_order.attach",
            "work_order.sign",
            "no.such",
        ]
    ),
    st.integers(0, 5),
    st.sampled_from(PEOPLE),
    st.fixed_dictionaries(
        {},
        optional={
            "to": st.sampled_from([*map(str, CHAIN), "on_hold", "cancelled", "duplicate"]),
            "reason": st.sampled_from([*HOLD_REASONS, "wrong"]),
            "resume_at": st.sampled_from([START, START + 3_600_000, START * 2, "soon"]),
            "team": st.sampled_from(["house", "nobody", None, ["house"], {}]),
            "assignee": st.sampled_from(["ben", None, 7]),
            "template": st.sampled_from(["repair", "strict", "none"]),
            "step": st.sampled_from(["look", "note", "none"]),
            "result": st.sampled_from([True, False, 3, "wrong"]),
            "kind": st.sampled_from(["part", "labour", "photo"]),
            "quantity": st.sampled_from(["1.5", "-1"]),
            "price": st.sampled_from(["2.50", "x"]),
            "cost": st.just("none"),
            "tag": st.sampled_from(["04A22B1C3D5E80", "none", 7]),
            "name": st.sampled_from(["Li", ""]),
            "text": st.sampled_from(["a word", " ", 3]),
            "reported_at": st.sampled_from([START, 0, None, "then"]),
            "duplicate_of": st.integers(0, 5),
        },
    ),
    st.sampled_from([None, None, None, 1, 2]),
)
ATTRIBUTES: dict[str, dict[str, Scalar]] = {
    "trip": {"cause": "heat", "who": "somebody"},
    "tap": {"tag": "04A22B1C3D5E80", "guard": "ben"},
}
OTHERS = st.sampled_from(
    [
        ("tick",),
        ("lost",),
        ("up",),
        ("up",),
        ("started", 0),
        ("started", 60_000),
        ("refused", "d1"),
        ("refused", None),
    ]
    + [("plan", index) for index in range(len(GUARDED))]
)
STORIES = st.lists(
    st.builds(
        Given,
        st.sampled_from(STEPS),
        st.one_of(
            *[_telemetry()] * 3, EVENTS, EVENTS, STATUSES, COMMANDS, COMMANDS, OTHERS, *[TOUCHES] * 3, PLEAS
        ),
    ),
    max_size=40,
)

Told: TypeAlias = tuple[list[Outcome], list[TelemetryRow]]


class Played(NamedTuple):
    """A story as the engine took it, one input at a time."""

    inputs: list[Input]
    outcomes: list[Outcome]
    rows: list[TelemetryRow]
    engine: Engine
    effects: list[Effects]


def play(story: list[Given]) -> Played:
    """Let an engine live through a story; what is asked of records becomes commands to those that are there."""
    engine = Engine(GUARDED[0], State())
    played = Played([], [], [], engine, [])
    _feed(played, [Started(START, None)], [LinkUp(START)])
    at = START
    for number, given in enumerate(story):
        at += given.after
        _feed(played, *([one] for one in _inputs(engine, at, number, given.what)))
    _feed(played, [Tick(at + 7_200_000)])
    return played


def _feed(played: Played, *batches: list[Input]) -> None:
    for batch in batches:
        effects = played.engine.step(batch)
        played.inputs.extend(batch)
        played.effects.append(effects)
        played.outcomes.extend(effects.outcomes)
        played.rows.extend(effects.rows)


def _inputs(engine: Engine, at: Millis, number: int, what: Any) -> list[Input]:  # noqa: ANN401
    """The inputs that are possible now: a codec gives facts of devices and points of the plan in force only."""
    plan = engine.plan
    match what:
        case ("telemetry", device, offset, values, retained) if device in plan.devices:
            points = plan.devices[device].kind.points
            fitting = {name: value for name, value in values.items() if _is_of(points[name].type, value)}
            return [Telemetry(at, device, at + offset, fitting, retained)] if fitting else []
        case ("event", device, offset, name, key, retained) if device in plan.devices:
            attributes = ATTRIBUTES.get(name, {})
            ts = at + offset
            return [Event(at, device, ts, key or f"{name}@{ts}", name, attributes, retained)]
        case ("status", device, online, retained) if device in plan.devices:
            return [Status(at, device, online, retained)]
        case ("refused", device):
            return [Rejection(at, device, "a/topic", "not_json", "words", b"raw")]
        case ("plan", index):
            return [Configured(at, GUARDED[index])]
        case ("started", ago):
            last = max(engine.state.scalars.now, at - ago)
            return [Started(max(at, last), last), LinkUp(max(at, last))]
        case Touch():
            return [patrol_stories.tap(at, number, what)]
        case Plea():
            return [patrol_stories.command(plan, engine.state, at, number, what)]
        case Ask():
            return [_command(engine, at, number, what)]
        case ("lost",):
            return [LinkLost(at, "gone")]
        case ("up",):
            return [LinkUp(at)]
        case _:
            return [Tick(at)]


def _is_of(kind: str, value: object) -> bool:
    return kind != "int" or isinstance(value, int)


def _command(engine: Engine, at: Millis, number: int, ask: Ask) -> Command:
    records = engine.state.alerts if ask.verb.startswith("alert.") else engine.state.orders
    ids = sorted(records)
    target = ids[ask.which % len(ids)] if ids else "none"
    if ask.verb == "work_order.open":
        target = ("", "d1", "d9")[ask.which % 3]
    args = dict(ask.args)
    if "duplicate_of" in args:
        orders = sorted(engine.state.orders)
        args["duplicate_of"] = orders[args["duplicate_of"] % len(orders)] if orders else "none"
    return Command(
        at=at, id=f"c{number}", actor=ask.actor, verb=ask.verb, target=target, args=args, expect=ask.expect
    )


def records(effects: list[Effects]) -> Any:  # noqa: ANN401
    """Every changed record as it was at its last change."""
    alerts: dict[str, Alert] = {}
    orders: dict[str, WorkOrder] = {}
    taps: dict[str, TapRecord] = {}
    rounds: dict[str, Round] = {}
    for one in effects:
        alerts |= one.alerts
        orders |= one.orders
        taps |= one.taps
        rounds |= one.rounds
    return msgspec.to_builtins([alerts, orders, taps, rounds])


def plain(state: State) -> Any:  # noqa: ANN401
    """A state as plain values, without devices of which nothing is known yet."""
    known = {name: dev for name, dev in state.devices.items() if dev != DeviceState()}
    whole = State(state.scalars, known, state.alerts, state.orders, patrol_stories.plain(state))
    return msgspec.to_builtins(whole, str_keys=True)


def reborn(engine: Engine) -> Engine:
    """A fresh engine on what the state of another was on disk."""
    return Engine(engine.plan, msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state), type=State))
