"""The demo's own broker: ``mosquitto`` as a child process where it is installed, else amqtt inside this process.

Both keep persistent sessions and listen on loopback only, on a port the system chose.
"""

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from simulators.errors import SimulationError

START_WITHIN = 10.0
"""Seconds a broker may take until it answers."""
STOP_WITHIN = 5.0
"""Seconds a broker may take to stop before it is killed."""
ATTEMPTS = 5
"""Another program may take the free port first; then the next one is tried."""
LOOPBACK = "127.0.0.1"
SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where Debian and Homebrew put mosquitto, which is often not on a user's path."""


@contextlib.asynccontextmanager
async def broker(kind: str = "auto") -> AsyncIterator[str]:
    """Run a broker and yield its URL, ``mqtt://127.0.0.1:PORT``; it is stopped on the way out.

    Args:
        kind: ``mosquitto``, ``amqtt``, or ``auto`` for mosquitto where it is installed and else amqtt.

    Raises:
        SimulationError: the broker is not installed or does not start.
    """
    if kind not in ("auto", "mosquitto", "amqtt"):
        raise SimulationError(f"there is no broker {kind!r}; known are auto, mosquitto and amqtt")
    program = find_mosquitto()
    if kind == "mosquitto" and program is None:
        raise SimulationError("mosquitto is not installed; install it (Debian: apt-get install mosquitto)")
    if program is not None and kind != "amqtt":
        async with mosquitto(program) as url:
            yield url
    else:
        async with amqtt() as url:
            yield url


def find_mosquitto() -> str | None:
    """The path of the mosquitto program, or None."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(SBIN))


@contextlib.asynccontextmanager
async def mosquitto(program: str) -> AsyncIterator[str]:
    """Run mosquitto with a configuration that loses nothing, in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fgw-mosquitto-") as name:
        folder = Path(name)
        process, port = await _start_mosquitto(program, folder)
        try:
            yield f"mqtt://{LOOPBACK}:{port}"
        finally:
            await _stop(process)


def mosquitto_conf(folder: Path, port: int) -> str:
    """The configuration: durable on kill -9, no message limit, loopback only."""
    lines = [
        f"listener {port} {LOOPBACK}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 1",
        "autosave_on_changes true",
        "max_queued_messages 0",
        "max_inflight_messages 1000",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    if os.geteuid() == 0:
        # Started by root it would change to its own user, who cannot write into our folder.
        lines.append(f"user {getpass.getuser()}")
    return "\n".join(lines) + "\n"


async def _start_mosquitto(program: str, folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    words = ""
    for _ in range(ATTEMPTS):
        port = free_port()
        conf = folder / "mosquitto.conf"
        conf.write_text(mosquitto_conf(folder, port), encoding="utf-8")
        with (folder / "mosquitto.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *_die_with_parent(), program, "-c", str(conf), stdin=asyncio.subprocess.DEVNULL, stderr=log
            )
        if await _answers(port, process):
            return process, port
        await _stop(process)
        words = (folder / "mosquitto.log").read_text(encoding="utf-8", errors="replace").strip()
    raise SimulationError(f"mosquitto does not start; it says: {words or 'nothing'}")


def _die_with_parent() -> tuple[str, ...]:
    """A prefix that has the kernel end the broker with us even when we are killed; empty where there is none."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "TERM")


async def _answers(port: int, process: asyncio.subprocess.Process) -> bool:
    """Whether the port accepts a connection while the process lives."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_WITHIN):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(LOOPBACK, port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return process.returncode is None
    return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def amqtt() -> AsyncIterator[str]:
    """Run amqtt in this process and on this loop; needs the extra ``demo``."""
    try:
        from amqtt.broker import Broker  # noqa: PLC0415  an optional extra, and slow to import
        from amqtt.errors import BrokerError  # noqa: PLC0415  as above
    except ImportError as error:
        raise SimulationError(
            "no broker: install mosquitto (Debian: apt-get install mosquitto) or amqtt (pip install amqtt)"
        ) from error
    for attempt in range(1, ATTEMPTS + 1):
        port = free_port()
        server = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
                "plugins": {"simulators.amqtt_login.OpenLogin": {}},
            }
        )
        try:
            await server.start()
        except BrokerError as error:
            if attempt == ATTEMPTS:
                raise SimulationError(f"amqtt does not start: {error}") from error
            continue
        break
    try:
        yield f"mqtt://{LOOPBACK}:{port}"
    finally:
        await server.shutdown()


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
