"""Writing lines: one request a batch, and the search for the lines a server will not have.

The two senders differ in the endpoint only. ``/api/v2/write`` goes through influxdb-client's asynchronous ``WriteApi``
with ready-made lines, which is one request without retries: what an outbox wants. InfluxDB before 1.8 has ``/write``.

A refused body is cut in two and sent again until the culprits stand alone. That is safe because writes are idempotent
and needed because no version says reliably which lines it kept: 1.x stores the good ones of a refused body (also
where it says ``dropped=0``), 2.x may refuse the whole.
"""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from gateway.adapters.influx_server import (
    BodyTooLong,
    Connection,
    LinesRefused,
    Reply,
    raise_for,
    reason,
    results_of,
)
from gateway.core.values import TelemetryRow
from gateway.errors import TelemetryMisconfigured, TelemetryUnavailable

_CONFLICT: Final = re.compile(
    r'field type conflict: input field "(?P<field>.*?)" on measurement "(?P<measurement>.*?)" is type (?P<type>\w+)'
)
_DROPPED: Final = re.compile(r"dropped=(\d+)\s*$")
_TYPES: Final[dict[str, type]] = {"float": float, "integer": int, "boolean": bool, "string": str}


Refuse: TypeAlias = Callable[[TelemetryRow, str], None]
"""Takes a row the server will never have, and its words."""


class Line(NamedTuple):
    """A row beside its encoded line."""

    row: TelemetryRow
    text: bytes


class Sender(Protocol):
    """Puts one body of lines before the server."""

    async def send(self, body: bytes) -> None:
        """Return when it is stored.

        Raises:
            LinesRefused: it holds lines the server will not have.
            TelemetryUnavailable: nothing is certain.
        """

    async def close(self) -> None:
        """Close its connections."""


class V2Sender:
    """``/api/v2/write``: InfluxDB 1.8, 2, 3 and VictoriaMetrics."""

    def __init__(self, connection: Connection) -> None:
        settings = connection.settings
        token = settings.token or ""
        if settings.username is not None:
            token = f"{settings.username}:{settings.password}"
        self._connection = connection
        self._client: Any = InfluxDBClientAsync(  # its annotations refuse what its documentation asks for
            url=settings.url,
            token=token,
            org=settings.org or "-",
            timeout=connection.timeout,
            allow_redirects=False,
        )
        self._api: Any = self._client.write_api()

    async def send(self, body: bytes) -> None:
        """See :class:`Sender`."""
        url = self._connection.settings.url
        try:
            stored = await self._api.write(
                bucket=self._connection.settings.bucket, record=body, write_precision=WritePrecision.MS
            )
        except ApiException as refusal:
            raise_for(url, Reply(refusal.status or 0, refusal.headers or {}, refusal.body or b""))
            raise
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TelemetryUnavailable(f"{url} does not answer: {reason(error)}") from error
        if not stored:
            raise TelemetryUnavailable(
                f"{url} answered a write with neither 201 nor 204: is a proxy in between?"
            )

    async def close(self) -> None:
        """See :class:`Sender`."""
        await self._client.close()


class V1Sender:
    """``/write``: InfluxDB before 1.8. A missing database is made, once per body."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send(self, body: bytes) -> None:
        """See :class:`Sender`."""
        settings = self._connection.settings
        params = {"db": settings.database, "precision": "ms"}
        if settings.policy:
            params["rp"] = settings.policy
        reply = await self._connection.request("POST", "/write", params=params, data=body)
        if reply.status == HTTPStatus.NOT_FOUND and b"database not found" in reply.body:
            await make_database(self._connection)
            reply = await self._connection.request("POST", "/write", params=params, data=body)
        raise_for(settings.url, reply)

    async def close(self) -> None:
        """Nothing of its own to close."""


async def make_database(connection: Connection) -> None:
    """Make the database of InfluxDB 1.x; nothing happens when it exists.

    Raises:
        TelemetryUnavailable: it could not be made.
    """
    name = connection.settings.database.replace("\\", "\\\\").replace('"', '\\"')
    reply = await connection.request("POST", "/query", data={"q": f'CREATE DATABASE "{name}"'})
    for result in results_of(connection.settings.url, reply):
        if "error" in result:
            raise TelemetryMisconfigured(
                f"{connection.settings.url} does not make the database {name}: {result['error']}"
            )


async def deliver(sender: Sender, lines: Sequence[Line], refuse: Refuse) -> None:
    """Store all lines but those the server refuses one by one; these go to ``refuse`` with the server's words.

    Raises:
        TelemetryUnavailable: nothing is certain; the lines can be sent again as they are.
    """
    waiting = [lines]
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        try:
            await sender.send(b"\n".join(line.text for line in part))
        except LinesRefused as refusal:
            words = str(refusal)
            if len(part) == 1 or _all_dropped(refusal, words, len(part)):
                for line in part:
                    refuse(line.row, words)
            else:
                first, second = _suspects(part, words) or _halves(part)
                waiting += [second, first]


def _halves(part: Sequence[Line]) -> tuple[Sequence[Line], Sequence[Line]]:
    middle = len(part) // 2
    return part[:middle], part[middle:]


def _all_dropped(refusal: LinesRefused, words: str, count: int) -> bool:
    """Whether the server says it kept none. A number smaller than that is not to be believed, this one is."""
    found = _DROPPED.search(words)
    return not isinstance(refusal, BodyTooLong) and found is not None and int(found[1]) == count


def _suspects(part: Sequence[Line], words: str) -> tuple[Sequence[Line], Sequence[Line]] | None:
    """The lines a field type conflict may mean, and the others; None when that tells none apart.

    A point whose type was changed spoils every second line; halving alone would take two requests for each.
    """
    found = _CONFLICT.search(words)
    if found is None or found["type"] not in _TYPES:
        return None
    kind = _TYPES[found["type"]]
    suspects: list[Line] = []
    others: list[Line] = []
    for line in part:
        value = line.row.fields.get(found["field"])
        meant = line.row.series.measurement == found["measurement"] and type(value) is kind
        (suspects if meant else others).append(line)
    return (suspects, others) if suspects and others else None
