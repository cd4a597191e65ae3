"""Live equals replay: what `fgw replay` makes of an exported journal is what the gateway stored, byte for byte."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import StartGateway
from tests.e2e.ending import caught_up, finish
from tests.e2e.mill import Sent, Stream, topic, write_site
from tests.e2e.process import PROJECT, GatewayProcess
from tests.e2e.publisher import Publisher
from tests.servers.mosquitto import Mosquitto


def fgw(*arguments: object, seed: str = "random") -> str:
    """Run a command as a person does; returns what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def killed_during(gateway: GatewayProcess, publisher: Publisher, part: list[Sent]) -> None:
    """Publish; kill the gateway when it has committed some of it, and start it again."""
    before = gateway.kept.inputs
    publishing = asyncio.create_task(publisher.publish(part), name="a part of the stream")
    await gateway.until(lambda: gateway.kept.inputs > before, "some of it to be committed")
    gateway.kill()
    gateway.start()
    await publishing


async def test_a_run_killed_twice_is_replayed_to_the_outcomes_it_stored(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(6_000, seed=43)
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()
    one, two, three = stream.cut(3, random.Random(43))
    await killed_during(gateway, publisher, one)
    await killed_during(gateway, publisher, two)
    await publisher.publish([*three, (topic("press-1"), b"\xff\x00"), (topic("nobody"), b"{}")])
    await caught_up(gateway, publisher, "all of it")
    (alert, *_) = [alert for alert in gateway.kept.alerts() if alert.rule == "stopped"]
    assert gateway.post(f"/alerts/{alert.id}/ack").status_code == 200
    await finish(gateway, publisher)

    traffic, live = tmp_path / "journal.jsonl.zst", tmp_path / "live.jsonl"
    fgw("export", "journal", "--data-dir", gateway.data, "--out", traffic)
    fgw("export", "outcomes", "--data-dir", gateway.data, "--out", live)
    replays = []
    for seed in ("1", "2", "77"):
        out = tmp_path / f"replay-{seed}.jsonl"
        fgw("replay", traffic, "--site", site, "--out", out, "--expect", live, seed=seed)
        replays.append(out.read_bytes())
    assert live.read_bytes().count(b"\n") > 100
    assert b'"kind":"alert.acknowledged"' in live.read_bytes()
    assert b'"kind":"gateway.started"' in live.read_bytes()
    assert replays == [live.read_bytes()] * 3


async def test_a_run_whose_rules_changed_is_replayed_by_the_rules_of_each_moment(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(2_000, seed=44)
    profile = tmp_path / "press.yaml"
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()
    one, two = stream.cut(2, random.Random(44))
    await publisher.publish(one)
    await caught_up(gateway, publisher, "first rules")
    profile.write_text(profile.read_text().replace("above: 80", "above: 75"))
    assert gateway.post("/reload").status_code == 200
    await killed_during(gateway, publisher, two)
    await finish(gateway, publisher)

    traffic, live, out = tmp_path / "journal.jsonl.gz", tmp_path / "live.jsonl", tmp_path / "replay.jsonl"
    fgw("export", "journal", "--data-dir", gateway.data, "--out", traffic)
    fgw("export", "outcomes", "--data-dir", gateway.data, "--out", live)
    profile.unlink()
    site.unlink()
    fgw("replay", traffic, "--as-recorded", "--out", out, "--expect", live)
    assert out.read_bytes() == live.read_bytes()
