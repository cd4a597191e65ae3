"""docs/http.md names the routes there are, with the parameters they have."""

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.http.app import create_app
from api.http.gateway_port import GatewayPort
from gateway.settings import Settings
from gateway.site.plan_builder import load_site
from tests.docs.pages import ROOT, rows, section

TEXT = (ROOT / "docs/http.md").read_text()


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    plan = load_site(ROOT / "simulators/sites/riverside/site.yaml")
    # Nothing is asked of the gateway while its routes are only described.
    gateway = cast("GatewayPort", SimpleNamespace(plan=plan))
    found: dict[str, Any] = create_app(gateway, Settings()).openapi()["paths"]
    return found


def documented() -> dict[tuple[str, str], str]:
    """Method and path of each route in the table, with what is said about it."""
    found: dict[tuple[str, str], str] = {}
    for cells in rows(section(TEXT, "## Routes")):
        for method, path in re.findall(r"`([A-Z]+) (/\S+)`", cells[0]):
            found[method.lower(), path] = cells[1]
    return found


def test_the_table_has_every_route_and_no_other(paths: dict[str, Any]) -> None:
    real = {(method, path) for path, methods in paths.items() for method in methods}
    assert documented().keys() == real


def test_the_filters_named_for_a_list_exist(paths: dict[str, Any]) -> None:
    for (method, path), words in documented().items():
        if method != "get":
            continue
        known = {parameter["name"] for parameter in paths[path]["get"].get("parameters", [])}
        named = set(re.findall(r"`([a-z_]+)`", words))
        assert named <= known, path


def test_the_examples_ask_for_routes_and_parameters_that_exist(paths: dict[str, Any]) -> None:
    examples = re.findall(r'"\$API(/[^"?]*)(?:\?([^"]*))?"', TEXT)
    assert examples
    for path, query in examples:
        pattern = next(
            (one for one in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), f"/api/v1{path}")), None
        )
        assert pattern is not None, path
        operations = paths[pattern].values()
        known = {one["name"] for operation in operations for one in operation.get("parameters", [])}
        assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= known, path
