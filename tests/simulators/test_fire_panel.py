from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, SECOND
from simulators.faults import Fault, FaultKind
from tests.simulators.listening import events, listen, snapshots, values
from tests.simulators.sites import the_house

seeds = st.integers(0, 2**32)
ALARMS = {"alarm", "fault_alarm"}


def fault(kind: FaultKind, duration: int = 4 * MINUTE) -> Fault:
    return Fault("fire-1", kind, 5 * MINUTE, duration)


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_a_panel_without_fire_never_says_alarm(seed: int) -> None:
    heard = listen(the_house(), "fire-1", DAY, seed=seed)
    assert {state for _, state in values(heard, "state")} & ALARMS == set()
    assert all(alarm.body["test"] for alarm in events(heard, "fire_alarm"))


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_fire_is_told_within_seconds_and_reset_at_its_end(seed: int) -> None:
    heard = listen(the_house(), "fire-1", 15 * MINUTE, fault(FaultKind.FIRE_ALARM), seed=seed)
    alarms = [one for one in events(heard, "fire_alarm") if not one.body["test"]]
    assert alarms[0].at <= 5 * MINUTE + 3 * SECOND
    assert len(alarms) == 2
    assert len({alarm.body["zone"] for alarm in alarms}) == 1
    during = {known["state"] for at, known in snapshots(heard) if 5 * MINUTE + 4 * SECOND < at < 9 * MINUTE}
    assert during <= ALARMS
    assert {known["alarm_zones"] for at, known in snapshots(heard) if 6 * MINUTE < at < 9 * MINUTE} == {1}
    assert [one.at for one in events(heard, "panel_reset")] == [9 * MINUTE]
    assert values(heard, "state")[-1][1] not in ALARMS


def test_the_alarm_event_goes_out_before_the_state(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 15 * MINUTE, fault(FaultKind.FIRE_ALARM))
    first = heard.index(events(heard, "fire_alarm")[0])
    assert heard[first + 1].body["values"]["state"] in ALARMS
    assert heard[first + 1].at == heard[first].at


def test_a_test_is_marked_from_start_to_end(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 3 * DAY)
    started, ended = events(heard, "test_started"), events(heard, "test_ended")
    assert started
    assert len(ended) in (len(started), len(started) - 1)
    first, last = started[0].at, ended[0].at
    tested = [one for one in events(heard, "fire_alarm") if first <= one.at <= last]
    assert [one.body["test"] for one in tested] == [True, True, True]
    states = {known["state"] for at, known in snapshots(heard) if first <= at < last}
    assert states <= {"test_active", "test_alarm", "fault"}


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_on_mains_loss_the_battery_discharges_and_charges_again(seed: int) -> None:
    heard = listen(the_house(), "fire-1", 14 * HOUR, fault(FaultKind.MAINS_LOSS, 6 * HOUR), seed=seed)
    lost = [(at, known["battery_voltage"]) for at, known in snapshots(heard) if known["mains_lost"]]
    assert lost[0][0] == 5 * MINUTE
    assert lost[-1][0] < 6 * HOUR + 5 * MINUTE
    voltages = [voltage for _, voltage in lost]
    assert all(later <= earlier for earlier, later in pairwise(voltages))
    assert voltages[0] - voltages[-1] > 0.5
    back = [v for at, v in values(heard, "battery_voltage") if at > 6 * HOUR + 5 * MINUTE]
    assert all(later >= earlier for earlier, later in pairwise(back))
    assert [one.body["kind"] for one in events(heard, "trouble") if one.at == 5 * MINUTE] == ["supply"]


def test_a_battery_that_lasts_too_long_reads_low_and_then_fault(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 30 * HOUR, fault(FaultKind.MAINS_LOSS, 29 * HOUR))
    words = [word for _, word in values(heard, "battery")]
    assert [one for one, other in pairwise([*words, ""]) if one != other][:3] == ["normal", "low", "fault"]


def test_an_earth_fault_is_trouble_until_it_ends(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 15 * MINUTE, fault(FaultKind.TROUBLE))
    (trouble,) = events(heard, "trouble")
    assert (trouble.at, trouble.body["kind"]) == (5 * MINUTE, "earth")
    shown = {(known["earth_fault"], known["state"]) for at, known in snapshots(heard) if at > 9 * MINUTE}
    assert {known["state"] for at, known in snapshots(heard) if 5 * MINUTE < at < 9 * MINUTE} == {"fault"}
    assert all(not earth and state != "fault" for earth, state in shown)


def test_a_duty_check_is_asked_and_answered_or_left_unanswered(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 20 * DAY)
    asked = events(heard, "duty_check_asked")
    answered = events(heard, "duty_check_answered")
    unanswered = events(heard, "duty_check_unanswered")
    assert len(asked) > 30
    assert len(answered) > len(unanswered) > 0
    assert {word for _, word in values(heard, "duty_check")} == {"idle", "asked", "answered", "unanswered"}


def test_disabled_zones_are_counted(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 5 * DAY)
    changes = sorted(
        [(one.at, 1) for one in events(heard, "disabled")]
        + [(one.at, -1) for one in events(heard, "enabled")]
    )
    assert changes
    for at, known in snapshots(heard):
        expected = sum(step for moment, step in changes if moment <= at)
        assert known["disabled_zones"] == expected


def test_link_and_circuits_fail_now_and_then_and_are_repaired(house: SitePlan) -> None:
    heard = listen(house, "fire-1", 40 * DAY)
    for point, bad, good in (
        ("centre_link", "down", "up"),
        ("loop_fault", True, False),
        ("bell_circuit_fault", True, False),
    ):
        words = [word for _, word in values(heard, point)]
        assert bad in words
        assert words[-1] == good
