"""The profiles and the demonstration site that ship with the gateway."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

import device_profiles
from gateway.core.plan import Kind, OneOf
from gateway.core.values import HOUR, MINUTE, SECOND, Level
from gateway.site import load_site
from gateway.site.document import parse
from gateway.site.library import read_profile
from gateway.site.problems import Problems
from gateway.site.terms import Terms

RIVERSIDE = Path(__file__).parents[2] / "simulators" / "sites" / "riverside" / "site.yaml"
NAMES = ("access_gate", "elevator", "fire_panel", "patrol_reader")


def shipped(name: str) -> Kind:
    problems = Problems()
    loaded = read_profile(name, device_profiles.profile_path(name).read_text("utf-8"), problems)
    assert not problems, problems.sorted()
    assert loaded is not None
    return loaded.kind


def test_these_profiles_ship() -> None:
    assert device_profiles.available() == NAMES
    assert device_profiles.internal() == ("checkpoint", "guard", "patrol_route")
    for name in ("checkpoint", "patrol/checkpoint"):
        with pytest.raises(KeyError):
            device_profiles.samples_path(name)
    with pytest.raises(KeyError):
        device_profiles.profile_path("../pyproject")


@pytest.mark.parametrize("name", [*NAMES, *device_profiles.internal()])
def test_a_shipped_profile_is_clean_and_reads_in_both_languages(name: str) -> None:
    kind = shipped(name)
    titles = [
        kind.title,
        *(
            part.title
            for group in (kind.points, kind.events, kind.rules, kind.suppressions)
            for part in group.values()
        ),
    ]
    assert [
        title for title in titles if title.en == title.zh or not title.en.isascii() or title.zh.isascii()
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_watches_silence_and_connection(name: str) -> None:
    assert {"silent", "offline"} <= set(shipped(name).rules)


@pytest.mark.parametrize("name", [*NAMES, *device_profiles.internal()])
def test_a_shipped_profile_fits_a_site_without_calendars(name: str) -> None:
    problems = Problems()
    text = device_profiles.profile_path(name).read_text("utf-8")
    assert read_profile(name, text, problems, Terms(calendars={})) is not None
    assert not problems, problems.sorted()


@pytest.mark.parametrize("name", NAMES)
def test_what_people_must_not_miss_asks_again_and_is_never_kept_quiet(name: str) -> None:
    kind = shipped(name)
    quiet = {rule for suppression in kind.suppressions.values() for rule in suppression.rules}
    danger = {rule.name for rule in kind.rules.values() if not rule.shelvable}
    assert not quiet & danger
    latched = [rule for rule in kind.rules.values() if rule.latched]
    assert [rule.name for rule in latched if rule.re_alarm is None] == []


@pytest.mark.parametrize(
    ("profile", "point", "word", "quiet", "told"),
    [
        ("elevator", "mode", "inspection", "door_held_open", "motor_overheat"),
        ("elevator", "mode", "out_of_service", "fault", "out_of_service"),
        ("elevator", "mode", "firefighter_control", "door_held_open", "fault"),
        ("fire_panel", "state", "test_active", "trouble", "in_test"),
        ("fire_panel", "state", "test_supervisory", "supervisory", "centre_link"),
        ("access_gate", "alarm_state", "lock_down", "denied_burst", "forced_open"),
        ("access_gate", "alarm_state", "free_access", "held_open", "tamper"),
    ],
)
def test_work_and_tests_keep_quiet_what_they_bring_about(
    profile: str, point: str, word: str, quiet: str, told: str
) -> None:
    silenced = {
        rule
        for suppression in shipped(profile).suppressions.values()
        if isinstance(suppression.when, OneOf)
        and suppression.when.point == point
        and word in suppression.when.values
        for rule in suppression.rules
    }
    assert quiet in silenced
    assert told not in silenced


@pytest.mark.parametrize("name", NAMES)
def test_samples_stand_beside_a_shipped_profile_with_what_is_taken_and_what_is_refused(name: str) -> None:
    data = parse(name, device_profiles.samples_path(name).read_text("utf-8")).data
    assert isinstance(data, dict)
    assert data["profile"] == name
    assert isinstance(data["samples"], list)
    samples = [sample for sample in data["samples"] if isinstance(sample, dict)]
    assert {sample["topic"] for sample in samples} <= {"telemetry", "event", "status", "tap"}
    assert any(sample["facts"] for sample in samples)
    assert any(sample.get("rejected") for sample in samples)
    names = Counter(str(sample["name"]) for sample in samples)
    assert max(names.values()) == 1


@pytest.mark.parametrize(
    ("profile", "rule"),
    [
        ("elevator", "entrapment"),
        ("elevator", "moving_door_open"),
        ("fire_panel", "fire"),
        ("access_gate", "duress"),
        ("patrol_reader", "sos"),
        ("guard", "sos"),
    ],
)
def test_life_safety_is_latched_and_cannot_be_shelved(profile: str, rule: str) -> None:
    found = shipped(profile).rules[rule]
    assert found.latched
    assert not found.shelvable
    assert found.levels[-1].level is Level.CRITICAL
    assert found.levels[-1].hold == 0


def test_riverside_is_the_site_it_says_it_is() -> None:
    plan = load_site(RIVERSIDE)
    assert Counter(device.kind.profile for device in plan.equipment.values()) == {
        "elevator": 12,
        "fire_panel": 3,
        "access_gate": 8,
        "patrol_reader": 4,
    }
    assert (len(plan.buildings), len(plan.checkpoints), plan.timezone) == (2, 40, "Asia/Shanghai")
    assert plan.boot_grace == 15 * SECOND
    assert sum(team.contractor for team in plan.teams.values()) == 1
    visited = {checkpoint for route in plan.routes.values() for checkpoint in route.checkpoints}
    assert visited == set(plan.checkpoints)


def test_riverside_promises_people_within_half_an_hour_and_an_answer_within_two() -> None:
    templates = load_site(RIVERSIDE).templates
    for name in ("lift-entrapment", "fire-response", "security-response"):
        assert templates[name].priority == "emergency"
        assert (templates[name].clocks.arrive or HOUR) <= 30 * MINUTE
    for name in ("lift-repair", "fire-panel-repair", "gate-repair"):
        assert (templates[name].clocks.arrive or 3 * HOUR) <= 2 * HOUR


def test_riverside_tells_every_critical_alert_and_inspects_every_lift_and_panel() -> None:
    plan = load_site(RIVERSIDE)
    last = [callout for callout in plan.callouts if not callout.rules and not callout.devices]
    assert Level.CRITICAL in {level for callout in last for level in callout.levels}
    assert all(callout.steps for callout in plan.callouts if Level.CRITICAL in callout.levels)
    kinds = {
        name: {plan.devices[device].kind.profile for device in item.devices}
        for name, item in plan.preventive.items()
    }
    assert kinds == {
        "lift-inspection": {"elevator"},
        "fire-panel-check": {"fire_panel"},
        "fire-system-service": set(),
    }
    assert len(plan.preventive["lift-inspection"].devices) == 12
    tagged = Counter(device.kind.profile for device in plan.devices.values() if device.tags)
    assert tagged == {"elevator": 12, "fire_panel": 3}


def test_riverside_keeps_the_public_holidays_of_2026() -> None:
    office = load_site(RIVERSIDE).calendars["office"]
    noon = {
        day: datetime.fromisoformat(f"{day}T14:00+08:00")
        for day in ("2026-10-01", "2026-10-10", "2026-10-11")
    }
    assert {day: office.is_open(int(at.timestamp() * 1000)) for day, at in noon.items()} == {
        "2026-10-01": False,
        "2026-10-10": True,
        "2026-10-11": False,
    }


def test_riverside_reads_in_both_languages() -> None:
    plan = load_site(RIVERSIDE)
    groups = (
        plan.devices,
        plan.templates,
        plan.teams,
        plan.buildings,
        plan.checkpoints,
        plan.routes,
        plan.targets,
        plan.preventive,
    )
    titles = [plan.title, *(part.title for group in groups for part in group.values())]
    titles += [window.title for window in plan.maintenance]
    titles += [step.title for template in plan.templates.values() for step in template.checklist]
    titles += [floor.title for building in plan.buildings.values() for floor in building.floors.values()]
    assert [title for title in titles if title.en == title.zh] == []
