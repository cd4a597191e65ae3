"""What is counted of one run beside its alerts: orders, breaches, notices, rounds and taps of the window."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gateway.backtest.shifts import shift_of
from gateway.core.effects import Effects, Outcome
from gateway.core.quality_figures import Period
from gateway.core.values import Millis

UNCOUNTED: Final = "not_counted"


class Opened(NamedTuple):
    """A work order that was opened."""

    template: str
    device: str
    """Empty where it is for none."""
    at: Millis
    order: str


class Tallies:
    """Collects them.

    Args:
        window: what is judged.
        shifts: those of the window.
    """

    def __init__(self, window: Period, shifts: Sequence[Period]) -> None:
        self.opened: list[Opened] = []
        self.breaches: Counter[tuple[str, str]] = Counter()
        """By template and clock."""
        self.notices: list[int] = [0] * len(shifts)
        """By shift; each counts once, however many it goes to."""
        self.targets: Counter[str] = Counter()
        """Notices by whom they go to."""
        self._window, self._shifts = window, shifts
        self._templates: dict[str, str] = {}
        self._rounds: dict[str, tuple[str, Millis, str]] = {}
        self._taps: dict[str, tuple[Millis, tuple[str, ...]]] = {}

    def take(self, effects: Effects) -> None:
        """What a step led to."""
        for one in effects.outcomes:
            if one.kind.startswith(("work_order.", "notice.")):
                self._take(one)
        for name, record in effects.rounds.items():
            self._rounds[name] = (record.route, record.start, record.result)
        for name, tap in effects.taps.items():
            marks = tap.flags if tap.counted else [UNCOUNTED, *tap.flags]
            self._taps[name] = (tap.ts, (tap.grade, *marks))

    def _take(self, one: Outcome) -> None:
        detail, subject = one.detail, one.subject or ""
        within = self._window.start <= one.at < self._window.end
        if one.kind == "work_order.opened":
            self._templates[subject] = str(detail.get("template", ""))
            if within:
                self.opened.append(Opened(self._templates[subject], one.device or "", one.at, subject))
        elif not within:
            return
        elif one.kind == "work_order.breached":
            self.breaches[self._templates.get(subject, ""), str(detail.get("clock", ""))] += 1
        elif one.kind == "notice.sent":
            self.notices[shift_of(one.at, self._shifts)] += 1
            self.targets.update(str(name) for name in detail.get("targets", ()))

    def rounds(self) -> Counter[tuple[str, str]]:
        """By route and result, of the rounds that began in the window."""
        window = self._window
        found = self._rounds.values()
        return Counter((route, word) for route, start, word in found if window.start <= start < window.end)

    def taps(self) -> Counter[str]:
        """By grade, by ``not_counted`` and by flag, of the taps that were made in the window."""
        window, found = self._window, Counter[str]()
        for ts, marks in self._taps.values():
            if window.start <= ts < window.end:
                found.update(marks)
        return found


def more(first: Iterable[Opened], other: Iterable[Opened]) -> int:
    """How many orders of a template and device the first has beyond what the other has of them."""
    ours = Counter((one.template, one.device) for one in first)
    theirs = Counter((one.template, one.device) for one in other)
    return (ours - theirs).total()
