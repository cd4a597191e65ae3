"""A day of a thousand devices, generated and replayed: 8.64 million messages through the engine on one core.

Part of ``make bench``; alone: ``make bench ARGS=replay``. Beside it stands a plain script over the same file, which reads
each line, parses the payload and compares values with fixed limits: what one would write first.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zstandard
from rich.console import Console
from rich.table import Table

LIMITS = {"temp": 30.0, "humidity": 75.0, "co2": 1500.0, "battery": 100.0, "motor_temp": 80.0, "load": 110.0}
LOOK = 0.5
"""Seconds between two looks at a process."""


class Run(NamedTuple):
    """One process from its start to its end."""

    said: str
    cpu: float
    """Seconds, user and system."""
    seconds: float
    memory: Sequence[float]
    """Resident MiB, every half a second."""

    def at(self, share: float) -> float:
        """Memory when so much of the time was over."""
        return self.memory[min(len(self.memory) - 1, int(len(self.memory) * share))]


def run(*arguments: object) -> Run:
    """Run a command and watch it."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    memory: list[float] = []
    cpu = 0.0
    while child.poll() is None:
        try:
            fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        cpu = (int(fields[11]) + int(fields[12])) / 100
        memory.append(int(fields[21]) * 4096 / (1 << 20))
        time.sleep(LOOK)
    said, _ = child.communicate()
    if child.returncode:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {child.returncode}")
    return Run(said, cpu, time.perf_counter() - began, memory or [0.0])


def plain(file: Path) -> int:
    """The plain script: how many values are above their limits."""
    found = 0
    with zstandard.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            if not told["topic"].endswith("/telemetry"):
                continue
            values = json.loads(told["payload"])["values"]
            for name, limit in LIMITS.items():
                value = values.get(name)
                if value is not None and value > limit:
                    found += 1
    return found


def show_replay(console: Console, what: str, site: Path, folder: Path, hours: int = 24) -> None:
    """Measure and print, for a site of a thousand devices."""
    day = folder / f"{site.parent.name}.jsonl.zst"
    made = run(
        *("-m", "api.cli", "simulate", "--site", site, "--lean", "--rate", "100/s", "--seed", 7),
        *("--from", "2026-01-05 00:00", "--for", f"{hours}h", "--out", day),
    )
    first, second = (run("-m", "api.cli", "replay", day, "--site", site, "--json") for _ in range(2))
    told = [json.loads(one.said) for one in (first, second)]
    if told[0]["sha256"] != told[1]["sha256"]:
        sys.exit("two replays of one file came to different outcomes")
    script = run("-m", "tests.bench.replay", day)
    count = told[0]["messages"]
    table = Table("", "messages", "s of CPU", "messages/s of CPU", "MiB at 10 %, 50 %, 90 %")
    table.title = f"{hours} h of 1,000 {what}, {day.stat().st_size / (1 << 20):,.0f} MiB of traffic file"
    for name, one in (
        ("generated", made),
        ("replayed", first),
        ("replayed again", second),
        ("plain script", script),
    ):
        memory = ", ".join(f"{one.at(share):.0f}" for share in (0.1, 0.5, 0.9))
        table.add_row(name, f"{count:,}", f"{one.cpu:.1f}", f"{count / one.cpu:,.0f}", memory)
    console.print(table)
    console.print(
        f"{sum(told[0]['outcomes'].values()):,} outcomes, SHA-256 {told[0]['sha256'][:16]}… twice; "
        f"replay beside the plain script: {first.cpu / script.cpu:.1f} x its CPU"
    )


if __name__ == "__main__":
    print(plain(Path(sys.argv[1])))
