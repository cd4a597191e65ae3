"""The journal of a gateway that goes on writing while it is read, for minutes if need be."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from gateway.adapters.sql import recording
from gateway.backtest import DataDirSource
from gateway.core.values import Millis
from gateway.traffic.lines import Line


class LiveJournal(DataDirSource):
    """A data directory whose gateway runs, up to what it held when :meth:`span` was asked.

    Args:
        connection: a reader's, see :func:`gateway.adapters.sql.beside.beside`.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.at: Millis | None = None
        """The last moment that was read."""
        self._last = 0

    def span(self) -> tuple[Millis, Millis] | None:
        """As :meth:`gateway.backtest.Source.span`."""
        self._last = recording.newest(self._connection)
        return super().span()

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        """As :meth:`gateway.backtest.Source.batches`."""
        for found in recording.journal_lines(self._connection, since, last=self._last, let_go=True):
            self.at = found[-1].at
            yield found
