"""The ports: what the loop needs from the world, as narrow protocols. Adapters stand behind them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.core.values import Message, Millis, Scalar, Series, TelemetryRow

# --- messages in ---------------------------------------------------------------------------------------------


class Link(NamedTuple):
    """The source's connection came up or went down; ``reason`` is for a person, empty when up."""

    up: bool
    reason: str = ""


class Batch(NamedTuple):
    """What arrived since the last batch, in order, and the ticket that acknowledges its messages."""

    items: Sequence[Message | Link]
    ticket: object
    """Opaque; belongs to the source. Acknowledging a ticket of an old connection does nothing."""


class Source(Protocol):
    """Where messages come from. A message leaves the broker's care only through :meth:`ack`."""

    async def run(self) -> None:
        """Connect, stay connected (back-off with jitter) and collect until cancelled; leave cleanly then."""

    async def arrived(self) -> None:
        """Return once there is something to take."""

    def take(self, limit: int) -> Batch:
        """At most ``limit`` messages (and any link changes among them), oldest first; empty when there is none."""

    def ack(self, ticket: object) -> None:
        """Acknowledge every message of that batch, in the order they came."""

    def refuse(self) -> None:
        """Drop the connection and everything taken or waiting, unacknowledged, so that the broker sends it again."""


# --- readings out --------------------------------------------------------------------------------------------


class Refused(NamedTuple):
    """A row the telemetry store will never take, with the store's own words."""

    row: TelemetryRow
    words: str


class Query(NamedTuple):
    """A range of one device's points.

    ``every`` is the width of a bucket; None asks for the raw readings. Times are milliseconds, ``start`` inclusive,
    ``end`` exclusive. ``limit`` bounds the rows per point; a longer answer is cut at the end and says so.
    """

    series: Series
    fields: Sequence[str]
    start: Millis
    end: Millis
    every: Millis | None
    limit: int = 10_000


class Sample(NamedTuple):
    """A raw reading."""

    ts: Millis
    value: Scalar


class Bucket(NamedTuple):
    """A downsampled stretch of a numeric point (booleans count as 0 and 1). ``ts`` is its start."""

    ts: Millis
    minimum: float
    maximum: float
    mean: float
    count: int  # type: ignore[assignment]  # a bucket counts its readings; nobody asks a tuple


class Answer(NamedTuple):
    """Readings of one field, in order of time. Exactly one of the lists is used."""

    field: str
    samples: list[Sample]
    buckets: list[Bucket]
    truncated: bool = False


class Health(NamedTuple):
    """How a part is, for ``/readyz``. ``words`` is for a person, in plain English."""

    ok: bool
    words: str


class TelemetryStore(Protocol):
    """Where readings are kept: InfluxDB, VictoriaMetrics or the embedded store.

    Writing is idempotent: the same series, time and value twice is one reading.
    """

    async def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
        """Store all rows, or all but those returned.

        Raises:
            TelemetryUnavailable: nothing is certain; write the same rows again later.
        """

    async def read(self, query: Query) -> list[Answer]:
        """One answer per field asked for, also when it has no readings.

        Text and enum fields are always answered raw. Raises :class:`TelemetryUnavailable`.
        """

    async def health(self) -> Health:
        """Whether it answers now; never raises."""

    async def keep(self, oldest: Millis) -> None:
        """Housekeeping: forget what is older than ``oldest`` where that is the store's own job, else nothing."""

    async def close(self) -> None:
        """Release connections and files."""


class OutboxEntry(NamedTuple):
    """One committed batch of rows that waits to be stored."""

    seq: int
    rows: Sequence[TelemetryRow]


class TelemetryOutbox(Protocol):
    """The durable queue between the commit and the telemetry store."""

    async def peek(self, entries: int) -> list[OutboxEntry]:
        """The oldest committed entries, at most that many; empty when drained."""

    async def settle(self, upto: int, refused: Sequence[Refused]) -> None:
        """Forget all entries with ``seq <= upto``, moving the refused rows to the dead letters, in one transaction."""

    async def filled(self) -> None:
        """Return once there may be something to peek at."""
