"""Notices: what no story may break, whatever happens in which order."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.callout import first_opening
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Configured, Event, Input, LinkUp, Started, Telemetry, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import HOUR, Millis
from gateway.site import SiteBundle, build_plan

START: Millis = 1_790_000_000_000
PROFILE = """
profile: thing
report_every: 10s
points: {temp: {type: float}, flow: {type: float}}
events: {button: {attributes: {zone: {type: text}}}, knock: {}}
rules:
  hot:
    levels: {warning: {when: {point: temp, above: 80}}, critical: {when: {point: temp, above: 100}}}
    clear: {for: 20s}
    re_alarm: 3h
  low: {levels: {info: {when: {point: flow, below: 1}}}}
  help: {levels: {critical: {when: {event: button}}}, latched: true, shelvable: false}
  knocked: {levels: {warning: {when: {event: knock}}}, work_order: {warning: fix}}
"""
SITE = """
site: mill
timezone: Europe/Berlin
profiles: [thing.yaml]
calendars: {day: {hours: {mon-fri: "08:00-17:00"}}, night: {hours: {mon-sun: "22:00-06:00"}}}
teams: {house: {notify: [office]}}
work_orders: {fix: {team: house, clocks: {accept: 10m}}}
notify:
  targets: {duty: {}, office: {hours: day}, watch: {hours: night}}
  callouts:
    grave: {levels: [critical], to: [watch, office], escalate: [{after: 5m, to: [watch]}, {after: 20m, to: [office]}, {after: 1h, to: [duty]}]}
    hot: {levels: [warning], rules: [hot], to: [office], escalate: [{after: 10m, to: [watch]}]}
    rest: {levels: [info, warning], to: [duty], escalate: [{after: 1m, to: [office]}]}
devices: [{id: d1, profile: thing}, {id: d2, profile: thing}]
"""


def _plan(site: str) -> SitePlan:
    return build_plan(SiteBundle("site.yaml", {"site.yaml": site, "thing.yaml": PROFILE}))


PLANS = (
    _plan(SITE),
    _plan(SITE.replace("rules: [hot], ", "").replace("to: [watch, office]", "to: [duty]")),
    _plan(
        yaml.safe_dump(
            {name: part for name, part in yaml.safe_load(SITE).items() if name != "notify"}
            | {"teams": {"house": {}}}
        )
    ),
)
"""In force at first; other call-outs; nobody to tell."""

STEPS = (0, 1, 5_000, 29_999, 30_000, 60_000, 299_000, 300_000, 1_200_000, HOUR, 5 * HOUR, 14 * HOUR)
DEVICES = st.sampled_from(["d1", "d2"])
HAPPENINGS = st.one_of(
    st.tuples(st.just("temp"), DEVICES, st.sampled_from([20.0, 90.0, 110.0])),
    st.tuples(st.just("flow"), DEVICES, st.sampled_from([0.0, 5.0])),
    st.tuples(st.just("button"), DEVICES, st.sampled_from(["B1", "B2"])),
    st.tuples(st.just("knock"), DEVICES, st.just("")),
    st.tuples(st.just("ack"), st.integers(0, 3), st.just("")),
    st.tuples(st.just("shelve"), st.integers(0, 3), st.just("")),
    st.tuples(st.just("plan"), st.integers(0, len(PLANS) - 1), st.just("")),
    st.tuples(st.just("tick"), st.just(""), st.just("")),
)
TALES = st.lists(st.tuples(st.sampled_from(STEPS), HAPPENINGS), max_size=25)


def inputs_of(engine: Engine, at: Millis, number: int, what: tuple[str, Any, Any]) -> list[Input]:
    kind, which, value = what
    alerts = sorted(engine.state.alerts)
    match kind:
        case "temp" | "flow":
            return [Telemetry(at, which, at, {kind: value})]
        case "button":
            return [Event(at, which, at, f"e{number}", "button", {"zone": value})]
        case "knock":
            return [Event(at, which, at, f"e{number}", "knock", {})]
        case "plan":
            return [Configured(at, PLANS[which])]
        case "ack" | "shelve" if alerts:
            args = {"why": "x", "until": at + HOUR} if kind == "shelve" else {}
            target = alerts[which % len(alerts)]
            return [
                Command(at=at, id=f"c{number}", actor="anna", verb=f"alert.{kind}", target=target, args=args)
            ]
        case _:
            return [Tick(at)]


def play(
    tale: Sequence[tuple[Millis, Any]], *, reborn: bool = False, ticks: bool = False
) -> tuple[list[Outcome], Engine]:
    """The outcomes of a tale; with the state written out before each step, or with more ticks."""
    engine, outcomes, at = Engine(PLANS[0], State()), [], START
    for number, (gap, what) in enumerate([(0, None), *tale]):
        if ticks:
            for part in range(1, 5):
                outcomes += engine.step([Tick(at + gap * part // 5)]).outcomes
        at += gap
        if reborn:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state), type=State)
            engine = Engine(engine.plan, state)
        if what is not None:  # people see what time has done
            outcomes += engine.step([Tick(at)]).outcomes
        inputs = [Started(at, None), LinkUp(at)] if what is None else inputs_of(engine, at, number, what)
        outcomes += engine.step([*inputs, Tick(at)]).outcomes
    return outcomes, engine


def notices(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    return (one for one in outcomes if one.kind == "notice.sent")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TALES)
def test_restarts_and_ticks_change_nothing(tale: Sequence[tuple[Millis, Any]]) -> None:
    plain, engine = play(tale)
    for other, again in (play(tale, reborn=True), play(tale, ticks=True)):
        assert other == plain
        assert again.state.scalars.groups == engine.state.scalars.groups


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TALES)
def test_nobody_is_told_outside_their_hours_or_of_what_needs_nobody(
    tale: Sequence[tuple[Millis, Any]],
) -> None:
    standing: dict[str, str] = {}
    targets = PLANS[0].targets
    outcomes, engine = play(tale)
    for one in outcomes:
        if one.subject is not None and one.kind in ("alert.acknowledged", "alert.shelved", "alert.ended"):
            standing[one.subject] = one.kind
        elif one.subject is not None and one.detail.get("announced"):
            standing[one.subject] = "asks"
        if one.kind != "notice.sent":
            continue
        assert one.detail["targets"]
        for name in one.detail["targets"]:
            hours = targets[name].hours
            assert hours is None or hours.is_open(one.at)
        momentary = {"alert.ended"} if one.rule == "knocked" else set()
        assert {standing[name] for name in one.detail["alerts"]} <= {"asks"} | momentary
    for group in engine.state.scalars.groups.values():
        assert group.waiting or group.told


@settings(max_examples=100, deadline=None)
@given(TALES)
def test_each_step_is_taken_once_for_each_time_an_alert_is_told_anew(
    tale: Sequence[tuple[Millis, Any]],
) -> None:
    tale = [(gap, what) for gap, what in tale if what[0] != "plan"]
    reached: dict[str, int] = {}
    callout: dict[str, str] = {}
    outcomes, _ = play(tale)
    for one in outcomes:
        over = one.kind in ("alert.acknowledged", "alert.shelved", "alert.cleared")
        if one.subject is not None and (over or one.detail.get("announced")):
            reached.pop(one.subject, None)
        if one.kind != "notice.sent":
            continue
        for name in one.detail["alerts"]:
            if callout.get(name) != one.detail["callout"]:
                callout[name] = one.detail["callout"]
                reached.pop(name, None)
            if one.detail["why"] == "escalation":
                assert one.detail["step"] > reached.get(name, 0)
                reached[name] = one.detail["step"]


def test_a_chattering_alert_is_told_once_and_repeated_when_it_is_calm() -> None:
    engine = Engine(PLANS[0], State())
    engine.step([Started(START, None), LinkUp(START)])
    told: list[Outcome] = []
    for number, second in enumerate(range(0, 9 * 3600, 20)):
        at = START + second * 1000
        effects = engine.step([Telemetry(at, "d1", at, {"flow": 0.0 if number % 2 == 0 else 5.0})])
        told += notices(effects.outcomes)
    escalated = [one for one in told if one.detail["why"] == "escalation"]
    assert [one.detail["why"] for one in told if one not in escalated] == ["new"]
    assert len(escalated) == 1
    at = START + 9 * HOUR
    engine.step([Telemetry(at, "d1", at, {"flow": 0.0})])
    later = engine.step([Tick(at + 9 * HOUR)]).outcomes
    assert [one.detail["why"] for one in notices(later)] == ["repeat"]


def test_those_who_may_never_be_told_have_no_opening() -> None:
    assert first_opening(PLANS[0].targets, ["nobody"], START) is None
