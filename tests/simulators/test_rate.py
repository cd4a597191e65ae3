import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, SECOND
from simulators.ensemble import ensemble
from simulators.errors import SimulationError
from simulators.rate import FASTEST, paced, parse_rate, simulated
from simulators.scale import blow_up
from tests.simulators.listening import START


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5000/s", 5_000), ("5000", 5_000), (" 0.5 / s ", Fraction(1, 2)), ("1000000/s", FASTEST)],
)
def test_a_rate_is_read(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "0", "0/s", "-5/s", "5/m", "1e9", "nan", "inf", "1000001/s", "٣/s", "5//s", "5/s/s", "1/3"]
)
def test_anything_else_is_refused_with_the_form(text: str) -> None:
    words = f"a rate of {text!r} is not possible; write messages a second, such as 5000/s or 0.5/s"
    with pytest.raises(SimulationError, match=re.escape(words)):
        parse_rate(text)


@given(st.text())
def test_any_text_is_a_possible_rate_or_refused(text: str) -> None:
    try:
        rate = parse_rate(text)
    except SimulationError:
        return
    assert 0 < rate <= FASTEST


def test_a_rate_on_the_wall_is_spread_over_simulated_time() -> None:
    assert simulated(Fraction(5_000), 60) == Fraction(250, 3)
    with pytest.raises(SimulationError, match="a rate needs a speed"):
        simulated(Fraction(5_000), 0)


@pytest.mark.parametrize("rate", [5, 20, 200])
def test_living_devices_send_about_so_much_altogether(house: SitePlan, rate: int) -> None:
    plan = blow_up(house, 60)
    living = ensemble(plan, seed=1, start=START, faults=[], rate=Fraction(rate))
    living.advance(START + 5 * MINUTE)
    sent = living.advance(START + 20 * MINUTE)
    assert 0.8 * rate < len(sent) / (15 * MINUTE / SECOND) < 1.25 * rate


def test_less_goes_on_at_a_site_that_is_to_send_little(house: SitePlan) -> None:
    calm, busy = (paced(house, Fraction(rate), seed=1, start=START) for rate in ("0.2", "100"))
    assert calm.life.people < busy.life.people == 1.0


def test_a_rate_no_device_can_reach_is_refused(house: SitePlan) -> None:
    with pytest.raises(
        SimulationError, match="each of 5 devices would report more than 1,000 times a second"
    ):
        paced(house, Fraction(20_000), seed=1, start=START)


def test_a_lean_fleet_takes_no_fault(house: SitePlan) -> None:
    with pytest.raises(SimulationError, match="a lean fleet has no faults"):
        ensemble(house, seed=1, start=START, orders=["stuck:lift-1@0s+1m"], lean=True)
