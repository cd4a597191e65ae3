"""What happens to the gateway itself: killed and back, cut off from the broker, its clock set."""

from pathlib import Path

import pytest

from tests.rehearsal.mill import failures_of

STORIES = {
    "a running for stands still while the gateway is down and goes on afterwards": """
        - {at: 0s, values: {temp: 90}}
        - {at: 1m, restart: 30s}
        - {at: 1m20s, expect: {no_alert: hot}}                  # what the disk has can be looked at meanwhile
        - {at: 2m29s, expect: {no_alert: hot}}
        - {at: 5m, expect: {alert: hot, raised_at: 2m30s}}
    """,
    "a running for stands still while the gateway is cut off": """
        - {at: 0s, values: {temp: 90}}
        - {at: 1m, link: lost, expect: {outcome: gateway.unobserved}}
        - {at: 1m30s, link: up, expect: {outcome: gateway.observing}}
        - {at: 5m, expect: {alert: hot, raised_at: 2m30s}}
    """,
    "alerts and orders are there after a restart and go on": """
        - {at: 0s, event: trip}
        - {at: 1m, restart: 1m}
        - {at: 3m, act: alert.ack, rule: tripped, by: anna}
        - {at: 4m, act: work_order.assign, order: repair, with: {assignee: tom}}
        - {at: 5m, expect: [{alert: tripped, state: acknowledged, raised_at: 0s}, {work_order: repair, assignee: tom}]}
    """,
    "live values are lost while the gateway is down, events come when it is back": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, restart: 1m}
        - {at: 1m10s, values: {level: 50}, once: true}
        - {at: 1m20s, event: trip}
        - {at: 1m59s, expect: {no_alert: tripped}}
        - {at: 2m, expect: [{alert: tripped, raised_at: 2m, cause: {ts: 1m20s}}, {outcome: gateway.started, within: 1m}]}
        - {at: 3m, expect: {no_alert: silent}}
    """,
    "the word of an offline device comes when the link is back": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, link: lost}
        - {at: 2m, status: offline, expect: {device: d1, online: null}}
        - {at: 3m, link: up, expect: {device: d1, online: false}}
    """,
    "silence is not counted while nobody could hear": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, link: lost}
        - {at: 2h, link: up}
        - {at: 2h10s, expect: [{no_alert: any}, {no_alert: any, device: r1}]}
    """,
    "a restart while the link is lost comes back without it": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, link: lost}
        - {at: 2m, restart: 1m}
        - {at: 4m, event: trip, expect: {no_alert: tripped}}
        - {at: 5m, link: up, expect: {alert: tripped, raised_at: 5m}}
    """,
    "a phone keeps its taps while the gateway is down": """
        - {at: 1m, restart: 5m}
        - {at: 2m, phone: p-1, tap: {checkpoint: gate, id: t1}}
        - {at: 7m, expect: {tap: t1, received: 6m, claimed: 2m, ts: 2m}}
    """,
    "the link does not matter to a phone": """
        - {at: 1m, link: lost}
        - {at: 2m, phone: p-1, tap: {checkpoint: gate, id: t1}, expect: {tap: t1, received: 2m}}
    """,
    "a configuration that changed while the gateway was down is in force when it is back": """
        - {at: 0s, values: {temp: 70}}
        - {at: 1m, restart: 1m}
        - {at: 90s, configure: {devices: {d1: {params: {hot: 60}}}}}
        - {at: 2m, expect: {outcome: site.configured}}
        - {at: 5m, expect: {alert: hot, raised_at: 4m}}
    """,
    "the clock set forward makes everybody seem silent until the next report": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, clock: +2h, expect: {alert: silent, raised_at: 90s}}
        - {at: 70s, expect: {no_alert: silent}}
        - {at: 2m, event: trip, expect: {alert: tripped, raised_at: 2h2m, cause: {ts: 2m}}}
    """,
    "the clock set back makes ours a twentieth slower, never going back": """
        - {at: 0s, values: {temp: 20}}
        - {at: 1m, clock: -10m}
        - {at: 1m, values: {temp: 90}}
        - {at: 3m, expect: {no_alert: hot}}                      # 114 s by our clock
        - {at: 3m7s, expect: {alert: hot, raised_at: 3m}}        # by our clock
    """,
    "a restart does not let the clock go back": """
        - {at: 1m, clock: -10m}
        - {at: 2m, restart: 1m}
        - {at: 3m, event: trip, expect: {alert: tripped, raised_at: 1m57s}}
    """,
}


@pytest.mark.parametrize("title", STORIES)
def test_the_gateway_lives_through_it(title: str, tmp_path: Path) -> None:
    assert failures_of(tmp_path, STORIES[title]) == ()


def test_nobody_can_act_while_the_gateway_is_down(tmp_path: Path) -> None:
    steps = """
        - {at: 0s, event: trip}
        - {at: 1m, restart: 1m}
        - {at: 90s, act: alert.ack, rule: tripped, by: anna}
    """
    (failure,) = failures_of(tmp_path, steps)
    assert (failure.at, failure.expected, failure.found) == (
        "90s",
        "alert.ack by anna",
        "the gateway is down",
    )


def test_who_is_down_cannot_be_killed(tmp_path: Path) -> None:
    (failure,) = failures_of(tmp_path, "- {at: 0s, restart: 1m}\n- {at: 30s, restart: 1m}")
    assert (failure.at, failure.found) == ("30s", "it is down already")
