"""How long to wait for the next attempt."""

import pytest

from gateway.adapters.mqtt_endings import SHORT, BackOff, Ending, Retry

LOST = Ending("lost", unexplained=True)


def test_waits_double_up_to_the_cap() -> None:
    back_off = BackOff(base=0.5, cap=30.0, draw=lambda: 1.0)
    assert [back_off.wait(Retry.SOON) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_wait_is_anything_from_nothing_to_its_upper_end() -> None:
    assert BackOff(draw=lambda: 0.0).wait(Retry.SOON) == 0.0
    waits = {BackOff().wait(Retry.SOON) for _ in range(20)}
    assert len(waits) > 10
    assert max(waits) < 0.5


def test_it_starts_anew_after_a_connection_that_lasted() -> None:
    back_off = BackOff(draw=lambda: 1.0)
    for _ in range(5):
        back_off.wait(Retry.SOON)
    back_off.judge(LOST, SHORT - 1, "gw")
    assert back_off.wait(Retry.SOON) == 16
    back_off.judge(LOST, SHORT, "gw")
    assert back_off.wait(Retry.SOON) == 0.5


@pytest.mark.parametrize(("draw", "wait"), [(0.0, 15.0), (1.0, 30.0)])
def test_what_a_person_must_change_is_retried_slowly(draw: float, wait: float) -> None:
    assert BackOff(draw=lambda: draw).wait(Retry.SLOWLY) == wait


def test_a_client_id_that_was_taken_over_is_fought_for_ever_less() -> None:
    back_off = BackOff(draw=lambda: 1.0)
    assert [back_off.wait(Retry.STRONGLY) for _ in range(6)] == [60, 120, 240, 480, 960, 960]


def test_the_third_short_connection_closed_without_a_reason_looks_like_a_takeover() -> None:
    back_off = BackOff()
    assert [back_off.judge(LOST, 1.0, "gw") for _ in range(2)] == [LOST, LOST]
    suspected = back_off.judge(LOST, 1.0, "gw")
    assert suspected.retry is Retry.STRONGLY
    assert "another client uses the client id 'gw'" in suspected.reason
    assert back_off.judge(LOST, SHORT, "gw") == LOST


def test_connections_that_never_came_about_are_no_takeover() -> None:
    back_off = BackOff()
    refused = Ending("no broker listens")
    assert [back_off.judge(refused, 0.0, "gw") for _ in range(5)] == [refused] * 5
