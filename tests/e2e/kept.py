"""What a data directory holds, read from outside while the gateway may be running."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.core.effects import Outcome
from gateway.core.order_state import WorkOrder
from gateway.core.state import Alert, DeviceState, Scalars
from gateway.core.values import Scalar

RECEIPT = (
    "raised_at",
    "acked_at",
    "cleared_at",
    "ended_at",
    "reported_at",
    "opened_at",
    "stamps",
    "clocks",
    "active_since",
    "asked_at",
    "version",
)
"""Times of receipt, and how often a record was written: they differ from run to run."""
LENGTHS = ("after", "lasted")
"""Details of an outcome that are counted from such times."""


class History(NamedTuple):
    """What a run led to, without the times of receipt. Everything is in the order of its device."""

    alerts: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]


class Kept:
    """The records in a data directory."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "facility.db"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer to a query; empty while there is no database yet."""
        with contextlib.suppress(sqlite3.OperationalError), self._open() as connection:
            return connection.execute(query).fetchall()
        return []

    def number(self, query: str) -> int:
        """One number; 0 where there is none."""
        rows = self.rows(query)
        return int(rows[0][0] or 0) if rows else 0

    @property
    def inputs(self) -> int:
        """Messages and other inputs that were committed, repeats included."""
        return self.number("SELECT sum(inputs) FROM journal")

    @property
    def waiting(self) -> int:
        """Rows in the telemetry outbox."""
        return self.number("SELECT sum(rows) FROM telemetry_outbox")

    @property
    def dead(self) -> int:
        return self.number("SELECT count(*) FROM dead_letter")

    @property
    def refused(self) -> dict[tuple[str, str], int]:
        """How often something was refused, by device and reason."""
        rows = self.rows("SELECT device, reason, count FROM quarantine_total")
        return {(device, reason): count for device, reason, count in rows}

    @property
    def observing(self) -> bool:
        """Whether the gateway last said that it sees its devices."""
        rows = self.rows("SELECT body FROM engine")
        return bool(rows) and msgspec.msgpack.decode(rows[0][0], type=Scalars).observing

    def last(self, device: str, point: str) -> Scalar | None:
        """The newest value of a point that was judged and committed."""
        rows = self.rows(f"SELECT body FROM device WHERE id = '{device}'")  # noqa: S608 - the test's own word
        cell = msgspec.msgpack.decode(rows[0][0], type=DeviceState).last.get(point) if rows else None
        return None if cell is None else cell[1]

    def outcomes(self, kind: str = "") -> list[Outcome]:
        """What happened, oldest first; only kinds that start with ``kind``."""
        decode = msgspec.json.Decoder(Outcome).decode
        found = [decode(body) for (body,) in self.rows("SELECT body FROM outcome ORDER BY seq")]
        return [one for one in found if one.kind.startswith(kind)]

    def alerts(self) -> list[Alert]:
        decode = msgspec.msgpack.Decoder(Alert).decode
        return [decode(body) for (body,) in self.rows("SELECT body FROM alert ORDER BY device, rule, id")]

    def orders(self) -> list[WorkOrder]:
        decode = msgspec.msgpack.Decoder(WorkOrder).decode
        return [decode(body) for (body,) in self.rows("SELECT body FROM work_order ORDER BY device, id")]

    def history(self, without: str = "") -> History:
        """Alerts, work orders and what happened to them; ``without`` is the id of a record to pass over."""
        told = [one for one in self.outcomes() if one.kind.startswith(("alert.", "work_order."))]
        return history(
            self.alerts(),
            [order for order in self.orders() if order.id != without],
            [one for one in told if one.subject != without],
        )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(
            sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=10)
        ) as connection:
            yield connection


def history(alerts: list[Alert], orders: list[WorkOrder], outcomes: list[Outcome]) -> History:
    """What can be compared between two runs over the same messages."""
    told = sorted((_happening(one) for one in outcomes), key=lambda one: str(one.get("device")))
    return History(
        sorted((_bare(one, *RECEIPT) for one in alerts), key=lambda one: str(one["id"])),
        sorted((_bare(one, *RECEIPT) for one in orders), key=lambda one: str(one["id"])),
        told,
    )


def _happening(outcome: Outcome) -> dict[str, Any]:
    bare = _bare(outcome, "at")
    detail = {name: value for name, value in bare.get("detail", {}).items() if name not in LENGTHS}
    return {**bare, "detail": detail}


def _bare(record: object, *without: str) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return {name: value for name, value in fields.items() if name not in without}
