"""Every name is looked up before anything is played; what is wrong is told with line, field and what would be right."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.rehearsal import rehearse
from tests.rehearsal.mill import HERE, file_of, problems_of

ONE = "scenarios[0].steps[0]"

# A step, and how what is said of it begins.
WRONG = [
    ("- {at: 0s, values: {tmep: 90}}", f"6: {ONE}.values.tmep: unknown point 'tmep'; did you mean 'temp'? (allowed: temp,"),
    ("- {at: 0s, values: []}", f"6: {ONE}.values: found a list; a mapping"),
    ("- {at: 0s, values: {}}", f"6: {ONE}.values: found it empty; at least one entry is needed"),
    ("- {at: 0s, values: {temp: 1}, once: 1}", f"6: {ONE}.once: found 1; true or false is needed"),
    ("- {at: 0s, values: {temp: 1}, ago: 5}", f"6: {ONE}.ago: found 5; a duration has a unit"),
    ("- {at: 0s, values: {temp: 1}, every: 5s}", f"6: {ONE}.every: unknown field 'every' (allowed: at, device, expect, values, ago"),
    ("- {at: 0s, device: d9, values: {temp: 1}}", f"6: {ONE}.device: unknown device 'd9' (allowed: d1, d2, r1"),
    ("- {at: 0s, device: gate, status: online}", f"6: {ONE}: gate is no device that sends: the gateway itself speaks for it"),
    ("- {at: 0s, device: any, status: online}", f"6: {ONE}: say which device does it, with 'device'; the site has d1, d2, r1"),
    ("- {at: 0s, ramp: {temp: 95}, over: 5m}", f"6: {ONE}.ramp.temp: temp has no value to start from"),
    ("- {at: 0s, values: {temp: 5}}\n- {at: 1s, ramp: {temp: 95}}", "7: scenarios[0].steps[1].ramp: a ramp says how long it takes, with 'over'"),
    ("- {at: 0s, ramp: {mode: 95}, over: 5m}", f"6: {ONE}.ramp.mode: only a number rises or falls, and mode is of type enum"),
    ("- {at: 0s, ramp: {temp: high}, over: 0s}", f"6: {ONE}.ramp.temp: found 'high'; a number is needed"),
    ("- {at: 0s, event: trap}", f"6: {ONE}.event: unknown event 'trap'; did you mean 'trip'? (allowed: trip)"),
    ("- {at: 0s, event: trip, with: {kode: over}}", f"6: {ONE}.with.kode: unknown attribute 'kode'; did you mean 'code'?"),
    ("- {at: 0s, event: trip, times: 3}", f"6: {ONE}.times: a row of events says how far apart they are, with 'every'"),
    ("- {at: 0s, event: trip, times: 0, every: 1s}", f"6: {ONE}.times: found 0; a whole number from 1 to 1000 is needed"),
    ("- {at: 0s, silence: maybe}", f"6: {ONE}.silence: found 'maybe'; on, off or a duration such as 5m is needed"),
    ("- {at: 0s, status: away}", f"6: {ONE}.status: unknown status 'away' (allowed: online, offline)"),
    ("- {at: 0s, tap: {checkpoint: gate}}", f"6: {ONE}: say by what it is read, with 'reader' or 'phone'; readers of the site: r1"),
    ("- {at: 0s, reader: d1, tap: {checkpoint: gate}}", f"6: {ONE}.reader: unknown reader 'd1' (allowed: r1)"),
    ("- {at: 0s, reader: r1, phone: p, tap: {checkpoint: gate}}", f"6: {ONE}.phone: a tap comes by a reader or by a phone; choose one"),
    ("- {at: 0s, reader: r1, tap: {checkpoint: gait}}", f"6: {ONE}.tap.checkpoint: unknown checkpoint 'gait'; did you mean 'gate'?"),
    ('- {at: 0s, reader: r1, tap: {tag: "04000003"}}', f"6: {ONE}.tap.tag: unknown tag '04000003'; did you mean '04000002'?"),
    ("- {at: 0s, reader: r1, tap: {guard: g-07}}", f"6: {ONE}.tap: found nothing that was read; a tap has one of tag, url"),
    ("- {at: 0s, reader: r1, taps: [{label: gate, tag: x}]}", f"6: {ONE}.taps[0]: found tag and label; a tap has one of"),
    ("- {at: 0s, reader: r1, tap: {label: gate, gard: g-07}}", f"6: {ONE}.tap.gard: unknown field 'gard'; did you mean 'guard'?"),
    ("- {at: 0s, reader: r1, tap: {seal: {counter: 16777216}}}", f"6: {ONE}.tap.seal.counter: found 16777216; 0 to 16777215 is allowed"),
    ("- {at: 0s, reader: r1, tap: {seal: {uid: '04'}}}", f"6: {ONE}.tap.seal.uid: found '04'; 14 hexadecimal characters"),
    ("- {at: 0s, phone: p, token: g-99, tap: {label: gate}}", f"6: {ONE}.token: unknown guard 'g-99'"),
    ("- {at: 0s, act: alert.akc, rule: hot}", f"6: {ONE}.act: unknown verb 'alert.akc'; did you mean 'alert.ack'? (allowed: alert.ack"),
    ("- {at: 0s, act: alert.ack}", f"6: {ONE}.act: say which record is meant, with 'rule' or 'target'"),
    ("- {at: 0s, act: alert.ack, rule: hott}", f"6: {ONE}.rule: unknown rule 'hott'; did you mean 'hot'?"),
    ("- {at: 0s, act: work_order.sign, order: reparir}", f"6: {ONE}.order: unknown work order 'reparir'; did you mean 'repair'?"),
    ("- {at: 0s, act: round.skip, round: day}", f"6: {ONE}.round: unknown route 'day' (allowed: night)"),
    ("- {at: 0s, act: guard.sos}", f"6: {ONE}.act: say which record is meant, with 'target'"),
    ("- {at: 0s, clock: soon}", f"6: {ONE}.clock: found 'soon'; a duration has a unit"),
    ("- {at: 0s, restart: 0s}", f"6: {ONE}.restart: found '0s'; it must be longer than nothing"),
    ("- {at: 0s, link: down}", f"6: {ONE}.link: unknown state of the link 'down' (allowed: lost, up)"),
    ("- {at: 0s, configure: {devices: {d1: {params: {hoot: 1}}}}}", f"6: {ONE}.configure.devices.d1.params.hoot: unknown parameter of thing: 'hoot'; did you mean 'hot'?"),
    ("- {at: 0s, raw: {base64: '?'}}", f"6: {ONE}.raw: found '?', which is not base64"),
    ("- {at: 0s, raw: x, channel: telemetri}", f"6: {ONE}.channel: unknown channel 'telemetri'; did you mean 'telemetry'?"),
    ("- {at: 0s, valeus: {temp: 1}}", f"6: {ONE}.valeus: unknown field 'valeus'; did you mean 'values'?"),
    ("- {at: 0s, values: {temp: 1}, event: trip}", f"6: {ONE}: found values and event; a step does one thing"),
    ("- {at: 0s}", f"6: {ONE}: the step does nothing and expects nothing"),
    ("- {values: {temp: 1}}", f"6: {ONE}: the field 'at' is missing"),
    ("- {at: 90, values: {temp: 1}}", f"6: {ONE}.at: found 90; a time is a duration since the beginning (90s"),
    ("- {at: 25:00, values: {temp: 1}}", f"6: {ONE}.at: found '25:00'; a time is a duration"),
    ("- {at: 1m, values: {temp: 1}}\n- {at: 30s, expect: {no_alert: any}}", "7: scenarios[0].steps[1].at: found '30s', which is before the step above"),
    ("- {at: 500d, event: trip}", f"6: {ONE}.at: a scenario lasts at most 400d"),
    ("- {at: 0s, values: {temp: 1}}\n- {at: 300d, expect: {no_alert: any}}", "7: scenarios[0].steps[1].at: 2,592,000 reports would be sent, at most 1,000,000 are"),
    ("- {at: 0s, values: {temp: 1}}\n- {at: 1s, ramp: {temp: 9}, over: 100d, every: 1s}", "7: scenarios[0].steps[1].at: 8,640,000 reports would be sent"),
    ("- {at: 0s, expect: {alert: hto}}", f"6: {ONE}.expect.alert: unknown rule 'hto'; did you mean 'hot'?"),
    ("- {at: 0s, expect: {alert: [hot]}}", f"6: {ONE}.expect.alert: found a list; the name of a rule is needed"),
    ("- {at: 0s, expect: {alert: hot, lvl: warning}}", f"6: {ONE}.expect.lvl: unknown field 'lvl'; did you mean 'level'?"),
    ("- {at: 0s, expect: {alert: hot, level: warnin}}", f"6: {ONE}.expect.level: unknown level 'warnin'; did you mean 'warning'? (allowed: info, warning, critical)"),
    ("- {at: 0s, expect: {alert: hot, state: acked}}", f"6: {ONE}.expect.state: unknown state 'acked'"),
    ("- {at: 0s, expect: [{alert: hot}, {alert: hot, device: d3}]}", f"6: {ONE}.expect[1].device: unknown device 'd3'"),
    ("- {at: 0s, expect: {alert: hot, no_alert: full}}", f"6: {ONE}.expect: found alert and no_alert; one of alert, no_alert"),
    ("- {at: 0s, expect: {allert: hot}}", f"6: {ONE}.expect: found allert; one of alert, no_alert"),
    ("- {at: 0s, expect: []}", f"6: {ONE}.expect: found an empty list"),
    ("- {at: 0s, expect: {alert: missed}}", f"6: {ONE}.expect.alert: unknown rule 'missed'"),
    ("- {at: 0s, device: any, expect: {alert: hot}}", f"6: {ONE}.expect.alert: say on which device, with 'device'"),
    ("- {at: 0s, expect: {work_order: repare}}", f"6: {ONE}.expect.work_order: unknown work order 'repare'; did you mean 'repair'?"),
    ("- {at: 0s, expect: {work_order: repair, state: done_}}", f"6: {ONE}.expect.state: unknown state 'done_'; did you mean 'done'?"),
    ("- {at: 0s, expect: {round: nigth}}", f"6: {ONE}.expect.round: unknown route 'nigth'; did you mean 'night'?"),
    ("- {at: 0s, expect: {round: night, stops: {gaet: missed}}}", f"6: {ONE}.expect.stops.gaet: unknown checkpoint 'gaet'; did you mean 'gate'?"),
    ("- {at: 0s, expect: {round: night, result: completed}}", f"6: {ONE}.expect.result: unknown result 'completed'; did you mean 'complete'?"),
    ("- {at: 0s, expect: {notice: hot, to: dest}}", f"6: {ONE}.expect.to: unknown target 'dest'; did you mean 'desk'?"),
    ("- {at: 0s, expect: {notice: hot, within: now}}", f"6: {ONE}.expect.within: found 'now'; a duration has a unit"),
    ("- {at: 0s, expect: {outcome: alert.rised}}", f"6: {ONE}.expect.outcome: unknown kind of outcome 'alert.rised'; did you mean 'alert.raised'?"),
    ("- {at: 0s, expect: {outcome: alert.raised, rule: hto}}", f"6: {ONE}.expect.rule: unknown rule 'hto'"),
    ("- {at: 0s, expect: {rejected: out_of_rang}}", f"6: {ONE}.expect.rejected: unknown reason 'out_of_rang'; did you mean 'out_of_range'?"),
    ("- {at: 0s, expect: {reply: ok}}", f"6: {ONE}.expect.reply: unknown reply 'ok' (allowed: done"),
    ("- {at: 0s, expect: {device: d1, values: {tmep: 1}}}", f"6: {ONE}.expect.values.tmep: unknown point 'tmep'"),
    ("- {at: 0s, expect: {device: any, online: true}}", f"6: {ONE}.expect.device: unknown device 'any'"),
    ("- {at: 0s, expect: {device: d1}}", f"6: {ONE}.expect: nothing is expected of d1; say what it is, with 'online' or 'values'"),
    ("- {at: 0s, expect: {device: d1, values: {}}}", f"6: {ONE}.expect: nothing is expected of d1"),
    ("- {at: 0s, expect: {outcome: alert.raised, levl: warning}}", f"6: {ONE}.expect.levl: unknown detail 'levl'; did you mean 'level'?"),
    ("- {at: 0s, expect: {work_order: hot, priority: hihg}}", f"6: {ONE}.expect.priority: unknown priority 'hihg'; did you mean 'high'?"),
    ("- {at: 0s, expect: {work_order: hot, team: fiters}}", f"6: {ONE}.expect.team: unknown team 'fiters'; did you mean 'fitters'?"),
    ("- {at: 0s, expect: {notice: hot, why: escalted}}", f"6: {ONE}.expect.why: unknown why 'escalted'; did you mean 'escalation'?"),
    ("- {at: 0s, expect: {round: night, stops: {gate: in_time}}}", f"6: {ONE}.expect.stops.gate: unknown word for a stop 'in_time'; did you mean 'on_time'?"),
    ("- {at: 0s, expect: {round: night, due: '22:0O'}}", f"6: {ONE}.expect.due: found '22:0O'; a local time is needed"),
    ("- {at: 0s, expect: {alert: hot, raised_at: '25:00'}}", f"6: {ONE}.expect.raised_at: found '25:00'; a time is a duration since the beginning"),
    ("- {at: 0s, expect: {outcome: alert.raised, at: 300}}", f"6: {ONE}.expect.at: found 300; a time is"),
    ("- {at: 0s, expect: {alert: hot, cause: {valeu: 90}}}", f"6: {ONE}.expect.cause.valeu: unknown field 'valeu'; did you mean 'value'?"),
    ("- {at: 0s, expect: {tap: t1, flags: [late_uplaod]}}", f"6: {ONE}.expect.flags: unknown flag 'late_uplaod'; did you mean 'late_upload'?"),
    ("- {at: 0s, expect: {tap: t1, flags: late_uplaod}}", f"6: {ONE}.expect.flags: unknown flag 'late_uplaod'"),
    ("- {at: 0s, event: trip, times: 3, every: 1s}", f"6: {ONE}.times: the scenario ends at this moment, and what comes after it is not played"),
    ("- {at: 0s, values: {temp: 5}}\n- {at: 0s, ramp: {temp: 90}, over: 5m}", "7: scenarios[0].steps[1].ramp: the scenario ends at this moment"),
    ("- {at: 0s, clock: -401d}", f"6: {ONE}.clock: found '-401d'; a clock is set by at most 400d"),
    ("- {at: 2026-03-29 02:30, event: trip}", f"6: {ONE}.at: found 2026-03-29 02:30, which no clock there shows"),
    ("- 5", f"6: {ONE}: found 5; a mapping (name: value) is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "words"), WRONG)
def test_a_wrong_name_is_told_where_it_stands(steps: str, words: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, steps)
    assert any(problem.startswith(words) for problem in problems), problems


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    steps = "- {at: 0s, values: {tmep: 90}}\n- {at: 1m, event: trap}\n- {at: 2m, expect: {alert: hto}}"
    assert [problem.partition(":")[0] for problem in problems_of(tmp_path, steps)] == ["6", "7", "8"]


def test_a_ban_of_a_negative_form_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "- {at: 0s, event: trip}", "never: [{no_alert: hot}]")
    assert problem.startswith("7: scenarios[0].never[0]: found no_alert; one of alert, work_order")


def test_a_ban_of_a_tap_that_no_step_makes_is_refused(tmp_path: Path) -> None:
    steps = "- {at: 0s, tap: {checkpoint: gate, id: t1}, reader: r1}\n- {at: 1s, tap: {checkpoint: gate}, reader: r1}"
    (problem,) = problems_of(tmp_path, steps, "never: [{tap: t1}, {tap: tap-1}, {tap: t2}]")
    assert problem == "8: scenarios[0].never[2].tap: unknown tap 't2' (allowed: t1, tap-1)"


# A whole file, and how what is said of it begins.
FILES = [
    ("", "1: the file is empty"),
    ("- 1", "1: found a list; a mapping"),
    ("scenarios: []\nsite: mill.yaml", "1: scenarios: found an empty list"),
    ("site: mill.yaml", "1: scenarios: found nothing; a list"),
    ("scenarios: [{scenario: x, steps: [{at: 0s}]}]", "1: a file names a site or a profile to be tried: found neither"),
    ("site: mill.yaml\nprofile: elevator\nscenarios: [1]", "2: profile: a file names a site or a profile to be tried: found both"),
    ("site: mil.yaml\nscenarios: [1]", "1: site: there is no such file"),
    ("site: /etc/passwd\nscenarios: [1]", "1: site: found '/etc/passwd'; a path relative to this file is needed"),
    ("site: 5\nscenarios: [1]", "1: site: found 5; a path relative to this file"),
    ("profile: elevater\nscenarios: [1]", "1: profile: unknown profile 'elevater'; did you mean 'elevator'?"),
    ("profile: checkpoint\nscenarios: [1]", "1: profile: unknown profile 'checkpoint'"),
    ("profile: there.yaml\nscenarios: [1]", "1: profile: there is no such file"),
    ("profile: [a]\nscenarios: [1]", "1: profile: found a list; the name of a profile"),
    ("profile: thing.yaml\nparams: {hoot: 1}\nscenarios: [{scenario: x, steps: [{at: 0s, event: trip}]}]", "2: params.hoot: unknown parameter of thing: 'hoot'; did you mean 'hot'?"),
    ("site: mill.yaml\nparams: {hot: 1}\nscenarios: [{scenario: x, steps: [{at: 0s, event: trip}]}]", "2: params: params goes with profile"),
    ("site: mill.yaml\nlay_over:\n  timezone: Europe/Berlyn\nscenarios: [{scenario: x, steps: [{at: 0s, event: trip}]}]", "3: lay_over.timezone: unknown time zone 'Europe/Berlyn'; did you mean 'Europe/Berlin'?"),
    ("site: {site: s, timezone: UTC,\n  devices: [{id: d1, profile: elevatr}]}\nscenarios: [{scenario: x, steps: [{at: 0s, event: trip}]}]", "2: site.devices[0].profile: unknown profile 'elevatr'"),
    ("site: mill.yaml\nbegin: yesterday\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: begin: found 'yesterday'; a local date and time is needed"),
    ("site: mill.yaml\nbegin: 2026-02-30 08:00\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: begin: found '2026-02-30 08:00', which is no date and time"),
    ("site: mill.yaml\nbegin: 1026-02-20 08:00\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: begin: found '1026-02-20 08:00'; a year from 2000 to 2099"),
    ("site: mill.yaml\nreporting: false\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: reporting: found false; on or off is needed"),
    ("site: mill.yaml\ndevice: d9\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: device: unknown device 'd9'"),
    ("site: mill.yaml\nscenario: []", "2: scenario: unknown field 'scenario'; did you mean 'scenarios'?"),
    ("site: mill.yaml\nscenarios:\n  - {scenario: x, steps: [{at: 0s, restart: 1s}]}\n  - {scenario: x, steps: [{at: 0s, restart: 1s}]}", "4: scenarios[1].scenario: the title 'x' was already given on line 3"),
    ("site: mill.yaml\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}, {scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: scenarios[1].scenario: the title 'x' was already given on line 2"),
    ("site: mill.yaml\nscenarios: [5, {scenario: x, steps: [{at: 0s}]},\n  {scenario: x, steps: [{at: 0s}]}]", "3: scenarios[2].scenario: the title 'x' was already given on line 2"),
    ('site: mill.yaml\nscenarios: [{scenario: "a\\e[2Jb", steps: [{at: 0s, restart: 1s}]}]', r"2: scenarios[0].scenario: found 'a\x1b[2Jb'; a title is one line without control characters"),
    ("site: mill.yaml\nbegin: 2026-03-29 02:30\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]", "2: begin: found 2026-03-29 02:30, which no clock there shows"),
    ("site: mill.yaml\nscenarios: [{scenario: 5, steps: [{at: 0s, restart: 1s}]}]", "2: scenarios[0].scenario: found 5; text is needed"),
    ("site: mill.yaml\nsite: mill.yaml", "2: site: the key 'site' was already given on line 1"),
    ("a: &a [*a]", "1: a.0: an alias that contains itself"),
    ("a: !!python/object:os.system x", "1: a: the tag"),
    ("a: {b: [", "2: not valid YAML"),
    ("\x00", "1: not valid YAML"),
    ("[" * 5_000, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), FILES)
def test_a_file_that_cannot_be_played_says_why(text: str, words: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, text)
    result = rehearse(path)
    told = [str(problem).removeprefix(f"{path.as_posix()}:") for problem in result.problems]
    assert not result.played
    assert any(one.startswith(words) for one in told), told


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    (problem,) = rehearse(tmp_path / "none.scenario.yaml").problems
    assert "there is no such file" in problem.message


def test_what_is_wrong_in_the_site_is_told_by_its_own_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, "site: mill.yaml\nscenarios: [{scenario: x, steps: [{at: 0s, restart: 1s}]}]")
    (tmp_path / "thing.yaml").write_text((HERE / "thing.yaml").read_text("utf-8") + "oops: 1\n", "utf-8")
    (problem,) = rehearse(path).problems
    assert problem.file == (tmp_path / "thing.yaml").as_posix()
    assert problem.message.startswith("unknown field 'oops'")
    (tmp_path / "mill.yaml").write_text("site: x\ntimezone: [", "utf-8")
    (problem,) = rehearse(path).problems
    assert (problem.file, problem.line) == ((tmp_path / "mill.yaml").as_posix(), 3)


WORDS = st.sampled_from(
    ["at", "values", "temp", "ramp", "over", "event", "trip", "expect", "alert", "hot", "device", "d1", "0s", "1m", "any",
     "tap", "phone", "checkpoint", "gate", "seal", "act", "alert.ack", "rule", "restart", "clock", "-1h", "silence", "on",
     "with", "raw", "outcome", "rejected", "never", "steps", "scenario", "configure", "round", "night", "stops", "within"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.fixed_dictionaries({"at": st.just("1m")}, optional={
    "values": VALUES, "ramp": VALUES, "over": VALUES, "event": VALUES, "with": VALUES, "expect": VALUES, "act": WORDS,
    "rule": VALUES, "tap": VALUES, "phone": VALUES, "device": VALUES, "restart": VALUES, "clock": VALUES, "raw": VALUES,
    "configure": VALUES, "silence": VALUES,
}), min_size=1, max_size=3))  # fmt: skip
def test_nothing_a_file_holds_raises(steps: list[dict[str, object]], tmp_path: Path) -> None:
    text = f"site: mill.yaml\ndevice: d1\nscenarios: [{{scenario: x, steps: {json.dumps(steps)}}}]"
    result = rehearse(file_of(tmp_path, text))
    assert bool(result.problems) is not bool(result.played)
