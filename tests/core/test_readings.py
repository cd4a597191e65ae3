"""Readings that come without a time of their own."""

from gateway.core.engine import Engine
from gateway.core.inputs import LinkUp, Started, Telemetry
from gateway.core.state import State
from tests.core.stories import PLANS, START


def test_readings_without_a_time_received_in_one_moment_do_not_take_each_others_place() -> None:
    engine = Engine(PLANS[0], State())
    engine.step([Started(START, None), LinkUp(START)])
    burst = [Telemetry(START, "d1", START, {"temp": 20.0 + n}, stamped=False) for n in range(5)]
    rows = [row for one in burst for row in engine.step([one]).rows]
    assert [(row.ts, row.fields["temp"]) for row in rows] == [(START + n, 20.0 + n) for n in range(5)]
    later = engine.step([Telemetry(START + 60_000, "d1", START + 60_000, {"temp": 30.0}, stamped=False)])
    assert [row.ts for row in later.rows if "temp" in row.fields] == [START + 60_000]
