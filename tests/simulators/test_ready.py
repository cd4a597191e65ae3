"""The scenarios that ship: they pass, and their device side can be played into a file or to a gateway."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.core.values import HOUR, SECOND, Message
from gateway.rehearsal import rehearse
from gateway.traffic import TrafficReader
from simulators.errors import SimulationError
from simulators.ready import FOLDER, Telling, ready, story
from simulators.traffic_file import write_traffic
from tests.e2e.process import GatewayProcess
from tests.e2e.waiting import eventually
from tests.servers.mosquitto import Mosquitto
from tests.simulators.listening import START
from tests.simulators.sites import ROOT, the_house, the_riverside

NAMES = ["cut-off", "entrapment", "fire-after-test", "forced-door", "pump-dry-run", "skipped-round"]
SUITES = ROOT / "device_profiles" / "scenarios"
OWN = """
site:
  site: house
  timezone: UTC
  devices: [{id: lift-1, profile: elevator}]
  work_orders: {lift-entrapment: {}, lift-repair: {}}
reporting: off
scenarios:
  - scenario: first
    steps:
      - {at: 0s, status: online}
      - {at: 10s, values: {door: open}}
      - {at: 60s, raw: "{", expect: {rejected: not_json}}
  - scenario: second
    steps:
      - {at: 0s, values: {door: closed}}
      - {at: 5s, raw: hello, topic: elsewhere/x, expect: {rejected: unknown_topic}}
"""


def test_all_that_ship_are_listed_with_their_titles() -> None:
    assert [one.name for one in ready()] == NAMES
    assert all(one.title for one in ready())


@pytest.mark.parametrize("name", NAMES)
def test_a_ready_scenario_passes(name: str) -> None:
    result = rehearse(FOLDER / f"{name}.scenario.yaml")
    assert result.problems == ()
    assert [failure for one in result.played for failure in one.failures] == []
    assert result.played


@pytest.mark.parametrize("name", NAMES)
def test_its_device_side_is_a_traffic_file(name: str, tmp_path: Path) -> None:
    told = story(name)
    write_traffic(Telling(told, start=START), tmp_path / "x.jsonl.zst", START + told.length)
    reader = TrafficReader(tmp_path / "x.jsonl.zst")
    topics = {line.input.topic.split("/")[1] for line in reader if isinstance(line.input, Message)}
    assert topics == {told.plan.site}
    assert reader.faults == 0
    assert reader.lines > 10


@pytest.mark.parametrize("file", sorted(SUITES.glob("*.scenario.yaml")), ids=lambda file: file.name)
def test_the_device_side_of_any_rule_test_comes_in_order_of_time(file: Path) -> None:
    told = story(str(file))
    sent = [one.at for one in Telling(told, start=START).advance(START + told.length)]
    assert sent == sorted(sent)
    assert sent


def own(folder: Path) -> Path:
    file = folder / "own.scenario.yaml"
    file.write_text(OWN)
    return file


def test_scenarios_of_one_file_are_told_one_after_the_other(tmp_path: Path) -> None:
    told = story(str(own(tmp_path)))
    assert told.length == 65 * SECOND
    sent = Telling(told, start=START).advance(START + HOUR)
    assert [(one.at - START, one.topic, one.retain) for one in sent] == [
        (0, "facility/house/lift-1/status", True),
        (10 * SECOND, "facility/house/lift-1/telemetry", False),
        (60 * SECOND, "facility/house/lift-1/telemetry", False),
        (60 * SECOND, "facility/house/lift-1/telemetry", False),
        (65 * SECOND, "elsewhere/x", False),
    ]
    assert b'"ts":%d' % (START + 60 * SECOND) in sent[3].payload


def test_how_often_it_is_advanced_changes_nothing() -> None:
    told = story("pump-dry-run")
    whole = Telling(told, start=START).advance(START + HOUR)
    cut = Telling(told, start=START)
    assert [one for at in range(0, HOUR + 1, 7 * SECOND) for one in cut.advance(START + at)] == [
        one for one in whole if one.at <= START + HOUR // (7 * SECOND) * 7 * SECOND
    ]


def test_it_is_told_on_another_site_that_has_its_devices(tmp_path: Path) -> None:
    told = story(str(own(tmp_path)))
    sent = Telling(told, start=START, plan=the_house()).advance(START + HOUR)
    assert {one.topic.split("/")[2] for one in sent[:-1]} == {"lift-1"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("entrapment", "site house: unknown device 't1-lift-2'; did you mean 'lift-2'?"),
        ("skipped-round", "site house: unknown device 'reader-3'; did you mean 'reader-1'?"),
    ],
)
def test_a_site_without_its_devices_is_refused(name: str, words: str) -> None:
    with pytest.raises(SimulationError, match=words.replace("?", r"\?")):
        Telling(story(name), start=START, plan=the_house())


def test_a_device_of_another_kind_is_refused(tmp_path: Path) -> None:
    text = OWN.replace("id: lift-1", "id: t1-gate-1")
    (tmp_path / "own.scenario.yaml").write_text(text)
    with pytest.raises(
        SimulationError, match="t1-gate-1 is of the profile elevator; at site riverside it is of"
    ):
        Telling(story(str(tmp_path / "own.scenario.yaml")), start=START, plan=the_riverside())


@pytest.mark.parametrize("topic", ["all/#", "a/+/b", '"a\\0b"'])
def test_a_topic_no_broker_takes_is_refused_instead_of_sent_for_ever(tmp_path: Path, topic: str) -> None:
    (tmp_path / "own.scenario.yaml").write_text(OWN.replace("elsewhere/x", topic))
    with pytest.raises(SimulationError, match="no broker takes a message with the topic"):
        Telling(story(str(tmp_path / "own.scenario.yaml")), start=START).advance(START + HOUR)


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(SimulationError, match="unknown scenario 'entrapmnt'; did you mean 'entrapment'"):
        story("entrapmnt")


async def test_a_gateway_hears_it_over_mqtt_and_raises_its_alert(tmp_path: Path) -> None:
    told = story("entrapment")
    assert told.site is not None
    with Mosquitto(tmp_path / "broker") as broker:
        gateway = GatewayProcess(tmp_path / "gateway", told.site.resolve(), broker.url).start()
        try:
            await gateway.watching()
            words = await played("entrapment", broker.url)
            await eventually(lambda: alerts(gateway) != [], "the alert", lambda: gateway.words)
            assert [one["device"]["id"] for one in alerts(gateway)] == ["t1-lift-2"]
            assert [one["level"] for one in alerts(gateway)] == ["critical"]
            assert gateway.meter('fgw_rejected_total{reason="time_in_future"}') == 0
        finally:
            assert gateway.stop() == 0
    assert "a gateway for it: fgw run --site" in words
    assert re.search(r"\b[1-9]\d\d published in .*, 0 reconnects", words)


async def played(name: str, url: str) -> str:
    """What the command said, five minutes a second."""
    words = (sys.executable, "-m", "api.cli", "simulate", "--scenario", name, "--url", url, "--speed", "300")
    child = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, said = await child.communicate()
    assert child.returncode == 0, said
    return said.decode()


def alerts(gateway: GatewayProcess) -> list[dict[str, Any]]:
    answer = gateway.get("/api/v1/alerts?rule=entrapment")
    return [] if answer is None else list(answer.json()["items"])
