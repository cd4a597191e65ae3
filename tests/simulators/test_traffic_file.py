"""Simulations written as traffic files."""

import hashlib
import os
import subprocess
import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, Message
from gateway.errors import TrafficError
from gateway.traffic import TrafficReader
from simulators.fault_orders import fault_orders
from simulators.fleet import Fleet
from simulators.living import Progress
from simulators.simulate import simulate_into
from tests.simulators.listening import START
from tests.simulators.sites import ROOT

SITE = Path(__file__).with_name("house.yaml")
ORDERS = ("malformed:*@1m+5m", "reconnect_storm:lift-1@2m+2m", "noise:gate-1@0s+9m")


def read(file: Path) -> list[tuple[int, str, bytes]]:
    reader = TrafficReader(file)
    lines = [
        (line.at, line.input.topic, line.input.payload) for line in reader if isinstance(line.input, Message)
    ]
    assert reader.faults == 0
    assert reader.lines == len(lines)
    return lines


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_what_is_written_is_what_the_fleet_sends_broken_bytes_included(
    house: SitePlan, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"traffic.{suffix}"
    simulate_into(file, site=house, duration=600, seed=3, start=START, faults=[], orders=ORDERS)
    fleet = Fleet(house, seed=3, start=START, faults=fault_orders(ORDERS, house))
    sent = fleet.advance(START + 10 * MINUTE)
    assert read(file) == [(one.at, one.topic, one.payload) for one in sent]
    assert any(b"\xff" in one.payload for one in sent)


def test_a_birth_stands_in_the_file_as_a_gateway_hears_it_live(house: SitePlan, tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    simulate_into(file, site=house, duration=5, start=START, faults=[])
    births = [
        line.input
        for line in TrafficReader(file)
        if isinstance(line.input, Message) and line.input.topic.endswith("/status")
    ]
    assert [one.retained for one in births] == [False] * 5


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path: Path, suffix: str, lean: bool) -> None:
    digests = {write_elsewhere(tmp_path / f"{number}.{suffix}", lean, number) for number in ("1", "4242")}
    assert len(digests) == 1


def write_elsewhere(file: Path, lean: bool, hash_seed: str) -> str:
    flags = ["--lean", "--rate", "20/s"] if lean else ["--fault", ORDERS[0], "--fault", ORDERS[1]]
    command = [sys.executable, "-m", "api.cli", "simulate", "--site", str(SITE), "--out", str(file)]
    subprocess.run(
        [*command, "--for", "10m", "--seed", "7", "--devices", "40", *flags],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
    )
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_another_seed_gives_other_bytes(house: SitePlan, tmp_path: Path) -> None:
    for seed in (1, 2):
        simulate_into(tmp_path / f"{seed}.jsonl", site=house, duration=60, seed=seed)
    assert (tmp_path / "1.jsonl").read_bytes() != (tmp_path / "2.jsonl").read_bytes()


def test_a_file_that_is_to_begin_nowhere_in_particular_begins_at_midnight_of_the_site(
    house: SitePlan, tmp_path: Path
) -> None:
    simulate_into(tmp_path / "traffic.jsonl", site=house, duration=5, faults=[])
    (first, *_) = read(tmp_path / "traffic.jsonl")
    assert 0 <= first[0] - 1_767_567_600_000 < 1_000  # 2026-01-05T00:00+01:00


def test_progress_is_told_while_it_is_written(house: SitePlan, tmp_path: Path) -> None:
    told: list[Progress] = []
    done = simulate_into(
        tmp_path / "traffic.jsonl",
        site=house,
        duration=60,
        start=START,
        rate=Fraction(20),
        lean=True,
        progress=told.append,
    )
    assert done == told[-1] == Progress(START + MINUTE, 20 * 60 + 1 + 5, 0)
    assert [one.now for one in told] == sorted(one.now for one in told)


def test_a_file_that_cannot_be_written_is_named(house: SitePlan, tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match=r"nowhere/traffic\.jsonl cannot be written: No such file"):
        simulate_into(tmp_path / "nowhere" / "traffic.jsonl", site=house, duration=5)


def test_a_file_that_was_not_written_to_its_end_does_not_have_its_name(
    house: SitePlan, tmp_path: Path
) -> None:
    file = tmp_path / "traffic.jsonl"

    def stop(state: Progress) -> None:
        if state.published > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_into(file, site=house, duration=3600, start=START, progress=stop)
    assert not file.exists()
    part = file.with_name("traffic.jsonl.part")
    assert 100 < len(read(part)) < 2_000


def test_memory_stays_flat_however_long_it_is(house: SitePlan, tmp_path: Path) -> None:
    def peak(seconds: float) -> int:
        tracemalloc.start()
        try:
            simulate_into(tmp_path / "x.jsonl", site=house, duration=seconds, rate=Fraction(20), lean=True)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(60)  # what is loaded once
    assert peak(3_000) < 1.3 * peak(300)


def test_an_argument_nobody_knows_is_refused(tmp_path: Path, house: SitePlan) -> None:
    misspelt: dict[str, Any] = {"seeds": 3}
    with pytest.raises(TypeError, match="unexpected keyword argument 'seeds'"):
        simulate_into(tmp_path / "traffic.jsonl", site=house, duration=5, **misspelt)
    assert list(tmp_path.iterdir()) == []
