"""Every action of a step, through the real decoder and engine."""

import re
from pathlib import Path

import pytest

from gateway.rehearsal.stage import Stage
from tests.rehearsal.mill import HERE, failures_of

# Each story passes as it stands. Times are what the rules of thing.yaml make of them.
STORIES = {
    "values": """
        - {at: 0s, values: {temp: 90, mode: auto}, expect: {device: d1, values: {temp: 90, mode: auto}}}
        - {at: 1m59s, expect: {no_alert: any}}
        - {at: 2m, expect: {alert: hot, level: warning, raised_at: 2m}}
    """,
    "values of an older device time do not take the place of newer ones": """
        - {at: 1m, values: {temp: 20}}
        - {at: 1m5s, values: {temp: 120}, ago: 30s, expect: {device: d1, values: {temp: 20}}}
    """,
    "values said once are not repeated": """
        - {at: 0s, values: {temp: 20}, once: true}
        - {at: 30s, expect: {alert: silent}}
    """,
    "a ramp crosses a limit at the computed moment": """
        - {at: 0s, values: {temp: 60}}
        - {at: 0s, ramp: {temp: 100}, over: 400s}                # 0.1 a second: above 80 after 200 s
        - {at: 330s, expect: {alert: hot, raised_at: 330s}}      # the report of 210 s is the first above 80
        - {at: 400s, expect: {device: d1, values: {temp: 100}}}
    """,
    "a ramp may report more often than the device does": """
        - {at: 0s, values: {temp: 60}}
        - {at: 0s, ramp: {temp: 100}, over: 400s, every: 1s}
        - {at: 330s, expect: {alert: hot, raised_at: 321s}}
    """,
    "a ramp of whole numbers is rounded": """
        - {at: 0s, values: {level: 0}}
        - {at: 0s, ramp: {level: 100}, over: 60s}
        - {at: 20s, expect: {device: d1, values: {level: 33}}}
    """,
    "a ramp downwards": """
        - {at: 0s, values: {temp: 90}}
        - {at: 3m, ramp: {temp: 70}, over: 100s}
        - {at: 3m50s, expect: {device: d1, values: {temp: 80}}}
        - {at: 6m, expect: {alert: hot, state: returned, cleared_at: 5m20s}}
    """,
    "a new value ends the ramp of its point": """
        - {at: 0s, values: {temp: 60}}
        - {at: 0s, ramp: {temp: 100}, over: 400s}
        - {at: 1m, values: {temp: 50}}
        - {at: 10m, expect: {device: d1, values: {temp: 50}}}
    """,
    "an event with attributes": """
        - {at: 1m, event: trip, with: {code: over}, expect: {alert: tripped, level: critical, cause: {attributes: {code: over, test: false}}}}
    """,
    "an event with the same id counts once": """
        - {at: 1m, event: trip, id: e1}
        - {at: 2m, event: trip, id: e1, expect: {alert: tripped, raised_at: 1m, count: 1}}
    """,
    "an event that lies back": """
        - {at: 1m, event: trip, ago: 20s, expect: {alert: tripped, raised_at: 1m, cause: {ts: 40s}}}
    """,
    "a retained event is old news": """
        - {at: 1m, event: trip, retained: true, expect: {no_alert: tripped}}
    """,
    "a row of events": """
        - {at: 0s, event: trip, with: {test: true}, times: 3, every: 5s, expect: {no_alert: often}}
        - {at: 9s, expect: {no_alert: often}}
        - {at: 10s, expect: {alert: often, raised_at: 10s}}
    """,
    "a row of events with an id has ids of their own": """
        - {at: 0s, event: trip, with: {test: true}, id: e, times: 3, every: 5s}
        - {at: 10s, expect: {alert: often}}
    """,
    "a device that has spoken goes on reporting": """
        - {at: 0s, values: {temp: 20}}
        - {at: 5h, expect: {no_alert: any}}
    """,
    "silence for a while": """
        - {at: 0s, values: {temp: 20}}
        - {at: 10m, silence: 5m}
        - {at: 10m29s, expect: {no_alert: any}}
        - {at: 10m30s, expect: {alert: silent, raised_at: 10m30s}}
        - {at: 15m, expect: {no_alert: silent}}
    """,
    "silence on and off": """
        - {at: 0s, values: {temp: 20}}
        - {at: 10m, silence: on}
        - {at: 11m, expect: {alert: silent}}
        - {at: 12m, silence: off, expect: {no_alert: silent}}
    """,
    "a silence is ended by a word": """
        - {at: 0s, values: {temp: 20}}
        - {at: 10m, silence: on}
        - {at: 12m, values: {temp: 21}}
        - {at: 20m, expect: {no_alert: any}}
    """,
    "offline and online": """
        - {at: 0s, values: {temp: 20}}
        - {at: 5m, status: offline, expect: {device: d1, online: false}}
        - {at: 6m, expect: {alert: gone, level: critical}}
        - {at: 7m, status: online, expect: [{device: d1, online: true}, {no_alert: gone}]}
        - {at: 20m, expect: {no_alert: any}}
    """,
    "acts on an alert": """
        - {at: 0s, event: trip}
        - {at: 1m, act: alert.ack, rule: tripped, by: anna, expect: {alert: tripped, state: acknowledged, acked_by: anna, acked_at: 1m}}
        - {at: 2m, act: alert.reset, rule: tripped, expect: {alert: tripped, state: ended, reset_by: operator, ended_at: 2m}}
    """,
    "acts with arguments that are moments": """
        - {at: 0s, values: {temp: 90}}
        - {at: 3m, act: alert.shelve, rule: hot, by: anna, with: {why: known, until: now+2h}, expect: {alert: hot, suppressed: shelved}}
        - {at: 2h4m, expect: {alert: hot, suppressed: null}}
    """,
    "acts on a device": """
        - {at: 0s, values: {temp: 70}}
        - {at: 1m, act: device.tune, by: anna, with: {params: {hot: 60}}}
        - {at: 3m, expect: {alert: hot, raised_at: 3m}}
        - {at: 4m, act: device.shelve, rule: hot, with: {why: known, one_shot: true}, expect: {alert: hot, suppressed: shelved}}
    """,
    "acts on work orders": """
        - {at: 0s, event: trip, expect: {work_order: repair, state: new, priority: high, team: fitters}}
        - {at: 1m, act: work_order.assign, order: repair, by: boss, with: {assignee: tom}, expect: {work_order: tripped, state: assigned, assignee: tom}}
        - {at: 2m, act: work_order.move, rule: tripped, by: tom, with: {to: accepted}, expect: {work_order: repair, state: accepted, clocks: {accept: {stopped: 2m}}}}
        - {at: 3m, act: work_order.open, by: tom, with: {template: repair}}
        - {at: 4m, act: work_order.move, order: repair, with: {to: duplicate, duplicate_of: {order: tripped}}, expect: {work_order: repair, state: duplicate}}
    """,
    "a work order for no device": """
        - {at: 1m, device: any, act: work_order.open, by: tom, with: {template: repair}, expect: {work_order: repair, device: null}}
        - {at: 2m, device: any, act: work_order.move, order: repair, with: {to: cancelled, reason: mistake}, expect: [{no_work_order: any}, {work_order: repair, state: cancelled}]}
    """,
    "an act that shall not be done": """
        - {at: 0s, event: trip}
        - {at: 1m, act: alert.ack, rule: tripped, by: anna}
        - {at: 2m, act: alert.ack, rule: tripped, by: tom, expect: {reply: conflict, detail: the alert was already acknowledged by anna}}
        - {at: 3m, act: alert.comment, rule: tripped, with: {text: x}, seen: 1, expect: {reply: conflict}}
        - {at: 4m, act: alert.ack, rule: hot, expect: {reply: not_found}}
        - {at: 5m, act: device.shelve, rule: hot, with: {why: x}, expect: {reply: refused}}
    """,
    "a raw payload as it is": """
        - {at: 0s, raw: '{"values": {"temp": 50}}', expect: {device: d1, values: {temp: 50}}}
        - {at: 1s, raw: {base64: AP8=}, expect: {rejected: not_utf8}}
        - {at: 2s, raw: offline, channel: status, expect: {device: d1, online: false}}
        - {at: 3s, raw: x, topic: somewhere/else, expect: {rejected: unknown_topic}}
        - {at: 4s, raw: '{"type": "trip"}', channel: event, retained: true, expect: {no_alert: any}}
    """,
    "what is refused may be named freely where that is expected": """
        - {at: 0s, values: {temp: 20, tenp: 5}, expect: [{rejected: unknown_point}, {device: d1, values: {temp: 20}}]}
        - {at: 1s, values: {temp: 900}, expect: {rejected: out_of_range}}
        - {at: 2s, values: {temp: .inf}, expect: {rejected: not_finite}}
        - {at: 3s, event: tripp, expect: {rejected: unknown_event}}
        - {at: 4s, event: trip, with: {kode: 1}, expect: {rejected: unknown_attribute}}
        - {at: 5m, expect: {device: d1, values: {temp: 20}}}
    """,
    "another configuration": """
        - {at: 0s, values: {temp: 70}}
        - {at: 1m, configure: {devices: {d1: {params: {hot: 60}}, d3: {profile: thing}}}, expect: {outcome: site.configured}}
        - {at: 1m, device: d3, values: {temp: 90}}
        - {at: 3m, expect: [{alert: hot, raised_at: 3m}, {alert: hot, device: d3}]}
        - {at: 4m, configure: {devices: {d3: null}, settings: {topic_root: house}}, expect: {alert: hot, device: d3, state: ended, ended_why: device removed}}
        - {at: 9m, expect: [{no_alert: silent}, {alert: hot, raised_at: 3m}]}
    """,
}


@pytest.mark.parametrize("title", STORIES)
def test_a_step_does_what_it_says(title: str, tmp_path: Path) -> None:
    assert failures_of(tmp_path, STORIES[title]) == ()


def test_an_act_that_is_not_done_fails_with_the_gateways_words(tmp_path: Path) -> None:
    steps = """
        - {at: 0s, event: trip}
        - {at: 1m, act: alert.ack, rule: tripped, by: anna}
        - {at: 2m, act: alert.ack, rule: tripped, by: tom}
    """
    (failure,) = failures_of(tmp_path, steps)
    assert (failure.line, failure.at, failure.expected) == (8, "2m", "alert.ack by tom: done")
    assert failure.found.startswith(
        "conflict: the alert was already acknowledged by anna (allowed: assign, comment"
    )


def test_an_act_on_a_record_that_is_not_there_says_so(tmp_path: Path) -> None:
    (failure,) = failures_of(tmp_path, "- {at: 2m, act: alert.ack, rule: hot}")
    assert failure.found == "there is no alert hot on d1"
    (failure,) = failures_of(tmp_path, "- {at: 2m, act: work_order.comment, order: repair, with: {text: x}}")
    assert failure.found == "there is no work order repair"


def test_what_is_refused_and_not_expected_fails_at_the_step_that_sent_it(tmp_path: Path) -> None:
    steps = """
        - {at: 0s, values: {temp: 900}}
        - {at: 1m, expect: {no_alert: hot}}
    """
    (failure,) = failures_of(tmp_path, steps)
    assert (failure.line, failure.at) == (6, "0s")
    assert failure.expected == "what d1 sends is taken"
    assert failure.found.startswith("refused: out_of_range: temp")


def test_a_fault_of_the_gateway_fails_the_scenario_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(_stage: Stage, _by: int) -> None:
        raise KeyError("size")

    monkeypatch.setattr(Stage, "set_clock", fault)
    steps = """
        - {at: 1m, clock: +1h}
        - {at: 2m, expect: {alert: hot}}
    """
    (failure,) = failures_of(tmp_path, steps)
    assert (failure.line, failure.found) == (6, "the gateway fails on it: KeyError('size')")


def test_reporting_can_be_turned_off(tmp_path: Path) -> None:
    steps = """
        - {at: 0s, values: {temp: 20}}
        - {at: 30s, expect: {alert: silent}}
    """
    assert failures_of(tmp_path, steps, "reporting: off") == ()
    assert failures_of(tmp_path, steps, head="site: mill.yaml\ndevice: d1\nreporting: off\n") == ()
    (failure,) = failures_of(tmp_path, steps)
    assert failure.found == "no alert silent on d1 so far; nothing is live there"


def test_what_is_refused_again_and_again_is_told_once_with_its_number(tmp_path: Path) -> None:
    steps = """
    - {at: 0s, values: {temp: 60}}
    - {at: 1s, clock: -1h}
    - {at: 2h, expect: {device: d1, online: null}}
    - {at: 3h, expect: {device: d1, online: null}}
    """
    (one,) = failures_of(tmp_path, steps)
    assert re.fullmatch(
        r"refused: time_in_future: ts \d+ is more than 120 s after its receipt; and \d,?\d\d more like it",
        one.found,
    )


def test_a_point_that_goes_while_it_rises_is_refused_and_no_fault_of_the_gateway(tmp_path: Path) -> None:
    text = (HERE / "thing.yaml").read_text()
    begin, end = text.index("  full:"), text.index("  tripped:")
    text = (text[:begin] + text[end:]).replace("  level: {type: int, valid: [0, 100]}\n", "")
    (tmp_path / "poorer.yaml").write_text(text)
    steps = """
    - {at: 0s, values: {temp: 60, level: 5}}
    - {at: 0s, ramp: {level: 50}, over: 5m}
    - {at: 1m, configure: {profiles: [poorer.yaml]}}
    - {at: 6m, expect: {device: d1, values: {temp: 60}}}
    """
    (one,) = failures_of(tmp_path, steps)
    assert one.found.startswith("refused: unknown_point")


def test_each_point_that_is_refused_is_told_and_none_is_said_again(tmp_path: Path) -> None:
    steps = """
    - {at: 0s, values: {temp: 9999, level: 1.5, open: 3, mode: auto}}
    - {at: 0s, values: {starts: 10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000}}
    - {at: 5m, expect: {device: d1, values: {mode: auto}}}
    """
    found = [one.found for one in failures_of(tmp_path, steps)]
    assert [words.split(": ")[2] for words in found] == ["temp", "level", "open", "starts"]
    assert not any("more like it" in words for words in found)
