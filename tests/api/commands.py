"""``fgw`` called as a person calls it, in this process."""

import asyncio
import contextlib
import io
import os
import re
import sys
from collections.abc import AsyncIterator
from typing import NamedTuple
from unittest import mock

from fastapi import FastAPI

from api.cli import main
from api.http.server import serve

WIDE = "400"
"""Columns of the terminal, so that no sentence is broken."""
_FRAME = re.compile("[│─╭╮╰╯]+")


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str
    body: bytes
    """What it printed, as it is."""


def call(*words: object, stdin: bytes = b"", **settings: str) -> Ran:
    """Run a command with nothing but some ``FGW_…`` variables in its environment, named without that in lower case."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FGW_")}
    given |= {f"FGW_{name.upper()}": value for name, value in settings.items()} | {"COLUMNS": WIDE}
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    status: object = 0
    with (
        mock.patch.dict(os.environ, given, clear=True),
        mock.patch.object(sys, "argv", ["fgw", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        out.flush()
    body = out.buffer.getvalue() if isinstance(out.buffer, io.BytesIO) else b""
    return Ran(status if isinstance(status, int) else 1, body.decode(errors="replace"), err.getvalue(), body)


def fgw(*words: object, **settings: str) -> Ran:
    """The same with what it complains about in one line, without frames."""
    ran = call(*words, stdin=b"", **settings)
    return ran._replace(err=" ".join(_FRAME.sub(" ", ran.err).split()))


async def asking(*words: object, **settings: str) -> Ran:
    """As :func:`fgw`, beside a gateway that runs in this process."""
    return await asyncio.to_thread(fgw, *words, **settings)


@contextlib.asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address under which commands reach an application, until the end of the block."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=ready.set_result), name="serve")
    try:
        yield await ready
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
