"""Clocks in the open time of a calendar: to the millisecond across nights, weekends, holds and other plans."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.core.calendars import Calendar
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Tap, Tick
from gateway.core.order_state import OrderState, WorkOrder
from gateway.core.values import HOUR, MINUTE, Millis
from tests.core.orders import DEVICES, ask, job, opened
from tests.core.stories import reborn

DAYTIME = ((8 * 60, 12 * 60), (13 * 60, 17 * 60))
WEEK = (DAYTIME,) * 5 + ((), ())
OFFICE = Calendar(zone=ZoneInfo("Europe/Berlin"), hours=WEEK)


def at(text: str) -> Millis:
    """A local time of the week from Monday, 5 January 2026, such as ``fri 16:30``; ``mon+`` is the Monday after."""
    day, _, clock = text.partition(" ")
    number = 5 + ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon+", "tue+"].index(day)
    hour, _, minute = clock.partition(":")
    local = datetime(2026, 1, number, int(hour), int(minute), tzinfo=ZoneInfo("Europe/Berlin"))
    return int(local.timestamp() * 1_000)


def shown(moment: Millis) -> str:
    local = datetime.fromtimestamp(moment / 1_000, UTC).astimezone(ZoneInfo("Europe/Berlin"))
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon+", "tue+")
    return f"{days[local.day - 5]} {local:%H:%M}"


def office_job(
    start: str, *, accept_within: Millis | None = None, **clocks: Millis
) -> tuple[Engine, WorkOrder]:
    calendars: Mapping[str, Calendar] = {"office": OFFICE}
    template = job(calendar="office", accept_within=accept_within, **clocks)
    return opened(template, at=at(start), calendars=calendars)


def told(engine: Engine, until: str) -> list[tuple[str, object, str]]:
    """What the clocks say until then, and when."""
    outcomes = engine.step([Tick(at(until))]).outcomes
    return [
        (shown(one.at), one.detail.get("share", 100), one.detail["clock"])
        for one in outcomes
        if one.kind in ("work_order.clock_warned", "work_order.breached")
    ]


def test_only_open_time_counts_for_each_share_and_the_end() -> None:
    engine, order = office_job("fri 16:00", resolve=10 * HOUR)
    assert shown(order.clocks["resolve"].due) == "tue+ 09:00"
    assert told(engine, "tue+ 12:00") == [
        ("mon+ 12:00", 50, "resolve"),
        ("mon+ 16:00", 80, "resolve"),
        ("tue+ 09:00", 100, "resolve"),
    ]


def test_a_report_while_closed_counts_from_the_opening() -> None:
    engine, order = office_job("sat 11:00", accept=30 * MINUTE)
    assert shown(order.clocks["accept"].due) == "mon+ 08:30"
    assert told(engine, "mon+ 08:20") == [("mon+ 08:15", 50, "accept")]


def test_a_hold_takes_only_open_time_away() -> None:
    engine, order = office_job("mon 08:00", resolve=8 * HOUR)
    ask(engine, "work_order.move", order, at=at("mon 09:00"), to="in_progress")
    hold = {"to": "on_hold", "reason": "parts", "resume_at": at("sun 12:00")}
    ask(engine, "work_order.move", order, at=at("mon 16:00"), **hold)
    assert (shown(order.clocks["resolve"].paused or 0), order.clocks["resolve"].used) == (
        "mon 16:00",
        7 * HOUR,
    )
    engine = reborn(engine)
    order = engine.state.orders[order.id]
    ask(engine, "work_order.move", order, at=at("wed 03:00"), to="in_progress")
    assert shown(order.clocks["resolve"].due) == "wed 09:00"
    ask(engine, "work_order.move", order, at=at("wed 08:30"), **hold)
    ask(engine, "work_order.move", order, at=at("fri 12:30"), to="in_progress")
    assert told(engine, "mon+ 09:00") == [("fri 13:30", 100, "resolve")]


def test_shares_that_lie_before_and_after_a_hold_are_each_told_once() -> None:
    engine, order = office_job("mon 08:00", resolve=4 * HOUR)
    ask(engine, "work_order.move", order, to="in_progress")
    assert told(engine, "mon 11:00") == [("mon 10:00", 50, "resolve")]
    hold = {"to": "on_hold", "reason": "permit", "resume_at": at("sun 12:00")}
    ask(engine, "work_order.move", order, at=at("mon 11:00"), **hold)
    assert told(engine, "tue 10:00") == []
    ask(engine, "work_order.move", order, at=at("tue 10:00"), to="in_progress")
    assert told(engine, "wed 10:00") == [("tue 10:12", 80, "resolve"), ("tue 11:00", 100, "resolve")]


def test_a_clock_that_has_run_out_is_late_whatever_waits_after() -> None:
    engine, order = office_job("mon 08:00", resolve=HOUR)
    ask(engine, "work_order.move", order, at=at("mon 10:00"), to="in_progress")
    hold = {"to": "on_hold", "reason": "permit", "resume_at": at("sun 12:00")}
    ask(engine, "work_order.move", order, at=at("mon 10:00"), **hold)
    ask(engine, "work_order.move", order, at=at("tue 10:00"), to="in_progress")
    assert shown(order.clocks["resolve"].due) == "mon 09:00"
    assert told(engine, "wed 10:00") == []


def test_a_reopened_order_gets_its_full_open_time() -> None:
    engine, order = office_job("mon 08:00", resolve=2 * HOUR)
    ask(engine, "work_order.move", order, at=at("mon 11:00"), to="done")
    order.done_by = "ben"
    for state in ("verified", "closed"):
        ask(engine, "work_order.move", order, to=state)
    ask(engine, "work_order.move", order, at=at("fri 16:30"), to="in_progress")
    clock = order.clocks["resolve"]
    assert (shown(clock.due), shown(clock.breached_at or 0), clock.told) == ("mon+ 09:30", "mon 10:00", 0)


def test_the_time_to_accept_is_open_time_too() -> None:
    engine, order = office_job("fri 16:50", accept_within=30 * MINUTE)
    ask(engine, "work_order.assign", order, assignee="ben")
    engine.step([Tick(at("mon+ 08:19"))])
    assert order.state is OrderState.ASSIGNED
    outcomes = engine.step([Tick(at("mon+ 09:00"))]).outcomes
    assert [(one.kind, shown(one.at)) for one in outcomes] == [
        ("work_order.not_accepted", "mon+ 08:20"),
        ("work_order.moved", "mon+ 08:20"),
    ]
    assert outcomes[0].detail == {"team": "house", "assignee": "ben", "after": 30 * MINUTE}


def test_another_plan_moves_what_is_due_and_is_the_same_after_a_restart() -> None:
    engine, order = office_job("mon 08:00", accept_within=16 * HOUR, resolve=16 * HOUR)
    ask(engine, "work_order.assign", order, assignee="ben")
    shorter = replace(OFFICE, hours=(((8 * 60, 12 * 60),),) * 5 + ((), ()))
    engine.step([Configured(at("mon 10:00"), replace(engine.plan, calendars={"office": shorter}))])
    assert shown(order.clocks["resolve"].due) == "thu 12:00"
    after = reborn(engine)
    for one in (engine, after):
        kinds = [(outcome.kind, shown(outcome.at)) for outcome in one.step([Tick(at("thu 13:00"))]).outcomes]
        assert kinds == [
            ("work_order.clock_warned", "tue 12:00"),
            ("work_order.clock_warned", "thu 08:48"),
            ("work_order.not_accepted", "thu 12:00"),
            ("work_order.moved", "thu 12:00"),
            ("work_order.breached", "thu 12:00"),
        ]


def test_a_calendar_that_is_gone_means_round_the_clock() -> None:
    engine, order = office_job("fri 16:00", resolve=10 * HOUR)
    engine.step([Configured(at("fri 17:00"), replace(engine.plan, calendars={}))])
    assert shown(order.clocks["resolve"].due) == "sat 02:00"


def test_a_clock_of_an_older_record_goes_on_round_the_clock() -> None:
    engine, order = opened(job(resolve=4 * HOUR), at=at("mon 08:00"))
    ask(engine, "work_order.move", order, to="in_progress")
    clock = order.clocks["resolve"]
    clock.since, clock.paused, order.state = None, at("mon 09:00"), OrderState.ON_HOLD
    ask(engine, "work_order.move", order, at=at("mon 10:00"), to="in_progress")
    assert shown(clock.due) == "mon 13:00"
    assert told(engine, "mon 14:00") == [
        ("mon 11:00", 50, "resolve"),
        ("mon 12:12", 80, "resolve"),
        ("mon 13:00", 100, "resolve"),
    ]


@pytest.mark.parametrize("ahead", [1, MINUTE])
def test_a_reader_whose_clock_is_ahead_makes_no_arrival_in_the_future(ahead: Millis) -> None:
    devices = DEVICES | {"d1": replace(DEVICES["d1"], tags=("04A22B1C3D5E80",))}
    engine, order = opened(job(arrive=HOUR), device="d1", at=at("mon 08:00"), devices=devices)
    now = at("mon 08:10")
    engine.step([Tap(at=now, id="k", source="d2", ts=now + ahead, tag="04A22B1C3D5E80", guard="ben")])
    assert (order.state, order.proofs["on_site"].at, order.clocks["arrive"].stopped) == (
        OrderState.ON_SITE,
        now,
        now,
    )
