"""The gateway of a test: ``fgw run`` as a child process with records and a port of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from api.pytest_plugin.stage import Stage

PROGRAM: Final = (sys.executable, "-P", "-m", "api.cli", "run")
"""-P: a folder ``api`` in the working directory is somebody else's."""
GOODBYE: Final = 30.0
"""Seconds it may take to end before it is killed."""
LINES: Final = 25
"""Of its log, what an error shows."""


class FacilityFailed(AssertionError):
    """What a test waited for did not come, or the gateway of a test has ended; the text says why."""


class GatewayChild:
    """``fgw run``; not started yet.

    Args:
        folder: what it writes goes here.
        stage: where its broker is, and what starts it.
        site: the site file.
        settings: further ``FGW_…`` variables without their prefix, in lower case. None that the test's own
            environment has reaches it.
    """

    def __init__(self, folder: Path, stage: Stage, site: Path, settings: dict[str, object]) -> None:
        self._folder = folder
        self._stage = stage
        self.log = folder / "gateway.log"
        given = {
            "site": site,
            "data_dir": folder / "data",
            "mqtt_url": stage.url,
            "http": "127.0.0.1:0",
        } | settings
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FGW_")}
        self._env = clean | {f"FGW_{name.upper()}": str(value) for name, value in given.items()}
        self._child: subprocess.Popen[bytes] | None = None
        self._read_from = 0

    def start(self) -> None:
        """Start it, or start it again with what its records hold."""
        self._read_from = self.log.stat().st_size if self.log.exists() else 0
        setpriv = shutil.which("setpriv")
        tied = (
            () if setpriv is None else (setpriv, "--pdeathsig", "KILL")
        )  # it ends with a test that is killed
        self._child = self._stage.spawn([*tied, *PROGRAM], env=self._env, folder=self._folder, log=self.log)

    @property
    def url(self) -> str:
        """Where it serves HTTP; empty until it does."""
        said = self.log.read_bytes()[self._read_from :].decode(errors="replace")
        found = re.search(r"^serving .* at (http://\S+)$", said, re.MULTILINE)
        return found[1] if found else ""

    @property
    def words(self) -> str:
        """Everything it has written, over all its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def death(self) -> str:
        """How it ended by itself, with its last words; empty while it runs, and after it was stopped."""
        status = None if self._child is None else self._child.poll()
        if status is None:
            return ""
        return f"the gateway {_ended(status)}; {self.tail}"

    @property
    def tail(self) -> str:
        """The end of its log, for an error."""
        lines = self.words.splitlines()[-LINES:]
        return "\n    ".join(["its log ends:", *lines]) if lines else "its log is empty"

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def stop(self) -> None:
        """Ask it to end and wait; does nothing where it does not run.

        Raises:
            FacilityFailed: it had ended before, did so with an error, or had to be killed.
        """
        if death := self.death:
            self._child = None
            raise FacilityFailed(death)
        if self._child is None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            status = self._child.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise FacilityFailed(
                f"the gateway did not end within {GOODBYE:.0f} s and was killed; {self.tail}"
            ) from None
        self._child = None
        if status != 0:
            raise FacilityFailed(f"the gateway {_ended(status)} when it was asked to end; {self.tail}")


def _ended(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
