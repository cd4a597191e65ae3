"""Checking files without starting anything."""

import json
from pathlib import Path

import device_profiles
from gateway.site.check import check_file, check_files, schemas
from tests.site.texts import PATROLLED, PUMP, SITE, rules


def test_a_good_site_is_summed_up(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    (tmp_path / "pump.yaml").write_text(rules("r: {levels: {warning: {when: {offline: true}}}}"), "utf-8")
    checked = check_file(tmp_path / "site.yaml")
    assert checked.good
    assert (checked.what, checked.name) == ("site", "mill")
    assert checked.counts == {
        "pump devices": 1,
        "rules": 1,
        "work-order templates": 1,
        "teams": 1,
        "buildings": 1,
        "guards": 0,
        "checkpoints": 0,
        "routes": 0,
        "coverage rules": 0,
    }
    assert str(checked) == (
        f"{tmp_path}/site.yaml: site mill is good: 1 pump devices, 1 rules, 1 work-order templates, 1 teams, 1 buildings"
    )


def test_a_patrol_is_counted_and_its_checkpoints_are_no_devices(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(PATROLLED, "utf-8")
    (tmp_path / "pump.yaml").write_text(rules("r: {levels: {warning: {when: {offline: true}}}}"), "utf-8")
    assert str(check_file(tmp_path / "site.yaml")).split(": ")[-1] == (
        "2 pump devices, 1 rules, 2 work-order templates, 1 teams, 1 buildings,"
        " 2 guards, 3 checkpoints, 3 routes, 2 coverage rules"
    )


def test_a_profile_is_checked_by_itself(tmp_path: Path) -> None:
    (tmp_path / "pump.yaml").write_text(PUMP + "  {}\n", "utf-8")
    checked = check_file(tmp_path / "pump.yaml")
    assert (checked.what, checked.name, checked.good) == ("profile", "pump", True)
    assert checked.counts == {"points": 5, "events": 1, "rules": 0, "parameters": 3}


def test_problems_name_the_files_as_seen_from_where_one_stands(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE.replace("Berlin", "Berln"), "utf-8")
    (tmp_path / "pump.yaml").write_text(rules("r: {levels: {warning: {when: {event: tripp}}}}"), "utf-8")
    site, profile = check_files([tmp_path / "site.yaml", tmp_path / "pump.yaml"])
    assert [(one.file, one.line) for one in site.problems] == [
        (f"{tmp_path}/pump.yaml", 14),
        (f"{tmp_path}/site.yaml", 2),
    ]
    assert [(one.file, one.line) for one in profile.problems] == [(f"{tmp_path}/pump.yaml", 14)]
    assert str(profile).startswith(
        f"{tmp_path}/pump.yaml:14: rules.r.levels.warning.when.event: unknown event 'tripp'"
    )


def test_what_is_neither_site_nor_profile(tmp_path: Path) -> None:
    texts = {"a.yaml": "sites: x\n", "b.yaml": "[1]\n", "c.yaml": "a: [\n", "d.yaml": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    found = check_files([*(tmp_path / name for name in texts), tmp_path / "absent.yaml"])
    assert [one.what for one in found] == ["unknown"] * 5
    assert [one.good for one in found] == [False] * 5
    assert str(found[0]).endswith("unknown field 'sites'; did you mean 'site'? (allowed: site, profile)")
    assert str(found[4]).startswith(f"{tmp_path}/absent.yaml: there is no such file")


def test_every_shipped_profile_is_good() -> None:
    names = (*device_profiles.available(), *device_profiles.internal())
    found = check_files(device_profiles.profile_path(name) for name in names)
    assert [str(one) for one in found if not one.good] == []


def test_the_schemas_are_plain_json_and_know_the_words_of_the_files() -> None:
    found = json.loads(json.dumps(schemas()))
    assert set(found) == {"site", "profile"}
    condition = found["profile"]["$defs"]["ConditionEntry"]["properties"]
    assert {"is", "in", "all", "any", "not", "for", "above"} <= set(condition)
    assert found["site"]["additionalProperties"] is False
    assert "timezone" in found["site"]["required"]
    defined = found["site"]["$defs"]
    assert {"from", "until", "secure", "epoch"} <= set(defined["TagEntry"]["properties"])
    assert defined["CheckpointEntry"]["properties"]["tags"]["items"] == {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/TagEntry"}]
    }
