"""The scenarios that ship with the profiles: all of them hold, and together they raise every level of every rule."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import device_profiles
from gateway.rehearsal import FileResult, coverage, rehearse, shipped

SCENARIOS = Path(device_profiles.__file__).with_name("scenarios")
FILES = sorted(SCENARIOS.glob("*.scenario.yaml"))
LINES_MOST = 400


@cache
def played(path: Path) -> FileResult:
    return rehearse(path)


def results() -> list[FileResult]:
    return [played(path) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_every_scenario_of_a_shipped_file_holds(path: Path) -> None:
    result = played(path)
    assert result.problems == ()
    assert [failure for one in result.played for failure in one.failures] == []
    assert result.played


def test_every_level_of_every_rule_that_ships_is_raised_by_a_scenario() -> None:
    found = coverage(results(), shipped())
    assert found.missing == ()
    assert found.raised == shipped()


def test_a_level_that_no_scenario_raises_any_more_is_missed() -> None:
    every = shipped()
    for gone in sorted(every):
        left = [
            result._replace(played=tuple(one for one in result.played if gone not in one.raised))
            for result in results()
        ]
        assert gone in coverage(left, every).missing


def test_a_file_that_is_taken_away_is_missed() -> None:
    for profile in ("elevator", "fire_panel", "access_gate", "patrol_reader", "checkpoint"):
        left = [result for result in results() if profile not in {one.profile for one in result.known}]
        assert profile in {one.profile for one in coverage(left, shipped()).missing}


def test_every_scenario_is_told_in_a_sentence_of_its_own_and_files_stay_short() -> None:
    titles = Counter(one.title for result in results() for one in result.played)
    assert [title for title, times in titles.items() if times > 1] == []
    assert [title for title in titles if not title[0].isupper() or title.endswith(".")] == []
    long = [path.name for path in FILES if len(path.read_text("utf-8").splitlines()) > LINES_MOST]
    assert long == []


# --- scenarios that hold whatever the profile says would be worth nothing -----------------------------------------

DAMAGES = {
    "a limit of the motor is moved": ("elevator_safety", "motor_temp_high: 80", "motor_temp_high: 81"),
    "people are told later that somebody is trapped": ("elevator_safety", "entrapment_after: 120s", "entrapment_after: 121s"),
    "an entrapment may be put aside": ("elevator_safety", "    shelvable: false\n    re_alarm: 30m", "    re_alarm: 30m"),
    "a moving car with an open door ends by itself": ("elevator_safety", "    latched: true\n    shelvable: false\n    re_alarm: 1h", "    re_alarm: 1h"),
    "a technician at work hides the heat of the motor": ("elevator_safety", "rules: [door_held_open, levelling, overload,", "rules: [motor_overheat, door_held_open, levelling, overload,"),
    "a technician at work hides no door any more": ("elevator_faults", "rules: [door_held_open, levelling, overload,", "rules: [levelling, overload,"),
    "a test of the panel is a fire": ("fire_panel_alarms", "- {event: fire_alarm, where: {test: false}}", "- {event: fire_alarm}"),
    "an alarm of the panel is no fire": ("fire_panel_alarms", "in: [alarm, fault_alarm, local_alarm, general_alarm]", "in: [fault_alarm, local_alarm, general_alarm]"),
    "a test keeps the link to the centre quiet": ("fire_panel_faults", "rules: [supervisory, trouble,", "rules: [centre_link, supervisory, trouble,"),
    "a panel may be silent for longer": ("fire_panel_faults", "{silent_for: 3x}", "{silent_for: 4x}"),
    "four refusals are many": ("access_gate", "denied_at_least: 5", "denied_at_least: 4"),
    "six refusals are needed": ("access_gate", "denied_at_least: 5", "denied_at_least: 6"),
    "a released gate hides that it is forced": ("access_gate", "rules: [held_open, tailgating,", "rules: [forced_open, held_open, tailgating,"),
    "a call for help is no longer repeated": ("patrol_reader", "    re_alarm: 10m\n", ""),
    "a charging battery is well too early": ("patrol_reader", "clear: {deadband: 5, for: 1m}", "clear: {deadband: 4, for: 1m}"),
}  # fmt: skip
"""Which file tells of it, and what is done to its profile: the text that stands there, and what takes its place."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_profile_that_is_damaged_fails_its_scenarios(tmp_path: Path, damage: str) -> None:
    file, before, after = DAMAGES[damage]
    told = SCENARIOS.joinpath(f"{file}.scenario.yaml").read_text("utf-8")
    heading, name = next(
        (line, line.split()[-1]) for line in told.splitlines() if line.startswith("profile:")
    )
    text = device_profiles.profile_path(name).read_text("utf-8")
    assert text.count(before) == 1
    tmp_path.joinpath(f"{name}.yaml").write_text(text.replace(before, after), "utf-8")
    damaged = tmp_path / f"{file}.scenario.yaml"
    damaged.write_text(told.replace(heading, f"{heading}.yaml", 1), "utf-8")
    result = rehearse(damaged)
    assert result.problems == ()
    assert any(one.failures for one in result.played)
