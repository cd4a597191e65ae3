"""Brokers and gateways that are stopped again whatever a test does."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto

StartGateway = Callable[..., GatewayProcess]


SAVES_AT_THE_END: dict[str, str | None] = {"autosave_on_changes": None, "autosave_interval": None}
"""For brokers that are never killed: saving all that is queued after each change takes most of a test's time."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto that keeps sessions and queues of any length."""
    with Mosquitto(tmp_path / "broker", SAVES_AT_THE_END) as running:
        yield running


@pytest.fixture
def durable_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto that may be killed: what it acknowledged is on disk."""
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxServer]:
    """Debian's InfluxDB, running."""
    server = InfluxServer(tmp_path / "influx")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gateway_of(tmp_path: Path) -> Iterator[StartGateway]:
    """Makes gateway processes (not yet started) and leaves none behind."""
    made: list[GatewayProcess] = []

    def make(site: Path, mqtt_url: str, *, name: str = "gateway", **settings: object) -> GatewayProcess:
        made.append(GatewayProcess(tmp_path / name, site, mqtt_url, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
async def publisher(broker: Mosquitto) -> AsyncIterator[Publisher]:
    """A careful publisher at the broker."""
    one = Publisher(broker.port)
    yield one
    one.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests five minutes where they say nothing else: they start many processes, and the machine may be busy."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))
