"""Which alert of one run is which of the other."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.backtest.episodes import Episode
from gateway.backtest.pairing import compare
from gateway.core.quality_figures import Period
from gateway.core.values import Level
from tests.backtest import by_hand
from tests.backtest.by_hand import Span
from tests.backtest.courses import span_of

ALL = Period(0, 10_000)


def episode(begin: int, until: int | None, level: Level = Level.WARNING, *, told: bool = True) -> Episode:
    return Episode(
        "d", "r", begin, until, level, begin if told else None, None if told else "shelved", f"al-{begin}"
    )


def kinds(now: list[Episode], candidate: list[Episode], window: Period = ALL) -> list[tuple[str, int]]:
    names = ("same", "added", "removed", "moved", "level_changed", "hushed", "voiced")
    return [
        (name, pair.shift)
        for pair in compare(now, candidate, window)
        for name in names
        if getattr(pair, name)
    ]


def test_what_comes_up_at_the_same_moment_is_the_same() -> None:
    assert kinds([episode(5, 9)], [episode(5, 20)]) == [("same", 0)]


def test_what_stood_at_a_common_moment_was_moved() -> None:
    assert kinds([episode(5, 9)], [episode(9, 20)]) == [("moved", 4)]
    assert kinds([episode(9, None)], [episode(5, None)]) == [("moved", -4)]


def test_what_never_stood_together_is_removed_and_added() -> None:
    assert kinds([episode(5, 9)], [episode(10, 20)]) == [("removed", 0), ("added", 0)]


def test_the_nearest_is_the_same_one_and_the_others_are_not() -> None:
    long = [episode(10, 100)]
    parts = [episode(8, 9), episode(12, 20), episode(30, 40)]
    assert kinds(long, parts) == [("added", 0), ("moved", 2), ("added", 0)]
    assert kinds(parts, long) == [("removed", 0), ("moved", -2), ("removed", 0)]


def test_an_equal_beginning_comes_before_a_nearer_life() -> None:
    assert kinds([episode(10, 50)], [episode(9, 9), episode(10, 11)]) == [("added", 0), ("same", 0)]


def test_a_pair_may_be_moved_and_of_another_level_and_told_or_not() -> None:
    critical = episode(6, 9, Level.CRITICAL, told=False)
    assert kinds([episode(5, 9)], [critical]) == [("moved", 1), ("level_changed", 1), ("hushed", 1)]
    assert kinds([critical], [episode(6, 9, Level.CRITICAL)]) == [("voiced", 0)]


def test_other_rules_and_devices_are_never_paired() -> None:
    assert kinds([episode(5, 9)], [episode(5, 9)._replace(rule="s")]) == [("removed", 0), ("added", 0)]
    assert kinds([episode(5, 9)], [episode(5, 9)._replace(device="e")]) == [("removed", 0), ("added", 0)]


def test_what_the_candidate_moves_over_the_edge_of_the_window_is_moved() -> None:
    window = Period(10, 50)
    assert kinds([episode(8, 20)], [episode(12, 20)], window) == [("moved", 4)]
    assert kinds([episode(12, 20)], [episode(8, 20)], window) == [("moved", -4)]
    assert kinds([episode(8, 20)], [episode(9, 20)], window) == []
    assert kinds([episode(8, 9)], [], window) == []
    assert kinds([], [episode(50, 60)], window) == []


@st.composite
def lives(draw: st.DrawFn) -> list[Episode]:
    edges = sorted(draw(st.lists(st.integers(0, 60), max_size=14)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    apart = [one for place, one in enumerate(pairs) if place == 0 or one[0] > pairs[place - 1][1]]
    levels = draw(st.lists(st.sampled_from(Level), min_size=len(apart), max_size=len(apart)))
    return [episode(begin, end, level) for (begin, end), level in zip(apart, levels, strict=True)]


@given(lives(), lives())
def test_the_pairs_are_those_found_by_looking_at_all_of_them(
    now: list[Episode], candidate: list[Episode]
) -> None:
    spans: list[list[Span]] = [[span for one in side if (span := span_of(one))] for side in (now, candidate)]
    found = [(span_of(pair.now), span_of(pair.candidate)) for pair in compare(now, candidate, ALL)]
    assert sorted(found, key=str) == sorted(by_hand.pairs(*spans), key=str)
