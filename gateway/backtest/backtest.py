"""A backtest: recorded lines judged by the site now and by a candidate, and everything that differs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.backtest.commands import Register
from gateway.backtest.course import Course, Courses, Side
from gateway.backtest.pairing import Pair, compare
from gateway.backtest.settings import Difference, differences
from gateway.backtest.shifts import shifts
from gateway.backtest.source import Source
from gateway.core.inputs import Command
from gateway.core.plan import SitePlan
from gateway.core.quality import SLOT
from gateway.core.quality_figures import Period
from gateway.core.values import DAY, Millis
from gateway.errors import Problem, TrafficError
from gateway.site.zones import zone
from gateway.traffic.lines import Setup

WARM_UP: Final = 2 * DAY
"""What is fed before the window so that running conditions are known, where nothing else is asked for."""


WINDOW_MOST: Final = 400 * DAY
"""The longest window; a longer one comes of a clock that was wrong."""
LATEST: Final = 4_102_444_800_000
"""2100-01-01: a line from after it comes of a clock that was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a backtest comes to. All times are milliseconds UTC."""

    now: Side
    candidate: Side
    window: Period
    """What is judged: from a whole five minutes to just after the last line."""
    fed_from: Millis
    """The first line that was fed. What was before it is not known: which conditions ran, what was shelved or tuned."""
    begins_cold: bool
    """The window begins before, or with, the first line fed: its first alerts may have stood for long."""
    pairs: list[Pair]
    """Every alert that began in the window by either site, in order of time."""
    parameters: list[Difference]
    observed: list[Period]
    """The parts of the window in which devices could be seen."""
    unobserved: list[Period]
    """The others: what happened in them is unknown, and they are left out of rates."""
    shifts: list[Period]
    passed_over: int
    """Configurations in the recording other than the site now: all of it is judged by the two sites."""
    tuned: int
    """Commands in the recording that changed parameters at run time: they count in both runs, over the files."""
    faults: int
    """Lines that could not be read."""
    problems: list[Problem]
    """The first of them."""

    @property
    def partial(self) -> bool:
        """Whether something could not be read, so that nothing of this is certain."""
        return self.faults > 0

    @property
    def observed_time(self) -> Millis:
        """Milliseconds of the window in which devices could be seen."""
        return sum(one.end - one.start for one in self.observed)


def run_backtest(
    now: SitePlan,
    candidate: SitePlan,
    source: Source,
    *,
    days: int | None = None,
    warm_up: Millis = WARM_UP,
    progress: Callable[[float], None] = lambda _: None,
) -> Backtest:
    """Judge recorded lines by two sites and compare.

    Args:
        now: the site as it is.
        candidate: the site as it would be.
        source: the recording.
        days: judge only the last days of it; None for all.
        warm_up: milliseconds before the window that are fed and not judged.
        progress: told of the share that is done, 0 to 1; what it raises ends the run.

    Raises:
        TrafficError: there is no line, the window is too long or lies in a far future, nothing in it was observed, or a
            file cannot be opened.
    """
    window, first = _window(source.span(), days)
    since = max(first, window.start - warm_up)
    here = zone(now.timezone)
    found = shifts(window, here)
    register = Register(source.who)
    courses = Courses(Course(now, register, window, found), Course(candidate, register, window, found))
    seen = _feed(source, courses, since, window, progress)
    sides = courses.now.side(), courses.candidate.side()
    observed = sides[0].quality.seen(window)
    if not observed:
        raise TrafficError("nobody observed anything in the window: nothing can be said of either site")
    return Backtest(
        now=sides[0],
        candidate=sides[1],
        window=window,
        fed_from=seen.first or since,
        begins_cold=(seen.first or since) >= window.start,
        pairs=compare(sides[0].episodes, sides[1].episodes, window),
        parameters=differences(now, candidate),
        observed=observed,
        unobserved=_rest(window, observed),
        shifts=found,
        passed_over=seen.passed_over,
        tuned=seen.tuned,
        faults=source.faults,
        problems=list(source.problems),
    )


def _window(span: tuple[Millis, Millis] | None, days: int | None) -> tuple[Period, Millis]:
    """What is judged, and the first line there is."""
    if span is None:
        raise TrafficError("there is no line that can be read: nothing can be said of either site")
    first, last = span
    if last >= LATEST:
        raise TrafficError(f"the last line is at {last}, after the year 2100: the clock behind it was wrong")
    start = first if days is None else max(first, last + 1 - days * DAY)
    if last - start > WINDOW_MOST:
        most = WINDOW_MOST // DAY
        words = (
            f"from the first line to the last are {(last - start) // DAY:,} days, at most {most} are judged"
        )
        raise TrafficError(f"{words}; give the last of them, such as --days 30")
    return Period(start - start % SLOT, last + 1), first


class _Seen:
    """What was met on the way."""

    first: Millis | None = None
    passed_over = 0
    tuned = 0


def _feed(
    source: Source, courses: Courses, since: Millis, window: Period, progress: Callable[[float], None]
) -> _Seen:
    seen, digest = _Seen(), courses.now.stage.plan.digest
    length = max(1, window.end - since)
    for batch in source.batches(since):
        if not batch:
            continue
        seen.first = batch[0].at if seen.first is None else seen.first
        for line in batch:
            if isinstance(line.input, Setup):
                seen.passed_over += line.input.digest != digest
            elif isinstance(line.input, Command):
                seen.tuned += line.input.verb == "device.tune"
        courses.take(batch)
        progress(min(1.0, (batch[-1].at - since) / length))
    progress(1.0)
    return seen


def _rest(window: Period, parts: list[Period]) -> list[Period]:
    """What of a window lies in none of the parts, which are in order."""
    edges = [window.start, *(edge for part in parts for edge in part), window.end]
    gaps = (Period(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))
    return [one for one in gaps if one.start < one.end]
