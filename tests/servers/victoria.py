"""A real VictoriaMetrics (Debian's ``victoria-metrics``) in a folder of its own, on a port of its own."""

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from tests.servers.waiting import answered, until


class VictoriaServer:
    """Keeps a hundred years, so that a test's fixed times are not dropped as too old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        program = shutil.which("victoria-metrics")
        if program is None:
            raise RuntimeError("victoria-metrics is not installed: apt-get install victoria-metrics")
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "victoria.log"
        arguments = [
            f"-storageDataPath={self._folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self._port}",
            "-retentionPeriod=100y",
        ]
        with log.open("wb") as sink:
            self._process = subprocess.Popen([program, *arguments], stdout=sink, stderr=sink)
        if not self._port:
            until(self._listening, "victoria-metrics to listen", self._process, log)
        until(lambda: answered(f"{self.url}/health"), "victoria-metrics to answer", self._process, log)

    def _listening(self) -> bool:
        """Its log repeats the port it was given, 0, so the port comes from the kernel."""
        if self._process is None:
            return False
        sockets = {
            link.readlink().name.partition("[")[2].rstrip("]")
            for link in Path(f"/proc/{self._process.pid}/fd").iterdir()
            if link.is_symlink() and link.readlink().name.startswith("socket:")
        }
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = row.split()
            listens = columns[3] == "0A" and columns[9] in sockets
            found = re.fullmatch(r"0100007F:([0-9A-F]{4})", columns[1])
            if listens and found is not None:
                self._port = int(found[1], 16)
                return True
        return False

    def flush(self) -> None:
        """Make what was written visible to queries at once."""
        with urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=5):  # noqa: S310  # loopback, http
            pass

    def kill(self) -> None:
        """As a power cut would: no clean end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill
