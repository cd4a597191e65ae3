"""A restart at any moment changes nothing that was observed, and what was not observed raises no storm."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.effects import Effects, Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Configured, Input, LinkUp, Started, Telemetry, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import MINUTE, SECOND, Millis
from gateway.site import SiteBundle, build_plan
from tests.core import stories
from tests.core.stories import DEVICES, PEOPLE, START, STEPS, Given, Played, plain, reborn, records
from tests.scenarios.timeline import laid_over, plan_from

CI = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SOAK = settings(CI, max_examples=3_000, derandomize=False)

PROFILE: dict[str, Any] = {
    "rules": {
        "hot": {"re_alarm": "10m", "shelve_max": "2h"},
        "trip": {"shelvable": False},
        "office": {
            "active": "shift",
            "levels": {"info": {"when": {"point": "temp", "above": 60}, "for": "1m"}},
        },
    },
    "suppressions": {
        "idle": {
            "title": "Idle",
            "when": {"point": "mode", "is": "idle"},
            "for": "5s",
            "clear": {"for": "20s"},
        }
        | {"rules": ["hot", "room", "leak"]}
    },
}
SITE: dict[str, Any] = {
    "teams": {"house": {"notify": ["duty"]}},
    "devices": [
        {"id": "d1", "profile": "thing", "tags": ["04A22B1C3D5E80"]},
        {"id": "d2", "profile": "thing", "via": "d1", "params": {"high": 60}},
    ],
    "maintenance": {
        "service": {"title": "Service", "kinds": ["thing"], "every": "FREQ=HOURLY", "lasts": "20m"}
        | {"start": "2026-09-21 17:00"}
    },
    "preventive": {
        "grease": {"title": "Grease", "template": "repair", "devices": ["d1"], "every": "FREQ=HOURLY"}
        | {"start": "2026-09-21 16:30", "lead": "5m"},
        "check": {"title": "Check", "template": "repair", "every": "FREQ=HOURLY", "from": "completion"}
        | {"start": "2026-09-21 17:30"},
    },
    "notify": {
        "targets": {"duty": {}, "lead": {"hours": "shift"}},
        "callouts": {"all": {"to": ["lead"], "escalate": [{"after": "5m", "to": ["duty"]}]}},
    },
}
NEVER_CHATTERING = {"flapping": {"transitions": 100, "within": "1s"}}


def _plan(profile: dict[str, Any], site: dict[str, Any]) -> SitePlan:
    thing = laid_over(yaml.safe_load(stories.PROFILE), profile)
    mill = laid_over(laid_over(yaml.safe_load(stories.SITE), SITE), site)
    return build_plan(
        SiteBundle("site.yaml", {"site.yaml": yaml.safe_dump(mill), "thing.yaml": yaml.safe_dump(thing)})
    )


RULES = {*yaml.safe_load(stories.PROFILE)["rules"], "office"}
PLAN = _plan(PROFILE, {})
OTHER_PLAN = _plan(
    laid_over(PROFILE, {"params": {"high": 70}}),
    {"maintenance": None, "teams": {"house": {"notify": None}}, "notify": None},
)
CALM_PLAN = _plan(
    laid_over(PROFILE, {"rules": dict.fromkeys(sorted(RULES), NEVER_CHATTERING)}),
    {"settings": {"boot_grace": "0s"}},
)
"""Without what counts from a start by design: the grace of silence and connection, and the calm after chatter."""

RULE = st.sampled_from(["hot", "trip", "leak", "silent", "none"])
PEOPLE_ACT = st.tuples(
    st.just("device"),
    st.sampled_from(DEVICES),
    st.sampled_from(PEOPLE),
    st.one_of(
        st.tuples(
            st.just("shelve"),
            st.fixed_dictionaries(
                {"rule": RULE, "why": st.just("works")},
                optional={
                    "until": st.sampled_from([1_000, 600_000, 7_200_000]),
                    "one_shot": st.just(value=True),
                },
            ),
        ),
        st.tuples(st.just("unshelve"), st.fixed_dictionaries({"rule": RULE})),
        st.tuples(
            st.just("out_of_service"),
            st.fixed_dictionaries(
                {"why": st.just("refit")},
                optional={"rule": RULE, "until": st.sampled_from([60_000, 3_600_000])},
            ),
        ),
        st.tuples(st.just("in_service"), st.fixed_dictionaries({}, optional={"rule": RULE})),
        st.tuples(st.just("tune"), st.fixed_dictionaries({"params": st.just({"high": 70})})),
        st.tuples(st.just("tune"), st.fixed_dictionaries({"params": st.just({"high": None})})),
    ),
)
ASSIGNED = st.tuples(st.just("assign"), st.integers(0, 5), st.sampled_from(PEOPLE))
OTHERS = st.sampled_from(
    [("tick",), ("lost",), ("up",), ("up",), ("started", 0), ("started", 60_000), ("other plan",)]
)
HEARD = st.one_of(stories._telemetry(), stories.EVENTS, stories.STATUSES)
TALES = st.lists(
    st.builds(
        Given,
        st.sampled_from(STEPS),
        st.one_of(HEARD, HEARD, HEARD, stories.COMMANDS, PEOPLE_ACT, PEOPLE_ACT, ASSIGNED, OTHERS),
    ),
    max_size=40,
)


def play(tale: list[Given], plan: SitePlan) -> Played:
    """Let an engine live through a tale; what is asked of records becomes commands to those that are there."""
    engine = Engine(plan, State())
    played = Played([], [], [], engine, [])
    _feed(played, [Started(START, None), LinkUp(START)])
    at = START
    for number, one in enumerate(tale):
        at = max(at + one.after, engine.state.scalars.now)
        _feed(played, _inputs(engine, at, number, one.what))
    _feed(played, [Tick(at + 7_200_000)])
    return played


def _feed(played: Played, inputs: list[Input]) -> None:
    for one in inputs:
        effects = played.engine.step([one])
        played.inputs.append(one)
        played.effects.append(effects)
        played.outcomes.extend(effects.outcomes)
        played.rows.extend(effects.rows)


def _inputs(engine: Engine, at: Millis, number: int, what: Any) -> list[Input]:  # noqa: ANN401 - as drawn
    match what:
        case ("device", device, actor, (verb, args)):
            given = {**args, "until": at + args["until"]} if "until" in args else args
            return [
                Command(at=at, id=f"c{number}", actor=actor, verb=f"device.{verb}", target=device, args=given)
            ]
        case ("assign", which, actor):
            ids = sorted(engine.state.alerts) or ["none"]
            args = {"assignee": actor}
            target = ids[which % len(ids)]
            return [
                Command(at=at, id=f"c{number}", actor=actor, verb="alert.assign", target=target, args=args)
            ]
        case ("other plan",):
            return [Configured(at, OTHER_PLAN)]
        case _:
            return stories._inputs(engine, at, number, what)


def outcomes_of(effects: list[Effects]) -> list[Outcome]:
    return [outcome for one in effects for outcome in one.outcomes]


# --- the promises ------------------------------------------------------------------------------------------------


def cut_at_any_input_nothing_changes(tale: list[Given], draw: st.DataObject) -> None:
    played = play(tale, PLAN)
    place = draw.draw(st.integers(0, len(played.inputs)))
    for cuts in ({place}, set(range(len(played.inputs)))):
        engine, effects = Engine(PLAN, State()), []
        for number, one in enumerate(played.inputs):
            if number in cuts:
                engine = reborn(engine)
            effects.append(engine.step([one]))
        assert outcomes_of(effects) == played.outcomes
        assert records(effects) == records(played.effects)
        assert plain(engine.state) == plain(played.engine.state)


def a_restart_that_takes_no_time_leaves_no_trace(tale: list[Given], draw: st.DataObject) -> None:
    """The records and the history are the same but for three words about the gateway itself.

    Taken out are the outcomes ``gateway.*`` and nothing else. By the site's settings there is neither a grace nor
    chatter: silence and connection count anew from a start, and so does calm, which is what a start is meant to do.
    """
    undisturbed = [one for one in tale if one.what[0] != "other plan"]
    played = play(undisturbed, CALM_PLAN)
    place = draw.draw(st.integers(2, len(played.inputs)))
    engine, effects = Engine(CALM_PLAN, State()), []
    for number, one in enumerate(played.inputs):
        if number == place:
            engine = reborn(engine)
            now, seeing = engine.state.scalars.now, engine.state.scalars.observing
            effects.append(engine.step([Started(now, now), LinkUp(now)] if seeing else [Started(now, now)]))
        effects.append(engine.step([one]))
    assert _about_the_site(outcomes_of(effects)) == _about_the_site(played.outcomes)
    assert records(effects) == records(played.effects)


def _about_the_site(outcomes: list[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if not one.kind.startswith("gateway.")]


PROMISES = [cut_at_any_input_nothing_changes, a_restart_that_takes_no_time_leaves_no_trace]
Promise = Callable[[list[Given], st.DataObject], None]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_whatever_happened(promise: Promise) -> None:
    CI(given(TALES, st.data())(promise))()


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_whatever_happened_in_a_great_many_stories(promise: Promise) -> None:
    SOAK(given(TALES, st.data())(promise))()


# --- no storm ----------------------------------------------------------------------------------------------------

MANY = [f"s{number:03}" for number in range(200)]
DEAD = MANY[3::30]
"""Seven of them."""
GRACE = 2 * MINUTE
WATCHED: dict[str, Any] = {
    "points": {"temp": {"type": "float"}},
    "rules": {
        "silent": {"levels": {"warning": {"when": {"silent_for": "60s"}}}, "auto_ack": True},
        "gone": {"levels": {"critical": {"when": {"offline": True}}}},
        "hot": {"levels": {"warning": {"when": {"point": "temp", "above": 80}, "for": "5m"}}},
    },
}


HOT = "s000"


def reports(names: list[str], since: Millis, until: Millis) -> list[Input]:
    """Each device speaks every ten seconds; one of them is too hot since shortly before the gateway went down."""
    times = range(since, until + 1, 10 * SECOND)
    return [Telemetry(at, name, at, {"temp": _temp(name, at)}) for at in times for name in names]


def _temp(name: str, at: Millis) -> float:
    return 90.0 if name == HOT and at >= START + 10 * MINUTE else 20.0


def raised(outcomes: list[Outcome]) -> list[tuple[str | None, str | None]]:
    return [(one.device, one.rule) for one in outcomes if one.kind == "alert.raised"]


def test_after_half_an_hour_of_downtime_only_the_devices_that_are_silent_are_told() -> None:
    site = {"devices": [{"id": name, "profile": "thing"} for name in MANY]}
    engine = Engine(plan_from(WATCHED, site), State())
    down, up = START + 10 * MINUTE, START + 40 * MINUTE
    before = engine.step([Started(START, None), LinkUp(START), *reports(MANY, START, down)]).outcomes
    assert raised(before) == []

    engine = reborn(engine)
    alive = [name for name in MANY if name not in DEAD]
    after = engine.step([Started(up, down), LinkUp(up)]).outcomes
    assert [one.kind for one in after] == ["gateway.unobserved", "gateway.started", "gateway.observing"]
    within = engine.step([*reports(alive, up, up + GRACE - 1), Tick(up + GRACE - 1)]).outcomes
    assert within == [], "something was told before the grace was over"
    later = engine.step(
        [*reports(alive, up + GRACE, up + 5 * MINUTE - 1), Tick(up + 5 * MINUTE - 1)]
    ).outcomes
    assert raised(later) == [(name, "silent") for name in DEAD]
    assert {one.at for one in later} == {up + GRACE}
    last = engine.step(reports(alive, up + 5 * MINUTE, up + 60 * MINUTE)).outcomes
    assert raised(last) == [(HOT, "hot")], "what was true before has its whole time, no more and no less"
    assert last[0].at == up + 5 * MINUTE


def test_the_first_start_of_all_has_no_past() -> None:
    """Windows and calendars that turned before there was a gateway are nobody's business."""
    site = {"maintenance": {"service": {**SITE["maintenance"]["service"], "start": "2026-01-05 17:00"}}}
    engine = Engine(_plan(PROFILE, site), State())
    first = engine.step([Started(START, None), LinkUp(START)]).outcomes
    assert [(one.at, one.kind) for one in first] == [(START, "gateway.started")]
    turned = engine.step([Tick(START + 60 * MINUTE)]).outcomes
    began = [one.at for one in turned if one.kind == "maintenance.began"]
    assert began == [START + 46 * MINUTE + 40 * SECOND]


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted meanwhile"])
@pytest.mark.parametrize("word", ["silence", "last will"])
def test_a_dead_reader_with_fifty_devices_behind_it_gives_one_alert(word: str, restarted: bool) -> None:
    behind = MANY[:50]
    site = {
        "devices": [
            {"id": "reader", "profile": "thing"},
            *({"id": name, "profile": "thing", "via": "reader"} for name in behind),
        ]
    }
    engine = Engine(plan_from(WATCHED, site), State())
    lost = START + 10 * MINUTE
    heard = reports([*behind, "reader"], START, lost)
    outcomes = engine.step([Started(START, None), LinkUp(START), *heard]).outcomes
    at, rule = lost, "silent"
    if word == "last will":
        at = lost + SECOND
        outcomes += engine.step(stories._inputs(engine, at, 0, ("status", "reader", False, False))).outcomes
        rule = "gone"
    if restarted:
        at += 30 * MINUTE
        engine = reborn(engine)
        outcomes += engine.step([Started(at, at - 30 * MINUTE), LinkUp(at)]).outcomes
    outcomes += engine.step([Tick(at + 6 * 60 * MINUTE)]).outcomes
    told = raised(outcomes)
    assert {device for device, _ in told} == {"reader"}
    assert ("reader", rule) in told
    assert len(told) == len(set(told))
    assert len(engine.state.alerts) == len(told)
    assert msgspec.to_builtins(engine.state.devices["s000"].alerts) == {}
