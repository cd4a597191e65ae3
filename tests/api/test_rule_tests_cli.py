"""``fgw test``: rule tests on the command line, their JUnit report, and the CI examples that call them."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.cli import app as command_line
from api.junit import FORBIDDEN, INSTEAD, junit
from api.rule_tests import Timed
from gateway.errors import Problem
from gateway.rehearsal import Failure, FileResult, Played
from tests.api.commands import fgw

ROOT = Path(__file__).parents[2]
GOOD = """\
profile: elevator
scenarios:
  - scenario: the emergency stop is told
    steps:
      - {at: 0s, values: {motor_temp: 60.0, door: closed}}
      - {at: 1m, event: emergency_stop, expect: {outcome: alert.raised, rule: emergency_stop}}
"""
FAILING = """\
profile: elevator
scenarios:
  - scenario: a cool motor is hot
    steps:
      - {at: 0s, values: {motor_temp: 60.0}}
      - {at: 5m, expect: {alert: motor_overheat, level: critical}}
  - scenario: 电梯急停
    steps:
      - {at: 0s, event: emergency_stop, expect: {alert: emergency_stop}}
"""
BROKEN = GOOD.replace("event: emergency_stop,", "event: emergency_stopp,")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: str, text: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text)


def test_scenarios_that_come_as_told_end_with_0(folder: Path) -> None:  # noqa: ARG001
    write("lift.scenario.yaml", GOOD)
    ran = fgw("test", "lift.scenario.yaml")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "lift.scenario.yaml  1 passed"
    assert re.fullmatch(r"1 scenario in 1 file: 1 passed, 0 failed; \d+\.\d s", ran.out.splitlines()[-1])


def test_a_failure_says_where_when_what_was_expected_and_what_was_found(folder: Path) -> None:  # noqa: ARG001
    write("rules/lift.scenario.yaml", FAILING)
    write("rules/stop.scenario.yaml", GOOD)
    ran = fgw("test", "rules")
    lines = ran.out.splitlines()
    assert (ran.status, ran.err) == (1, "")
    assert lines[:2] == [
        "rules/lift.scenario.yaml  1 passed, 1 failed",
        "rules/lift.scenario.yaml:6  a cool motor is hot, at 5m",
    ]
    assert re.fullmatch(r"    expected  \S.*motor_overheat.*critical.*", lines[2])
    assert re.fullmatch(r"    found     \S.*", lines[3])
    assert lines[4] == "rules/stop.scenario.yaml  1 passed"
    assert lines[-1].startswith("3 scenarios in 2 files: 2 passed, 1 failed; ")


def test_a_file_that_cannot_be_read_is_told_in_words_and_the_others_are_played(folder: Path) -> None:  # noqa: ARG001
    write("a.scenario.yaml", BROKEN)
    write("b.scenario.yaml", GOOD)
    Path("c.scenario.yaml").write_bytes(b"\xff\xfe")
    ran = fgw("test", ".")
    lines = ran.out.splitlines()
    assert (ran.status, ran.err) == (1, "")
    assert lines[0] == "a.scenario.yaml  cannot be read"
    assert lines[1].startswith("a.scenario.yaml:6: ")
    assert "'emergency_stopp'; did you mean 'emergency_stop'" in lines[1]
    assert lines[2:4] == ["b.scenario.yaml  1 passed", "c.scenario.yaml  cannot be read"]
    assert "1 scenario in 3 files: 1 passed, 0 failed, 2 files cannot be read" in lines[-1]


def test_a_folder_is_searched_to_its_depth_in_order_and_no_file_counts_twice(folder: Path) -> None:  # noqa: ARG001
    for place in ("rules/b", "rules/a/deep", ".venv", "env", "node_modules/x"):
        write(f"{place}/one.scenario.yaml", GOOD)
    write("env/pyvenv.cfg", "")
    write("rules/site.yaml", "site: none of ours\n")
    ran = fgw("test", "rules/b/one.scenario.yaml", ".")
    named = [line.split()[0] for line in ran.out.splitlines() if line.endswith("1 passed")]
    assert named == ["rules/b/one.scenario.yaml", "rules/a/deep/one.scenario.yaml"]


def test_scenarios_are_chosen_by_what_is_in_their_titles(folder: Path) -> None:  # noqa: ARG001
    write("lift.scenario.yaml", FAILING)
    write("stop.scenario.yaml", GOOD)
    assert fgw("test", ".", "-k", "急停").out.splitlines()[0] == "lift.scenario.yaml  1 passed"
    ran = fgw("test", ".", "-k", "EMERGENCY")
    assert ran.status == 0
    assert "1 scenario in 1 file" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a file or a folder, or give --shipped"),
        (("nowhere",), "there is no file or folder nowhere"),
        (("empty",), "there is no *.scenario.yaml in empty"),
        (("stop.scenario.yaml", "-k", "flood"), "no scenario has 'flood' in its title"),
        (("stop.scenario.yaml", "--lang", "fr"), "'fr' is neither en nor zh"),
        (("stop.scenario.yaml", "--fast"), "No such option: --fast"),
    ],
)
def test_a_call_that_cannot_be_meant_ends_with_2(folder: Path, words: tuple[str, ...], said: str) -> None:
    write("stop.scenario.yaml", GOOD)
    (folder / "empty").mkdir()
    ran = fgw("test", *words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_programs_are_answered_in_json(folder: Path) -> None:  # noqa: ARG001
    write("a.scenario.yaml", BROKEN)
    write("b.scenario.yaml", FAILING)
    ran = fgw("test", ".", "--json", "--coverage")
    told = json.loads(ran.out)
    broken, failing = told["files"]
    assert ran.status == 1
    assert (broken["scenarios"], broken["problems"][0]["line"]) == ([], 6)
    assert [one["passed"] for one in failing["scenarios"]] == [False, True]
    assert failing["scenarios"][0]["failures"][0]["line"] == 6
    assert {"profile": "elevator", "rule": "emergency_stop", "level": "warning"} in told["coverage"]["raised"]
    assert {"profile": "elevator", "rule": "silent", "level": "warning"} in told["coverage"]["missing"]


def test_coverage_shows_what_was_raised_and_can_be_required(folder: Path) -> None:  # noqa: ARG001
    write("stop.scenario.yaml", GOOD)
    plain = fgw("test", ".", "--coverage")
    strict = fgw("test", ".", "--require-coverage")
    rows = {tuple(line.split()[:2]): line for line in plain.out.splitlines() if line.startswith("elevator")}
    assert (plain.status, strict.status) == (0, 1)
    assert re.fullmatch(r"elevator +emergency_stop +- +raised +-", rows["elevator", "emergency_stop"])
    assert re.fullmatch(
        r"elevator +motor_overheat +- +never raised +never raised", rows["elevator", "motor_overheat"]
    )
    assert re.search(r"^1 of \d+ levels raised$", plain.out, re.MULTILINE)


def test_the_suite_that_ships_passes_and_raises_every_level() -> None:
    ran = fgw("test", "--shipped", "--require-coverage", "--coverage")
    assert ran.status == 0, ran.out
    found = re.search(r"^(\d+) of (\d+) levels raised$", ran.out, re.MULTILINE)
    assert found is not None
    assert found[1] == found[2] != "0"


def test_table_and_summary_are_chinese_where_that_is_asked(folder: Path) -> None:  # noqa: ARG001
    write("lift.scenario.yaml", FAILING)
    ran = fgw("test", ".", "--lang", "zh", "--coverage")
    assert ran.out.startswith("lift.scenario.yaml  1 通过, 1 失败\n")
    for words in (
        "从未触发",
        "已触发",
        "个级别中 1 个已触发",
        "1 个文件, 2 个场景: 1 个通过, 1 个失败; 用时",
    ):
        assert words in ran.out


def test_a_terminal_is_told_how_far_it_is(folder: Path) -> None:  # noqa: ARG001
    write("a.scenario.yaml", GOOD)
    write("b.scenario.yaml", GOOD)
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "api.cli", "test", "."]
    ran = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "1 / 2  a.scenario.yaml" in shown
    assert "2 / 2  b.scenario.yaml" in shown
    assert shown.endswith("\r\x1b[K")
    assert "\x1b" not in ran.stdout


def test_the_report_has_a_suite_a_file_and_a_case_a_scenario(folder: Path) -> None:  # noqa: ARG001
    write("rules/a.scenario.yaml", BROKEN)
    write("rules/b.scenario.yaml", FAILING)
    ran = fgw("test", "rules", "--junit", "reports/rules.xml")
    root = ET.parse("reports/rules.xml").getroot()  # noqa: S314  # our own
    assert ran.status == 1
    assert [p.name for p in Path("reports").iterdir()] == ["rules.xml"]
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "1"]
    first, second = root
    assert [first.get(name) for name in ("name", "tests", "failures", "errors")] == [
        "rules/a.scenario.yaml",
        "1",
        "0",
        "1",
    ]
    (unread,) = first
    assert unread.get("line") == "6"
    (error,) = unread
    assert (error.tag, "emergency_stopp" in error.get("message", "")) == ("error", True)
    hot, stop = second
    assert (hot.get("classname"), hot.get("name")) == ("rules.b", "a cool motor is hot")
    assert (hot.get("file"), hot.get("line")) == ("rules/b.scenario.yaml", "3")
    failure = hot.find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("at 5m: expected ")
    assert (failure.text or "").startswith(
        "rules/b.scenario.yaml:6  a cool motor is hot, at 5m\n    expected  "
    )
    assert (stop.get("name"), list(stop)) == ("电梯急停", [])
    assert all(re.fullmatch(r"\d+\.\d{3}", case.get("time", "")) for case in (hot, stop))


def test_a_report_that_cannot_be_written_leaves_what_was_there(folder: Path) -> None:
    write("stop.scenario.yaml", GOOD)
    (folder / "taken").mkdir()
    ran = fgw("test", ".", "--junit", "taken")
    assert (ran.status, ran.err) == (1, "fgw test: taken cannot be written: Is a directory")
    assert sorted(path.name for path in folder.iterdir()) == ["stop.scenario.yaml", "taken"]


ANY_TEXT = st.text(st.characters(exclude_categories=()))


def test_a_report_never_takes_the_place_of_a_file_that_is_played(folder: Path) -> None:
    write("lift.scenario.yaml", GOOD)
    (folder / "other.yaml").symlink_to("lift.scenario.yaml")
    done = fgw("test", ".", "--junit", "other.yaml")
    assert done.status == 2
    assert "one of the files that are played" in " ".join(done.err.replace("│", " ").split())
    assert Path("lift.scenario.yaml").read_text() == GOOD


def test_a_link_that_leads_nowhere_is_told_in_words(folder: Path) -> None:
    write("lift.scenario.yaml", GOOD)
    for name in ("loop", "gone"):
        (folder / f"{name}.scenario.yaml").symlink_to("loop.scenario.yaml" if name == "loop" else "none")
    done = fgw("test", ".", "--junit", "loop.scenario.yaml")
    assert done.status in (1, 2)
    done = fgw("test", ".")
    assert (done.status, "1 passed, 0 failed, 2 files cannot be read" in done.out) == (1, True)


def test_no_control_character_of_a_file_reaches_the_terminal(folder: Path) -> None:  # noqa: ARG001
    act = """\
      - {at: 2m, act: alert.ack, rule: emergency_stop, by: "\\e[2Jbo"}
      - {at: 3m, expect: {alert: emergency_stop, acked_by: bo}}
"""
    write("keys.scenario.yaml", GOOD.replace("event:", '"\\e[2J": 1, event:'))
    write("values.scenario.yaml", GOOD + act)
    done = fgw("test", ".")
    assert (done.status, "\x1b" in done.out) == (1, False)
    assert r"unknown field '\x1b[2J'" in done.out
    assert r"acked_by=\x1b[2Jbo" in done.out


@given(title=ANY_TEXT, words=ANY_TEXT, file=ANY_TEXT)
def test_a_report_is_xml_whatever_it_tells(title: str, words: str, file: str) -> None:
    played = Played(file, 3, title, (Failure(file, 4, "5m", words, words),), frozenset())
    broken = FileResult(file, (Problem(file, 0, "", words),), (), frozenset())
    report = junit([Timed(FileResult(file, (), (played,), frozenset()), (0.5,)), Timed(broken, ())])
    root = ET.fromstring(report)  # noqa: S314  # our own
    case = root[0][0]
    assert case.get("name") == FORBIDDEN.sub(INSTEAD, title)
    assert case.get("time") == "0.500"
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["2", "1", "1"]


@pytest.mark.parametrize("name", ["github-actions.yaml", "gitlab-ci.yaml"])
def test_the_ci_examples_call_commands_that_exist(name: str) -> None:
    text = (ROOT / "deploy" / "ci" / name).read_text()
    assert yaml.safe_load(text)
    called = re.findall(r"^ *- (?:run: )?fgw (.+)$", text, re.MULTILINE)
    assert [line.split()[0] for line in called][:2] == ["check", "test"]
    commands = typer.main.get_command(command_line).commands  # type: ignore[attr-defined]  # it is a group
    for line in called:
        command, *words = line.split()
        flags = {flag for param in commands[command].params for flag in param.opts}
        assert {word for word in words if word.startswith("-")} <= flags, line
