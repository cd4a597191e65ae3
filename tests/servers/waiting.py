"""Waiting for a condition with a deadline, for servers that a test starts."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path


def until(
    done: Callable[[], bool], what: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 30
) -> None:
    """Return once ``done``; fail with the server's own log when it ended or the time is up."""
    deadline = time.monotonic() + seconds
    while not done():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                f"waited in vain for {what}; its log:\n{log.read_text(errors='replace')[-3000:]}"
            )
        time.sleep(0.02)


def answered(url: str) -> bool:
    """Whether an HTTP server answers there with success."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310  # loopback, http
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, OSError):
        return False
