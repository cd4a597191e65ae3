"""Whole files: sites by path, inline and made up; layers over them; coverage; the same result each time."""

from pathlib import Path

from gateway.rehearsal import FileResult, Raise, coverage, play, read, rehearse, shipped
from tests.rehearsal.mill import file_of, result_of


def titles(result: FileResult) -> dict[str, list[str]]:
    assert not result.problems, [str(problem) for problem in result.problems]
    return {played.title: [failure.found for failure in played.failures] for played in result.played}


def test_a_shipped_profile_is_tried_on_a_site_made_up_for_it(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        profile: elevator
        params: {motor_temp_high: 75}
        scenarios:
          - scenario: at the limit of the file
            steps:
              - {at: 0s, values: {motor_temp: 78}}
              - {at: 5m, expect: [{alert: motor_overheat, level: warning}, {no_work_order: any}]}
          - scenario: at a limit of its own
            params: {motor_temp_high: 79, motor_temp_critical: 90}
            steps:
              - {at: 0s, values: {motor_temp: 78}}
              - {at: 5m, expect: {no_alert: any}}
              - {at: 5m, values: {motor_temp: 91}}
              - {at: 6m, expect: [{alert: motor_overheat, level: critical}, {work_order: lift-repair, device: d1}]}
        """,
    )
    assert titles(result) == {"at the limit of the file": [], "at a limit of its own": []}


def test_layers_are_laid_over_a_site_in_order(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        site: mill.yaml
        device: d1
        lay_over: {devices: {d1: {params: {hot: 50}}, d2: null}}
        scenarios:
          - scenario: the file's layer
            steps:
              - {at: 0s, values: {temp: 60}}
              - {at: 3m, expect: {alert: hot}}
          - scenario: a layer over it
            lay_over: {devices: {d1: {params: {hot: 70}}}, settings: {boot_grace: 1h}}
            steps:
              - {at: 0s, values: {temp: 60}}
              - {at: 30m, expect: {no_alert: any, device: any}}
        """,
    )
    assert titles(result) == {"the file's layer": [], "a layer over it": []}


def test_a_site_may_be_written_into_the_file(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        site:
          site: inline
          timezone: Asia/Shanghai
          profiles: [thing.yaml]
          devices: [{id: pump, profile: thing}]
          work_orders: {repair: {}}
        begin: 2026-03-01 23:00
        scenarios:
          - scenario: the only device is meant
            steps:
              - {at: "23:30", values: {temp: 90}}
              - {at: "00:10", expect: {alert: hot, raised_at: "23:32", device: pump}}
              - {at: "00:10", expect: {alert: hot, raised_at: 32m}}
          - scenario: with a beginning of its own
            begin: 2026-03-02T06:00
            steps:
              - {at: 2026-03-02 07:00, event: trip}
              - {at: 3h, expect: {alert: tripped, raised_at: "07:00"}}
        """,
    )
    assert titles(result) == {"the only device is meant": [], "with a beginning of its own": []}


def test_a_bare_time_of_day_is_the_next_one(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        site: mill.yaml
        device: d1
        begin: 2026-03-28 22:00                 # the clocks go forward that night
        reporting: off
        scenarios:
          - scenario: through the night in which an hour is missing
            steps:
              - {at: "23:00", event: trip, with: {test: true}, id: a}
              - {at: "03:00", event: trip, expect: {alert: tripped, raised_at: 4h}}
              - {at: "22:00", expect: {alert: tripped, raised_at: 2026-03-29 03:00}}
        """,
    )
    assert titles(result) == {"through the night in which an hour is missing": []}


def test_a_bare_time_of_day_may_come_twice_in_one_night(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        site: mill.yaml
        device: d1
        begin: 2026-10-25 01:30                 # the clocks go back that night
        reporting: off
        scenarios:
          - scenario: through the hour that comes twice
            steps:
              - {at: "02:45", event: trip, with: {test: true}, id: a}
              - {at: "02:30", event: trip, expect: {alert: tripped, raised_at: 2h}}
              - {at: "02:30", expect: {alert: tripped, raised_at: "02:30"}}
        """,
    )
    assert titles(result) == {"through the hour that comes twice": []}


def test_coverage_knows_what_was_raised_and_what_was_not(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        """
        profile: thing.yaml
        scenarios:
          - scenario: hot and hotter
            steps:
              - {at: 0s, values: {temp: 90}}
              - {at: 3m, values: {temp: 110}}
              - {at: 4m, expect: {alert: hot, level: critical}}
          - scenario: full
            steps:
              - {at: 0s, values: {level: 95}, expect: {alert: full}}
        """,
    )
    assert result.known == {
        Raise("thing", *pair.split("/"))
        for pair in ("hot/warning", "hot/critical", "full/info", "tripped/critical", "often/warning",
                     "silent/warning", "gone/critical")
    }  # fmt: skip
    assert [played.raised for played in result.played] == [
        {Raise("thing", "hot", "warning"), Raise("thing", "hot", "critical")},
        {Raise("thing", "full", "info")},
    ]
    found = coverage([result], [Raise("other", "rule", "info")])
    assert found.raised == {
        Raise("thing", "hot", "warning"),
        Raise("thing", "hot", "critical"),
        Raise("thing", "full", "info"),
    }
    assert [*map("/".join, found.missing)] == [
        "other/rule/info",
        "thing/gone/critical",
        "thing/often/warning",
        "thing/silent/warning",
        "thing/tripped/critical",
    ]


def test_the_shipped_profiles_are_known_with_their_levels(tmp_path: Path) -> None:
    known = shipped()
    assert {
        Raise("elevator", "motor_overheat", "warning"),
        Raise("checkpoint", "missed", "critical"),
        Raise("guard", "sos", "critical"),
    } <= known
    result = result_of(
        tmp_path,
        "site: mill.yaml\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]",
    )
    internal = {
        one for one in result.known if one.profile in ("checkpoint", "patrol_route", "guard", "patrol_reader")
    }
    assert internal == {
        one for one in known if one.profile in ("checkpoint", "patrol_route", "guard", "patrol_reader")
    }


def test_the_same_file_gives_the_same_result(tmp_path: Path) -> None:
    text = """
        site: mill.yaml
        device: d1
        scenarios:
          - scenario: a bit of everything
            steps:
              - {at: 0s, values: {temp: 90}}
              - {at: 1m, restart: 10s}
              - {at: 5m, event: trip, expect: [{alert: full}, {notice: hot, to: workshop}]}
        """
    assert result_of(tmp_path, text) == result_of(tmp_path, text)
    assert rehearse(tmp_path / "mill.scenario.yaml").played[0].failures


def test_scenarios_can_be_played_one_by_one(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "site: mill.yaml\ndevice: d1\nscenarios:\n  - {scenario: one, steps: [{at: 0s, event: trip, expect: {outcome: alert.raised}}]}\n  - {scenario: two, steps: [{at: 0s, expect: {alert: hot}}]}\n",
    )
    file = read(path)
    assert [(one.title, one.line) for one in file.scenarios] == [("one", 4), ("two", 5)]
    assert play(file, file.scenarios[0]).failures == ()
    (failure,) = play(file, file.scenarios[1]).failures
    assert (failure.file, failure.line, failure.at) == (path.as_posix(), 5, "0s")


def test_a_scenario_in_which_nothing_is_expected_does_not_pass(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "site: mill.yaml\ndevice: d1\nscenarios:\n  - {scenario: one, steps: [{at: 0s, event: trip}]}\n",
    )
    file = read(path)
    (failure,) = play(file, file.scenarios[0]).failures
    assert (failure.line, failure.found) == (4, "nothing is: whatever the rules do, it would pass")
