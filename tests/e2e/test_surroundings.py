"""Bad settings and bad surroundings: what is wrong in words, the right exit status, never a traceback or a loss."""

import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.cli import main
from gateway.bootstrap import build
from gateway.core.effects import Effects
from gateway.core.state import State
from gateway.core.values import Series, TelemetryRow
from gateway.settings import Settings
from tests.e2e.conftest import StartGateway
from tests.e2e.ending import caught_up
from tests.e2e.mill import Stream, write_site
from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.e2e.readback import embedded, stored
from tests.e2e.tape import Hands, living
from tests.e2e.waiting import eventually
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port

NOWHERE = "mqtt://127.0.0.1:1"

Ends = Callable[..., str]


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ends:
    """Runs ``fgw run`` here, which is quicker than a process of its own, where it cannot get to its loop."""

    def run(status: int, **settings: object) -> str:
        given = {"data_dir": tmp_path / "data", "mqtt_url": NOWHERE, "http": f"127.0.0.1:{free_port()}"}
        if "site" not in settings:
            given["site"] = write_site(tmp_path)
        for name, value in (given | settings).items():
            monkeypatch.setenv(f"FGW_{name.upper()}", str(value))
        monkeypatch.setattr(sys, "argv", ["fgw", "run"])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == status, said
        *before, words = said.split("fgw: ", 1)
        assert all(line.startswith("serving ") for line in "".join(before).splitlines())
        return f"fgw: {words.strip()}"

    return run


def ended(gateway: GatewayProcess, status: int) -> str:
    """What a process says that cannot go on; its exit status must be the one expected."""
    found = gateway.start().wait()
    assert found == status, gateway.words
    assert "Traceback" not in gateway.words
    return gateway.words.strip()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("batch", "many", "FGW_BATCH: Input should be a valid integer"),
        ("outbox_cap_mb", "0", "FGW_OUTBOX_CAP_MB: Input should be greater than or equal to 1, found '0'"),
        ("mqtt_version", "4", "FGW_MQTT_VERSION: Input should be 'auto', '5' or '3.1.1', found '4'"),
        ("mqtt_url", "tcp://localhost", "write mqtt://host:1883"),
        ("mqtt_password", "secret", "MQTT password is given without a user"),
        ("mqtt_cert", "client.pem", "use mqtts://"),
        ("influx_url", "localhost:8086", "http and https are allowed"),
        ("http", "8480", "FGW_HTTP: '8480' is not host:port, such as 127.0.0.1:8480"),
        ("http", "0.0.0.0:8480", "there is no log-in"),
        ("http", "127.0.0.1:99999", "is not host:port"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    ends: Ends, setting: str, value: str, words: str
) -> None:
    said = ends(2, **{setting: value})
    assert words in said
    assert "secret" not in said


def test_all_wrong_settings_are_told_at_once_by_the_process_itself(
    tmp_path: Path, gateway_of: StartGateway
) -> None:
    gateway = gateway_of(
        write_site(tmp_path), NOWHERE, batch="0", journal_days="x", mqtt_receive_maximum="70000"
    )
    said = ended(gateway, 2)
    assert [line.partition(":")[0] for line in said.removeprefix("fgw: ").splitlines()] == [
        "FGW_MQTT_RECEIVE_MAXIMUM",
        "FGW_JOURNAL_DAYS",
        "FGW_BATCH",
    ]
    assert not gateway.data.exists()


def test_a_wrong_site_file_is_told_with_file_and_line(tmp_path: Path, ends: Ends) -> None:
    site = write_site(tmp_path)
    site.write_text(site.read_text().replace("profile: press}", "profile: pres}", 1))
    line = next(n for n, text in enumerate(site.read_text().splitlines(), 1) if "pres}" in text)
    said = ends(1, site=site)
    assert f"site.yaml:{line}: devices[0].profile" in said
    assert "press" in said


def test_a_site_file_that_is_not_there_is_named(tmp_path: Path, ends: Ends) -> None:
    assert f"there is no such file: {tmp_path / 'none.yaml'}" in ends(1, site=tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path, ends: Ends, name: str) -> None:
    (tmp_path / "file").write_text("")
    assert f"the data directory {tmp_path / name} cannot be used" in ends(1, data_dir=tmp_path / name)


def test_a_data_directory_without_the_right_to_write_is_named(
    tmp_path: Path, gateway_of: StartGateway
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o555)
    gateway = gateway_of(write_site(tmp_path), NOWHERE, data_dir=data)
    gateway.without_privilege()
    assert f"the data directory {data} cannot be used: Permission denied" in ended(gateway, 1)


def damage_whole(file: Path) -> None:
    file.write_bytes(b"this is no database, and it is long enough to be looked at as one" * 100)


def damage_page(file: Path) -> None:
    """The page that lists the tables."""
    with file.open("r+b") as database:
        database.seek(100)
        database.write(b"\xff" * 900)


def damage_tables(file: Path) -> None:
    """Everything behind the page that lists the tables."""
    with file.open("r+b") as database:
        database.seek(4096)
        database.write(b"\xff" * (file.stat().st_size - 4096))


def make_newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_whole, "file is not a database; put a backup in its place"),
        (damage_page, "malformed; put a backup in its place"),
        (damage_tables, "malformed; put a backup in its place"),
        (make_newer, "was written by a newer version of the gateway"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_and_left_as_it_is(
    tmp_path: Path, ends: Ends, damage: Callable[[Path], None], words: str
) -> None:
    asyncio.run(made(tmp_path / "data", write_site(tmp_path)))
    file = tmp_path / "data" / "facility.db"
    damage(file)
    before = file.read_bytes()
    said = ends(1)
    assert words in said
    assert str(file) in said
    assert file.read_bytes() == before


def test_a_damaged_record_is_named(tmp_path: Path, ends: Ends) -> None:
    asyncio.run(made(tmp_path / "data", write_site(tmp_path)))
    file = tmp_path / "data" / "facility.db"
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alert SET body = x'81a2696405'")
    said = ends(1)
    assert f"the records in {file} are damaged" in said
    assert "put a backup in its place" in said


async def made(folder: Path, site: Path) -> None:
    """A data directory of this version with a little in it."""
    hands = Hands()
    async with living(folder, site, hands) as life:
        await life.link(up=True)
        life.tape.read("press-1", hands.wall, temp=99.0)
        await life.all_acked(1)


def test_a_taken_http_port_is_named(ends: Ends) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert f"FGW_HTTP: {place} is taken by another program" in ends(2, http=place)


async def test_a_second_gateway_on_the_same_data_directory_ends_and_the_first_goes_on(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site = write_site(tmp_path)
    first = gateway_of(site, broker.url).start()
    await first.watching()
    second = gateway_of(site, broker.url, name="second", data_dir=first.data)
    said = ended(second, 1)
    assert "another gateway" in said
    assert str(first.data) in said
    await caught_up(first, publisher, "still here")
    assert first.stop() == 0


async def test_an_unreachable_broker_is_said_and_connected_to_once_it_is_there(
    tmp_path: Path, gateway_of: StartGateway
) -> None:
    broker = Mosquitto(tmp_path / "broker")
    gateway = gateway_of(write_site(tmp_path), broker.url).start()
    await gateway.until(lambda: gateway.ready()[0] == 503, "an answer to /readyz")
    await gateway.until(lambda: "no broker listens" in gateway.words, "a word on stderr")
    status, parts = gateway.ready()
    assert (status, parts["broker"]["ok"]) == (503, False)
    assert f"no broker listens at 127.0.0.1:{broker.port} (connection refused)" in parts["broker"]["words"]
    with broker:
        await gateway.watching()
        await gateway.until(lambda: gateway.ready()[0] == 200, "everything to be well")
        assert gateway.stop() == 0
    assert "Traceback" not in gateway.words


@pytest.fixture
def locked_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets in the user ``gateway`` alone, by the right password."""
    passwords = tmp_path / "passwords"
    passwords.write_text("gateway:right\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)  # noqa: S607  # found on PATH, as the tests install it
    with Mosquitto(
        tmp_path / "broker", {"allow_anonymous": "false", "password_file": str(passwords)}
    ) as broker:
        yield broker


async def test_a_wrong_broker_password_is_said_and_tried_again(
    tmp_path: Path, locked_broker: Mosquitto, gateway_of: StartGateway
) -> None:
    url = locked_broker.url.replace("mqtt://", "mqtt://gateway:wrong-word@")
    gateway = gateway_of(write_site(tmp_path), url).start()
    await gateway.until(lambda: "refused user 'gateway'" in gateway.words, "a word on stderr")
    await gateway.until(lambda: gateway.ready()[0] == 503, "/readyz to say so")
    parts = gateway.ready()[1]
    assert "broker refused user 'gateway'" in parts["broker"]["words"]
    assert "wrong-word" not in gateway.words + str(parts)
    assert gateway.stop() == 0


async def test_a_full_disk_stops_acknowledging_and_what_was_sent_meanwhile_goes_in_later(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway, small_disk: Path
) -> None:
    site, stream = write_site(tmp_path), Stream(3_000, seed=31, padding=400)
    gateway = gateway_of(site, broker.url, data_dir=small_disk / "data").start()
    await gateway.watching()
    ballast = small_disk / "ballast"
    fill(ballast)
    await publisher.publish(stream.messages)
    await gateway.until(lambda: "nothing is acknowledged" in gateway.words, "a word on stderr")
    await gateway.until(lambda: gateway.ready()[0] == 503, "/readyz to say so")
    assert "full" in gateway.ready()[1]["store"]["words"]
    ballast.unlink()
    await caught_up(gateway, publisher, "end")
    await gateway.until(lambda: gateway.kept.waiting == 0, "the outbox to drain")
    await gateway.until(lambda: gateway.ready()[0] == 200, "everything to be well")
    assert gateway.stop() == 0
    assert "Traceback" not in gateway.words
    async with embedded(gateway.data) as store:
        assert await stored(store, stream) == stream.readings


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, which only root can make."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root; the same is shown with a page limit elsewhere")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)  # noqa: S607  # found on PATH
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607  # found on PATH


def fill(file: Path) -> None:
    """Leave no room beside this file."""
    with file.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


@pytest.fixture
def locked_influx(tmp_path: Path) -> Iterator[InfluxServer]:
    """An InfluxDB that asks for a user."""
    server = InfluxServer(tmp_path / "influx", http="auth-enabled = true")
    server.start()
    owner = {"q": "CREATE USER owner WITH PASSWORD 'right' WITH ALL PRIVILEGES"}
    httpx.post(f"{server.url}/query", params=owner).raise_for_status()
    yield server
    server.stop()


async def test_influxdb_that_refuses_us_is_said_and_readings_wait(
    tmp_path: Path,
    broker: Mosquitto,
    publisher: Publisher,
    gateway_of: StartGateway,
    locked_influx: InfluxServer,
) -> None:
    settings = {"influx_url": locked_influx.url, "influx_token": "nobody:wrong-word"}
    gateway = gateway_of(write_site(tmp_path), broker.url, **settings).start()
    await gateway.watching()
    await caught_up(gateway, publisher, "waits")
    await gateway.until(lambda: "readings wait in the outbox" in gateway.words, "a word on stderr")
    status, parts = gateway.ready()
    assert (status, parts["telemetry"]["ok"]) == (503, False)
    assert "FGW_INFLUX_TOKEN" in parts["telemetry"]["words"]
    assert "wrong-word" not in gateway.words + str(parts)
    assert gateway.kept.waiting == 1
    assert gateway.stop() == 0


async def test_started_with_a_full_outbox_it_blames_the_outbox_and_not_the_broker(
    tmp_path: Path, broker: Mosquitto
) -> None:
    settings = Settings(
        site=write_site(tmp_path),
        data_dir=tmp_path / "data",
        mqtt_url=broker.url,
        influx_url=f"http://127.0.0.1:{free_port()}",
        influx_bucket="facility",
        outbox_cap_mb=1,
    )
    async with build(settings) as gateway:
        effects = Effects()
        effects.rows.append(TelemetryRow(Series("press", ()), 1, {"label": "x" * (2 << 20)}))
        await gateway.store.commit([], effects, State())
        running = asyncio.create_task(gateway.run())
        await eventually(lambda: not gateway.health()["ingest"].ok, "reading to stop")
        await eventually(lambda: gateway.health()["broker"].ok, "the broker to be called well")
        gateway.stop()
        await running
