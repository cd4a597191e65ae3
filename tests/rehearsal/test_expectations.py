"""Every form of expectation, met and not met."""

from pathlib import Path

import pytest

from tests.rehearsal.mill import failures_of

HOT = "- {at: 0s, values: {temp: 90}}\n- {at: 10m, expect: %s}"
TRIP = "- {at: 0s, event: trip, with: {code: over}}\n- {at: 10m, expect: %s}"
ROUND = """\
- {at: "22:05", phone: p-1, tap: {checkpoint: gate, guard: g-07, id: t1}}
- {at: "23:20", expect: %s}"""
TWICE = "- {at: 0s, values: {temp: 90}}\n- {at: 2m, expect: {alert: hot}}\n- {at: 3m, values: {temp: 110}}\n- {at: 4m, expect: %s}"

# What is expected, and the words where it is not met; None where it is.
CASES = [
    (HOT, "{alert: hot}", None),
    (HOT, "{alert: hot, level: warning, state: unacknowledged, count: 1, raised_at: 2m}", None),
    (HOT, '{alert: hot, raised_at: "08:02"}', None),
    (HOT, "{alert: hot, raised_at: 2026-01-05 08:02, order: null, told: []}", None),
    (HOT, "{alert: hot, cause: {point: temp, value: 90, limit: 80}}", None),
    (
        HOT,
        "{alert: hot, level: critical}",
        ("alert hot on d1: live level=critical", "alert hot on d1: level=warning state=unacknowledged raised_at=2m"),
    ),
    (
        HOT,
        "{alert: hot, raised_at: 3m, acked_by: anna, cause: {value: 91}}",
        (
            "alert hot on d1: live raised_at=3m acked_by=anna cause={value: 91}",
            "alert hot on d1: level=warning state=unacknowledged raised_at=2m acked_by=null cause={value: 90}",
        ),
    ),
    (
        HOT,
        '{alert: hot, raised_at: "08:03"}',
        (
            "alert hot on d1: live raised_at=08:03",
            "alert hot on d1: level=warning state=unacknowledged raised_at=08:02",
        ),
    ),
    (HOT, "{alert: full}", ("alert full on d1: live", "no alert full on d1 so far; live there: hot (warning)")),
    (HOT, "{alert: hot, device: d2}", ("alert hot on d2: live", "no alert hot on d2 so far; live there: silent (warning)")),
    (HOT, "{alert: hot, state: ended}", ("alert hot on d1: state=ended", "alert hot on d1: level=warning state=unacknowledged raised_at=2m")),
    (HOT, "{no_alert: full}", None),
    (HOT, "{no_alert: hot, device: d2}", None),
    (HOT, "{no_alert: any}", ("no live alert on d1", "alert hot on d1: level=warning state=unacknowledged raised_at=2m")),
    (HOT, "{no_alert: hot, device: any}", ("no live alert hot", "alert hot on d1: level=warning state=unacknowledged raised_at=2m")),
    (TRIP, "{work_order: repair, state: new, title: Repair, alert_live: true}", None),
    (TRIP, "{work_order: tripped, title: 维修, clocks: {accept: {target: 30m, due: 30m}}, reported_at: 0s}", None),
    (
        TRIP,
        "{work_order: repair, priority: low, assignee: tom}",
        (
            "work order repair on d1: open priority=low assignee=tom",
            "work order repair of tripped on d1: state=new priority=high team=fitters assignee=null",
        ),
    ),
    (HOT, "{work_order: repair}", ("work order repair on d1: open", "no work order repair on d1 so far")),
    (HOT, "{no_work_order: any}", None),
    (TRIP, "{no_work_order: any}", ("no open work order on d1", "work order repair of tripped on d1: state=new priority=high team=fitters")),
    (TRIP, "{no_work_order: repair, device: d2}", None),
    (ROUND, "{round: night, due: '22:00', state: judged, stops: {gate: on_time}}", None),
    (ROUND, "{round: night, due: 2026-01-05 22:00, result: incomplete}", ("round night due 2026-01-05 22:00: result=incomplete", "round night due 2026-01-05 22:00: state=judged result=unknown stops={gate: on_time, boiler: missed}")),
    (ROUND, "{round: night, due: '2:00'}", ("round night due 2:00:", "no round night due 2:00; there are: 2026-01-05T22:00")),
    (ROUND, "{round: night, due: '21:00'}", ("round night due 21:00:", "no round night due 21:00; there are: 2026-01-05T22:00")),
    (ROUND, "{tap: t1, grade: C, counted: true, guard: g-07, received: '22:05'}", None),
    (ROUND, "{tap: t1, grade: A, checkpoint: boiler}", ("tap t1: grade=A checkpoint=boiler", "tap t1: grade=C counted=true flags=[] checkpoint=gate")),
    (ROUND, "{tap: t2}", ("tap t2:", "no tap t2; on record: t1")),
    (HOT, "{notice: hot, to: desk}", None),
    (HOT, "{notice: hot, to: desk, why: new, within: 8m}", None),
    (TRIP, "{notice: repair, to: workshop, why: opened}", None),
    (HOT, "{notice: hot, to: workshop}", ("notice hot on d1: to=workshop", "notice hot on d1 to desk at 2m30s (why: new)")),
    (HOT, "{notice: hot, within: 1m}", ("notice hot on d1: within=1m", "no notice was sent")),
    (HOT, "{notice: hot, device: d2}", ("notice hot on d2", "notice hot on d1 to desk at 2m30s (why: new)")),
    (HOT, "{no_notice: full}", None),
    (HOT, "{no_notice: any, within: 5m}", None),
    (HOT, "{no_notice: any}", ("no notice any on d1", "notice hot on d1 to desk at 2m30s (why: new)")),
    (TWICE, "{outcome: alert.risen, device: d1, rule: hot, level: critical, was: warning, at: 3m30s}", None),
    (TWICE, "{outcome: alert.raised, within: 2m}", None),
    (TWICE, "{outcome: alert.cleared}", ("outcome alert.cleared", None)),
    (TWICE, "{outcome: alert.risen, level: warning}", ("outcome alert.risen: level=warning", "alert.risen hot/critical on d1 at 3m30s was=warning announced=true")),
    (HOT, "{rejected: out_of_range}", ("refused: out_of_range", "nothing was refused")),
    (HOT, "{reply: done}", ("reply done", "nobody asked for anything in this step")),
    (HOT, "{device: d1, online: null, values: {temp: 90}}", None),
    (HOT, "{device: d1, online: true, values: {temp: 91}}", ("device d1: online=true values={temp: 91}", "device d1: online=null values={temp: 90}")),
    (HOT, "{device: d2, values: {temp: 91}}", ("device d2: values={temp: 91}", "device d2: values={temp: null}")),
]  # fmt: skip


@pytest.mark.parametrize(("story", "expected", "words"), CASES)
def test_an_expectation_is_met_or_says_what_was_found(
    story: str, expected: str, words: tuple[str, str | None] | None, tmp_path: Path
) -> None:
    failures = failures_of(tmp_path, story % expected)
    if words is None:
        assert failures == ()
        return
    (failure,) = failures
    assert failure.expected == words[0]
    assert words[1] is None or failure.found == words[1]
    assert failure.file.endswith("mill.scenario.yaml")
    assert failure.line == 5 + len((story % expected).splitlines())


def test_all_that_is_expected_of_a_step_is_judged(tmp_path: Path) -> None:
    failures = failures_of(tmp_path, HOT % "[{alert: full}, {alert: hot}, {no_alert: hot}]")
    assert [failure.expected for failure in failures] == ["alert full on d1: live", "no live alert hot on d1"]


NEVER = [
    ("- {alert: hot}", "2m", "never alert hot on d1"),
    ("- {alert: hot, level: critical}", "3m30s", "never alert hot on d1 level=critical"),
    ("- {alert: hot, acked_by: anna}", "4m", "never alert hot on d1 acked_by=anna"),
    ("- {work_order: repair}", "3m30s", "never work_order repair on d1"),
    ("- {notice: hot, to: desk}", "2m30s", "never notice hot on d1 to=desk"),
    ("- {outcome: alert.risen}", "3m30s", "never outcome alert.risen on d1"),
    ("- {rejected: out_of_range}", "5m", "never rejected out_of_range on d1"),
    ("- {tap: t1}", "6m", "never tap t1 on d1"),
    ("- {alert: full}", "7m", "never alert full on d1"),
    ("- {alert: hot, device: d2}", None, ""),
    ("- {alert: hot, level: info}", None, ""),
    ("- {round: night, state: closed}", None, ""),
    ("- {round: night}", "13h50m", "never round night on d1"),
]


@pytest.mark.parametrize(("ban", "at", "words"), NEVER)
def test_what_must_never_be_is_told_at_the_moment_it_was(
    ban: str, at: str | None, words: str, tmp_path: Path
) -> None:
    steps = """
        - {at: 0s, values: {temp: 90}}
        - {at: 3m, values: {temp: 110}}
        - {at: 4m, act: alert.ack, rule: hot, by: anna}
        - {at: 5m, values: {temp: 900}, expect: {rejected: out_of_range}}
        - {at: 6m, phone: p-1, tap: {checkpoint: gate, id: t1}}
        - {at: 7m, values: {level: 95}}          # comes and goes: the alert is acknowledged by itself
        - {at: 8m, values: {level: 5}}
        - {at: 14h}
    """.replace("- {at: 14h}", "- {at: 14h, expect: {no_alert: full}}")
    failures = failures_of(tmp_path, steps, f"never:\n  {ban}")
    if at is None:
        assert failures == ()
        return
    (failure,) = failures
    assert (failure.line, failure.at, failure.expected) == (15, at, words)
