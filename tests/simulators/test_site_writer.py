from pathlib import Path

import pytest

from gateway.site import load_site
from simulators.errors import SimulationError
from simulators.scale import blow_up
from simulators.site_writer import write_site
from tests.simulators.sites import ROOT

RIVERSIDE = ROOT / "simulators" / "sites" / "riverside" / "site.yaml"
PUMPS = ROOT / "simulators" / "scenarios" / "pumps.site.yaml"


def test_a_gateway_reads_a_site_with_the_devices_a_simulation_has(tmp_path: Path) -> None:
    write_site(RIVERSIDE, 200, tmp_path / "big.yaml")
    made, simulated = load_site(tmp_path / "big.yaml"), blow_up(load_site(RIVERSIDE), 200)
    assert list(made.equipment) == list(simulated.equipment)
    for name, device in made.equipment.items():
        assert device.kind.profile == simulated.devices[name].kind.profile
        assert device.kind.rules == simulated.devices[name].kind.rules
        assert device.series == simulated.devices[name].series
    assert made.routes == simulated.routes
    assert made.templates == simulated.templates


def test_profiles_of_its_own_are_found_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "pump.yaml").write_text(PUMPS.with_name("pump.yaml").read_text())
    (tmp_path / "site" / "site.yaml").write_text(PUMPS.read_text())
    (tmp_path / "made").mkdir()
    write_site(tmp_path / "site" / "site.yaml", 5, tmp_path / "made" / "big.yaml")
    assert list(load_site(tmp_path / "made" / "big.yaml").equipment) == [
        "pump-1",
        "pump-2",
        "pump-1-2",
        "pump-2-3",
        "pump-1-4",
    ]


@pytest.mark.parametrize(
    ("devices", "words"),
    [(1, "of 1 devices cannot be written: .* itself has 2"), (2_000_000, "not possible")],
)
def test_an_impossible_number_is_refused(tmp_path: Path, devices: int, words: str) -> None:
    with pytest.raises(SimulationError, match=words):
        write_site(PUMPS, devices, tmp_path / "big.yaml")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"nowhere/big\.yaml cannot be written: No such file"):
        write_site(PUMPS, 3, tmp_path / "nowhere" / "big.yaml")
