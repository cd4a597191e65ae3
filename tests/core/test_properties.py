"""What holds for every story: ticks, batches and restarts of memory change nothing, and records keep their promises."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Input, Started, Tick
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, RoundState, TapRecord
from gateway.core.state import Alert, AlertState, State
from gateway.core.work_orders import ENDED
from tests.core.shadow import Shadow
from tests.core.stories import GUARDED, STORIES, Given, Played, plain, play, reborn, records

CI = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SOAK = settings(CI, max_examples=3_000)


def retold(batches: list[list[Input]]) -> tuple[Engine, list[Effects]]:
    engine = Engine(GUARDED[0], State())
    return engine, [engine.step(batch) for batch in batches]


def same(played: Played, engine: Engine, effects: list[Effects]) -> None:
    assert [outcome for one in effects for outcome in one.outcomes] == played.outcomes
    assert [row for one in effects for row in one.rows] == played.rows
    assert records(effects) == records(played.effects)
    assert plain(engine.state) == plain(played.engine.state)


def ticks_change_nothing(story: list[Given], draw: st.DataObject) -> None:
    played = play(story)
    inputs: list[Input] = []
    for before, after in pairwise(played.inputs):
        inputs.append(before)
        # No clock ticks while the gateway is down.
        alive = after.last if isinstance(after, Started) and after.last is not None else after.at
        gap = alive - before.at
        share = draw.draw(st.integers(0, 4)) if gap > 0 else 0
        inputs.extend(Tick(before.at + gap * part // (share + 1)) for part in range(1, share + 1))
    inputs.append(played.inputs[-1])
    same(played, *retold([[one] for one in inputs]))


def cuts_change_nothing(story: list[Given], draw: st.DataObject) -> None:
    played = play(story)
    batches: list[list[Input]] = [[]]
    for one in played.inputs:
        if draw.draw(st.booleans()):
            batches.append([])
        batches[-1].append(one)
    same(played, *retold(batches))


def a_restart_of_memory_changes_nothing(story: list[Given], draw: st.DataObject) -> None:
    played = play(story)
    engine, effects = Engine(GUARDED[0], State()), []
    for one in played.inputs:
        effects.append(engine.step([one]))
        if draw.draw(st.booleans()):
            engine = reborn(engine)
    same(played, engine, effects)


def what_a_step_says_has_changed_is_all_that_has(story: list[Given], _draw: st.DataObject) -> None:
    played = play(story)
    engine, shadow = Engine(GUARDED[0], State()), Shadow()
    effects = []
    for one in played.inputs:
        effects.append(engine.step([one]))
        shadow.commit(effects[-1], engine.state)
        assert plain(shadow.load()) == plain(engine.state), one
        engine = Engine(engine.plan, shadow.load())
    same(played, engine, effects)


def records_keep_their_promises(story: list[Given], _draw: st.DataObject) -> None:
    engine = Engine(GUARDED[0], State())
    versions: dict[str, int] = {}
    ended: dict[str, bytes] = {}
    for one in play(story).inputs:
        effects = engine.step([one])
        state = engine.state
        changed: list[tuple[str, Alert | WorkOrder | Round | TapRecord]] = [
            *effects.alerts.items(),
            *effects.orders.items(),
            *effects.rounds.items(),
            *effects.taps.items(),
        ]
        for name, record in changed:
            assert name not in ended, f"{name} had ended and changed again"
            assert record.version > versions.get(name, 0)
            versions[name] = record.version
        for name, alert in effects.alerts.items():
            assert (alert.state is AlertState.NORMAL) == (name not in state.alerts)
            assert (alert.ended_at is not None) == (name not in state.alerts)
            if name not in state.alerts:
                ended[name] = msgspec.msgpack.encode(alert)
        for name, one_round in effects.rounds.items():
            assert (one_round.state is RoundState.CLOSED) == (name not in state.patrol.rounds)
            if name not in state.patrol.rounds:
                ended[name] = msgspec.msgpack.encode(one_round)
        ended |= dict.fromkeys(effects.forgotten, b"")
        check_indexes(state)


def check_indexes(state: State) -> None:
    live = {(alert.device, alert.rule): name for name, alert in state.alerts.items()}
    assert len(live) == len(state.alerts), "two live alerts of one rule on one device"
    indexed = {(name, rule): one for name, dev in state.devices.items() for rule, one in dev.alerts.items()}
    assert indexed == live
    still_open = [
        (order.device, order.rule, name)
        for name, order in state.orders.items()
        if order.rule and order.state not in ENDED
    ]
    places = {(device, rule): name for device, rule, name in still_open}
    assert len(places) == len(still_open), "two open orders of one rule on one device"
    listed = {(name, rule): one for name, dev in state.devices.items() for rule, one in dev.orders.items()}
    assert listed == places


PROMISES = [
    ticks_change_nothing,
    cuts_change_nothing,
    a_restart_of_memory_changes_nothing,
    what_a_step_says_has_changed_is_all_that_has,
    records_keep_their_promises,
]
Promise = Callable[[list[Given], st.DataObject], None]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_story_keeps_the_promise_that(promise: Promise) -> None:
    CI(given(STORIES, st.data())(promise))()


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_great_many_stories_keep_the_promise_that(promise: Promise) -> None:
    SOAK(given(STORIES, st.data())(promise))()
