"""Patrol as ``/metrics`` shows it: taps since the start, and the rounds that are live."""

from collections.abc import Iterable

from gateway.core.effects import Outcome
from gateway.core.patrol.flags import FLAGS
from gateway.core.patrol.memory import Round, RoundState

GRADES = "ABCD"


class TapCounts:
    """Taps of one run, each counted once, as it was judged when it came in."""

    def __init__(self) -> None:
        self.counted = dict.fromkeys(GRADES, 0)
        """Those that are evidence, by grade."""
        self.uncounted: dict[str, int] = {}
        """Those that are not, by the first flag that stands against them."""

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Add what was committed."""
        for outcome in outcomes:
            if outcome.kind != "tap.judged":
                continue
            detail = outcome.detail
            if detail["counted"]:
                self.counted[detail["grade"]] += 1
                continue
            flag = next((name for name in detail["flags"] if not FLAGS[name].counts), "other")
            self.uncounted[flag] = self.uncounted.get(flag, 0) + 1


def stand(rounds: Iterable[Round]) -> dict[str, int]:
    """Live rounds by state, zeros included."""
    found = dict.fromkeys((str(RoundState.OPEN), str(RoundState.JUDGED)), 0)
    for one in rounds:
        found[one.state] = found.get(one.state, 0) + 1
    return found
