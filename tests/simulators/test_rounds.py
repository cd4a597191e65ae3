"""Walks fit the rounds that the gateway opens."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Started, Tick
from gateway.core.patrol.memory import Round
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import DAY, HOUR, MINUTE, SECOND
from simulators.rounds import next_due, plan_walk
from tests.simulators.listening import START
from tests.simulators.sites import the_patrols


def test_a_walk_has_the_window_and_the_order_of_the_round_the_gateway_opens(patrols: SitePlan) -> None:
    """Also where the order is drawn, and where the round ends the next day."""
    engine = Engine(patrols, State())
    engine.step([Started(START, None), LinkUp(START)])
    opened: dict[str, Round] = {}
    for hour in range(1, 49):
        opened |= engine.step([Tick(START + hour * HOUR)]).rounds
    routes = {one.route for one in opened.values()}
    assert routes == {"hourly", "night", "late", "loop"}
    for one in opened.values():
        route = patrols.routes[one.route]
        assert route.due is not None
        due = route.due.last(one.start)
        assert due is not None
        walk = plan_walk(patrols, route, due, random.Random(1))
        assert (walk.start, walk.end, walk.judged) == (one.start, one.end, one.judge_at)
        assert [step.checkpoint for step in walk.steps] == [stop.checkpoint for stop in one.stops]
    drawn = {tuple(stop.checkpoint for stop in one.stops) for one in opened.values() if one.route == "night"}
    assert len(drawn) == 2


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), hours=st.integers(0, 365 * 24))
def test_a_walk_lies_in_its_window_at_the_pace_of_a_person(seed: int, hours: int) -> None:
    plan = the_patrols()
    for route in plan.routes.values():
        found = next_due([route], START + hours * HOUR)
        if found is None:
            assert route.id == "stroll"
            continue
        walk = plan_walk(plan, *found, random.Random(seed))
        assert walk.start < walk.steps[0].at
        assert walk.steps[-1].at < walk.end
        for before, after in pairwise(walk.steps):
            assert after.at - before.at >= 5 * SECOND
            if {before.checkpoint, after.checkpoint} == {"roof", "shed"}:
                assert after.at - before.at >= 65 * SECOND
            if route.id == "loop":
                assert 5 * SECOND <= after.at - before.at <= 50 * SECOND
        if route.id == "hourly":
            gate, hall, yard, *_ = walk.steps
            assert 50 * SECOND <= hall.at - gate.at <= 70 * SECOND
            assert yard.at >= walk.start + 10 * MINUTE


def test_the_next_round_is_the_first_of_all_routes(patrols: SitePlan) -> None:
    hourly, late = patrols.routes["hourly"], patrols.routes["late"]
    at = START
    seen: list[str] = []
    while at < START + DAY:
        found = next_due([late, hourly], at)
        assert found is not None
        at = found[1].at
        seen.append(found[0].id)
    # of 25 hours from the first to the one that ends the day, both are due at eleven: the one listed first is walked
    assert (seen.count("late"), seen.count("hourly")) == (1, 24)
