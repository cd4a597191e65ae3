"""Alerts as episodes: from when a rule's condition brought one up until it let go.

An alert that nobody acknowledges is one record for as long as it comes and goes. What people see, and what a threshold
changes, is each time it comes; so an episode begins where an alert is raised or raised again, and ends where it
clears, where the condition of a latched one is gone, or where it ends for another reason.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.core.effects import Outcome
from gateway.core.values import Level, Millis, Scalar

BEGINS: Final = ("alert.raised", "alert.raised_again")
ENDS: Final = ("alert.cleared", "alert.condition_gone", "alert.ended")


class Episode(NamedTuple):
    """One time that a rule had something to say of a device."""

    device: str
    rule: str
    raised_at: Millis
    until: Millis | None
    """When it let go; None while it stood at the end of what there is."""
    level: Level
    """The worst it came to."""
    announced_at: Millis | None
    """When it first stood before people; None where it was kept quiet all the while."""
    suppressed: str | None
    """Why it was kept quiet when it came up: ``shelved``, ``maintenance`` …; None where it was not."""
    alert: str
    """The id of the record in this run; another run may have given it another."""
    value: Scalar | None = None
    """What was read when it came up, where a reading brought it up."""
    limit: Scalar | None = None


class _Open:
    """An episode that goes on."""

    __slots__ = ("announced_at", "begun", "level")

    def __init__(self, begun: Outcome) -> None:
        self.begun = begun
        self.level = Level[(begun.level or "info").upper()]
        self.announced_at: Millis | None = None

    def episode(self, until: Millis | None) -> Episode:
        begun, detail = self.begun, self.begun.detail
        return Episode(
            device=begun.device or "",
            rule=begun.rule or "",
            raised_at=begun.at,
            until=until,
            level=self.level,
            announced_at=self.announced_at,
            suppressed=detail.get("suppressed"),
            alert=begun.subject or "",
            value=detail.get("value"),
            limit=detail.get("limit"),
        )


class Episodes:
    """Collects the episodes of one run from its outcomes."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._over: list[Episode] = []

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """What happened next, in order."""
        for one in outcomes:
            if one.kind.startswith("alert."):
                self._take(one)

    def _take(self, one: Outcome) -> None:
        subject = one.subject or ""
        if one.kind in BEGINS:
            self._end(subject, one.at)
            self._open[subject] = _Open(one)
        found = self._open.get(subject)
        if found is None:
            return
        if one.kind == "alert.risen":
            found.level = max(found.level, Level[(one.level or "info").upper()])
        if found.announced_at is None and one.detail.get("announced") is True:
            found.announced_at = one.at
        if one.kind in ENDS:
            self._end(subject, one.at)

    def _end(self, subject: str, at: Millis) -> None:
        found = self._open.pop(subject, None)
        if found is not None:
            self._over.append(found.episode(at))

    def all(self) -> list[Episode]:
        """Those that are over and those that go on, in the order they came up."""
        found = [*self._over, *(one.episode(None) for one in self._open.values())]
        return sorted(found, key=lambda one: (one.raised_at, one.device, one.rule, one.alert))
