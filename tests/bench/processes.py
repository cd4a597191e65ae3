"""The processes of a benchmark: the gateway as it is installed, the load, and what the system says they used."""

import asyncio
import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.servers.ports import free_port

TICK = os.sysconf("SC_CLK_TCK")


class GatewayProcess:
    """``fgw run`` as a child process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    def get(self, path: str) -> str:
        """The body of an answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as reply:
            text: str = reply.read().decode()
            return text

    def meter(self, name: str) -> float:
        """One figure of ``/metrics``."""
        lines = self.get("/metrics").splitlines()
        return next((float(line.split()[-1]) for line in lines if line.split(" ")[0] == name), 0.0)

    @property
    def cpu(self) -> float:
        """CPU seconds used so far, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


@contextlib.asynccontextmanager
async def gateway(
    site: Path, data_dir: Path, mqtt_url: str, influx_url: str
) -> AsyncIterator[GatewayProcess]:
    """A running gateway that is connected to its broker."""
    port = free_port()
    environment = os.environ | {
        "FGW_SITE": str(site),
        "FGW_DATA_DIR": str(data_dir),
        "FGW_MQTT_URL": mqtt_url,
        "FGW_INFLUX_URL": influx_url,
        "FGW_HTTP": f"127.0.0.1:{port}",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "api.cli", "run", env=environment)
    running = GatewayProcess(process, port)
    try:
        await until(lambda: _ready(running))
        yield running
    finally:
        process.terminate()
        await process.wait()


def _ready(running: GatewayProcess) -> bool:
    with contextlib.suppress(OSError):
        return "broker" in running.get("/readyz")
    return False


async def until(condition: Callable[[], bool], every: float = 0.05, deadline: float = 120) -> None:
    """Wait for a condition that cannot announce itself."""
    async with asyncio.timeout(deadline):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(every)


async def load(url: str, count: int, rate: float = 0, devices: int = 1_000) -> dict[str, Any]:
    """Publish and wait for the broker's answers; what the driver says at the end."""
    arguments = ["--url", url, "--count", count, "--rate", rate, "--devices", devices]
    driver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.driver", *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await driver.communicate()
    result: dict[str, Any] = json.loads(out)
    return result
