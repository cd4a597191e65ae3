"""The words of a profile about when a rule is judged, when it asks again and what keeps it quiet."""

from pathlib import Path

import pytest

from gateway.core.plan import AllOf, Clear, Compare, Count, During, Flapping, Negation, OneOf, Suppression
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Title
from gateway.site import build_plan
from gateway.site.check import check_file
from tests.site.texts import PUMP, SITE, bundle, problem, problems, rules

OPEN = SITE + 'calendars: {office: {hours: {mon-fri: "08:00-18:00"}}}\n'
WORDS = """
    r:
      levels:
        info: {when: {point: pressure, above: 3}, for: 1m}
        warning: {when: {point: pressure, above: 5}}
      active: office
      re_alarm: 4h
      flapping: {transitions: 5, within: $dry_after}
    night:
      levels: {info: {when: {all: [{point: running, is: true}, {during: {"sat,sun": "00:00-24:00"}, for: 5s}]}}}
      active: {outside: office}
"""
QUIET = """\
suppressions:
  by_hand:
    title: {en: By hand, zh: 手动}
    when: {point: mode, is: hand}
    for: 10s
    clear: {for: 1m}
    rules: [r]
  tripping: {when: {count: {event: trip, within: 1m, at_least: 2}}, rules: [r, night]}
"""


def test_a_rule_is_active_while_a_calendar_is_open_or_outside_it() -> None:
    plan = build_plan(bundle(OPEN, pump=rules(WORDS)))
    office = During(calendar="office", schedule=plan.calendars["office"])
    found = plan.devices["pump-1"].kind.rules
    low, high = found["r"].levels
    assert low.when == AllOf(parts=(Compare(point="pressure", high=3.0), office))
    assert low.hold == MINUTE
    assert high.when == AllOf(parts=(Compare(point="pressure", high=5.0), office))
    (night,) = found["night"].levels
    assert isinstance(night.when, AllOf)
    assert night.when.parts[1] == Negation(part=office)


def test_hours_written_out_are_those_of_the_sites_zone() -> None:
    (level,) = build_plan(bundle(OPEN, pump=rules(WORDS))).devices["pump-1"].kind.rules["night"].levels
    assert isinstance(level.when, AllOf)
    assert isinstance(level.when.parts[0], AllOf)
    weekend = level.when.parts[0].parts[1]
    assert isinstance(weekend, During)
    assert (weekend.calendar, weekend.hold) == ("sat 00:00-24:00; sun 00:00-24:00", 5 * SECOND)
    friday_midnight_in_berlin = 1_767_999_600_000 - 0  # 2026-01-09T23:00Z
    assert weekend.schedule.next_change(friday_midnight_in_berlin - HOUR) == friday_midnight_in_berlin
    assert weekend.schedule.next_change(friday_midnight_in_berlin) == friday_midnight_in_berlin + 2 * DAY


def test_asking_again_and_chatter() -> None:
    found = build_plan(bundle(OPEN, pump=rules(WORDS))).devices["pump-1"].kind.rules
    assert (found["r"].re_alarm, found["night"].re_alarm) == (4 * HOUR, None)
    assert found["r"].flapping == Flapping(transitions=5, within=30 * SECOND)
    assert found["night"].flapping == Flapping(transitions=3, within=MINUTE)


def test_suppressions_by_design() -> None:
    kind = build_plan(bundle(OPEN, pump=rules(WORDS) + QUIET)).devices["pump-1"].kind
    assert kind.suppressions == {
        "by_hand": Suppression(
            name="by_hand",
            title=Title("By hand", "手动"),
            when=OneOf(point="mode", values=("hand",)),
            rules=("r",),
            hold=10 * SECOND,
            clear=Clear(hold=MINUTE),
        ),
        "tripping": Suppression(
            name="tripping",
            title=Title("tripping", "tripping"),
            when=Count(event="trip", within=MINUTE, at_least=2),
            rules=("r", "night"),
        ),
    }


def test_a_profile_checked_by_itself_takes_any_name_for_a_calendar(tmp_path: Path) -> None:
    (tmp_path / "pump.yaml").write_text(rules(WORDS) + QUIET, "utf-8")
    assert check_file(tmp_path / "pump.yaml").good


def test_a_calendar_the_site_lacks_is_told_where_the_profile_names_it() -> None:
    found = [str(one) for one in problems(OPEN.replace("{office:", "{ofice:"), pump=rules(WORDS))]
    assert found == [
        "pump.yaml:18: rules.r.active: unknown calendar 'office'; did you mean 'ofice'? (allowed: ofice)",
        "pump.yaml:23: rules.night.active.outside: unknown calendar 'office'; did you mean 'ofice'? (allowed: ofice)",
    ]
    assert problem(pump=rules("r: {levels: {info: {when: {during: office}}}}")) == (
        "pump.yaml:14: rules.r.levels.info.when.during: unknown calendar 'office'; none is defined"
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("re_alarm: 10s", "rules.r.re_alarm: found 10s; at least 1m is needed"),
        ("re_alarm: $pressure_low", "rules.r.re_alarm: $pressure_low is the number 2; a duration such as 30s"),
        ("shelve_max: 1s", "rules.r.shelve_max: found 1s; at least 1m is needed"),
        ("shelve_max: 1h, shelvable: false", "rules.r: shelve_max is for how long it may be shelved, and shelvable is false"),
        ("flapping: {transitions: 1}", "rules.r.flapping.transitions: found 1; 2 to 100 are allowed"),
        ("flapping: {within: 0s}", "rules.r.flapping.within: found 0s; up to 1d is allowed"),
        ("flapping: {count: 3}", "rules.r.flapping.count: unknown field 'count' (allowed: transitions, within)"),
        ("active: 5", "rules.r.active: found 5; the name of a calendar is needed"),
        ("active: {outside: {mon: 9-17}}", "rules.r.active: mon: found '9-17'; hours are written"),
        ("active: {outside: a, mon: b}", "rules.r.active: found mon beside 'outside'; it stands alone"),
        ("active: {}", "rules.r.active: found a mapping; hours by day are needed"),
        ("active: {mon-tue-fri: '08:00-09:00'}", "rules.r.active: unknown day 'mon-tue-fri'"),
        ("active: {'mon,mon': '08:00-09:00'}", "rules.r.active: mon is given twice"),
        ("active: '24/7'", "rules.r.active: found '24/7'; a name is a letter"),
    ],
)  # fmt: skip
def test_a_rule_that_is_wrong(rule: str, message: str) -> None:
    text = f"r: {{levels: {{info: {{when: {{point: pressure, above: 3}}}}}}, {rule}}}"
    assert problem(pump=rules(text)).startswith(f"pump.yaml:14: {message}")


@pytest.mark.parametrize(
    ("suppression", "message"),
    [
        ("when: {point: running, is: true}, rules: [lwo]", "suppressions.s.rules[0]: unknown rule 'lwo'; did you mean 'low'?"),
        ("when: {point: running, is: true}, rules: [low, low]", "suppressions.s.rules[1]: the rule 'low' was already given"),
        ("when: {point: running, is: true}, rules: []", "suppressions.s.rules: found it empty"),
        ("when: {point: running, is: true}", "suppressions.s: the field 'rules' is missing"),
        ("when: {point: running, is: true}, rules: [burst]", "suppressions.s.rules[0]: 'burst' is life safety (shelvable: false)"),
        ("when: {event: trip}, rules: [low]", "suppressions.s.when: an event or a change lasts no time, so it can keep nothing quiet"),
        ("when: {all: [{point: running, is: true}, {not: {point: label, changed: true}}]}, rules: [low]",
         "suppressions.s.when.all[1].not: an event or a change lasts no time"),
        ("when: {point: runing, is: true}, rules: [low]", "suppressions.s.when.point: unknown point 'runing'; did you mean 'running'?"),
        ("when: {point: running, is: true}, clear: {deadband: 1}, rules: [low]",
         "suppressions.s.clear.deadband: a deadband needs a limit to fall back from"),
    ],
)  # fmt: skip
def test_a_suppression_that_is_wrong(suppression: str, message: str) -> None:
    text = rules("""
        low: {levels: {info: {when: {point: pressure, below: 3}}}}
        burst: {shelvable: false, levels: {info: {when: {point: pressure, above: 20}}}}
    """)
    assert problem(pump=f"{text}suppressions:\n  s: {{{suppression}}}\n").startswith(
        f"pump.yaml:17: {message}"
    )


def test_a_suppression_of_a_broken_rule_is_not_told_twice() -> None:
    text = PUMP + "  low: {levels: {loud: {}}}\nsuppressions:\n  s: {when: {offline: true}, rules: [low]}\n"
    assert {one.line for one in problems(pump=text)} == {14}
