"""``make bench``: throughput, CPU by stage, latency and memory, beside a plain script in the same run.

The machine is shared and noisy: read the ratios, not the single figures. Everything runs on loopback: one Mosquitto,
one database, one gateway process as installed, one process that publishes.
"""

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gateway.bootstrap import read_site
from tests.bench import stages
from tests.bench.devices import show_devices
from tests.bench.feed_latency import latencies
from tests.bench.patrol import show_patrol
from tests.bench.processes import GatewayProcess, gateway, load, until
from tests.bench.replay import show_replay
from tests.bench.sites import write_rooms
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto
from tests.servers.victoria import VictoriaServer

DEVICES = 1_000
# Durability is the broker's own business and costs the same for everybody: here it keeps sessions in memory.
BROKER = {
    "persistence": "false",
    "autosave_interval": None,
    "autosave_on_changes": None,
    "max_inflight_messages": "2000",
}
console = Console(width=120)


def write_site(folder: Path) -> Path:
    """A site of a thousand elevators with all their rules."""
    templates = "".join(
        f"  {name}: {{title: {{en: Repair, zh: 维修}}, priority: high}}\n"
        for name in ("lift-repair", "lift-entrapment")
    )
    devices = "".join(f"  - {{id: d{number}, profile: elevator}}\n" for number in range(DEVICES))
    site = folder / "site.yaml"
    site.write_text(
        "site: bench\ntitle: {en: Bench, zh: 基准}\ntimezone: UTC\n"
        f"work_orders:\n{templates}devices:\n{devices}"
    )
    return site


async def throughput(site: Path, folder: Path, broker: Mosquitto, url: str, count: int) -> dict[str, float]:
    """Publish as fast as the broker takes it; count until every message is committed, acknowledged and stored."""
    async with gateway(site, folder, broker.url, url) as running:
        cpu = running.cpu
        began = time.perf_counter()
        publishing = asyncio.create_task(load(broker.url, count))
        await until(lambda: running.meter("fgw_messages_committed_total") >= count / 2, every=0.1)
        half = running.memory
        await until(lambda: running.meter("fgw_messages_committed_total") >= count, every=0.1)
        committed = time.perf_counter() - began
        await until(lambda: running.meter("fgw_outbox_rows") == 0, every=0.1)
        stored, spent = time.perf_counter() - began, running.cpu - cpu
        await publishing
        await _check_loss(running, count)
        return {
            "rate": count / committed,
            "stored_rate": count / stored,
            "micros": spent / count * 1e6,
            "memory_half": half,
            "memory": running.memory,
        }


async def _check_loss(running: GatewayProcess, count: int) -> None:
    acknowledged = running.meter("fgw_messages_acknowledged_total")
    stored = running.meter("fgw_readings_stored_total")
    if acknowledged != count or stored < count:
        sys.exit(f"lost: {count} sent, {acknowledged:.0f} acknowledged, {stored:.0f} stored")


async def plain(broker: Mosquitto, url: str, count: int) -> dict[str, float]:
    """The plain script over the same load."""
    arguments = ["--port", broker.port, "--url", url, "--count", count]
    script = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.plain", *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    assert script.stdout is not None
    await script.stdout.readline()
    await load(broker.url, count)
    async with asyncio.timeout(120):
        result = json.loads(await script.stdout.readline())
        await script.wait()
    return {
        "rate": count / result["seconds"],
        "micros": result["cpu"] / count * 1e6,
        "memory": result["peak_mib"],
    }


async def latency(
    site: Path, folder: Path, broker: Mosquitto, url: str, rate: float, seconds: float
) -> list[float]:
    """From publishing to the live feed, in milliseconds, of one device among all at a steady rate."""
    async with gateway(site, folder, broker.url, url) as running:
        publishing = asyncio.create_task(load(broker.url, int(rate * seconds), rate))
        found = await latencies(running.port, "d7", int(rate * seconds / DEVICES) - 2)
        await publishing
        return found


async def bench(what: str, count: int, runs: int, rate: float) -> None:
    """All of it, a part by its name, or only the latency at a rate that is given."""
    with tempfile.TemporaryDirectory(prefix="fgw-bench-") as name:
        folder = Path(name)
        if what in ("all", "devices") and not rate:
            await show_devices(console, folder, runs)
        if what in ("all", "patrol") and not rate:
            show_patrol(console)
        if what in ("all", "replay") and not rate:
            show_replay(console, "room sensors", write_rooms(folder / "rooms", DEVICES), folder)
            show_replay(console, "elevators", write_site(folder), folder, hours=4)
        if what in ("devices", "patrol", "replay"):
            return
        site = write_site(folder)
        console.print(
            f"{platform.platform()}, Python {platform.python_version()}, {count:,} messages a run, {runs} runs"
        )
        if not rate:
            _show_stages(site, folder)
        broker = Mosquitto(folder / "mosquitto", BROKER).start()
        influx, victoria = InfluxServer(folder / "influx"), VictoriaServer(folder / "victoria")
        influx.start()
        victoria.start()
        try:
            if not rate:
                rate = await _show_throughput(site, folder, broker, influx.url, victoria.url, count, runs) / 2
            await _show_latency(site, folder, broker, influx.url, rate)
        finally:
            victoria.stop()
            influx.stop()
            broker.stop()


def _show_stages(site: Path, folder: Path) -> None:
    table = Table("stage", "µs of CPU a message", title="CPU by stage (in process, no sockets)")
    found = stages.measure(read_site(site)[1], folder / "stages")
    for stage in found:
        table.add_row(stage.name, f"{stage.micros:.2f}")
    table.add_row("sum", f"{sum(stage.micros for stage in found):.2f}")
    console.print(table)


async def _show_throughput(
    site: Path, folder: Path, broker: Mosquitto, influx: str, victoria: str, count: int, runs: int
) -> float:
    table = Table(
        "",
        "messages/s",
        "µs CPU",
        "MiB at half, end",
        "beside the script",
        title="Sustained QoS 1, nothing lost",
    )
    targets = {"InfluxDB 1.6": influx, "VictoriaMetrics": victoria, "embedded store": ""}
    rates: dict[str, list[float]] = {}
    rows: dict[str, dict[str, float]] = {}
    for run in range(runs):
        broker.stop()  # with its sessions: what the script receives must not wait for the gateway as well
        broker.start()
        script = await plain(broker, victoria, count // 4)
        rates.setdefault("plain script", []).append(script["rate"])
        rows["plain script"] = script
        for target, url in targets.items():
            result = await throughput(site, folder / f"{run}-{target.split()[0]}", broker, url, count)
            rates.setdefault(f"gateway → {target}", []).append(result["rate"])
            rows[f"gateway → {target}"] = result
    base = statistics.median(rates["plain script"])
    for what, row in rows.items():
        rate = statistics.median(rates[what])
        half = f"{row['memory_half']:.0f}, " if "memory_half" in row else ""
        memory = f"{half}{row['memory']:.0f}"
        table.add_row(what, f"{rate:,.0f}", f"{row['micros']:.1f}", memory, f"{rate / base:.1f} x")
    console.print(table)
    return statistics.median(rates["gateway → InfluxDB 1.6"])


async def _show_latency(site: Path, folder: Path, broker: Mosquitto, url: str, rate: float) -> None:
    found = sorted(await latency(site, folder / "latency", broker, url, rate, 20))
    p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
    console.print(
        f"publish → live feed at {rate:,.0f} messages/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"worst {found[-1]:.0f} ms of {len(found)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "what", nargs="?", default="all", choices=["all", "messages", "devices", "patrol", "replay"]
    )
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency-at", type=float, default=0, help="only the latency, at this rate")
    given = parser.parse_args()
    asyncio.run(bench(given.what, given.count, given.runs, given.latency_at))
