"""What the pages name exists, and what exists is in the pages."""

import json
import re
from pathlib import Path

import pytest
import typer

from api.cli import app as command_line
from api.http.meters import (
    ALERT_COUNTERS,
    ALERT_GAUGES,
    COUNTERS,
    FAMILIES,
    GAUGES,
    PATROL_COUNTERS,
    PATROL_GAUGES,
)
from gateway.codecs.reasons import REASONS
from gateway.core.patrol.flags import FLAGS
from gateway.rehearsal import rehearse
from gateway.settings import ADDRESSES, Settings
from gateway.site.check import check_files
from gateway.site.document import parse
from gateway.site.profile_file import OPERATORS, ProfileFile, RuleEntry
from gateway.site.site_file import SettingsEntry, SiteFile
from simulators.faults import FaultKind
from tests.docs.pages import NAMES, ROOT, anchors, blocks, commands, rows, section

VARIABLES = {f"FGW_{name.upper()}" for name in Settings.model_fields}
SHORT = re.compile(r"`(_[A-Z_]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    here = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        found = here / path if path else ROOT / name
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text()), target


@pytest.mark.parametrize("name", NAMES)
def test_every_yaml_example_is_good(name: str, tmp_path: Path) -> None:
    written: list[Path] = []
    for block in blocks(page(name), "yaml"):
        first = re.match(r"# (\S+\.yaml)\n", block.text)
        assert first is not None, f"an example begins with the name of its file:\n{block.text[:80]}"
        file = tmp_path / first[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
        written.append(file)
    scenarios = [file for file in written if file.name.endswith(".scenario.yaml")]
    for checked in check_files([file for file in written if file not in scenarios]):
        assert checked.good, str(checked)
    for file in scenarios:
        result = rehearse(file)
        assert not result.problems, "\n".join(map(str, result.problems))
        assert [failure for played in result.played for failure in played.failures] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_json_example_is_json(name: str) -> None:
    for block in blocks(page(name), "json"):
        json.loads(block.text)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists_with_its_flags(name: str) -> None:
    for line in commands(page(name)):
        words = line.split()
        if not words or words[0].startswith("-"):
            continue
        found = typer.main.get_command(command_line)
        while isinstance(found, typer.core.TyperGroup) and words and not words[0].startswith("-"):
            assert words[0] in found.commands, line
            found = found.commands[words.pop(0)]
        flags = {flag for param in found.params for flag in (*param.opts, *param.secondary_opts)}
        used = {word.rstrip("`,;)") for word in words if word.startswith("--")}
        assert used <= flags, line


@pytest.mark.parametrize("name", NAMES)
def test_every_demo_of_the_makefile_has_flags_that_exist(name: str) -> None:
    demo = typer.main.get_command(command_line).commands["demo"]  # type: ignore[attr-defined]  # it is a group
    flags = {flag for param in demo.params for flag in param.opts}
    for arguments in re.findall(r'make demo ARGS="([^"]*)"', page(name)):
        assert {word for word in arguments.split() if word.startswith("--")} <= flags


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", page(name), re.MULTILINE)) <= targets


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_exists(name: str) -> None:
    text = page(name)
    named = set(re.findall(r"\bFGW_[A-Z_]*[A-Z]\b", text))
    assert {name for name in named if not name.startswith(ADDRESSES)} <= VARIABLES
    for short in SHORT.findall(text):
        assert any(variable.endswith(short) for variable in VARIABLES), short


def test_every_setting_is_explained_with_its_default() -> None:
    table = section(page("docs/operations.md"), "## Settings")
    explained: dict[str, str] = {}
    for names, default, *_ in rows(table):
        found = re.findall(r"FGW_[A-Z_]+", names)
        defaults = re.findall(r"`([^`]*)`", default) or [""]
        explained |= dict(zip(found, defaults * len(found) if len(defaults) == 1 else defaults, strict=True))
    assert explained.keys() == VARIABLES
    derived = {"FGW_MQTT_CLIENT_ID", "FGW_INFLUX_BUCKET"}  # made where they are used
    for name in VARIABLES - derived:
        default = Settings.model_fields[name.removeprefix("FGW_").lower()].default
        match default:
            case None | ():
                shown = ""
            case bool():
                shown = json.dumps(default)
            case _:
                shown = str(default)
        assert explained[name] == shown, name


def test_every_metric_is_explained_and_every_explained_one_exists() -> None:
    real = {f"fgw_{name}_total" for name in (*COUNTERS, *FAMILIES, *ALERT_COUNTERS, *PATROL_COUNTERS)}
    real |= {f"fgw_{name}" for name in (*GAUGES, *ALERT_GAUGES, *PATROL_GAUGES)}
    real |= {"fgw_healthy", "fgw_devices", "fgw_live_streams", "fgw_http_requests_total"}
    explained = set(re.findall(r"`(fgw_\w+)", section(page("docs/operations.md"), "### Metrics")))
    assert explained == real


def test_every_operator_has_its_example() -> None:
    (whole, *_) = blocks(page("docs/profiles.md"), "yaml")
    for word in OPERATORS.values():
        assert re.search(rf"[{{ ]{word}: ", whole.text), word


def test_every_field_of_the_files_is_named() -> None:
    profiles, site = page("docs/profiles.md"), page("docs/site.md")
    for field in ProfileFile.model_fields:
        assert re.search(rf"^{field}:", profiles, re.MULTILINE) or f"`{field}`" in profiles, field
    for field in RuleEntry.model_fields:
        assert f"`{field}" in profiles, field
    for field in SiteFile.model_fields:
        assert re.search(rf"^{field}:", site, re.MULTILINE), field
    for field in SettingsEntry.model_fields:
        assert f"`settings.{field}`" in site, field


def test_every_fault_of_the_simulators_is_named() -> None:
    named = {
        word
        for row in rows(section(page("docs/simulators.md"), "## Faults"))
        for word in re.findall(r"`(\w+)`", row[-1])
    }
    assert named == set(FaultKind)


def test_both_readmes_hold_the_same() -> None:
    english, chinese = page("README.md"), page("README.zh.md")
    wanted = ("sh", "yaml", "text")

    def bare(text: str) -> list[str]:
        shown = [
            block.text for block in blocks(text, *wanted) if not block.text.startswith("╭")
        ]  # the screen
        return [re.sub(r" *# .*$", "", block, flags=re.MULTILINE) for block in shown]

    assert bare(chinese) == bare(english)
    links = [set(re.findall(r"\]\(([^)\s]+)\)", text)) for text in (english, chinese)]
    assert links[0] - {"README.zh.md"} == links[1] - {"README.md"}
    assert english.count("\n## ") == chinese.count("\n## ")


def test_every_decision_is_listed_and_numbered_in_a_row() -> None:
    files = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    listed = re.findall(r"^(\d+)\. \[.*\]\((\S+)\)$", page("docs/decisions/README.md"), re.MULTILINE)
    assert [name for _, name in listed] == files
    assert [int(number) for number, _ in listed] == [int(name[:4]) for name in files]
    for name in files:
        text = page(f"docs/decisions/{name}")
        assert text.startswith(f"# {int(name[:4])}. ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "What it costs")), name


def test_every_dependency_has_its_reason() -> None:
    project = page("pyproject.toml")
    listed = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    groups = re.search(r"^\[dependency-groups\]\n(.*?)\n\n", project, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert groups is not None
    wanted = set(re.findall(r'"([a-z0-9-]+)', listed[1] + groups[1]))
    text = page("docs/decisions/0001-dependencies.md")
    assert wanted
    assert {name for name in wanted if f"`{name}`" not in text} == set()


def test_the_reasons_of_refusals_are_all_told() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section(page("docs/mqtt.md"), "## What is refused"))}
    told.pop("reason")
    assert told.keys() == REASONS.keys()
    for reason, meaning in REASONS.items():
        assert told[reason].startswith(meaning), reason


def test_text_that_is_not_yaml_would_be_noticed(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("profile: x\nrules: {a: {levels: {loud: {when: {offline: true}}}}}\n")
    assert parse("bad.yaml", bad.read_text()).data
    assert not check_files([bad])[0].good


def test_every_flag_of_a_tap_is_told_and_whether_it_counts() -> None:
    told = {cells[0].strip("`"): cells[-1] for cells in rows(section(page("docs/patrol.md"), "## Flags"))}
    told.pop("flag", None)
    assert told == {name: "yes" if flag.counts else "no" for name, flag in FLAGS.items()}
