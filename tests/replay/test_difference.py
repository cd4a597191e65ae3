"""What differs between two results, in words."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.effects import Outcome
from gateway.core.values import Json
from gateway.replay import difference
from gateway.replay.difference import differences, told

OUTCOMES = st.lists(
    st.builds(
        Outcome, st.integers(0, 50), st.sampled_from(["alert.raised", "alert.cleared"]), st.sampled_from("ab")
    ),
    max_size=12,
)


def shown(expected: list[Outcome], found: list[Outcome]) -> list[str]:
    return [told(place, str) for place in differences(expected, found)]


def raised(at: int, device: str = "p1", **detail: Json) -> Outcome:
    return Outcome(at, "alert.raised", device, "a1", "hot", "warning", detail={**detail})


def test_what_is_the_same_has_no_difference() -> None:
    assert shown([raised(1), raised(2)], [raised(1), raised(2)]) == []


def test_what_is_missing_and_what_is_more_is_shown_with_its_sign() -> None:
    expected = [raised(1), raised(2, "p2", value=81.5), raised(3)]
    assert shown(expected, [raised(1), raised(3)]) == ["- 2 alert.raised p2 hot/warning value=81.5"]
    assert shown([raised(1), raised(3)], expected) == ["+ 2 alert.raised p2 hot/warning value=81.5"]


def test_the_same_thing_at_another_time_or_with_another_detail_is_one_change() -> None:
    was, now = raised(1_000, value=81, limit=80), raised(61_000, value=86, limit=85)
    (words,) = shown([raised(0), was], [raised(0), now])
    assert words.splitlines() == [
        "~ 1000 alert.raised p1 hot/warning value=81 limit=80",
        "      found 61000, 1m later; value: expected 81, found 86; limit: expected 80, found 85",
    ]


def test_the_same_outcomes_in_another_order_are_different() -> None:
    one, other = raised(1, "p1"), raised(1, "p2")
    assert shown([one, other], [other, one])


def test_long_results_are_compared_by_content() -> None:
    long = [raised(at) for at in range(difference.ALIGNED_MOST + 5)]
    changed = [raised(0, "p9"), *long[1:-1], raised(99_999)]
    assert [place.sign for place in differences(long, changed)] == ["-", "+", "-", "+"]
    assert len(differences(long, [*reversed(long)])) == 1


@given(OUTCOMES, OUTCOMES)
def test_there_is_a_difference_exactly_where_two_results_differ(
    one: list[Outcome], other: list[Outcome]
) -> None:
    assert bool(differences(one, other)) is (one != other)
    assert bool(differences(other, one)) is (one != other)
