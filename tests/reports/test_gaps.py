"""The largest gap, beside a walk that looks at every single moment."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.calendars import Windows
from gateway.core.patrol.routes import Coverage
from gateway.core.values import Title
from gateway.reports.gaps import Gap, Span, Watch, merged, overlap

LAST = 60
MOMENTS = st.integers(0, LAST)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS).filter(lambda span: span[0] < span[1]), max_size=4)


def rule(every: int, during: Windows | None = None) -> Coverage:
    return Coverage(name="c", title=Title("c", "c"), checkpoints=("gate",), every=every, during=during)


def walked(watch: Watch, every: int, during: Windows | None) -> tuple[int, int, int]:
    """Length of the largest gap, moments over the limit, and those of them not observed; moment by moment."""
    start, end = watch.period
    longest = over = unseen = alone = 0
    before = [ts for ts in watch.times if ts < start]
    was_open = False
    for at in range(before[-1] if before else start, end):
        is_open = during is None or during.is_open(at)
        if at in watch.times or not was_open:
            alone = 0
        was_open = is_open
        if not is_open:
            continue
        alone += 1
        if at >= start:
            longest = max(longest, alone)
            if alone > every:
                over += 1
                unseen += any(a <= at < b for a, b in watch.unobserved)
    return longest, over, unseen


@given(
    times=st.lists(MOMENTS, max_size=12).map(sorted),
    period=st.tuples(st.integers(0, 30), st.integers(31, LAST)),
    unobserved=SPANS,
    hours=st.none() | SPANS.filter(bool),
    every=st.integers(1, 30),
)
def test_gaps_are_those_found_by_looking_at_every_moment(
    times: list[int],
    period: tuple[int, int],
    unobserved: list[tuple[int, int]],
    hours: list[tuple[int, int]] | None,
    every: int,
) -> None:
    span = Span(*period)
    during = None if hours is None else Windows(spans=tuple(merged(hours, Span(0, LAST))))
    watch = Watch([ts for ts in times if ts < span.end], span, merged(unobserved, span))
    longest, over, unseen = walked(watch, every, during)
    found = watch.coverage(rule(every, during))
    assert (0 if found.longest is None else found.longest.length) == longest
    assert (found.over, found.over_unobserved) == (over, unseen)


def test_a_gap_reaches_in_from_before_and_out_to_the_end() -> None:
    watch = Watch([10, 40], Span(20, 100), ())
    assert list(watch.gaps()) == [Span(10, 40), Span(40, 100)]
    assert watch.longest() == Gap(40, 100)


def test_what_was_exceeded_before_the_period_is_not_counted_in_it() -> None:
    assert Watch([0], Span(50, 100), ()).coverage(rule(30)).over == 50


def test_a_gap_of_just_the_limit_is_within_it() -> None:
    assert Watch([30, 60], Span(0, 90), ()).coverage(rule(30)).over == 0
    assert Watch([30, 61], Span(0, 91), ()).coverage(rule(30)).over == 1


def test_without_any_proof_the_gap_is_the_period() -> None:
    assert Watch([], Span(20, 100), (Span(30, 40),)).longest() == Gap(20, 100, 10)


def test_a_period_that_has_not_begun_has_no_gap() -> None:
    watch = Watch([], Span(20, 20), ())
    assert watch.longest() is None
    assert watch.coverage(rule(5)).over == 0


@given(SPANS, st.tuples(MOMENTS, MOMENTS))
def test_merged_spans_cover_the_same_moments(spans: list[tuple[int, int]], within: tuple[int, int]) -> None:
    found = merged(spans, Span(*within))
    covered = {at for a, b in spans for at in range(a, b) if within[0] <= at < within[1]}
    assert [at for span in found for at in range(*span)] == sorted(covered)
    assert overlap(Span(*within), found) == len(covered)
