"""The board asks for what the gateway writes: every query against a real InfluxDB, every metric by its name."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import yaml

from api.http.meters import COUNTERS, FAMILIES, GAUGES
from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Event, LinkUp, Telemetry
from gateway.core.plan import Kind
from gateway.core.state import State
from gateway.core.values import MINUTE, SECOND, Scalar
from gateway.site.plan_builder import load_site
from tests.servers.influx import InfluxServer

ROOT = Path(__file__).parents[2]
BOARD = json.loads((ROOT / "deploy/grafana/boards/facility.json").read_text())
SITE = ROOT / "simulators/sites/riverside/site.yaml"
OTHER_METRICS = {"fgw_healthy", "fgw_devices", "fgw_live_streams"}

Answer = list[dict[str, Any]]


class Stored(NamedTuple):
    """Where the rows are."""

    url: str
    database: str


def targets(language: str) -> Iterator[tuple[str, str]]:
    """Title of the panel and query, for each query of a language."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            if target["datasource"]["type"] == language:
                yield panel["title"], target["query" if language == "influxdb" else "expr"]


def filled(query: str, kind: str = "elevator", point: str = "motor_temp") -> str:
    """A query as Grafana sends it."""
    variables = {"kind": kind, "point": point, "device": ".*", "timeFilter": "time > now() - 6h"}
    query = query.replace("$__interval", "1m")
    for name, value in variables.items():
        query = query.replace(f"${name}", value)
    assert "$" not in query.replace("$/", "/"), query
    return query


def without_silence(kind: Kind) -> Kind:
    """The kind without the rule about silence: half an hour passes here within two steps."""
    return replace(kind, rules={name: rule for name, rule in kind.rules.items() if name != "silent"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    running = InfluxServer(tmp_path_factory.mktemp("influx"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def database(server: InfluxServer, now: int) -> Stored:
    """What an engine makes of a hot motor that cools down, a forced door, and two alerts that are dealt with, all stored."""
    whole = load_site(SITE)
    named = ("t1-lift-1", "t1-gate-1", "t2-gate-1")
    quick = {
        name: replace(whole.devices[name], kind=without_silence(whole.devices[name].kind)) for name in named
    }
    plan = replace(whole, devices=quick)
    engine = Engine(plan, State())
    at = now - 30 * MINUTE
    hot: dict[str, Scalar] = {"motor_temp": 105.0, "mode": "normal"}
    cool: dict[str, Scalar] = {"motor_temp": 40.0}
    rows = engine.step(
        [
            LinkUp(at),
            Telemetry(at, "t1-lift-1", at, hot),
            Telemetry(at, "t2-gate-1", at, {"alarm_state": "normal"}),
            Event(at + SECOND, "t1-gate-1", at, "a", "forced_open", {"test": False}),
            Event(at + SECOND, "t2-gate-1", at, "b", "tailgating", {"test": False}),
            Event(at + SECOND, "t2-gate-1", at, "c", "tamper", {"test": False}),
            Telemetry(at + 10 * MINUTE, "t1-lift-1", at + 10 * MINUTE, cool),
            Telemetry(at + 20 * MINUTE, "t1-lift-1", at + 20 * MINUTE, cool),
        ]
    ).rows
    alerts = {one.rule: one.id for one in engine.state.alerts.values()}
    later = at + 21 * MINUTE
    # A latched alert is reset, cleared and ended at one moment; the board has to see the end of it.
    for verb, rule in (("ack", "tailgating"), ("ack", "tamper"), ("reset", "tamper")):
        command = Command(
            at=later, id=f"{verb} {rule}", actor="li", verb=f"alert.{verb}", target=alerts[rule], args={}
        )
        rows += engine.step([command]).rows
        later += SECOND
    store = InfluxStore(InfluxSettings.parse(server.url, bucket=f"facility-{now}"))
    assert await store.write(rows) == []
    await store.close()
    return Stored(server.url, f"facility-{now}")


@pytest.fixture
def now() -> int:
    # The queries say now() themselves, so the rows have to lie before it.
    return time.time_ns() // 1_000_000


async def ask(stored: Stored, query: str) -> Answer:
    """The series of an answer; an error of the server's fails the test."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{stored.url}/query", params={"db": stored.database, "q": query, "epoch": "ms"}
        ) as response,
    ):
        body = await response.json()
    assert response.status == 200, body
    (result,) = body["results"]
    assert "error" not in result, (query, result)
    series: Answer = result.get("series", [])
    return series


def table(series: Answer) -> list[dict[str, Any]]:
    """Rows as mappings, without the time."""
    (one,) = series
    rows = [dict(zip(one["columns"], values, strict=True)) for values in one["values"]]
    return [{name: value for name, value in row.items() if name != "time"} for row in rows]


def query_of(title: str, number: int = 0) -> str:
    return [query for found, query in targets("influxdb") if found == title][number]


async def test_open_alerts_are_those_not_back_to_normal(database: Stored) -> None:
    found = table(await ask(database, filled(query_of("Open alerts"))))
    assert {(row["device"], row["rule"], row["level"]) for row in found} == {
        ("t1-lift-1", "motor_overheat", "warning"),  # fell from critical before it cleared
        ("t1-gate-1", "forced_open", "critical"),
    }
    assert {row["device"]: row["state"] for row in found} == {
        "t1-lift-1": "returned",
        "t1-gate-1": "unacknowledged",
    }


async def test_open_work_orders_are_those_not_ended(database: Stored) -> None:
    found = table(await ask(database, filled(query_of("Open work orders"))))
    assert {(row["device"], row["rule"], row["state"]) for row in found} == {
        ("t1-lift-1", "motor_overheat", "new"),
        ("t1-gate-1", "forced_open", "new"),
        ("t2-gate-1", "tamper", "new"),  # the end of its alert does not close it
    }


async def test_alerts_are_counted_by_level(database: Stored) -> None:
    counts = []
    for number in range(3):
        (series,) = await ask(database, filled(query_of("Alerts raised per hour, by level", number))) or [
            {"values": []}
        ]
        counts.append(sum(values[1] for values in series["values"]))
    assert counts == [3, 1, 0]  # critical, warning, info


@pytest.mark.parametrize(("title", "query"), list(targets("influxdb")))
async def test_every_query_is_understood(database: Stored, title: str, query: str) -> None:
    # No data is an answer, an error is none; the points shown as words are asked for one of them.
    point = "mode" if title.endswith("as words") else "motor_temp"
    await ask(database, filled(query, point=point))


async def test_readings_come_by_device(database: Stored) -> None:
    (series,) = await ask(database, filled(query_of("${point}")))
    assert series["tags"] == {"device": "t1-lift-1"}
    assert [value for _, value in series["values"]] == [105.0, 40.0, 40.0]


async def test_the_choices_of_the_board_are_kinds_devices_and_points(database: Stored) -> None:
    kind, device, point = BOARD["templating"]["list"]
    (measurements,) = await ask(database, kind["query"])
    pattern = re.compile(kind["regex"].strip("/"))
    assert [name for (name,) in measurements["values"] if pattern.fullmatch(name)] == [
        "access_gate",
        "elevator",
    ]
    (devices,) = await ask(database, filled(device["query"]))
    assert devices["values"] == [["device", "t1-lift-1"]]
    (points,) = await ask(database, filled(point["query"]))
    assert [name for name, _ in points["values"]] == ["mode", "motor_temp"]


def test_every_metric_is_one_the_gateway_reports() -> None:
    known = {f"fgw_{name}_total" for name in (*COUNTERS, *FAMILIES)} | {f"fgw_{name}" for name in GAUGES}
    asked = {name for _, expr in targets("prometheus") for name in re.findall(r"fgw_\w+", expr)}
    assert asked
    assert asked <= known | OTHER_METRICS


def test_every_panel_reads_from_a_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/facility.yaml").read_text()
    )["datasources"]
    sources = {(source["type"], source["uid"]) for source in provisioned}
    used = {
        (part["datasource"]["type"], part["datasource"]["uid"])
        for panel in BOARD["panels"]
        if panel["type"] != "row"
        for part in (panel, *panel["targets"])
    }
    assert used == sources


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) == 23
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
