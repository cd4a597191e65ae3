"""Free ports on the loopback interface, and waiting for a server to open one."""

import select
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    """A TCP port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_open(port: int, child: "subprocess.Popen[bytes]", log: Path, seconds: float = 15.0) -> None:
    """Return once the server accepts connections; fail with its log if it died or took too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise AssertionError(f"the server ended with {child.returncode}:\n{log.read_text()}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        select.select([], [], [], 0.02)
    raise AssertionError(f"nothing listens on port {port} after {seconds} s:\n{log.read_text()}")
