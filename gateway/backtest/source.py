"""Where the recorded lines of a backtest come from: traffic files or a data directory."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from gateway.adapters.sql import recording, records
from gateway.core.values import Millis
from gateway.errors import Problem, TrafficError
from gateway.traffic.lines import Line
from gateway.traffic.reader import TrafficReader

SHOWN = 20
"""Faults that are kept in words; all are counted."""


class Who(NamedTuple):
    """What a record stands for, whatever its id: an alert of a rule on a device, or an order of a template for one."""

    device: str | None
    rule: str | None
    template: str | None = None
    """Of a work order; None of an alert."""


class Source(Protocol):
    """Recorded lines in order of time. Read more than once."""

    @property
    def faults(self) -> int:
        """What could not be read so far."""

    @property
    def problems(self) -> Sequence[Problem]:
        """The first of it."""

    def span(self) -> tuple[Millis, Millis] | None:
        """The first and the last moment there is, milliseconds UTC; None of nothing. Raises TrafficError."""

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        """The lines from a moment on. Raises TrafficError."""

    def who(self, record: str) -> Who | None:
        """What an id stood for in the gateway that was recorded; None where that is not on record."""


class TrafficSource:
    """Traffic files that belong together, in order of time. They are read twice, so none is the standard input.

    Args:
        paths: the files.
        on_fault: told what is wrong with a line.
    """

    def __init__(self, paths: Sequence[Path], on_fault: Callable[[Problem], None] = lambda _: None) -> None:
        self.faults = 0
        self.problems: list[Problem] = []
        self._paths = paths
        self._on_fault = on_fault
        for path in paths:
            if str(path) == "-":
                raise TrafficError("a backtest reads its file twice; give a file, not the standard input")

    def span(self) -> tuple[Millis, Millis] | None:
        """As :meth:`Source.span`."""
        first, last = None, 0
        for path in self._paths:
            reader = TrafficReader(path, after=last)
            for batch in reader.batches():
                if batch:
                    first = batch[0].at if first is None else first
                    last = batch[-1].at
        return None if first is None else (first, last)

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        """As :meth:`Source.batches`; faults are told and counted."""
        self.faults, self.problems = 0, []
        last: Millis = 0
        for path in self._paths:
            reader = TrafficReader(path, self._fault, after=last)
            for batch in reader.batches():
                if not batch or batch[-1].at < since:
                    continue
                yield batch if batch[0].at >= since else [line for line in batch if line.at >= since]
            last = reader.last

    def who(self, record: str) -> Who | None:  # noqa: ARG002 - the protocol's
        """Nothing: a traffic file holds what came in, not what became of it."""
        return None

    def _fault(self, problem: Problem) -> None:
        self.faults += 1
        if self.faults <= SHOWN:
            self.problems.append(problem)
        self._on_fault(problem)


class DataDirSource:
    """The journal of a data directory.

    Args:
        connection: a reader's, see :func:`gateway.adapters.sql.beside.beside`.
    """

    faults = 0
    problems: Sequence[Problem] = ()

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def span(self) -> tuple[Millis, Millis] | None:
        """As :meth:`Source.span`."""
        return recording.span(self._connection)

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        """As :meth:`Source.batches`."""
        yield from recording.journal_lines(self._connection, since)

    def who(self, record: str) -> Who | None:
        """What the records say of it."""
        alert = records.alert(self._connection, record)
        if alert is not None:
            return Who(alert.device, alert.rule)
        order = records.work_order(self._connection, record)
        return None if order is None else Who(order.device, order.rule, order.template)
