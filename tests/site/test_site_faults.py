"""Everything that can be wrong with a site file, with its line and what would be right."""

from pathlib import Path

import pytest

from gateway.errors import SiteError
from gateway.site import SiteBundle, build_plan, load_site, read_bundle
from gateway.site.bundle import shipped_name
from tests.site.texts import PUMP, SITE, problem, problems, rules


@pytest.mark.parametrize(
    ("line", "changed", "message"),
    [
        (1, "site: a b", "site: found 'a b'; an id is 1 to 64 of A-Z a-z 0-9 _ -"),
        (1, "site: 7", "site: found 7, which is not text; put it in quotes"),
        (2, "timezone: Europe/Berln",
         "timezone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'? (an IANA name is needed"),
        (2, "timezone: ../../etc/passwd", "timezone: unknown time zone '../../etc/passwd'"),
        (2, "timezone: ''", "timezone: unknown time zone ''"),
        (2, "timezoen: Europe/Berlin", "timezoen: unknown field 'timezoen'; did you mean 'timezone'? (allowed: site,"),
        (4, "buildings: {hall: {floors: [0, 1]}}",
         "buildings.hall.floors: found 0 among the floors; put ids that look like numbers in quotes"),
        (4, "buildings: {hall: {floors: {L0: {plan: /etc/passwd}}}}",
         "buildings.hall.floors.L0.plan: found '/etc/passwd'; a path relative to the site file is needed"),
        (4, "buildings: {annexe: {floors: [L0]}}", None),
        (4, "buildings: {hall: {floors: [L1, L2]}}", None),
        (5, "teams: {house: {contractr: true}}",
         "teams.house.contractr: unknown field 'contractr'; did you mean 'contractor'?"),
        (6, "work_orders: {w: {team: huose}}", "work_orders.w.team: unknown team 'huose'; did you mean 'house'?"),
        (6, "work_orders: {w: {priority: urgent}}",
         "work_orders.w.priority: unknown word 'urgent' (allowed: emergency, high, normal, low)"),
        (6, "work_orders: {w: {clocks: {arrive: 2h, resolve: 30m}}}",
         "work_orders.w.clocks: resolve (30m) ends before arrive (2h)"),
        (6, "work_orders: {w: {clocks: {accept: 30}}}", "work_orders.w.clocks.accept: found 30; a duration has a unit"),
        (6, "work_orders: {w: {checklist: [{name: a}, {name: a}]}}",
         "work_orders.w.checklist[1].name: the step 'a' was already given"),
        (8, "  - {id: pump-1, profile: pmup}", "devices[0].profile: unknown profile 'pmup'; did you mean 'pump'?"),
        (8, "  - {id: pump-1, profile: elevatr}", "devices[0].profile: unknown profile 'elevatr'; did you mean 'elevator'?"),
        (8, "  - {id: pump/1, profile: pump}", "devices[0].id: found 'pump/1'; an id is"),
        (8, "  - {profile: pump}", "devices[0]: the field 'id' is missing"),
        (8, "  - {id: pump-1, profile: pump, building: hal}",
         "devices[0].building: unknown building 'hal'; did you mean 'hall'?"),
        (8, "  - {id: pump-1, profile: pump, building: hall, floor: L9}",
         "devices[0].floor: unknown floor of hall: 'L9'"),
        (8, "  - {id: pump-1, profile: pump, floor: L0}", "devices[0]: the floor 'L0' needs the building it belongs to"),
        (8, "  - {id: pump-1, profile: pump, params: {presure_low: 1}}",
         "devices[0].params.presure_low: unknown parameter of pump: 'presure_low'; did you mean 'pressure_low'?"),
        (8, "  - {id: pump-1, profile: pump, params: {pressure_low: 30s}}",
         "devices[0].params.pressure_low: found the duration 30s; a number such as 2 is needed"),
        (8, "  - {id: pump-1, profile: pump, params: {dry_after: 30}}",
         "devices[0].params.dry_after: found the number 30; a duration such as 30s is needed"),
        (8, "  - {id: pump-1, profile: pump}\n  - {id: pump-1, profile: pump}", None),
    ],
)  # fmt: skip
def test_a_site_that_is_wrong(line: int, changed: str, message: str | None) -> None:
    lines = SITE.splitlines()
    lines[line - 1] = changed
    found = [str(one) for one in problems("\n".join(lines))]
    expected = {
        "buildings: {annexe: {floors: [L0]}}": "site.yaml:8: devices[0].building: unknown building 'hall' (allowed: annexe)",
        "buildings: {hall: {floors: [L1, L2]}}": "site.yaml:8: devices[0].floor: unknown floor of hall: 'L0'",
    }.get(changed, f"site.yaml:{line}: {message}")
    if changed.count("pump-1") == 2:
        expected = "site.yaml:9: devices[1].id: the id 'pump-1' was already given on line 8"
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("boot_grace: 2h", "settings.boot_grace: found 2h; 0s to 1h is allowed"),
        ("boot_grace: 15", "settings.boot_grace: found 15; a duration has a unit"),
        ("max_payload: 10", "settings.max_payload: found 10; input should be greater than or equal to 256"),
        ("max_payload: 64k", "settings.max_payload: found '64k'; a whole number is needed"),
        ("topic_root: a/#", "settings.topic_root: found 'a/#'; topic levels without +, #"),
        ("topic_root: $share", "settings.topic_root: found '$share'; topic levels"),
        ("topic_root: /a", "settings.topic_root: found '/a'; topic levels"),
        ("event_retention: 1s", "settings.event_retention: found 1s; 1h to 3650d is allowed"),
        ("bootgrace: 1s", "settings.bootgrace: unknown field 'bootgrace'; did you mean 'boot_grace'?"),
    ],
)
def test_a_setting_that_is_wrong(setting: str, message: str) -> None:
    assert problem(f"{SITE}settings:\n  {setting}\n").startswith(f"site.yaml:10: {message}")


PATROL = (
    SITE
    + """\
checkpoints:
  - {id: gate, building: hall, floor: L0, tags: ["04:a2:2b:1c:3d:5e:80"]}
  - {id: roof, tags: [04B22B1C3D5E80]}
routes:
  - {id: night, checkpoints: [gate, roof], order: any, reader: pump-1}
"""
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[gate, roof]", "[gate, rof]", "site.yaml:13: routes[0].checkpoints[1]: unknown checkpoint 'rof'; did you mean 'roof'?"),
        ("[gate, roof]", "[]", "site.yaml:13: routes[0].checkpoints: found it empty"),
        ("reader: pump-1", "reader: pump-2", "site.yaml:13: routes[0].reader: unknown device 'pump-2'; did you mean 'pump-1'?"),
        ("order: any", "order: sorted", "site.yaml:13: routes[0].order: unknown word 'sorted' (allowed: strict, any, random)"),
        ("04B22B1C3D5E80", "04A22B1C3D5E80", "site.yaml:11: checkpoints[1].tags[0]: the tag 04A22B1C3D5E80 already belongs to 'gate'"),
        ("04B22B1C3D5E80", "door", "site.yaml:11: checkpoints[1].tags[0]: found 'door'; a tag's id is 4 to 10 bytes"),
        ("04B22B1C3D5E80", "11223344", "site.yaml:11: checkpoints[1].tags[0]: found 11223344; put the tag's id in quotes"),
        ("id: roof", "id: gate", "site.yaml:11: checkpoints[1].id: the id 'gate' was already given on line 10"),
        ("id: roof", "id: pump-1", "site.yaml:11: checkpoints[1].id: the id 'pump-1' was already given on line 8, among the devices;"),
        ("floor: L0, tags", "floor: L7, tags", "site.yaml:10: checkpoints[0].floor: unknown floor of hall: 'L7'"),
    ],
)  # fmt: skip
def test_a_patrol_that_is_wrong(old: str, new: str, message: str) -> None:
    head, tail = PATROL[: len(SITE)], PATROL[len(SITE) :]
    assert old in tail
    found = [str(one) for one in problems(head + tail.replace(old, new))]
    assert any(one.startswith(message) for one in found), found


def test_everything_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    site = SITE.replace("Berlin", "Berln") + (
        "  - {id: 'pump 2', profile: pump}\n"
        "  - {id: pump-3, profile: pmup}\n"
        "  - {id: pump-1, profile: pump, params: {pressure_lwo: 1}}\n"
    )
    rule = rules("r: {levels: {warning: {when: {point: presure, above: 3}}}}")
    assert [(one.file, one.line) for one in problems(site, pump=rule)] == [
        ("pump.yaml", 14),
        ("site.yaml", 2),
        ("site.yaml", 9),
        ("site.yaml", 10),
        ("site.yaml", 11),
        ("site.yaml", 11),
    ]


def test_entries_after_a_broken_one_are_reported_by_their_own_place() -> None:
    site = SITE + "  - {id: pump-2}\n  - {id: pump-3, profile: pump, building: hal}\n"
    assert [str(one).split(";")[0] for one in problems(site)] == [
        "site.yaml:9: devices[1]: the field 'profile' is missing",
        "site.yaml:10: devices[2].building: unknown building 'hal'",
    ]


def test_parameters_of_a_profile_nobody_has() -> None:
    assert problem(SITE + "params: {pmup: {pressure_low: 1}}\n").startswith(
        "site.yaml:9: params.pmup: unknown profile 'pmup'; did you mean 'pump'?"
    )


ORDERED = """
    r:
      levels:
        warning: {when: {point: pressure, above: $pressure_low}}
        critical: {when: {point: pressure, above: $pressure_high}}
"""


def test_overrides_that_turn_levels_round_are_blamed_on_the_override() -> None:
    site = SITE.replace("floor: L0}", "floor: L0, params: {pressure_high: 1}}")
    assert problem(site, pump=rules(ORDERED)) == (
        "site.yaml:8: devices[0].params: with these parameters rules.r.levels.critical of pump is wrong:"
        " above 1 is reached before warning's 2; levels must rise"
    )
    assert problem(SITE + "params: {pump: {pressure_high: 1}}\n", pump=rules(ORDERED)).startswith(
        "site.yaml:9: params.pump: with these parameters rules.r.levels.critical of pump is wrong"
    )


def test_templates_of_shipped_profiles_that_the_site_lacks_are_named_with_their_rules() -> None:
    site = "site: s\ntimezone: UTC\ndevices:\n  - {id: r, profile: patrol_reader}\nwork_orders:\n  security-response: {}\n"
    text = "site.yaml:5: work_orders: the template 'reader-repair' is missing; these rules open orders from it: patrol_reader"
    shipped = (Path(__file__).parents[2] / "device_profiles" / "patrol_reader.yaml").read_text("utf-8")
    with pytest.raises(SiteError) as caught:
        build_plan(SiteBundle("site.yaml", {"site.yaml": site, shipped_name("patrol_reader"): shipped}))
    assert str(caught.value).startswith(text)
    assert len(caught.value.problems) == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"site\.yaml: there is no such file: "):
        load_site(tmp_path / "site.yaml")
    with pytest.raises(SiteError, match="it cannot be read: Is a directory"):
        load_site(tmp_path)
    (tmp_path / "site.yaml").write_bytes(b"site: a\ntitle: \xff\n")
    with pytest.raises(SiteError, match=r"site\.yaml:2: not UTF-8: byte 0xff"):
        load_site(tmp_path / "site.yaml")


def test_a_profile_file_that_is_not_there_is_reported_at_its_mention(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    with pytest.raises(
        SiteError, match=r"^site\.yaml:3: profiles\[0\]: there is no such file: .*pump\.yaml$"
    ):
        read_bundle(tmp_path / "site.yaml")


def test_a_file_past_any_sensible_size_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.site.bundle.MAX_FILE_BYTES", 64)
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    with pytest.raises(SiteError, match="larger than"):
        read_bundle(tmp_path / "site.yaml")


def test_profiles_outside_the_reach_of_a_relative_path_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "pump.yaml").write_text(PUMP + "  {}\n", "utf-8")
    for path in (f"{tmp_path}/pump.yaml", "~/pump.yaml"):
        (tmp_path / "site.yaml").write_text(SITE.replace("pump.yaml", path), "utf-8")
        with pytest.raises(SiteError, match="a path relative to the site file is needed"):
            load_site(tmp_path / "site.yaml")


@pytest.mark.parametrize(
    "text", ["5", "[]", "text", "site: {}", "devices: 5", "profiles: 5", "devices: [5]", "profiles: [5]"]
)
def test_a_file_of_quite_another_shape(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.yaml").write_text(text, "utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path / "site.yaml")
    assert all(one.file == "site.yaml" and one.line == 1 for one in caught.value.problems)
