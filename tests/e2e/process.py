"""The gateway as a child process, the way an operator runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from tests.e2e.kept import Kept
from tests.e2e.waiting import PATIENCE, eventually
from tests.servers.ports import free_port

PROGRAM = (sys.executable, "-m", "api.cli")
PROJECT = Path(__file__).parents[2]


class GatewayProcess:
    """``fgw run`` on a free port with a data directory of its own.

    Args:
        folder: holds the data directory and what the process writes to stderr, over all its lives.
        site: the site file.
        mqtt_url: the broker.
        settings: further ``FGW_…`` variables without their prefix, in lower case.
    """

    def __init__(self, folder: Path, site: Path, mqtt_url: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(str(settings.get("data_dir", folder / "data")))
        self.kept = Kept(self.data)
        self.log = folder / "gateway.log"
        self.http = f"127.0.0.1:{free_port()}"
        given = {"site": site, "data_dir": self.data, "mqtt_url": mqtt_url, "http": self.http} | settings
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FGW_")}
        self._env = clean | {f"FGW_{name.upper()}": str(value) for name, value in given.items()}
        self._before: list[str] = []
        self._program: tuple[str, ...] = PROGRAM
        self._child: subprocess.Popen[bytes] | None = None

    def without_privilege(self) -> None:
        """Run it without the right of root to write where the permissions forbid it."""
        if os.geteuid() == 0:
            self._before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

    def put_clock_forward(self, millis: int) -> None:
        """Let the machine's clock be so far ahead in its next life."""
        self._program = (sys.executable, "-m", "tests.e2e.shifted", str(millis))

    def start(self) -> Self:
        """Start it, or start it again."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*self._before, *self._program, "run"], env=self._env, cwd=PROJECT, stdout=log, stderr=log
            )
        return self

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def words(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut would."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit status."""
        self.send(signal.SIGTERM)
        return self.wait()

    def send(self, number: signal.Signals) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._child is not None
        try:
            return self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            raise AssertionError(f"it did not end:\n{self.words}") from None

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Return once ``done``; fail with the log when it ended before or takes too long."""

        def look() -> bool:
            if done():
                return True
            assert self.running, f"it ended while waiting for {what}:\n{self.words}"
            return False

        await eventually(look, what, lambda: self.words)

    async def watching(self) -> None:
        """Return once it is connected and has said so on disk."""
        await self.until(lambda: self.running and self.kept.observing, "the gateway to be connected")

    def get(self, path: str) -> httpx.Response | None:
        """An answer over HTTP; None while nobody listens."""
        try:
            return httpx.get(f"http://{self.http}{path}", timeout=10)
        except httpx.TransportError:
            return None

    def post(self, path: str, body: object = None) -> httpx.Response:
        """An answer over HTTP to a request that changes something."""
        return httpx.post(f"http://{self.http}/api/v1{path}", json=body, timeout=30)

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Status and parts of ``/readyz``; 0 while nobody listens."""
        answer = self.get("/readyz")
        return (0, {}) if answer is None else (answer.status_code, answer.json()["parts"])

    def meter(self, name: str) -> float:
        """One figure of ``/metrics``, such as ``fgw_rejected_total{reason="empty"}``; 0 when it is not there."""
        answer = self.get("/metrics")
        lines = answer.text.splitlines() if answer is not None else []
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGCONT)
            self._child.kill()
            self._child.wait()
