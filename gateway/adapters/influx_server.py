"""Talking to a server of the InfluxDB family: which one it is, and what its refusals mean.

=====================  =====================================================================================
400, 422               it refused lines                              → :class:`LinesRefused`, bisected by the writer
413                    the body is too long                          → :class:`BodyTooLong`, split by the writer
401, 403, 404, 3xx     it answers, but not to us or not there        → TelemetryMisconfigured
429, 5xx, no answer    busy or gone                                  → TelemetryUnavailable, with Retry-After
=====================  =====================================================================================
"""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import aiohttp

from gateway.adapters.influx_settings import InfluxSettings
from gateway.errors import TelemetryMisconfigured, TelemetryUnavailable

WORDS_LIMIT: Final = 2_000
"""Characters of a server's answer that are kept."""

REQUEST_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 5.0

_NOT_ABOUT_LINES: Final = re.compile(r"\b(org|organization|bucket|database|db|precision)\b", re.IGNORECASE)
_ABOUT_LINES: Final = re.compile(r"partial write|pars(e|ing)|conflict|dropped=|line", re.IGNORECASE)


class LinesRefused(Exception):  # reads as what happened; never leaves the adapter
    """The server refused one line or more of a body; the text is the server's own."""


class BodyTooLong(LinesRefused):
    """The server refused a body for its length."""


@dataclass(frozen=True, slots=True)
class Server:
    """What answered. ``version`` is (major, minor), or None when it does not say."""

    product: str
    version: tuple[int, int] | None
    label: str

    @property
    def is_victoria(self) -> bool:
        """VictoriaMetrics: takes numbers only, answers 204 to everything, reads by its own API."""
        return self.product == "VictoriaMetrics"

    @property
    def has_v2_write(self) -> bool:
        """Whether ``/api/v2/write`` exists: everything but InfluxDB before 1.8."""
        return self.version is None or self.version >= (1, 8)

    @property
    def makes_databases(self) -> bool:
        """Whether a missing database is made with InfluxQL: 1.x."""
        return self.version is not None and self.version[0] == 1


class Reply(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def recognise(reply: Reply) -> Server:
    """Tell from the answer to ``/ping`` which server it is."""
    version = reply.headers.get("X-Influxdb-Version", "")
    if not version and "X-Server-Hostname" in reply.headers:
        return Server("VictoriaMetrics", None, "VictoriaMetrics")
    if not version:
        version = _version_in(reply.body)
    found = re.match(r"v?(\d+)\.(\d+)", version)
    numbers = None if found is None else (int(found[1]), int(found[2]))
    return Server("InfluxDB", numbers, f"InfluxDB {version or 'of unknown version'}")


def _version_in(body: bytes) -> str:
    """InfluxDB 3 writes its version into the body."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told.get("version", "")) if isinstance(told, dict) else ""


def words_of(body: bytes) -> str:
    """The server's own words out of an error body: JSON of any version, or plain text."""
    text = body.decode(errors="replace").strip()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        spoken = told.get("message") or told.get("error")
        details = told.get("data")
        if isinstance(details, list):
            spoken = f"{spoken}: " + "; ".join(
                str(d.get("error_message", d)) if isinstance(d, dict) else str(d) for d in details
            )
        text = str(spoken or text)
    return "".join(c if c.isprintable() else " " for c in text)[:WORDS_LIMIT]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, in either of its two forms; None when absent or unreadable."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None  # noqa: PLR0124  # NaN


def raise_for(where: str, reply: Reply) -> None:
    """Turn a refusal into the exception that says what to do; nothing for a 2xx.

    Raises:
        LinesRefused: look for the line.
        TelemetryUnavailable: try again later.
    """
    status = reply.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    words = words_of(reply.body) or _phrase(status)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise BodyTooLong(words)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        if _NOT_ABOUT_LINES.search(words) and not _ABOUT_LINES.search(words):
            raise TelemetryMisconfigured(f"{where} refuses the request itself: {words}")
        raise LinesRefused(words)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        target = reply.headers.get("Location", "elsewhere")
        raise TelemetryMisconfigured(
            f"{where} sends us to {target}; put the final address into FGW_INFLUX_URL"
        )
    if status in _SETTINGS:
        raise TelemetryMisconfigured(
            f"{where} answers {status}: {words}; check {_SETTINGS[HTTPStatus(status)]}"
        )
    raise TelemetryUnavailable(f"{where} answers {status}: {words}", retry_after(reply.headers))


_SETTINGS: Final = {
    HTTPStatus.UNAUTHORIZED: "FGW_INFLUX_TOKEN, or user and password in FGW_INFLUX_URL",
    HTTPStatus.FORBIDDEN: "the rights of FGW_INFLUX_TOKEN, or of the user in FGW_INFLUX_URL",
    HTTPStatus.NOT_FOUND: "FGW_INFLUX_URL, FGW_INFLUX_ORG and FGW_INFLUX_BUCKET",
    HTTPStatus.METHOD_NOT_ALLOWED: "FGW_INFLUX_URL",
}
"""Which setting to look at when the server answers, but not as hoped."""


def results_of(where: str, reply: Reply) -> list[dict[str, Any]]:
    """The results of InfluxQL statements; each may hold an ``error`` of its own.

    Raises:
        TelemetryUnavailable: it is no such answer.
    """
    try:
        raise_for(where, reply)
        results: list[dict[str, Any]] = json.loads(reply.body)["results"]
    except LinesRefused as refusal:
        raise TelemetryUnavailable(f"{where} refuses a query: {refusal}") from None
    except (ValueError, KeyError, TypeError):
        raise TelemetryMisconfigured(f"{where}/query answers with something else than JSON results") from None
    return results


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no words"


class Connection:
    """HTTP to one server, and what is known about it. Made inside a running loop; close it."""

    def __init__(self, settings: InfluxSettings, seconds: float = REQUEST_SECONDS) -> None:
        self.settings = settings
        self.timeout = aiohttp.ClientTimeout(total=seconds, connect=min(seconds, CONNECT_SECONDS))
        self._session = aiohttp.ClientSession(timeout=self.timeout, headers=_authorization(settings))
        self._server: Server | None = None

    async def server(self) -> Server:
        """Which server it is; asked once, and again after :meth:`forget`.

        Raises:
            TelemetryUnavailable: it does not answer, or refuses us.
        """
        if self._server is None:
            reply = await self.request("GET", "/ping")
            try:
                raise_for(self.settings.url, reply)
            except LinesRefused as refused:
                raise TelemetryMisconfigured(f"{self.settings.url} is no InfluxDB: {refused}") from None
            self._server = recognise(reply)
        return self._server

    def forget(self) -> None:
        """Ask again who answers: after a failure it may be another version."""
        self._server = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
    ) -> Reply:
        """One request, read to its end, redirects not followed (a redirected POST would come back as a GET).

        Raises:
            TelemetryUnavailable: no answer.
        """
        url = self.settings.url + path
        try:
            async with self._session.request(
                method, url, params=params, data=data, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self.forget()
            raise TelemetryUnavailable(f"{self.settings.url} does not answer: {reason(error)}") from error

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()


def reason(error: BaseException) -> str:
    """A network error in words; a time-out has none of its own."""
    return (
        "no answer in time" if isinstance(error, asyncio.TimeoutError) else str(error) or type(error).__name__
    )


def _authorization(settings: InfluxSettings) -> dict[str, str]:
    """A user and password as 1.x wants them, else the token; both may stand in the token's place."""
    token = settings.token or ""
    if settings.username is not None:
        token = f"{settings.username}:{settings.password}"
    user, colon, password = token.partition(":")
    if colon and user and password:
        return {"Authorization": "Basic " + base64.b64encode(token.encode()).decode()}
    return {"Authorization": f"Token {token}"} if token else {}
