"""The pytest plugin: rule tests as test items, and a fixture that starts a gateway. ``-p no:fgw`` leaves it out.

pytest loads this module in every run of every project that has the gateway installed, so what it needs is imported
where it is needed. It is a package of its own because a project may have a package ``api`` itself, which would
hide ours: that is to cost it this plugin, and no test of its own.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from api.pytest_plugin.facilities import Facilities

SUFFIX = ".scenario.yaml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take ``*.scenario.yaml``; each scenario is an item."""
    if not file_path.name.endswith(SUFFIX):
        return None
    _check_ours()
    from api.pytest_plugin.scenarios import ScenarioFile  # noqa: PLC0415  # see above

    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


@pytest.fixture
def facility_gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Facilities"]:
    """Starts gateways for a test, each with records, port and broker of its own; they end with the test.

    ``facility = facility_gateway("site.yaml", simulate=True)``, in a coroutine
    ``facility = await facility_gateway.asynchronous("site.yaml")``. See :class:`api.pytest_plugin.facilities.Facilities`
    and :class:`api.pytest_plugin.facility.Facility`.
    """
    _check_ours()
    from api.pytest_plugin.child import FacilityFailed  # noqa: PLC0415  # see above
    from api.pytest_plugin.facilities import Facilities  # noqa: PLC0415  # as above

    made = Facilities(request.path.parent, tmp_path_factory.mktemp("facility_gateway"))
    yield made
    failed = ""
    try:
        made.close()
    except FacilityFailed as error:
        failed = str(error)
    for log in made.logs:
        request.node.add_report_section("teardown", "gateway log", log)
    if failed:
        pytest.fail(failed, pytrace=False)


def _check_ours() -> None:
    """Say so where the project's own package ``api`` hides ours."""
    found = find_spec("api")
    if found is None or not any(
        Path(place, "pytest_plugin").is_dir() for place in found.submodule_search_locations or ()
    ):
        raise pytest.UsageError(
            "facility-gateway's package 'api' is hidden by another of that name; rule tests run with `fgw test`, "
            "and `-p no:fgw` leaves the plugin out"
        )
