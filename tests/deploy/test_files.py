"""The files that install the gateway speak of things that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VARIABLES = {f"FGW_{name.upper()}" for name in Settings.model_fields}


def assigned(text: str) -> dict[str, str]:
    """The variables of an environment file, those that are commented out included."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_environment_sample_has_every_setting_and_nothing_else() -> None:
    assert set(assigned((DEPLOY / "facility-gateway.env").read_text())) == VARIABLES


def test_the_defaults_in_the_environment_sample_are_the_real_ones() -> None:
    shown = re.findall(r"^#(FGW_[A-Z_]+)=(.+)$", (DEPLOY / "facility-gateway.env").read_text(), re.MULTILINE)
    examples = {"FGW_INFLUX_URL", "FGW_HTTP_HOSTS", "FGW_INFLUX_BUCKET"}
    for name, value in shown:
        default = Settings.model_fields[name.removeprefix("FGW_").lower()].default
        if name not in examples:
            assert value == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_the_environment_sample_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in assigned((DEPLOY / "facility-gateway.env").read_text()).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.mqtt_username == "gateway"
    assert settings.http_hosts == ("gateway.example",)


def test_compose_sets_only_variables_the_gateway_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = COMPOSE["services"]["gateway"]["environment"]
    assert environment.keys() <= VARIABLES
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings().http_address == ("0.0.0.0", 8480)  # noqa: S104  # inside its container


def test_compose_publishes_nothing_without_a_log_in_beyond_loopback() -> None:
    ports = {name: one.get("ports", []) for name, one in COMPOSE["services"].items()}
    open_to_all = {name for name, found in ports.items() for port in found if port.count(":") == 1}
    assert open_to_all == {"mosquitto"}


def test_compose_mounts_files_that_exist_and_names_every_volume() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", volume).split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_every_secret_of_compose_stands_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+)[:}]", text))
    assert wanted == set(assigned((DEPLOY / "example.env").read_text()))


def test_compose_is_accepted_by_compose() -> None:
    command = next(
        (
            words
            for words in (["docker", "compose"], ["docker-compose"])
            if shutil.which(words[0])
            and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
        ),
        None,
    )
    if command is None:
        pytest.skip("there is no docker compose here")
    files = ["--env-file", str(DEPLOY / "example.env"), "-f", str(DEPLOY / "compose.yaml")]
    done = subprocess.run([*command, *files, "config"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_image_is_made_of_files_that_exist() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    kept = set(re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = {
        name
        for line in re.findall(r"^COPY (?!--)(.+)$", dockerfile, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
    assert "--require-hashes" in dockerfile
    assert "\nUSER gateway\n" in dockerfile


def test_the_unit_is_sound(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd here")
    text = (DEPLOY / "facility-gateway.service").read_text()
    # Where the gateway is not installed in /opt, any program stands in for it.
    unit = tmp_path / "facility-gateway.service"
    unit.write_text(text.replace("/opt/facility-gateway/.venv/bin/fgw", "/bin/true"))
    done = subprocess.run(
        [program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_keeps_its_state_where_it_may_write() -> None:
    text = (DEPLOY / "facility-gateway.service").read_text()
    assert "\nStateDirectory=facility-gateway\n" in text
    assert "\nEnvironment=FGW_DATA_DIR=/var/lib/facility-gateway\n" in text
    assert set(re.findall(r"FGW_[A-Z_]+", text)) <= VARIABLES
