"""Timers in order of time, and few of them however long things last."""

from gateway.core.engine import Engine
from gateway.core.inputs import Configured, LinkLost, LinkUp, Started, Telemetry, Tick
from gateway.core.state import State
from gateway.core.timers import Timer, Timers
from tests.core.stories import PLANS, START


def test_timers_come_up_by_time_and_then_by_name_whatever_order_they_were_set_in() -> None:
    timers = Timers()
    for due, owner in ((2, "b"), (1, "b"), (2, "a"), (3, "a")):
        timers.add(Timer(due, owner, "wake", ""))
    found = []
    while (timer := timers.pop_due(2)) is not None:
        found.append((timer.due, timer.owner))
    assert found == [(1, "b"), (2, "a"), (2, "b")]
    assert timers.next_due() == 3


def test_a_link_that_flaps_and_a_plan_that_is_read_again_do_not_pile_up_timers() -> None:
    engine = Engine(PLANS[0], State())
    engine.step([Started(START, None), LinkUp(START)])
    at = START
    for _ in range(500):
        at += 60_000
        engine.step([LinkLost(at, "gone"), LinkUp(at + 1_000), Configured(at + 2_000, PLANS[0])])
        engine.step([Telemetry(at + 3_000, name, at + 3_000, {"temp": 20.0}) for name in ("d1", "d2")])
    engine.step([Tick(at + 200_000)])
    silences = len(engine._desk.program(PLANS[0].devices["d1"].kind).silences)
    assert 0 < len(engine._desk.timers._heap) < 30 * silences


def test_the_engine_says_when_a_tick_would_do_something() -> None:
    engine = Engine(PLANS[0], State())
    assert engine.next_due() is None
    engine.step([Started(START, None), LinkUp(START)])
    engine.step([Telemetry(START, "d1", START, {"temp": 31.0, "running": True, "mode": "high"})])
    assert engine.next_due() == START + 10_000, "mode is high for 10 s"
