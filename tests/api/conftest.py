from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.house import House, open_house
from tests.servers.mosquitto import Mosquitto


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
async def house(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(broker, tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for a whole module, for tests that leave no trace in it."""
    async with open_house(broker, tmp_path_factory.mktemp("standing")) as found:
        yield found
