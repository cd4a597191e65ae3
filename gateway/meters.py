"""What the loop has done since the start, as plain counters."""

from gateway.alert_meters import AlertCounts
from gateway.core.effects import Effects
from gateway.core.values import Message
from gateway.patrol_meters import TapCounts
from gateway.ports import Batch


class Meters:
    """Counters of one run."""

    def __init__(self) -> None:
        self.messages = 0
        self.rows = 0
        self.rejected: dict[str, int] = {}
        self.outcomes: dict[str, int] = {}
        self.alerts = AlertCounts()
        self.taps = TapCounts()
        self.commits = 0
        self.failed_commits = 0
        self.faults = 0
        """Exceptions of our own that a message or a command brought to light."""

    def count(self, batch: Batch, effects: Effects) -> None:
        """Add one committed turn."""
        self.messages += sum(type(item) is Message for item in batch.items)
        self.rows += len(effects.rows)
        self.commits += 1
        for one in effects.rejections:
            self.rejected[one.reason] = self.rejected.get(one.reason, 0) + 1
        for outcome in effects.outcomes:
            self.outcomes[outcome.kind] = self.outcomes.get(outcome.kind, 0) + 1
        self.alerts.count(effects.outcomes)
        self.taps.count(effects.outcomes)
