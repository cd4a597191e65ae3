"""The gateway's end of the process of a backtest: started, listened to, and gone when nobody waits for it any more."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

import api
from api.http import backtest_messages as messages

COMMAND: Final = (sys.executable, "-P", "-m", "api.http.backtest_child")
"""``-P``: what lies in the working directory is no module of ours."""
TAIL: Final = 2_000
"""Bytes that are kept of what a process says on its standard error."""

WHY: Final = {
    "SIGKILL": ": the machine may be out of memory",
    "SIGSYS": ": the service may not call setpriority; allow it as deploy/facility-gateway.service does",
}
"""What may be behind a signal."""


class Ended(Exception):
    """The process ended, or was ended, without an answer. The text is for a person."""


async def ask(
    order: messages.Order,
    limit: float,
    *,
    reached: Callable[[messages.Reached], None] = lambda _: None,
    begun: Callable[[int], None] = lambda _: None,
) -> messages.Answer:
    """Have a process do it. Whoever is cancelled here leaves no process behind.

    Args:
        order: what is to be done.
        limit: seconds it may take.
        reached: told how far it is.
        begun: told the number of the process.

    Returns:
        Its last answer.

    Raises:
        Ended: it took too long, or ended without one.
    """
    process = await _started()
    said = asyncio.create_task(_tail(process))
    try:
        begun(process.pid)
        async with asyncio.timeout(limit):
            answer = await _last_answer(process, order, reached)
            await process.wait()
    except TimeoutError:
        raise Ended(f"it took longer than {limit:g} s and was ended") from None
    finally:
        await _gone(process, said)
    if answer is None:
        raise Ended(_words(process.returncode, said.result()))
    return answer


async def _started() -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C in a terminal is the gateway's
            limit=messages.LINE_MOST,
        )
    except OSError as error:
        raise Ended(f"its process cannot be started: {error.strerror}") from error


async def _last_answer(
    process: Process, order: messages.Order, reached: Callable[[messages.Reached], None]
) -> messages.Answer | None:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    with contextlib.suppress(ConnectionError):  # it ended before it listened: its exit says why
        process.stdin.write(messages.encode(order) + b"\n")
        await process.stdin.drain()
    last: messages.Answer | None = None
    try:
        async for line in process.stdout:
            answer = messages.read_answer.decode(line)
            if isinstance(answer, messages.Reached):
                reached(answer)
            else:
                last = answer
    except (ValueError, msgspec.DecodeError) as error:
        raise Ended("it said something that makes no sense") from error
    return last


async def _gone(process: Process, said: asyncio.Task[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
    await asyncio.wait({said})


async def _tail(process: Process) -> bytes:
    """The end of what it says on its standard error, which must be read all the while."""
    kept = b""
    assert process.stderr is not None  # noqa: S101 - a pipe
    while part := await process.stderr.read(TAIL):
        kept = (kept + part)[-TAIL:]
    return kept


def _words(status: int | None, said: bytes) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"its process was ended by {name}{WHY.get(name, '')}"
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    return f"its process failed with status {status}: {last or 'it said nothing'}"


def _environment() -> dict[str, str]:
    """Ours without the settings: passwords and keys are no business of a backtest."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FGW_")}
    root = str(Path(api.__file__).parents[1])
    further = given.get("PYTHONPATH")
    return {**given, "PYTHONPATH": f"{root}{os.pathsep}{further}" if further else root}
