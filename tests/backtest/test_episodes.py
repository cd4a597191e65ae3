"""Alerts as episodes: what begins one, what ends it, and how bad it was."""

from gateway.backtest.episodes import Episode, Episodes
from gateway.core.effects import Outcome
from gateway.core.values import Level


def episodes(*steps: tuple[int, str, str], **detail: object) -> list[Episode]:
    """Of one alert: when, what, at which level; ``detail`` belongs to the first step."""
    found = Episodes()
    for place, (at, kind, level) in enumerate(steps):
        told = detail if place == 0 else {}
        found.take([Outcome(at, f"alert.{kind}", "d", "al-1", "r", level, None, {**told})])
    return found.all()


def shape(found: list[Episode]) -> list[tuple[int, int | None, str]]:
    return [(one.raised_at, one.until, one.level.label) for one in found]


def test_each_time_an_alert_comes_is_an_episode_whether_anybody_acknowledged_or_not() -> None:
    steps = (
        (1, "raised", "info"),
        (5, "cleared", "info"),
        (7, "raised_again", "info"),
        (9, "cleared", "info"),
    )
    assert shape(episodes(*steps)) == [(1, 5, "info"), (7, 9, "info")]
    acknowledged = (*steps[:2], (6, "acknowledged", "info"), (6, "ended", "info"))
    assert shape(episodes(*acknowledged)) == [(1, 5, "info")]


def test_a_latched_alert_has_let_go_when_its_condition_is_gone() -> None:
    steps = (
        (1, "raised", "critical"),
        (4, "condition_gone", "critical"),
        (8, "raised_again", "critical"),
        (9, "condition_gone", "critical"),
        (20, "reset", "critical"),
        (20, "cleared", "critical"),
    )
    assert shape(episodes(*steps)) == [(1, 4, "critical"), (8, 9, "critical")]


def test_its_level_is_the_worst_it_came_to() -> None:
    steps = (
        (1, "raised", "info"),
        (2, "risen", "critical"),
        (3, "fallen", "warning"),
        (4, "risen", "warning"),
    )
    (one,) = episodes(*steps)
    assert (one.level, one.until) == (Level.CRITICAL, None)


def test_one_that_ends_otherwise_is_over_too() -> None:
    assert shape(episodes((1, "raised", "info"), (3, "ended", "info"))) == [(1, 3, "info")]


def test_it_is_told_of_from_when_it_stands_before_people() -> None:
    (quiet,) = episodes((1, "raised", "info"), (5, "cleared", "info"), suppressed="shelved")
    assert (quiet.announced_at, quiet.suppressed) == (None, "shelved")
    found = Episodes()
    found.take([Outcome(1, "alert.raised", "d", "al-1", "r", "info", None, {"suppressed": "maintenance"})])
    found.take([Outcome(3, "alert.unsuppressed", "d", "al-1", "r", "info", None, {"announced": True})])
    found.take([Outcome(6, "alert.re_alarmed", "d", "al-1", "r", "info", None, {"announced": True})])
    (late,) = found.all()
    assert (late.raised_at, late.announced_at, late.suppressed) == (1, 3, "maintenance")


def test_what_is_no_alert_is_none() -> None:
    found = Episodes()
    found.take(
        [Outcome(1, "work_order.opened", "d", "wo-1", "r", "info"), Outcome(2, "alert.cleared", "d", "al-0")]
    )
    assert found.all() == []
