"""Taps by readers and phones, rounds, tags that prove themselves and tags that do not."""

from pathlib import Path

import pytest

from gateway.core.tags import code
from tests.rehearsal.mill import failures_of

STORIES = {
    "a round walked with a phone": """
        - {at: "22:05", phone: p-1, tap: {checkpoint: gate, guard: g-07}}
        - {at: "22:20", phone: p-1, tap: {tag: "04:00:00:02", guard: g-07, id: t2}, expect: [{tap: t2, checkpoint: boiler, grade: C, counted: true, source: p-1}, {round: night, state: open, stops: {gate: on_time, boiler: on_time}}]}
        - {at: "23:15", expect: {round: night, due: "22:00", state: judged, result: complete, stops: {gate: on_time, boiler: on_time}}}
    """,
    "taps of a reader come over MQTT": """
        - {at: "22:05", reader: r1, tap: {checkpoint: gate, guard: g-07, id: t1}, expect: {tap: t1, source: r1, received: "22:05"}}
        - {at: "22:20", device: r1, taps: [{checkpoint: boiler, guard: g-07, id: t2, ago: 5m}, {checkpoint: gate, guard: g-07, id: t3}], queued: 0, expect: [{tap: t2, ts: "22:15"}, {tap: t3, ts: "22:20"}]}
    """,
    "an upload of many taps by a phone hours later": """
        - {at: 2026-01-06 02:00, phone: p-1, taps: [{checkpoint: gate, id: t1, ago: 3h55m}, {checkpoint: boiler, id: t2, ago: 3h40m}], queued: 0, expect: [{tap: t1, ts: "22:05", flags: late_upload}, {round: night, result: complete}]}
    """,
    "a phone with a wrong clock is put right": """
        - {at: "22:05", phone: p-1, skew: -2h, tap: {checkpoint: gate, id: t1}, expect: {tap: t1, claimed: "20:05", ts: "22:05"}}
    """,
    "a token says whose phone it is": """
        - {at: "22:05", phone: p-1, token: g-07, tap: {checkpoint: gate, id: t1}, expect: {tap: t1, by: g-07}}
        - {at: "22:06", phone: p-1, token: g-08, tap: {checkpoint: gate, guard: g-07, id: t2}, expect: {tap: t2, counted: false}}
    """,
    "a label scanned or typed": """
        - {at: "22:05", phone: p-1, tap: {label: gate, id: t1}, expect: {tap: t1, grade: D, how: qr, checkpoint: gate}}
        - {at: "22:06", phone: p-1, tap: {label: gate, how: typed, id: t2}, expect: {tap: t2, how: typed}}
    """,
    "the tag of a device": """
        - {at: 1m, phone: p-1, tap: {tag: 0400aaaa, guard: g-07, id: t1}, expect: {tap: t1, asset: d1}}
    """,
    "a stranger's tag": """
        - {at: 1m, phone: p-1, tap: {tag: stranger-1, id: t1}, expect: {tap: t1, checkpoint: null, counted: false}}
    """,
    "a tag that is registered on the way": """
        - {at: 1m, act: tag.register, target: "04999999", by: boss, with: {checkpoint: gate}}
        - {at: 2m, phone: p-1, tap: {tag: "04999999", id: t1}, expect: {tap: t1, checkpoint: gate}}
    """,
    "a secure tag": """
        - {at: 1m, phone: p-1, tap: {checkpoint: vault, seal: {counter: 7}, id: t1}, expect: {tap: t1, grade: A, counted: true, counter: 7, checkpoint: vault}}
        - {at: 9m, reader: r1, tap: {seal: {uid: "04A22B1C3D5E80", counter: 8, tamper: open}, id: t2}, expect: {tap: t2, tamper: open, checkpoint: vault}}
        - {at: 10m, phone: p-2, tap: {checkpoint: vault, seal: {counter: 7}, id: t3}, expect: [{tap: t3, counted: false, flags: replay_suspected}, {alert: tap_suspect, device: vault, state: returned}]}
        - {at: 11m, phone: p-2, tap: {checkpoint: vault, seal: {counter: 99, verdict: forged}, id: t4}, expect: {tap: t4, counted: false, flags: forged}}
        - {at: 12m, phone: p-2, tap: {url: "https://gateway.example/t?x=1", id: t5}, expect: {tap: t5, counted: false, flags: malformed_url}}
    """,
    "the same tap twice is one": """
        - {at: 1m, phone: p-1, tap: {checkpoint: gate, id: t1}, expect: {reply: done}}
        - {at: 5m, phone: p-1, tap: {checkpoint: gate, id: t1, ago: 4m}, expect: {tap: t1, received: 1m}}
    """,
    "acts of patrol": """
        - {at: "22:05", phone: p-1, tap: {checkpoint: gate, id: t1}}
        - {at: "22:10", act: tap.review, tap: t1, by: boss, with: {decision: reject, why: not seen there}, expect: {tap: t1, review: rejected, counted: false}}
        - {at: "22:20", act: round.skip, round: night, by: boss, with: {checkpoint: boiler, why: locked}, expect: {round: night, skips: {boiler: [boss, locked]}}}
        - {at: "22:30", act: guard.sos, target: g-07, by: g-07, with: {key: k1}, expect: {alert: sos, device: g-07}}
        - {at: "22:31", act: source.report, target: p-1, with: {queued: 0}}
    """,
    "a tap that is none": """
        - {at: 1m, reader: r1, tap: {guard: g-07}, expect: {rejected: wrong_type}}
        - {at: 2m, phone: p-1, tap: {guard: g-07}, expect: {rejected: wrong_type}}
    """,
}


@pytest.mark.parametrize("title", STORIES)
def test_a_tap_is_judged_as_the_gateway_judges_it(title: str, tmp_path: Path) -> None:
    assert failures_of(tmp_path, STORIES[title]) == ()


def test_a_code_is_that_of_the_label(tmp_path: Path) -> None:
    steps = f"- {{at: 1m, phone: p-1, tap: {{code: {code('mill', 'boiler')}, id: t1}}, expect: {{tap: t1, checkpoint: boiler}}}}"
    assert failures_of(tmp_path, steps) == ()


def test_a_notice_may_be_asked_for_by_the_route_it_is_about(tmp_path: Path) -> None:
    steps = """
        - {at: "22:05", phone: p-1, tap: {checkpoint: gate, guard: g-07}}
        - {at: "22:40", expect: [{alert: guard_silent, device: night}, {notice: night, to: desk}]}
    """
    assert failures_of(tmp_path, steps, "lay_over: {routes: {night: {check_in: 20m, alarm_after: 5m}}}") == ()
