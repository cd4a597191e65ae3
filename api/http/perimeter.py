"""What every request passes before a route sees it, and what every answer carries.

While there is no log-in, two things keep a web page elsewhere from using this gateway through a visitor's browser:
the ``Host`` must be one of ours (a foreign name that resolves to loopback is refused), and a request that changes
something must not come from a foreign ``Origin`` and must be JSON if it has a body.
"""

import asyncio
import ipaddress
import logging
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import Problem

BODY_MOST = 1 << 20
"""Bytes of a request's body."""
BODY_SECONDS = 30.0
"""How long a client may take to send it."""
FILE_SECONDS = 300.0
"""How long a client may take to send a file, or another large body."""

_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("localhost", "127.0.0.1", "::1")

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""What a page of another origin can send without asking (Fetch, CORS-safelisted request header)."""

Files: TypeAlias = Callable[[str, str], int | None]
"""By method and path: the bytes a file may have that is sent there as it is; None where bodies are JSON."""
Uploads: TypeAlias = Callable[[str, str], int | None]
"""By method and path: the bytes of JSON that may be sent there; None where the general limit holds."""
Hosts: TypeAlias = frozenset[str] | None
"""Names under which the gateway may be called, lower case, without port; None for any."""

log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound to that host."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def permitted_hosts(bound: str, further: Iterable[str]) -> Hosts:
    """The names a gateway bound to ``bound`` answers to.

    On loopback: localhost and what is configured. Beyond it, where the machine has names we cannot know: what is
    configured, or any name when nothing is.
    """
    given = {name.strip().lower().strip("[]") for name in further if name.strip()}
    if is_loopback(bound):
        return frozenset({*_LOCAL, bound.lower(), *given})
    return frozenset({*_LOCAL, *given}) if given else None


def host_name(header: str) -> str:
    """The name in a ``Host`` header, lower case, without port and brackets; empty when it is malformed."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return ""
    return "" if parts.username or parts.path or parts.query else (parts.hostname or "")


def no_files(_method: str, _path: str) -> int | None:
    """An application to which no files are sent."""
    return None


class Perimeter:
    """The ASGI application that stands around all others.

    Args:
        app: what is protected.
        hosts: the names it may be called by.
        body_most: bytes a body may have.
        files: where files are sent instead, and how large they may be; these reach the route as they come in.
        uploads: where larger bodies than others are sent.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Hosts,
        body_most: int = BODY_MOST,
        files: Files = no_files,
        uploads: Uploads = no_files,
    ) -> None:
        self._app, self._hosts, self._body_most = app, hosts, body_most
        self._files, self._uploads = files, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, pass it on, and make sure something fitting is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _dress(MutableHeaders(raw=message["headers"]), request_id)
            await send(message)

        file_most = self._files(scope["method"], scope["path"])
        try:
            self._check(scope["method"], headers, is_file=file_most is not None)
            if file_most is None:
                receive = await self._body(scope, headers, receive)
            else:
                receive = _streamed(headers, receive, file_most)
            await self._app(scope, receive, dressed)
        except Problem as problem:
            await problem.response()(scope, receive, dressed)
        except Exception:
            log.exception("request %s failed: %s %s", request_id, scope["method"], ascii(scope["path"]))
            if started:
                raise
            words = f"the gateway made a mistake; its log tells more under request {request_id}"
            await Problem(500, words).response()(scope, receive, dressed)

    def _check(self, method: str, headers: Headers, *, is_file: bool) -> None:
        host = headers.get("host", "")
        name = host_name(host)
        if self._hosts is not None and name not in self._hosts:
            words = (
                f"this gateway does not go by the name {ascii(name)[:80]}; FGW_HTTP_HOSTS lists further names"
            )
            raise Problem(421, words)
        if method in _SAFE:
            return
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise Problem(403, f"a page of {ascii(origin)[:80]} may not change anything here")
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        found = ascii(kind)[:80] if kind else "no content type"
        if is_file and has_body and (not kind or kind in _FORMS):
            raise Problem(415, f"found {found}; a file is sent as it is, under its own content type")
        if not is_file and has_body and kind != "application/json":
            raise Problem(
                415, f"found {found}; a body here is application/json", {"Accept": "application/json"}
            )

    async def _body(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """The body, counted while it comes in, to be received again by the route."""
        if scope["method"] in ("GET", "HEAD"):
            return receive
        larger = self._uploads(scope["method"], scope["path"])
        most, seconds = (self._body_most, BODY_SECONDS) if larger is None else (larger, FILE_SECONDS)
        _heed_announced(headers, most)
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for part in _parts(receive):
                    body += part
                    if len(body) > most:
                        raise _too_large(most)
        except TimeoutError:
            raise Problem(408, f"the body was not complete within {seconds:g} s") from None
        whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def again() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message or await receive()

        return again


def _streamed(headers: Headers, receive: Receive, most: int) -> Receive:
    """A body that is passed on as it comes in, counted, within a time."""
    _heed_announced(headers, most)
    counted = 0
    deadline = asyncio.get_running_loop().time() + FILE_SECONDS

    async def one() -> Message:
        nonlocal counted
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise Problem(408, f"the file was not complete within {FILE_SECONDS:g} s") from None
        if message["type"] == "http.disconnect":
            raise Problem(400, "the connection broke off before the file was complete")
        counted += len(message.get("body", b""))
        if counted > most:
            raise _too_large(most)
        return message

    return one


def _heed_announced(headers: Headers, most: int) -> None:
    announced = headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:20]) > most:
        raise _too_large(most)


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body is larger than {most} bytes", {"Connection": "close"})


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "the connection broke off before the body was complete")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _dress(headers: MutableHeaders, request_id: str) -> None:
    headers.setdefault("Content-Security-Policy", _POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Request-ID"] = request_id
