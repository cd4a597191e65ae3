"""Who is told of an alert, when, and who is told next when nobody acknowledges it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.schedule import Schedule
from gateway.core.values import HOUR, MINUTE, SECOND, Level, Millis, Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A person, duty phone or chat room. Its address is a secret and stands in the settings, not in the site file."""

    name: str
    title: Title
    language: str = "en"
    """``en`` or ``zh``."""
    hours: Schedule | None = None
    """When it may be told; None for always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One step after the first notice, unless somebody has acknowledged by then."""

    after: Millis
    """From when the alert came before people; where hours kept its first notice back, from then."""
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """Which alerts go to whom. An empty filter takes all."""

    name: str
    levels: frozenset[Level] = frozenset()
    rules: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    """Already resolved from kinds and buildings."""
    targets: tuple[str, ...] = ()
    steps: tuple[Escalation, ...] = ()
    """In the order of their times."""

    def takes(self, level: Level, rule: str, device: str) -> bool:
        """Whether alerts like this go to it."""
        return (
            (not self.levels or level in self.levels)
            and (not self.rules or rule in self.rules)
            and (not self.devices or device in self.devices)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How notices of one rule are gathered; life safety goes out at once (after Alertmanager)."""

    wait: Millis = 30 * SECOND
    """Before the first notice of a group, so that what happens together is told together."""
    interval: Millis = 5 * MINUTE
    """Before a notice of what joined a group that was already told."""
    repeat: Millis = 4 * HOUR
    """Before an unchanged group is told again; each further time takes twice as long, up to a day."""


def reachable(targets: Mapping[str, Target], names: Iterable[str], now: Millis) -> list[str]:
    """Those of the targets that may be told now, in their order, each once."""
    found = (targets[name] for name in dict.fromkeys(names) if name in targets)
    return [target.name for target in found if target.hours is None or target.hours.is_open(now)]


def first_opening(targets: Mapping[str, Target], names: Iterable[str], now: Millis) -> Millis | None:
    """When the first of targets that are all outside their hours may be told; None where none ever may."""
    hours = (targets[name].hours for name in names if name in targets)
    openings = (schedule.next_change(now) for schedule in hours if schedule is not None)
    return min((at for at in openings if at is not None), default=None)
