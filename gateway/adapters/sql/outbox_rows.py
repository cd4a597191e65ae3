"""Telemetry rows as they wait in the outbox: each series once, then the rows that belong to them."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import schema
from gateway.core.values import Scalar, Series, TelemetryRow

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[Series], list[tuple[int, int, dict[str, Scalar]]]]).decode


def pack(rows: Sequence[TelemetryRow]) -> bytes:
    """Rows as one block."""
    index: dict[Series, int] = {}
    packed = [(index.setdefault(series, len(index)), ts, fields) for series, ts, fields in rows]
    return _encode((list(index), packed))


def unpack(body: bytes) -> list[TelemetryRow]:
    """The rows of a block, in order."""
    series, rows = _decode(body)
    return [TelemetryRow(series[number], ts, fields) for number, ts, fields in rows]


def measure(connection: sa.Connection) -> tuple[int, int]:
    """Bytes and rows that wait."""
    table = schema.telemetry_outbox
    size, rows = connection.execute(sa.select(sa.func.sum(table.c.size), sa.func.sum(table.c.rows))).one()
    return size or 0, rows or 0
