from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.motion import ACCELERATION, BRAKING, WarmBody, emergency_stop, ride

metres = st.floats(-10, 200)
rides = st.tuples(metres, metres).filter(lambda ends: abs(ends[0] - ends[1]) > 0.1)


@settings(deadline=None)
@given(ends=rides, rated=st.floats(0.3, 6))
def test_a_ride_ends_where_it_should_and_never_exceeds_the_rated_speed(
    ends: tuple[float, float], rated: float
) -> None:
    origin, target = ends
    run = ride(1_000, origin, target, rated)
    assert run.at(1_000) == (origin, 0.0)
    position, speed = run.at(run.arrives)
    assert position == pytest.approx(target)
    assert speed == 0.0
    assert run.top_speed <= rated + 1e-9
    moments = range(1_000, run.arrives + 1, max(1, (run.arrives - 1_000) // 200))
    for (left, earlier), (right, later) in pairwise((moment, run.at(moment)) for moment in moments):
        seconds = (right - left) / 1_000
        assert abs(later[1] - earlier[1]) <= ACCELERATION * seconds + 1e-6
        assert abs(later[0] - earlier[0]) <= rated * seconds + 1e-6


@settings(deadline=None)
@given(ends=rides, share=st.floats(0, 1))
def test_an_emergency_stop_brakes_and_stays_on_the_way(ends: tuple[float, float], share: float) -> None:
    run = ride(0, *ends, 2.5)
    now = int(run.arrives * share)
    position, speed = run.at(now)
    stop = emergency_stop(now, run)
    assert stop.arrives - now <= abs(speed) / BRAKING * 1_000 + 1
    rest, standing = stop.at(stop.arrives)
    assert standing == 0.0
    assert abs(rest - position) == pytest.approx(speed**2 / (2 * BRAKING))
    assert min(ends) - 1e-6 <= rest <= max(ends) + 1e-6


@settings(deadline=None)
@given(first=st.floats(0, 150), towards=st.floats(0, 150), cuts=st.lists(st.integers(0, 600_000), max_size=6))
def test_warming_up_does_not_depend_on_how_often_one_looks(
    first: float, towards: float, cuts: list[int]
) -> None:
    once, often = WarmBody(first, 0), WarmBody(first, 0)
    once.settle(600_000, towards, 300.0)
    for moment in [*sorted(cuts), 600_000]:
        often.settle(moment, towards, 300.0)
    assert often.temperature == pytest.approx(once.temperature, abs=1e-6)
