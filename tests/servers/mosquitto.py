"""Mosquitto on a free port, durable by default, so that killing it loses nothing it acknowledged."""

import contextlib
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import await_open, free_port

DURABLE: dict[str, str | None] = {
    "allow_anonymous": "true",
    "persistence": "true",
    "autosave_interval": "1",
    "autosave_on_changes": "true",
    "max_queued_messages": "0",
}


class Mosquitto:
    """One broker, usable as a context manager.

    Args:
        folder: where its configuration, log and database live; created if missing.
        lines: configuration set on top of :data:`DURABLE`, such as ``{"password_file": "..."}``; None removes a line.
        port: the port to listen on; a free one by default, kept over restarts.
    """

    def __init__(
        self, folder: Path, lines: dict[str, str | None] | None = None, port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.log = folder / "mosquitto.log"
        self.lines = DURABLE | (lines or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where a client without TLS connects."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it, or start it again on the same port and folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "mosquitto.conf"
        # One listener line first: options such as cafile belong to the listener above them.
        head = [f"listener {self.port} 127.0.0.1", f"persistence_location {self.folder}/", "user root"]
        conf.write_text(
            "\n".join(head + [f"{key} {value}" for key, value in self.lines.items() if value is not None])
            + "\n"
        )
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(["mosquitto", "-c", str(conf)], stdout=log, stderr=log)  # noqa: S607  # found on PATH, as the tests install it
        await_open(self.port, self._child, self.log)
        return self

    def stop(self) -> None:
        """End it in good order; does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Halt it without closing anything, as a dead peer or a cut cable looks like."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after :meth:`freeze`."""
        self._running().send_signal(signal.SIGCONT)

    def await_log(self, words: str, seconds: float = 10.0) -> None:
        """Return once the log holds these words. Blocks; from a coroutine call it in a thread."""
        deadline = time.monotonic() + seconds
        while words not in self.log.read_text():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"'{words}' is not in the log after {seconds} s:\n{self.log.read_text()}"
                )
            select.select([], [], [], 0.01)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is None:
            raise AssertionError("the broker is not running")
        return self._child

    def _end(self, how: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(how)
        child.send_signal(signal.SIGCONT)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def mosquitto(folder: Path, lines: dict[str, str | None] | None = None) -> Iterator[Mosquitto]:
    """A running broker for the length of a block."""
    with Mosquitto(folder, lines) as broker:
        yield broker
