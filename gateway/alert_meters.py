"""Alerts as ``/metrics`` shows them: what was announced since the start, and how those that are live stand.

Read from what the loop holds in memory anyway; a scrape asks nothing of the disk.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.core.effects import Outcome
from gateway.core.quiet import How
from gateway.core.state import Alert, AlertState
from gateway.core.values import Level, Millis

PAIRS_MOST = 1_000
"""Pairs of rule and level that are counted apart; further ones are counted as rule ``other``."""
OTHER = "other"

LIVE = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED, AlertState.RETURNED)


class AlertCounts:
    """Counters of one run, by rule and level."""

    def __init__(self) -> None:
        self.announced: dict[tuple[str, str], int] = {}
        self.chattered: dict[tuple[str, str], int] = {}

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Add what was committed."""
        for outcome in outcomes:
            if outcome.detail.get("announced") is True:
                _add(self.announced, outcome)
            if outcome.kind == "alert.chattering":
                _add(self.chattered, outcome)


def _add(counts: dict[tuple[str, str], int], outcome: Outcome) -> None:
    pair = outcome.rule or "", outcome.level or ""
    if pair not in counts and len(counts) >= PAIRS_MOST:
        pair = OTHER, outcome.level or ""
    counts[pair] = counts.get(pair, 0) + 1


class Standing(NamedTuple):
    """How the live alerts stand."""

    live: dict[tuple[str, str], int]
    """By state and level, zeros included."""
    suppressed: dict[str, int]
    """By how, zeros included."""
    chattering: int
    stale: int
    oldest: Millis
    """How long the oldest one that nobody has acknowledged has been asking, suppressed ones left out; 0 without any."""


def stand(alerts: Iterable[Alert], now: Millis) -> Standing:
    """Count alerts that are live."""
    live = {(state, level): 0 for state in LIVE for level in Level}
    suppressed = {str(how): 0 for how in How}
    chattering, stale, asked = 0, 0, now
    for alert in alerts:
        pair = alert.state, alert.level
        live[pair] = live.get(pair, 0) + 1
        chattering += alert.chattering
        stale += alert.stale
        if alert.suppressed is not None:
            suppressed[alert.suppressed] = suppressed.get(alert.suppressed, 0) + 1
        elif alert.state is not AlertState.ACKNOWLEDGED:
            asked = min(asked, alert.asked_at or alert.raised_at)
    named = {(str(state), level.label): count for (state, level), count in live.items()}
    return Standing(named, suppressed, chattering, stale, now - asked)
