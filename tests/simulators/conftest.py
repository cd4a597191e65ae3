import pytest

from gateway.core.plan import SitePlan
from tests.simulators.sites import the_house, the_patrols, the_riverside


@pytest.fixture(scope="session")
def house() -> SitePlan:
    return the_house()


@pytest.fixture(scope="session")
def patrols() -> SitePlan:
    return the_patrols()


@pytest.fixture(scope="session")
def riverside() -> SitePlan:
    return the_riverside()
