"""Serving the application inside the caller's loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from api.http.backtest_jobs import Backtests
from api.http.live import Live
from api.http.perimeter import is_loopback
from gateway.errors import SettingsError

GOODBYE = 5
"""Seconds that requests under way get at the end."""


class Server(uvicorn.Server):
    """Uvicorn without signal handlers: whoever called :func:`serve` decides when to stop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections and say so."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(app: FastAPI, host: str, port: int, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until cancelled; then end the live streams, finish what is under way and return.

    Args:
        app: made by :func:`api.http.app.create_app`.
        host: an address of this machine.
        port: 0 for any free one.
        ready: told the URL once connections are accepted.

    Raises:
        SettingsError: the address cannot be used, or is open to others without FGW_HTTP_INSECURE.
    """
    sockets = listen(host, port, insecure=app.state.settings.http_insecure)
    server = Server(_configuration(app), lambda: ready(url_of(sockets[0])) if ready else None)
    serving = asyncio.create_task(server.serve(sockets), name="http server")
    try:
        await asyncio.shield(serving)
    finally:
        live: Live = app.state.live
        backtests: Backtests = app.state.backtests
        live.close()
        server.should_exit = True
        try:
            await serving  # cancelled once more: what is under way is cancelled with it
        finally:
            for one in sockets:
                one.close()
            await backtests.close()


def _configuration(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GOODBYE,
        timeout_keep_alive=75,
    )


def listen(host: str, port: int, *, insecure: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address the host stands for. Raises :class:`SettingsError`."""
    if not insecure and not is_loopback(host):
        raise SettingsError(
            f"FGW_HTTP: {host} can be reached from other machines, and there is no log-in; "
            "use 127.0.0.1 behind a proxy that asks for one, or set FGW_HTTP_INSECURE=1"
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise SettingsError(f"FGW_HTTP: {host!r} is no address of this machine: {error.strerror}") from error
    sockets: list[socket.socket] = []
    for family, *_, address in dict.fromkeys(found):
        try:
            # A second address of the same name takes the port that was found for the first.
            place = (address[0], port or (sockets[0].getsockname()[1] if sockets else 0), *address[2:])
            sockets.append(_bound(family, place))
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and len(found) > 1:
                continue
            for one in sockets:
                one.close()
            raise SettingsError(_words(host, port, error)) from error
    if not sockets:
        raise SettingsError(f"FGW_HTTP: {host!r} is no address of this machine")
    return sockets


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(512)  # so that a port somebody else listens on is found out now
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one


def _words(host: str, port: int, error: OSError) -> str:
    place = f"FGW_HTTP: {host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is taken by another program; stop it or choose another port"
        case errno.EACCES:
            return f"{place} may not be used by this user; ports below 1024 need a privilege"
        case _:
            return f"{place} cannot be used: {error.strerror}"


def url_of(listening: socket.socket) -> str:
    """Where a socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
