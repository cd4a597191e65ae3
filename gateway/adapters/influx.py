"""InfluxDB 1.6 to 3 as a telemetry store, and VictoriaMetrics as one for numbers.

Which server answers is found out by ``/ping`` and again after every failure. Writes go to ``/api/v2/write``, or to
``/write`` on 1.x before 1.8; reads go through InfluxQL. A measurement is a profile, tags are the device's place, and
times are milliseconds.

VictoriaMetrics answers 204 to whatever it gets and drops text, and points older than its retention, without a word.
So only numbers and truths are sent to it, its :meth:`InfluxStore.health` says so, and reading gives floats.
"""

from collections.abc import Sequence

from gateway.adapters.influx_read import Reader
from gateway.adapters.influx_server import Connection, Server
from gateway.adapters.influx_settings import InfluxSettings
from gateway.adapters.influx_write import Line, Refuse, Sender, V1Sender, V2Sender, deliver, make_database
from gateway.adapters.line_protocol import LineEncoder
from gateway.adapters.victoria_read import Exporter
from gateway.core.values import Millis, TelemetryRow
from gateway.errors import TelemetryMisconfigured, TelemetryUnavailable
from gateway.ports import Answer, Health, Query, Refused

NUMBERS_ONLY = "numbers only: it does not keep text and enum points"


class InfluxStore:
    """The telemetry store behind one URL. Make it inside a running loop.

    Any number of writes may be under way at the same time.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._connection = Connection(settings)
        self._encoder = LineEncoder()
        self._reader = Reader(self._connection)
        self._exporter = Exporter(self._connection)
        self._v1 = V1Sender(self._connection)
        self._v2 = V2Sender(self._connection)

    async def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
        """Store all rows but those returned; what a refused row's neighbours hold is stored.

        Raises:
            TelemetryUnavailable: no answer, or too busy; nothing is certain.
            TelemetryMisconfigured: it answers, but not to us.
        """
        if not rows:
            return []
        refused: list[Refused] = []

        def refuse(row: TelemetryRow, words: str) -> None:
            refused.append(Refused(row, words))

        try:
            server = await self._connection.server()
            sent = _numbers(rows) if server.is_victoria else rows
            kept, texts = self._encoder.encode_all(sent, refuse)
            lines = [Line(row, text) for row, text in zip(kept, texts, strict=True)]
            await self._deliver(server, lines, refuse)
        except TelemetryUnavailable:
            self._forget()
            raise
        return refused

    async def _deliver(self, server: Server, lines: Sequence[Line], refuse: Refuse) -> None:
        sender: Sender = self._v2 if server.has_v2_write else self._v1
        try:
            await deliver(sender, lines, refuse)
        except TelemetryMisconfigured as error:
            if not (server.makes_databases and "database not found" in str(error)):
                raise
            await make_database(self._connection)
            await deliver(sender, lines, refuse)

    async def read(self, query: Query) -> list[Answer]:
        """One answer per field, also when it has no readings. Buckets start at whole multiples of ``every`` since 1970.

        Raises:
            TelemetryUnavailable: no answer, or one with an error in it.
        """
        try:
            server = await self._connection.server()
            return await (self._exporter if server.is_victoria else self._reader).read(query)
        except TelemetryUnavailable:
            self._forget()
            raise

    async def health(self) -> Health:
        """Ask the server who it is and, where it speaks InfluxQL, whether it answers to us."""
        place = f"at {self._settings.url}"
        self._connection.forget()
        try:
            server = await self._connection.server()
            if server.is_victoria:
                return Health(True, f"{server.label} {place}; {NUMBERS_ONLY}")
            await self._reader.ask("SHOW MEASUREMENTS LIMIT 1")
        except TelemetryUnavailable as error:
            return Health(False, str(error))
        return Health(True, f"{server.label} {place}, {self._settings.bucket}")

    async def keep(self, oldest: Millis) -> None:
        """Nothing: how long InfluxDB keeps readings is set on its bucket or retention policy."""

    async def close(self) -> None:
        """Close all connections."""
        await self._v2.close()
        await self._connection.close()

    def _forget(self) -> None:
        self._connection.forget()
        self._reader.forget()


def _numbers(rows: Sequence[TelemetryRow]) -> list[TelemetryRow]:
    """The rows without their texts, and without the rows that held nothing else."""
    return [numeric for row in rows if (numeric := _without_texts(row)).fields or not row.fields]


def _without_texts(row: TelemetryRow) -> TelemetryRow:
    if not any(isinstance(value, str) for value in row.fields.values()):
        return row
    return row._replace(
        fields={name: value for name, value in row.fields.items() if not isinstance(value, str)}
    )
