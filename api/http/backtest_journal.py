"""The journal of a gateway that goes on writing while it is read, for minutes if need be."""

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa
import zstandard

from gateway.adapters.sql import journal, schema
from gateway.backtest import DataDirSource
from gateway.core.values import Millis
from gateway.errors import DataDirError
from gateway.traffic.lines import Line, Setup

PAGE = 200
"""Transactions read at once."""


class LiveJournal(DataDirSource):
    """A data directory, read a page at a time.

    SQLite cannot take what was written back into its file while somebody looks at an older moment of it, so its log would
    grow for as long as a backtest runs. Here each page is looked at for itself. What is written after :meth:`span` was
    asked is left out.

    Args:
        connection: a reader's, see :func:`gateway.adapters.sql.beside.beside`.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.at: Millis | None = None
        """The last moment that was read."""
        self._newest = 0

    def span(self) -> tuple[Millis, Millis] | None:
        """As :meth:`gateway.backtest.Source.span`."""
        self._newest = self._connection.scalar(sa.select(sa.func.max(schema.journal.c.seq))) or 0
        return super().span()

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        """As :meth:`gateway.backtest.Source.batches`."""
        table = schema.journal.c
        chosen = sa.select(sa.func.min(table.seq)).where(table.last_at >= since)
        following = self._connection.scalar(chosen)
        while following is not None and following <= self._newest:
            page = sa.select(table.seq, table.body).where(table.seq.between(following, self._newest))
            rows = self._connection.execute(page.order_by(table.seq).limit(PAGE)).all()
            self._look_again()
            for seq, body in rows:
                found = [line for line in _lines(seq, body) if line.at >= since]
                if found:
                    self.at = found[-1].at
                    yield found
            following = rows[-1].seq + 1 if rows else None

    def _look_again(self) -> None:
        self._connection.rollback()
        self._connection.exec_driver_sql("BEGIN")


def _lines(seq: int, body: bytes) -> list[Line]:
    try:
        return [_line(at, one) for at, one in journal.entries(body)]
    except (msgspec.DecodeError, zstandard.ZstdError, KeyError) as error:
        raise DataDirError(f"entry {seq} of the journal cannot be read: {error}") from error


def _line(at: Millis, one: journal.Kept | str) -> Line:
    # A backtest passes over configurations by their digest and never asks for their text.
    return Line(0, at, Setup(at, one, None) if isinstance(one, str) else one)
