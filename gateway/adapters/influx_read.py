"""Reading through InfluxQL, the one query language of InfluxDB 1, 2 and 3.

Values go in as bind parameters, which InfluxQL allows in WHERE only. Names cannot: a field is named in a query only
when the server itself lists it, measurement and tag names are quoted, and times are integers of ours.
"""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from gateway.adapters.influx_server import Connection, results_of
from gateway.adapters.row_rules import EARLIEST, LATEST, series_flaw
from gateway.core.values import Scalar
from gateway.errors import TelemetryUnavailable
from gateway.ports import Answer, Bucket, Query, Sample

_TRUE, _FALSE = 1.0, 0.0
_MISSING: Final = ("database not found", "retention policy not found", "table not found", "no dbrp mapping")


def quoted(name: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Reader:
    """Queries one database. Field types are asked for once a measurement, and again when a field is new."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._types: dict[str, dict[str, str]] = {}

    def forget(self) -> None:
        """Ask for the field types again: the server may have been replaced by an empty one."""
        self._types.clear()

    async def read(self, query: Query) -> list[Answer]:
        """See :meth:`gateway.ports.TelemetryStore.read`."""
        if series_flaw(query.series) is not None or query.start >= query.end:
            return [Answer(name, [], []) for name in query.fields]
        types = await self._field_types(query.series.measurement, query.fields)
        source, bound = _where(query)
        asked = [(name, types[name]) for name in query.fields if name in types]
        statements = [_statements(name, kind, query, source) for name, kind in asked]
        found: dict[str, Answer] = {}
        if asked:
            results = iter(await self.ask("; ".join(chain.from_iterable(statements)), bound))
            for (name, kind), parts in zip(asked, statements, strict=True):
                rows = [_rows(next(results)) for _ in parts]
                found[name] = _answer(name, kind, query, rows)
        return [found.get(name) or Answer(name, [], []) for name in query.fields]

    async def ask(self, text: str, bound: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """The results of one or more statements; a database that does not exist yet is an empty one.

        Raises:
            TelemetryUnavailable: no answer, or one with an error in it.
        """
        settings = self._connection.settings
        params = {"db": settings.database, "epoch": "ms"}
        if settings.policy:
            params["rp"] = settings.policy
        form = {"q": text, "params": json.dumps(bound or {})}
        reply = await self._connection.request("POST", "/query", params=params, data=form)
        results = results_of(settings.url, reply)
        for result in results:
            error = result.get("error")
            if error is not None and not any(word in error for word in _MISSING):
                raise TelemetryUnavailable(f"{settings.url} answers a query with an error: {error}")
        return results

    async def _field_types(self, measurement: str, fields: Sequence[str]) -> dict[str, str]:
        known = self._types.get(measurement, {})
        if any(name not in known for name in fields):
            results = await self.ask(f"SHOW FIELD KEYS FROM {quoted(measurement)}")
            known = {str(name): str(kind) for result in results for name, kind in _rows(result)}
            self._types[measurement] = known
        return known


def _where(query: Query) -> tuple[str, dict[str, str]]:
    """FROM and WHERE of a query, and the values bound into it."""
    start, end = max(query.start, EARLIEST + 1), min(query.end, LATEST)
    bound: dict[str, str] = {}
    parts = [f"time >= {start:d}ms", f"time < {end:d}ms"]
    for number, (name, value) in enumerate(query.series.tags):
        if value:
            bound[f"tag{number}"] = value
            parts.append(f"{quoted(name)} = $tag{number}")
    return f"FROM {quoted(query.series.measurement)} WHERE {' AND '.join(parts)}", bound


def _statements(name: str, kind: str, query: Query, source: str) -> list[str]:
    """One statement, or two for a boolean: InfluxQL has no mean of truths, so they are counted."""
    field, limit = quoted(name), query.limit + 1
    if query.every is None or kind == "string":
        return [f"SELECT {field} {source} ORDER BY time LIMIT {limit:d}"]
    grouping = f"GROUP BY time({query.every:d}ms) fill(none) LIMIT {limit:d}"
    if kind == "boolean":
        return [
            f"SELECT count({field}) {source} {grouping}",
            f"SELECT count({field}) {source} AND {field} = true {grouping}",
        ]
    return [f"SELECT min({field}), max({field}), mean({field}), count({field}) {source} {grouping}"]


def _rows(result: dict[str, Any]) -> list[list[Any]]:
    return [row for series in result.get("series", ()) for row in series["values"]]


def _answer(name: str, kind: str, query: Query, rows: list[list[list[Any]]]) -> Answer:
    limit = query.limit
    truncated = len(rows[0]) > limit
    if query.every is None or kind == "string":
        samples = [Sample(ts, _value(kind, value)) for ts, value in rows[0][:limit]]
        return Answer(name, samples, [], truncated)
    if kind == "boolean":
        trues: dict[int, int] = {ts: count for ts, count in rows[1] if count}
        buckets = [_truths(ts, count, trues.get(ts, 0)) for ts, count in rows[0] if count]
    else:
        buckets = [
            Bucket(ts, float(low), float(high), float(mean), count)
            for ts, low, high, mean, count in rows[0]
            if count
        ]
    return Answer(name, [], buckets[:limit], truncated)


def _truths(ts: int, count: int, trues: int) -> Bucket:
    return Bucket(ts, _TRUE if trues == count else _FALSE, _TRUE if trues else _FALSE, trues / count, count)


def _value(kind: str, value: Scalar) -> Scalar:
    """JSON writes 1.0 as 1; the field's type says which it was."""
    return float(value) if kind == "float" else value
