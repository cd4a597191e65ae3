"""What guards with phones do, judged by the gateway's own codecs and engine."""

from collections import Counter

import pytest

from api.cli.staging import PHONES
from gateway.core.effects import Outcome
from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, SECOND
from simulators.errors import SimulationError
from simulators.guard_phone import GuardPhone, Habit
from tests.simulators.gatehouse import Gatehouse, tag_wall
from tests.simulators.listening import START

BEGIN = START - START % (2 * MINUTE) + 90 * SECOND
"""Half a minute before a round of the loop."""
SEEDS = range(5)


def walked(plan: SitePlan, seed: int, *habits: Habit, minutes: int = 4) -> list[Outcome]:
    guard = GuardPhone(
        plan, "loop", tag_wall(plan), phone="phone-1", guard="g-02", habits=habits, seed=seed, start=BEGIN
    )
    return Gatehouse(plan, BEGIN).live(minutes * MINUTE, guard)


def results(outcomes: list[Outcome], *kinds: str) -> list[str]:
    return [str(one.detail["result"]) for one in outcomes if one.kind in kinds and one.device == "loop"]


def raised(outcomes: list[Outcome]) -> Counter[tuple[str | None, str | None]]:
    return Counter((one.rule, one.level) for one in outcomes if one.kind in ("alert.raised", "alert.risen"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_steady_guard_completes_every_round_and_alarms_nobody(patrols: SitePlan, seed: int) -> None:
    outcomes = walked(patrols, seed, Habit.STEADY)
    assert results(outcomes, "round.judged") == ["complete"] * 2
    assert raised(outcomes) == {}
    taps = [one.detail for one in outcomes if one.kind == "tap.judged"]
    assert {tap["grade"] for tap in taps if tap["rounds"]} == {"A"}


@pytest.mark.parametrize("seed", SEEDS)
def test_one_who_skips_misses_one_checkpoint_for_certain(patrols: SitePlan, seed: int) -> None:
    outcomes = walked(patrols, seed, Habit.SKIPS, Habit.STEADY)
    assert results(outcomes, "round.judged") == ["incomplete", "complete"]
    assert raised(outcomes)[("missed", "warning")] == 1
    assert any(one.kind == "alert.cleared" and one.rule == "missed" for one in outcomes)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_uploaded_late_is_missed_provisionally_until_then(patrols: SitePlan, seed: int) -> None:
    outcomes = walked(patrols, seed, Habit.NO_SIGNAL, Habit.STEADY)
    assert results(outcomes, "round.judged")[0] != "complete"
    assert results(outcomes, "round.judged", "round.changed")[-2:] == ["complete", "complete"]
    assert {level for rule, level in raised(outcomes) if rule == "missed"} == {"info"}
    late = [one for one in outcomes if one.kind == "tap.judged" and "late_upload" in one.detail["flags"]]
    assert len(late) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_an_address_sent_again_is_a_doubtful_tap(patrols: SitePlan, seed: int) -> None:
    wall = tag_wall(patrols)
    honest = GuardPhone(patrols, "loop", wall, phone="phone-1", guard="g-02", seed=seed, start=BEGIN)
    cheat = GuardPhone(
        patrols, "loop", wall, phone="phone-3", guard="g-03", habits=[Habit.ABSENT, Habit.REPLAYS],
        seed=seed, start=BEGIN,
    )  # fmt: skip
    outcomes = Gatehouse(patrols, BEGIN).live(4 * MINUTE, honest, cheat)
    assert set(raised(outcomes)) == {("tap_suspect", "warning")}
    taps = [one for one in outcomes if one.kind == "tap.judged" and one.actor == "g-03"]
    assert [one.detail["counted"] for one in taps] == [False, False]
    assert results(outcomes, "round.judged") == ["complete"] * 2


def test_the_demo_shows_all_of_it_within_two_minutes_and_a_half(riverside: SitePlan) -> None:
    """Whenever it is started: a checkpoint missed with its order, an old address, a late upload."""
    for offset in range(0, 120, 24):
        start = START - START % (2 * MINUTE) + offset * SECOND
        wall = tag_wall(riverside)
        guards = [
            GuardPhone(riverside, route, wall, phone=phone, guard=guard, habits=habits, seed=7, start=start)
            for route, phone, guard, habits in PHONES
        ]
        outcomes = Gatehouse(riverside, start).live(150 * SECOND, *guards)
        kinds = {(one.kind, one.rule) for one in outcomes}
        assert {
            ("alert.raised", "tap_suspect"), ("alert.raised", "missed"), ("work_order.opened", "missed"),
            ("round.changed", None),
        } <= kinds  # fmt: skip


def test_a_route_without_times_of_its_own_cannot_be_walked(patrols: SitePlan) -> None:
    with pytest.raises(SimulationError, match=r"no round of a route 'stroll' is ever due .*: hourly, night"):
        GuardPhone(patrols, "stroll", tag_wall(patrols), phone="p", guard="g-01", seed=1, start=START)
