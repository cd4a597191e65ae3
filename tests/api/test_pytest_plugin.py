"""The pytest plugin the way another project has it: rule tests as items, and a fixture that starts a gateway."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(
    300
)  # each starts a pytest, some of them gateways, and the machine may be busy

INI = """\
[pytest]
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
SITE = """\
site: annexe
timezone: Asia/Shanghai
settings: {boot_grace: 0s}
devices:
  - {id: lift-1, profile: elevator}
  - {id: gate-1, profile: access_gate}
work_orders: {lift-repair: {}, lift-entrapment: {}, security-response: {}, gate-repair: {}}
"""
RULES = """\
site: ../site.yaml
device: lift-1
scenarios:
  - scenario: the emergency stop is told
    steps:
      - {at: 0s, values: {motor_temp: 60.0, door: closed}}
      - {at: 1m, event: emergency_stop}
    never:
      - {alert: motor_overheat}
  - scenario: a motor at its ease is hot
    steps:
      - {at: 0s, values: {motor_temp: 60.0}}
      - {at: 5m, expect: {alert: motor_overheat}}
"""
FAILED_LINE = 13


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a site and rule tests, one that passes and one that fails."""
    pytester.makeini(INI)
    (pytester.path / "site.yaml").write_text(SITE)
    rules = pytester.path / "rules"
    rules.mkdir()
    (rules / "lift.scenario.yaml").write_text(RULES)
    (rules / "plain.yaml").write_text("nothing: of ours\n")
    return pytester


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-ra", "-p", "no:cacheprovider", *words, timeout=240)


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    program = (
        "import sys, pytest; before = {*sys.modules}; import fgw_pytest; print(*({*sys.modules} - before))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == {"fgw_pytest"}


def test_each_scenario_is_an_item_and_a_failure_says_what_was_found(project: pytest.Pytester) -> None:
    ran = run(project)
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(
        [
            f"rules/lift.scenario.yaml:{FAILED_LINE}  a motor at its ease is hot, at 5m",
            "    expected  *motor_overheat*",
            "    found     *",
            "FAILED rules/lift.scenario.yaml::a motor at its ease is hot*",
        ]
    )
    ran.stdout.no_fnmatch_line("*Traceback*")
    ran.stdout.no_fnmatch_line("*scenarios.py*")


def test_items_are_chosen_by_title_and_by_name(project: pytest.Pytester) -> None:
    run(project, "-k", "stop").assert_outcomes(passed=1, deselected=1)
    run(project, "rules/lift.scenario.yaml::the emergency stop is told").assert_outcomes(passed=1)


@pytest.mark.parametrize("words", [("-n", "2"), ("--import-mode=importlib", "rules")])
def test_items_run_however_pytest_is_called(project: pytest.Pytester, words: tuple[str, ...]) -> None:
    run(project, *words).assert_outcomes(passed=1, failed=1)


def test_a_broken_file_is_an_error_in_words(project: pytest.Pytester) -> None:
    broken = RULES.replace("event: emergency_stop", "event: emergency_stopp")
    (project.path / "rules" / "broken.scenario.yaml").write_text(broken)
    ran = run(project)
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(
        ["rules/broken.scenario.yaml:7: *'emergency_stopp'; did you mean 'emergency_stop'*"]
    )
    ran.stdout.no_fnmatch_line("*Traceback*")
    ran.stdout.no_fnmatch_line("*scenarios.py*")


def test_the_plugin_can_be_left_out(project: pytest.Pytester) -> None:
    ran = run(project, "-p", "no:fgw")
    assert ran.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    run(project, "-p", "no:fgw", "--fixtures").stdout.no_fnmatch_line("*facility_gateway*")


def test_the_projects_own_run_takes_no_file_of_its_yaml_scenarios() -> None:
    folder = Path(__file__).parents[1] / "scenarios"
    assert list(folder.glob("*.yaml")) != []
    assert list(folder.glob("*.scenario.yaml")) == []


def test_a_gateway_runs_for_a_test_and_is_gone_after_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_facility="""
        from pathlib import Path
        from urllib.request import urlopen

        import pytest
        from api.pytest_plugin.facilities import Facilities


        @pytest.fixture(scope="module")
        def shared(tmp_path_factory):
            with Facilities(Path(__file__).parent, tmp_path_factory.mktemp("shared")) as start:
                yield start("site.yaml")


        def note(facility):
            with Path("places").open("a") as file:
                print(facility.url, facility.mqtt_url, file=file)


        def test_messages_lead_to_alerts_and_orders(shared):
            note(shared)
            shared.telemetry("lift-1", motor_temp=60.0, door="closed")
            shared.event("lift-1", "emergency_stop")
            alert = shared.wait_for_alert("emergency_stop", "lift-1", level="warning")
            assert alert["device"]["id"] == "lift-1"
            assert shared.alerts(rule="emergency_stop", device="gate-1") == []
            assert shared.get("/devices/lift-1")["id"] == "lift-1"
            shared.post(f"/alerts/{alert['id']}/ack", actor="anna")
            assert shared.alerts(rule="emergency_stop")[0]["acked_by"] == "anna"
            shared.event("gate-1", "forced_open")
            (order,) = shared.wait_until(lambda: shared.work_orders(device="gate-1"), "an order")
            assert order["open"]


        def test_what_is_sent_as_bytes_arrives_as_it_is(shared):
            shared.publish("facility/annexe/lift-1/telemetry", b"\\xff\\xfe")
            shared.publish("facility/annexe/lift-1/telemetry", {"values": {"motor_tmp": 60.0}})
            found = shared.wait_until(
                lambda: (items := shared.get("/quarantine", limit=10)["items"]) and len(items) == 2 and items,
                "two refusals",
            )
            assert {one["reason"] for one in found} == {"not_utf8", "unknown_point"}


        def test_devices_send_what_a_scenario_says(shared):
            shared.play("rules/lift.scenario.yaml", "at its ease")

            def readings():
                return shared.get("/devices/lift-1/readings", point="motor_temp", every="raw")["points"][0]["samples"]

            found = shared.wait_until(lambda: len(readings()) > 1 and readings(), "a second reading")
            assert {one["value"] for one in found} == {60.0}


        def test_records_outlive_a_power_cut(facility_gateway):
            facility = facility_gateway("site.yaml")
            note(facility)
            facility.event("gate-1", "forced_open")
            before = facility.wait_for_alert("forced_open", "gate-1")
            facility.kill()
            facility.start()
            assert [one["id"] for one in facility.alerts(rule="forced_open")] == [before["id"]]


        async def test_a_coroutine_awaits_the_same(facility_gateway):
            site = {"site": "shed", "timezone": "UTC", "settings": {"boot_grace": "0s"},
                    "devices": [{"id": "gate-9", "profile": "access_gate"}],
                    "work_orders": {"security-response": {}, "gate-repair": {}}}
            facility = await facility_gateway.asynchronous(site, broker="amqtt", simulate=["gate-9"], seed=3)
            note(facility)
            await facility.inject("gate-9", "forced_open")
            await facility.wait_for_alert("forced_open", "gate-9")
            await facility.status("gate-9", "offline")

            async def offline():
                return (await facility.get("/devices/gate-9"))["state"] == "offline"

            await facility.wait_until(offline, "the gate to be offline")
        """
    )
    ran = run(project, "test_facility.py")
    ran.assert_outcomes(passed=5)
    places = (project.path / "places").read_text().split()
    assert len(places) == 6
    assert [place for place in places if answers(place)] == []


def answers(url: str) -> bool:
    host, _, port = url.rpartition("/")[2].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_what_goes_wrong_around_a_gateway_is_said_in_words(project: pytest.Pytester) -> None:
    (project.path / "wrong.yaml").write_text(SITE.replace("profile: elevator", "profile: elevatr"))
    project.makepyfile(
        test_trouble="""
        import os
        import signal


        def test_wrong_site(facility_gateway):
            facility_gateway("wrong.yaml")


        def test_wrong_setting(facility_gateway):
            facility_gateway("site.yaml", batch="many")


        def test_in_vain_and_death(facility_gateway):
            facility = facility_gateway("site.yaml", simulate=["gate-1"])
            facility.telemetry("lift-1", {"motor_tmp": 96.0})
            facility.telemetry("lift-1", motor_temp=119.0)
            facility.event("lift-1", "emergency_stop")
            facility.wait_for_alert("emergency_stop")
            facility.wait_until(lambda: facility.get("/quarantine")["items"], "a refusal")
            for wrong in (
                lambda: facility.wait_for_alert("motor_overheat", "lift-1", timeout=0.5, level="critical"),
                lambda: facility.alerts(levl="critical"),
                lambda: facility.wait_for_alert("motor_overheet"),
                lambda: facility.event("lift-2", "emergency_stop"),
                lambda: facility.publish("facility/#", b"x"),
                lambda: facility.publish("facility/annexe/lift-1/telemetry", b"x", qos=3),
                lambda: facility.inject("gate-1", "motor_overheat"),
                lambda: facility.play("rules/lift.scenario.yaml", "flood"),
                lambda: facility.inject("lift-1", "forced_open"),
            ):
                try:
                    wrong()
                except AssertionError as error:
                    print(error)
            kill(facility)
            facility.wait_for_alert("emergency_stop", "lift-1")


        def test_unseen_death(facility_gateway):
            kill(facility_gateway("site.yaml"))


        def kill(facility):
            child = facility._gateway._child
            os.kill(child.pid, signal.SIGKILL)
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        """
    )
    ran = run(project, "test_trouble.py")
    ran.assert_outcomes(failed=3, passed=1, errors=1)
    said = ran.stdout.str()
    for words in (
        "waited 0.5 s in vain for alert motor_overheat on lift-1: level=critical",
        "emergency_stop on lift-1: level=warning state=",
        "lift-1: unknown_point: elevator has no point 'motor_tmp'",
        "wrong.yaml:5: devices[0].profile: ",
        "did you mean 'elevator'",
        "the gateway ended with status 2; its log ends:",
        "FGW_BATCH",
        "unknown rule 'motor_overheet'; did you mean 'motor_overheat'",
        "unknown device 'lift-2'; did you mean 'lift-1'",
        "nothing can be published on 'facility/#': a topic has 1 to 65,535 bytes, no +, # or NUL",
        "a QoS of 3 is not possible; give 0, 1 or 2",
        "gate-1 (access_gate) has no fault motor_overheat; it takes ",
        "unknown scenario 'flood' (allowed: the emergency stop is told, a motor at its ease is hot)",
        "'lift-1' cannot be given a fault: it is not simulated",
        "on the way on lift-1:",
        "motor_overheat critical: its condition is true, and has to be for ",
        "unknown field 'levl'; did you mean 'level'?",
        "Captured gateway log teardown",
    ):
        assert words in said, said
    assert said.count("was killed by SIGKILL") >= 2
    assert "Traceback" not in said
    assert "/api/pytest_plugin/" not in said
