"""A real InfluxDB 1.x (Debian's ``influxdb``) in a folder of its own, on a port of its own."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.servers.waiting import answered, until

_CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:0"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  {http}
"""


class InfluxServer:
    """Started by :meth:`start`; after :meth:`kill` it comes back on the same port with the same data.

    ``http`` are further lines for the ``[http]`` part of its configuration, such as ``max-body-size = 1000``.
    """

    def __init__(self, folder: Path, *, http: str = "") -> None:
        self._folder = folder
        self._http = http
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        program = shutil.which("influxd")
        if program is None:
            raise RuntimeError("influxd is not installed: apt-get install influxdb")
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=self._folder, port=self._port, http=self._http))
        log = self._folder / "influxd.log"
        with log.open("wb") as sink:
            self._process = subprocess.Popen([program, "-config", str(config)], stdout=sink, stderr=sink)
        until(lambda: self._listening(log), "influxd to listen", self._process, log)
        until(lambda: answered(f"{self.url}/ping"), "influxd to answer", self._process, log)

    def _listening(self, log: Path) -> bool:
        found = re.search(r"Listening on HTTP.*addr=127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))
        if found is None:
            return False
        self._port = int(found[1])
        return True

    def kill(self) -> None:
        """As a power cut would: no clean end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill
