"""The exception tree.

::

    GatewayError
    ├── SettingsError            a setting is missing or wrong             exit 2
    ├── SiteError                a site file or profile is wrong           exit 1
    ├── DataDirError             the data directory cannot be used         exit 1
    │   └── DataDirInUse         another gateway has it
    ├── TrafficError             a traffic file cannot be opened or written  exit 1
    ├── StoreError               the records could not be read or written  retried
    └── TelemetryUnavailable     the telemetry store cannot take or give   retried
        └── TelemetryMisconfigured   it answers, but refuses us            retried slowly, said in /readyz

What a device, a person or a network does wrong is a value (a rejection, a reply), not an exception.
"""

from collections.abc import Sequence
from typing import NamedTuple


class GatewayError(Exception):
    """The root. Its text is written for the person who can put it right."""


class SettingsError(GatewayError):
    """A setting from the environment or a flag is missing or wrong."""


class Problem(NamedTuple):
    """One thing wrong in a file the owner wrote."""

    file: str
    line: int
    """Counted from 1; 0 when the file as a whole is meant."""
    field: str
    """Dotted path inside the file, such as ``rules.silent.levels``; empty for the file as a whole."""
    message: str
    """What was found and what is allowed."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


class SiteError(GatewayError):
    """A site file or profile is wrong; the text names file, line and field, a problem a line.

    Args:
        text: what is wrong.
        problems: the same, one value each.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class DataDirError(GatewayError):
    """The data directory cannot be used."""


class DataDirInUse(DataDirError):
    """Another gateway holds the data directory."""


class TrafficError(GatewayError):
    """A traffic file cannot be opened, or not be written. What is wrong within one is a :class:`Problem`."""


class StoreError(GatewayError):
    """The records could not be read or written; nothing of the failed transaction is kept."""


class TelemetryUnavailable(GatewayError):
    """The telemetry store cannot be reached or is too busy.

    Args:
        text: what happened, with the server's own words where there are any.
        retry_after: seconds the server asked us to wait, or None.
    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class TelemetryMisconfigured(TelemetryUnavailable):
    """The telemetry store answers but refuses us: wrong token, organisation or bucket."""
