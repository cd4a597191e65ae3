"""Due times that come again: RRULEs (RFC 5545) in the site's local time."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from gateway.core.values import Millis


class Due(NamedTuple):
    """One occurrence."""

    at: Millis
    key: str
    """Its local wall time as the rule gives it, such as ``2026-11-23T08:00``: names the occurrence for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When something is due."""

    rule: str
    """The RRULE, without ``DTSTART``."""
    start: datetime
    """The first local wall time, without a zone."""
    zone: tzinfo

    def after(self, at: Millis) -> Due | None:
        """The first occurrence after a moment; None when there is none any more."""
        raise NotImplementedError
