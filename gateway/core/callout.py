"""Who is told of an alert, when, and who is told next when nobody acknowledges it."""

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
    """From the raising of the alert (or its return to unacknowledged)."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How notices of one rule are gathered; life safety goes out at once (after Alertmanager)."""

    wait: Millis = 30 * SECOND
    """Before the first notice of a group, so that what happens together is told together."""
    interval: Millis = 5 * MINUTE
    """Before a notice of what joined a group that was already told."""
    repeat: Millis = 4 * HOUR
    """Before an unchanged group is told again; each further time takes twice as long, up to a day."""
