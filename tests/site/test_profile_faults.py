"""Everything that can be wrong with a profile, with its line and what would be right."""

import pytest

from gateway.site import build_plan
from tests.site.texts import PUMP, SITE, bundle, problem, problems, rules


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        # names
        ("r: {levels: {warning: {when: {point: presure, above: 3}}}}",
         "rules.r.levels.warning.when.point: unknown point 'presure'; did you mean 'pressure'? (allowed: pressure, running,"),
        ("r: {levels: {warning: {when: {event: tripp}}}}",
         "rules.r.levels.warning.when.event: unknown event 'tripp'; did you mean 'trip'?"),
        ("r: {levels: {warning: {when: {point: pressure, above: $pressure_hi}}}}",
         "rules.r.levels.warning.when.above: unknown parameter 'pressure_hi'; did you mean 'pressure_high'?"),
        ("r: {levels: {warning: {when: {event: trip, where: {casue: heat}}}}}",
         "rules.r.levels.warning.when.where.casue: unknown attribute of event 'trip': 'casue'; did you mean 'cause'?"),
        ("r: {levels: {warning: {when: {point: presure, silent_for: 3x}}}}",
         "rules.r.levels.warning.when.point: unknown point 'presure'"),
        ("r: {levels: {warning: {when: {count: {event: trop, within: 1m, at_least: 2}}}}}",
         "rules.r.levels.warning.when.count.event: unknown event 'trop'; did you mean 'trip'?"),
        ("r: {levels: {warnin: {when: {offline: true}}}}",
         "rules.r.levels.warnin: unknown word 'warnin'; did you mean 'warning'? (allowed: info, warning, critical)"),
        ("r: {levels: {warning: {wen: {offline: true}}}}",
         "rules.r.levels.warning: the field 'when' is missing"),
        ("r: {levels: {warning: {when: {point: pressure, abov: 3}}}}",
         "rules.r.levels.warning.when.abov: unknown field 'abov'; did you mean 'above'? (allowed: point, above, below,"),
        # operators and types
        ("r: {levels: {warning: {when: {point: mode, above: 3}}}}",
         "rules.r.levels.warning.when.above: 'above' compares numbers, and 'mode' is of type enum; use is or in"),
        ("r: {levels: {warning: {when: {point: label, rate_above: 3, per: 1h, over: 1h}}}}",
         "rules.r.levels.warning.when.rate_above: 'rate_above' compares numbers, and 'label' is of type text"),
        ("r: {levels: {warning: {when: {point: mode, is: atuo}}}}",
         "rules.r.levels.warning.when.is: unknown word 'atuo'; did you mean 'auto'? (allowed: hand, auto, off)"),
        ("r: {levels: {warning: {when: {point: mode, in: [auto, on]}}}}",
         "rules.r.levels.warning.when.in: unknown word 'on' (allowed: hand, auto, off)"),
        ("r: {levels: {warning: {when: {point: mode, in: auto}}}}",
         "rules.r.levels.warning.when.in: found 'auto'; a list of values is needed"),
        ("r: {levels: {warning: {when: {point: running, is: yes}}}}",
         "rules.r.levels.warning.when.is: found 'yes'; true or false is needed"),
        ("r: {levels: {warning: {when: {point: starts, is: 2.5}}}}",
         "rules.r.levels.warning.when.is: found 2.5; a whole number is needed"),
        ("r: {levels: {warning: {when: {point: label, is: 7}}}}",
         "rules.r.levels.warning.when.is: found 7; text is needed"),
        ("r: {levels: {warning: {when: {point: pressure, is: 3}}}}",
         "rules.r.levels.warning.when.is: 'pressure' is a float, which is hardly ever equal to anything"),
        ("r: {levels: {warning: {when: {event: trip, where: {cause: [heat, cold]}}}}}",
         "rules.r.levels.warning.when.where.cause: unknown word 'cold' (allowed: heat, phase)"),
        ("r: {levels: {warning: {when: {event: trip, where: {test: 0}}}}}",
         "rules.r.levels.warning.when.where.test: found 0; true or false is needed"),
        # shape of a condition
        ("r: {levels: {warning: {when: {point: pressure}}}}",
         "rules.r.levels.warning.when: a condition needs one of above, below,"),
        ("r: {levels: {warning: {when: {point: pressure, above: 3, below: 1}}}}",
         "rules.r.levels.warning.when: found above and below: a condition has one operator; use 'outside: [low, high]'"),
        ("r: {levels: {warning: {when: {offline: true, silent_for: 3x}}}}",
         "rules.r.levels.warning.when: found silent_for and offline: a condition has one operator; join several"),
        ("r: {levels: {warning: {when: {above: 3}}}}",
         "rules.r.levels.warning.when: 'above' needs the point it speaks of"),
        ("r: {levels: {warning: {when: {point: pressure, event: trip}}}}",
         "rules.r.levels.warning.when: 'point' does not go with 'event'"),
        ("r: {levels: {warning: {when: {point: mode, is: auto, where: {a: 1}}}}}",
         "rules.r.levels.warning.when: 'where' goes with 'event', not with 'is'"),
        ("r: {levels: {warning: {when: {point: starts, rate_above: 3, per: 1h}}}}",
         "rules.r.levels.warning.when: 'rate_above' needs 'per' and 'over'"),
        ("r: {levels: {warning: {when: {point: pressure, above: 3, per: 1h}}}}",
         "rules.r.levels.warning.when: 'per' and 'over' go with 'rate_above' and 'rate_below'"),
        ("r: {levels: {warning: {when: {all: []}}}}",
         "rules.r.levels.warning.when.all: found it empty; at least one entry is needed"),
        ("r: {levels: {warning: {when: {offline: false}}}}",
         "rules.r.levels.warning.when.offline: found false; allowed: True"),
        ("r: {levels: {warning: {when: [offline]}}}",
         "rules.r.levels.warning.when: found a list; a mapping (field: value) is needed"),
        ("r: {levels: {}}", "rules.r.levels: found it empty; at least one entry is needed"),
        ("r: 5", "rules.r: found 5; a mapping (field: value) is needed"),
        # numbers, durations, parameters
        ("r: {levels: {warning: {when: {point: pressure, above: '3'}}}}",
         "rules.r.levels.warning.when.above: found '3'; a number is needed"),
        ("r: {levels: {warning: {when: {offline: true}, for: 120}}}",
         "rules.r.levels.warning.for: found 120; a duration has a unit, such as 30s"),
        ("r: {levels: {warning: {when: {offline: true}, for: $pressure_low}}}",
         "rules.r.levels.warning.for: $pressure_low is the number 2; a duration such as 30s is needed here"),
        ("r: {levels: {warning: {when: {point: pressure, above: $dry_after}}}}",
         "rules.r.levels.warning.when.above: $dry_after is a duration (30s); a number is needed here"),
        ("r: {levels: {warning: {when: {count: {event: trip, within: 0s, at_least: 2}}}}}",
         "rules.r.levels.warning.when.count.within: 'within' must be longer than nothing"),
        ("r: {levels: {warning: {when: {count: {event: trip, within: 1m, at_least: 0}}}}}",
         "rules.r.levels.warning.when.count.at_least: found 0; a whole number from 1 up is needed"),
        ("r: {levels: {warning: {when: {point: starts, rate_above: 3, per: 0s, over: 1h}}}}",
         "rules.r.levels.warning.when: 'per' and 'over' must be longer than nothing"),
        ("r: {levels: {warning: {when: {point: pressure, outside: [10, 2]}}}}",
         "rules.r.levels.warning.when.outside: found [10, 2]; the first limit must be below the second"),
        ("r: {levels: {warning: {when: {point: pressure, outside: [10]}}}}",
         "rules.r.levels.warning.when.outside: found a list; two limits are needed, such as [5, 40]"),
        ("r: {levels: {warning: {when: {point: pressure, above: 30}}}}",
         "rules.r.levels.warning.when.above: above 30 says nothing: 'pressure' is valid from 0 to 25"),
        ("r: {levels: {warning: {when: {point: pressure, below: 0}}}}",
         "rules.r.levels.warning.when.below: below 0 says nothing: 'pressure' is valid from 0 to 25"),
        # the rule as a whole
        ("r: {levels: {warning: {when: {event: trip}, for: 5s}}}",
         "rules.r.levels.warning.for: an event or a change lasts no time, so it is never true for 5s"),
        ("r: {levels: {warning: {when: {any: [{point: running, is: true}, {point: mode, changed: true, for: 1m}]}}}}",
         "rules.r.levels.warning.when.any[1].for: an event or a change lasts no time"),
        ("r: {levels: {warning: {when: {point: pressure, above: 8}}, critical: {when: {point: pressure, above: 6}}}}",
         "rules.r.levels.critical: above 6 is reached before warning's 8; levels must rise"),
        ("r: {levels: {critical: {when: {point: pressure, below: 4}}, info: {when: {point: pressure, below: 3}}}}",
         "rules.r.levels.critical: below 4 is reached before info's 3; levels must rise"),
        ("r: {levels: {warning: {when: {offline: true}, for: 1m}, critical: {when: {offline: true}, for: 1m}}}",
         "rules.r.levels.critical: the same condition as warning: its 'for' must be longer than 1m"),
        ("r: {levels: {warning: {when: {point: mode, is: off}}}, clear: {deadband: 2}}",
         "rules.r.clear.deadband: a deadband needs a limit to fall back from"),
        ("r: {levels: {warning: {when: {point: pressure, above: 8}}}, clear: {deadband: -1}}",
         "rules.r.clear.deadband: found -1; a deadband is 0 or more"),
        ("r: {levels: {warning: {when: {point: pressure, outside: [2, 4]}}}, clear: {deadband: 1.5}}",
         "rules.r.clear.deadband: 1.5 leaves nothing between 2 and 4: it never clears"),
        ("r: {levels: {warning: {when: {point: pressure, above: 8}}}, clear: {deadband: 900}}",
         "rules.r.clear.deadband: 900 is wider than the valid range of 'pressure': it never clears"),
        ("r: {levels: {warning: {when: {offline: true}}}, named_ack: true, auto_ack: true}",
         "rules.r: named_ack waits for a person with a name and auto_ack for nobody; choose one"),
        ("r: {levels: {warning: {when: {offline: true}}}, latched: true, auto_ack: true}",
         "rules.r: latched waits for a person and auto_ack for nobody; choose one"),
        ("r: {levels: {warning: {when: {offline: true}}}, work_order: {critical: pump-repair}}",
         "rules.r: work_order names 'critical', but the rule's levels are warning"),
        ("r: {levels: {warning: {when: {offline: true}}}, work_order: {warning: pump-repiar}}",
         "rules.r.work_order.warning: unknown work-order template 'pump-repiar'; did you mean 'pump-repair'?"),
        ("r: {levels: {warning: {when: {offline: true}}}, latched: 1}",
         "rules.r.latched: found 1; true or false is needed"),
        ("'2r': {levels: {warning: {when: {offline: true}}}}",
         "rules.2r: found '2r'; a name is a letter, then up to 63 of A-Z a-z 0-9 _ -"),
    ],
)  # fmt: skip
def test_a_rule_that_is_wrong(rule: str, message: str) -> None:
    found = problems(pump=rules(rule))
    wanted = f"pump.yaml:14: {message}"
    assert any(str(one).startswith(wanted) for one in found), [str(one) for one in found]


@pytest.mark.parametrize(
    ("line", "changed", "message"),
    [
        (1, "profile: 7", "profile: found 7; text is needed (put it in quotes)"),
        (1, "profile: 7up", "profile: found '7up'; a name is a letter"),
        (3, "report_every: 10", "report_every: found 10; a duration has a unit"),
        (3, "report_every: 0s", "report_every: found '0s'; it must be longer than nothing"),
        (3, "report_evry: 10s", "report_evry: unknown field 'report_evry'; did you mean 'report_every'?"),
        (5, "  pressure: {type: flaot}", "points.pressure.type: unknown word 'flaot'; did you mean 'float'?"),
        (5, "  pressure: {unit: bar}", "points.pressure: the field 'type' is missing"),
        (5, "  pressure: {type: float, valid: [25, 0]}", "points.pressure.valid: found [25, 0]; the first must be below"),
        (5, "  pressure: {type: float, valid: 25}", "points.pressure.valid: found 25; two numbers are needed"),
        (5, "  pressure: {type: float, values: [a]}", "points.pressure: 'values' belongs to an enum, and the type is float"),
        (6, "  running: {type: bool, unit: V}", "points.running: unit: only a float or an int has this"),
        (6, "  time: {type: bool}", "points.time: a point cannot be called 'time'"),
        (7, "  mode: {type: enum}", "points.mode: an enum needs 'values'"),
        (7, "  mode: {type: enum, values: [a, b, a]}", "points.mode: a: given twice among the values"),
        (7, "  mode: {type: enum, values: [a b]}", "points.mode.values[0]: found 'a b'; one word is needed"),
        (11, "  trip: {attributes: {ts: {type: int}}}", "events.trip.attributes.ts: an attribute cannot be called 'ts'"),
        (11, "  trip: {attributes: {n: {type: int, default: x}}}", "events.trip.attributes.n.default: found 'x'; a whole"),
        (12, "params: {pressure_low: warm}", "params.pressure_low: found 'warm'; a duration has a unit"),
        (2, "codec: native", "codec: unknown word 'native'; did you mean 'native-json'?"),
        (2, "topics: [plant/#]", "topics[0]: found 'plant/#': the wildcards + and # are not allowed"),
        (2, "topics: [plant/pumps]", "topics[0]: found 'plant/pumps': exactly one {device} is needed"),
        (2, "topics: ['plant/p-{device}']", "topics[0]: found 'plant/p-{device}': a capture is a level of its own"),
        (2, "topics: ['/{device}']", "topics[0]: found '/{device}': an empty level"),
    ],
)  # fmt: skip
def test_a_profile_that_is_wrong(line: int, changed: str, message: str) -> None:
    lines = PUMP.splitlines()
    lines[line - 1] = changed
    text = "\n".join([*lines, "  {}"])
    assert any(str(one).startswith(f"pump.yaml:{line}: {message}") for one in problems(pump=text)), problems(
        pump=text
    )


def test_one_broken_rule_does_not_hide_what_is_wrong_with_the_next() -> None:
    text = rules("""
        broken: {levels: {warning: {}}}
        other: {levels: {warning: {when: {point: presure, above: 3}}}}
    """)
    assert [one.line for one in problems(pump=text)] == [14, 15]


def test_the_same_profile_name_in_two_files() -> None:
    site = SITE.replace("[pump.yaml]", "[pump.yaml, second.yaml]")
    found = problem(site, second=PUMP + "  {}\n")
    assert found == "second.yaml:1: profile: the profile 'pump' is already defined in pump.yaml"


def test_topic_patterns_that_would_name_two_devices() -> None:
    site = SITE.replace("[pump.yaml]", "[pump.yaml, second.yaml]")
    site += "  - {id: pump-2, profile: other}\n"
    text = PUMP + "  {}\n"
    first = text.replace("report_every", "topics: ['plant/{device}/{line}']\nreport_every")
    second = text.replace("profile: pump", "profile: other").replace(
        "report_every", "topics: ['plant/a/{device}']\nreport_every"
    )
    assert problem(site, pump=first, second=second) == (
        "second.yaml:3: topics[0]: the topic pattern 'plant/a/{device}' clashes with 'plant/{device}/{line}':"
        " one topic would name two devices"
    )


def test_a_topic_pattern_inside_the_native_topics() -> None:
    text = (PUMP + "  {}\n").replace("report_every", "topics: ['facility/mill/{device}/state']\nreport_every")
    assert "takes topics of the native form 'facility/mill/{device}/{what}'" in problem(pump=text)


def test_two_profiles_may_claim_the_same_pattern_since_the_device_says_which_it_is() -> None:
    site = SITE.replace("[pump.yaml]", "[pump.yaml, second.yaml]") + "  - {id: pump-2, profile: other}\n"
    first = (PUMP + "  {}\n").replace("report_every", "topics: ['zigbee2mqtt/{device}']\nreport_every")
    plan = build_plan(bundle(site, pump=first, second=first.replace("profile: pump", "profile: other")))
    assert (
        plan.devices["pump-2"].kind.topics == plan.devices["pump-1"].kind.topics == ("zigbee2mqtt/{device}",)
    )
