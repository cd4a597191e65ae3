"""What has come of a scenario so far: the newest of every record, and what was reported."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.core.effects import Effects, Outcome
from gateway.core.inputs import Rejection
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.state import Alert, Reply, State
from gateway.rehearsal.scenario import Step


class Refused(NamedTuple):
    """Something that was sent and not taken."""

    rejection: Rejection
    step: Step
    """The step that sent it."""


def is_due(key: str, due: str) -> bool:
    """Whether a round (by its key, ``2026-01-05T22:00``) was due at a local time, of any day where that names none."""
    day, _, clock = due.replace("T", " ").rpartition(" ")
    found, _, time = key.partition("T")
    return time == f"{clock:0>5}" and day in ("", found)


class Records:
    """Everything the engine put on record, also what it has forgotten itself."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        """By id, oldest first; the same for the rest."""
        self.orders: dict[str, WorkOrder] = {}
        self.rounds: dict[str, Round] = {}
        self.taps: dict[str, TapRecord] = {}
        """By the id the device gave."""
        self.outcomes: list[Outcome] = []
        self.judged = 0
        """How many of them were reported before the step that is being judged."""
        self.refused: list[Refused] = []
        """Since the step before."""
        self.replies: list[Reply] = []
        """Since the step before."""

    def take(self, effects: Effects) -> None:
        """Add what a step of the engine led to."""
        self.alerts |= effects.alerts
        self.orders |= effects.orders
        self.rounds |= effects.rounds
        self.taps |= {one.key: one for one in effects.taps.values()}
        self.outcomes += effects.outcomes
        self.replies += effects.replies

    def recall(self, state: State) -> None:
        """Hold the records of a state that was read anew in the place of those they are copies of."""
        self.alerts |= state.alerts
        self.orders |= state.orders
        self.rounds |= state.patrol.rounds
        self.taps |= {one.key: one for one in state.patrol.taps.values()}

    def settle(self) -> None:
        """A step is judged: what comes now belongs to the next."""
        self.judged = len(self.outcomes)
        self.refused, self.replies = [], []

    def alert(self, rule: str, device: str | None) -> Alert | None:
        """The newest alert of a rule."""
        return next(self._alerts(rule, device), None)

    def _alerts(self, rule: str, device: str | None) -> Iterator[Alert]:
        for one in reversed(self.alerts.values()):
            if one.rule == rule and device in (None, one.device):
                yield one

    def order(self, name: str, device: str | None) -> WorkOrder | None:
        """The newest work order of a template or a rule; of this device or of none, where one is named."""
        for one in reversed(self.orders.values()):
            if name in (one.template, one.rule) and (device is None or one.device in (None, device)):
                return one
        return None

    def round(self, route: str, due: str | None = None) -> Round | None:
        """The newest round of a route; the one that was due at a local time, where that is given."""
        found = [
            one
            for one in self.rounds.values()
            if one.route == route and (due is None or is_due(one.key, due))
        ]
        return max(found, key=lambda one: one.start, default=None)
