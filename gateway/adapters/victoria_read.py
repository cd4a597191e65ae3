"""Reading from VictoriaMetrics, which has no InfluxQL: raw points from ``/api/v1/export``, buckets counted here.

It stores every number as a 64-bit float and keeps duplicates, so whole values come back as floats, truths as 0.0 and
1.0, and a point written twice is taken once.
"""

import json
import math

from gateway.adapters.influx_server import Connection, LinesRefused, raise_for
from gateway.adapters.row_rules import series_flaw
from gateway.core.values import Millis
from gateway.errors import TelemetryUnavailable
from gateway.ports import Answer, Bucket, Query, Sample


class Exporter:
    """Reads points of one server, one request a field."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, query: Query) -> list[Answer]:
        """See :meth:`gateway.ports.TelemetryStore.read`; text was never stored there, so it has no readings."""
        return [await self._read_field(query, name) for name in query.fields]

    async def _read_field(self, query: Query, name: str) -> Answer:
        if series_flaw(query.series) is not None or query.start >= query.end:
            return Answer(name, [], [])
        points = await self._export(query, name)
        if query.every is None:
            samples = [Sample(ts, value) for ts, value in points[: query.limit]]
            return Answer(name, samples, [], len(points) > query.limit)
        buckets = bucketed(points, query.every)
        return Answer(name, [], buckets[: query.limit], len(buckets) > query.limit)

    async def _export(self, query: Query, name: str) -> list[tuple[Millis, float]]:
        settings = self._connection.settings
        last = query.end - 1
        form = {
            "match[]": selector(query, name),
            "start": f"{query.start / 1000:.3f}",
            "end": f"{last / 1000:.3f}",
            "reduce_mem_usage": "1",
        }
        reply = await self._connection.request("POST", "/api/v1/export", data=form)
        try:
            raise_for(settings.url, reply)
            blocks = [json.loads(line) for line in reply.body.splitlines() if line]
        except LinesRefused as refusal:
            raise TelemetryUnavailable(f"{settings.url} refuses a query: {refusal}") from None
        except ValueError:
            raise TelemetryUnavailable(
                f"{settings.url} answers an export with something else than JSON lines"
            ) from None
        points: dict[Millis, float] = {}
        for block in blocks:
            for ts, value in zip(block["timestamps"], block["values"], strict=True):
                if value is not None and query.start <= ts <= last:
                    points[ts] = float(value)
        return sorted(points.items())


def selector(query: Query, name: str) -> str:
    """The series of one field in Prometheus' notation; JSON's escapes are also its own."""
    labels = [("__name__", f"{query.series.measurement}_{name}"), *query.series.tags]
    parts = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in labels if value]
    return "{" + ",".join(parts) + "}"


def bucketed(points: list[tuple[Millis, float]], every: Millis) -> list[Bucket]:
    """Points in order of time, taken together in buckets that start at whole multiples of ``every`` (ms)."""
    groups: dict[Millis, list[float]] = {}
    for ts, value in points:
        groups.setdefault(ts - ts % every, []).append(value)
    return [
        Bucket(start, min(values), max(values), math.fsum(values) / len(values), len(values))
        for start, values in groups.items()
    ]
