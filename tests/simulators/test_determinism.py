import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE
from gateway.site import load_site
from simulators.faults import COMMON_FAULTS, Fault
from simulators.fleet import MODELS, Fleet
from simulators.publication import Publication
from simulators.schedule import demo_schedule
from tests.simulators.listening import START
from tests.simulators.sites import the_house

TEN_MINUTES = 10 * MINUTE


def traffic(plan: SitePlan, seed: int) -> str:
    fleet = Fleet(plan, seed=seed, start=START, faults=demo_schedule(plan, seed))
    return digest(fleet.advance(START + TEN_MINUTES))


def digest(publications: Sequence[Publication]) -> str:
    return hashlib.sha256(repr(publications).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes(riverside: SitePlan) -> None:
    assert traffic(riverside, 1) == traffic(riverside, 1)


def test_another_seed_gives_other_bytes(riverside: SitePlan) -> None:
    assert traffic(riverside, 1) != traffic(riverside, 2)


def test_the_hash_seed_of_the_process_changes_nothing(riverside: SitePlan) -> None:
    root = Path(__file__).parents[2]
    program = "from tests.simulators.test_determinism import print_traffic; print_traffic()"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "4242")
    }
    assert found == {traffic(riverside, 3)}


def print_traffic() -> None:
    """Runs in the child process."""
    site = Path(__file__).parents[2] / "simulators" / "sites" / "riverside" / "site.yaml"
    print(traffic(load_site(site), 3))  # noqa: T201  the answer to the parent process


def test_a_device_behaves_the_same_whatever_the_others_do(riverside: SitePlan) -> None:
    faults = [fault for fault in demo_schedule(riverside, 1) if fault.device == "t1-lift-2"]
    alone = Fleet(riverside, seed=1, start=START, faults=faults, only={"t1-lift-2"})
    among = Fleet(riverside, seed=1, start=START, faults=demo_schedule(riverside, 1))
    heard = [one for one in among.advance(START + TEN_MINUTES) if "/t1-lift-2/" in one.topic]
    assert alone.advance(START + TEN_MINUTES) == heard


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * MINUTE), max_size=20), seed=st.integers(0, 5))
def test_how_often_a_fleet_is_advanced_changes_nothing(cuts: list[int], seed: int) -> None:
    kinds = {
        device.id: MODELS[device.kind.profile].own_faults | COMMON_FAULTS
        for device in the_house().equipment.values()
    }
    faults = [
        Fault(name, kind, 1_000 * number, 30_000)
        for name, taken in kinds.items()
        for number, kind in enumerate(sorted(taken))
    ]
    whole = Fleet(the_house(), seed=seed, start=START, faults=faults).advance(START + 2 * MINUTE)
    fleet = Fleet(the_house(), seed=seed, start=START, faults=faults)
    pieces = [one for cut in [*sorted(cuts), 2 * MINUTE] for one in fleet.advance(START + cut)]
    assert pieces == whole


def test_publications_come_in_order_of_time(riverside: SitePlan) -> None:
    sent = Fleet(riverside, seed=1, start=START).advance(START + TEN_MINUTES)
    assert [one.at for one in sent] == sorted(one.at for one in sent)
