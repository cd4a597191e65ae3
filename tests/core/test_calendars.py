# ruff: noqa: DTZ001 - wall times carry no zone
"""Opening hours by the wall clock, against a clock that is read minute by minute."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.calendars import EVERY_DAY, NEVER, Calendar, DayHours, Windows
from gateway.core.local_time import first_moment, instant, wall_time
from gateway.core.recurrence import Recurrence
from gateway.core.values import DAY, HOUR, MINUTE, Millis

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
LORD_HOWE, SHANGHAI = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Shanghai")
CHANGES = [
    (BERLIN, datetime(2026, 3, 29)),
    (BERLIN, datetime(2026, 10, 25)),
    (NEW_YORK, datetime(2026, 3, 8)),
    (NEW_YORK, datetime(2026, 11, 1)),
    (LORD_HOWE, datetime(2026, 4, 5)),
    (LORD_HOWE, datetime(2026, 10, 4)),
    (ZoneInfo("America/St_Johns"), datetime(2010, 11, 7)),  # at 00:01 back into the day before
    (ZoneInfo("America/Asuncion"), datetime(2023, 10, 1)),  # midnight is skipped
    (ZoneInfo("Pacific/Apia"), datetime(2011, 12, 30)),  # a whole day is skipped
    (SHANGHAI, datetime(2026, 10, 1)),
]
"""A zone and the local day on which its clock changes; Shanghai's never does."""
OFFICE: tuple[DayHours, ...] = ((((8 * 60, 12 * 60), (13 * 60, 18 * 60)),) * 5) + (((9 * 60, 12 * 60),), ())

MINUTES = st.integers(0, 1439)
SPANS = st.tuples(MINUTES, st.integers(0, 1440)) | st.sampled_from(
    [(0, 1440), (1320, 360), (120, 180), (0, 0)]
)
WEEKS = st.lists(st.lists(SPANS, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple)


def at(zone: ZoneInfo, *wall: int) -> Millis:
    return instant(datetime(*wall), zone)  # type: ignore[arg-type]


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, Millis]:
    """A calendar with days that differ around a change of the clock, and a moment two days before that."""
    zone, day = draw(st.sampled_from(CHANGES))
    near = st.frozensets(st.integers(-3, 4).map(lambda days: (day + timedelta(days)).date()), max_size=2)
    calendar = Calendar(zone=zone, hours=draw(WEEKS), holidays=draw(near), workdays=draw(near))
    return calendar, instant(day, zone) // HOUR * HOUR - 2 * DAY


def by_the_clock(calendar: Calendar, moment: Millis) -> bool:
    """Whether the wall clock shows a time that is open; while it repeats an hour, what held before goes on."""
    while wall_time(moment, calendar.zone).fold:
        moment -= MINUTE
    wall = wall_time(moment, calendar.zone)
    minute = wall.hour * 60 + wall.minute
    for days_ago in (0, 1):
        day = wall.date() - timedelta(days_ago)
        for start, end in hours_of(calendar, day):
            until = end if end > start else end + 1440
            if start <= minute + days_ago * 1440 < until:
                return True
    return False


def hours_of(calendar: Calendar, day: date) -> DayHours:
    if day in calendar.workdays:
        own = calendar.hours[day.weekday()] if day.weekday() < 5 else ()
        return own or next((hours for hours in calendar.hours if hours), ())
    return () if day in calendar.holidays else calendar.hours[day.weekday()]


def minutes(start: Millis, days: int = 4) -> Iterator[Millis]:
    return iter(range(start, start + days * DAY, 7 * MINUTE))


@settings(deadline=None)
@given(calendars())
def test_it_is_open_when_the_wall_clock_says_so(given_one: tuple[Calendar, Millis]) -> None:
    calendar, start = given_one
    for moment in minutes(start):
        assert calendar.is_open(moment) is by_the_clock(calendar, moment), wall_time(moment, calendar.zone)


@settings(deadline=None)
@given(calendars())
def test_a_change_is_where_it_opens_or_closes_and_nothing_changes_in_between(
    given_one: tuple[Calendar, Millis],
) -> None:
    calendar, start = given_one
    moment, end = start, start + 9 * DAY
    while (change := calendar.next_change(moment)) is not None and change < end:
        assert change > moment
        assert calendar.is_open(change) is not calendar.is_open(change - 1)
        assert {calendar.is_open(one) for one in range(moment, change, 11 * MINUTE)} == {
            calendar.is_open(moment)
        }
        moment = change
    rest = range(moment, end, 11 * MINUTE)
    assert len({calendar.is_open(one) for one in rest}) == 1


@settings(deadline=None)
@given(calendars(), st.integers(0, 2 * DAY), st.integers(1, 3 * DAY))
def test_what_is_added_lies_between(
    given_one: tuple[Calendar, Millis], later: Millis, length: Millis
) -> None:
    calendar, start = given_one
    start += later
    end = calendar.add(start, length)
    if end == NEVER:
        assert not any(calendar.hours)
        return
    assert calendar.between(start, end) == length
    assert calendar.is_open(end - 1)
    middle = (start + end) // 2
    assert calendar.between(start, middle) + calendar.between(middle, end) == length


@settings(deadline=None)
@given(calendars())
def test_it_answers_the_same_whatever_was_asked_before(given_one: tuple[Calendar, Millis]) -> None:
    calendar, start = given_one
    calendar.between(start - 30 * DAY, start + 30 * DAY)
    fresh = Calendar(
        zone=calendar.zone, hours=calendar.hours, holidays=calendar.holidays, workdays=calendar.workdays
    )
    assert fresh == calendar
    assert hash(fresh) == hash(calendar)
    for moment in range(start, start + 3 * DAY, 5 * HOUR):
        assert fresh.is_open(moment) is calendar.is_open(moment)
        assert fresh.next_change(moment) == calendar.next_change(moment)


@pytest.mark.parametrize(
    ("zone", "day", "night", "whole"),
    [
        (BERLIN, (2026, 3, 28), 7, 23),
        (BERLIN, (2026, 10, 24), 9, 25),
        (NEW_YORK, (2026, 3, 7), 7, 23),
        (NEW_YORK, (2026, 10, 31), 9, 25),
        (LORD_HOWE, (2026, 4, 4), 8.5, 24.5),
        (LORD_HOWE, (2026, 10, 3), 7.5, 23.5),
        (SHANGHAI, (2026, 10, 3), 8, 24),
    ],
)
def test_a_night_shift_is_as_long_as_the_clock_makes_it(
    zone: ZoneInfo, day: tuple[int, int, int], night: float, whole: float
) -> None:
    evening = at(zone, *day, 18)
    shift = Calendar(zone=zone, hours=(((22 * 60, 6 * 60),),) * 7)
    opens = shift.next_change(evening)
    assert opens == at(zone, *day, 22)
    closes = shift.next_change(opens)
    assert closes == opens + int(night * HOUR)
    assert shift.add(evening, int(night * HOUR)) == closes
    assert shift.between(evening, evening + DAY) == int(night * HOUR)
    midnight = at(zone, *day, 0) + DAY
    assert Calendar(zone=zone).between(
        midnight, at(zone, *day[:2], day[2], 0) + DAY + int(whole * HOUR)
    ) == int(whole * HOUR)


def test_hours_in_the_gap_are_dropped_and_boundaries_in_it_are_where_the_clock_jumps() -> None:
    jump = at(BERLIN, 2026, 3, 29, 3)
    assert first_moment(datetime(2026, 3, 29, 2, 30), BERLIN) == jump
    assert Calendar(zone=BERLIN, hours=(((120, 150),),) * 7).between(jump - HOUR, jump + HOUR) == 0
    assert Calendar(zone=BERLIN, hours=(((150, 240),),) * 7).next_change(jump - HOUR) == jump
    assert Calendar(zone=BERLIN, hours=(((60, 150),),) * 7).next_change(jump - HOUR) == jump


def test_what_happens_in_the_hour_that_comes_twice_happens_once() -> None:
    first = at(BERLIN, 2026, 10, 25, 2)
    calendar = Calendar(zone=BERLIN, hours=(((150, 240),),) * 7)
    assert calendar.next_change(first) == first + 30 * MINUTE
    assert calendar.next_change(first + 30 * MINUTE) == at(BERLIN, 2026, 10, 25, 4)
    closing = Calendar(zone=BERLIN, hours=(((60, 150),),) * 7)
    assert closing.between(first - 2 * HOUR, first + 6 * HOUR) == 90 * MINUTE


def test_stretches_that_touch_are_one() -> None:
    calendar = Calendar(zone=SHANGHAI, hours=(((0, 360), (360, 720), (1320, 1440)),) * 7)
    assert calendar.next_change(at(SHANGHAI, 2026, 9, 21, 22)) == at(SHANGHAI, 2026, 9, 22, 12)


def test_an_office_counts_its_hours() -> None:
    office = Calendar(zone=SHANGHAI, hours=OFFICE)
    friday = at(SHANGHAI, 2026, 9, 25, 17)
    assert office.add(friday, HOUR) == at(SHANGHAI, 2026, 9, 25, 18)
    assert office.add(friday, HOUR + 1) == at(SHANGHAI, 2026, 9, 26, 9) + 1
    assert office.add(friday, 4 * HOUR) == at(SHANGHAI, 2026, 9, 26, 12)
    assert office.add(friday, 8 * HOUR) == at(SHANGHAI, 2026, 9, 28, 12)
    assert office.add(friday + 2 * HOUR, 0) == friday + 2 * HOUR
    assert office.between(friday, friday - HOUR) == 0
    assert office.between(friday, friday + 7 * DAY) == (5 * 9 + 3) * HOUR


def test_chinese_holidays_and_their_make_up_days() -> None:
    """National Day 2026: closed from 1 to 7 October; Sunday 20 September and Saturday 10 October are worked."""
    office = Calendar(
        zone=SHANGHAI,
        hours=OFFICE,
        holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
        workdays=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    )
    assert office.next_change(at(SHANGHAI, 2026, 9, 30, 18)) == at(SHANGHAI, 2026, 10, 8, 8)
    for day in ((2026, 9, 20), (2026, 10, 10)):
        assert office.between(at(SHANGHAI, *day, 0), at(SHANGHAI, *day, 0) + DAY) == 9 * HOUR
        assert office.is_open(at(SHANGHAI, *day, 17, 59))


def test_a_holiday_closes_what_begins_on_it_and_not_what_began_before() -> None:
    shift = Calendar(zone=BERLIN, hours=(((1320, 360),),) * 7, holidays=frozenset({date(2026, 12, 25)}))
    assert shift.is_open(at(BERLIN, 2026, 12, 25, 5))
    assert not shift.is_open(at(BERLIN, 2026, 12, 25, 23))
    assert not shift.is_open(at(BERLIN, 2026, 12, 26, 5))


def test_what_would_take_longer_than_anybody_waits_ends_never() -> None:
    minute = Calendar(zone=ZoneInfo("Europe/Berlin"), hours=(((480, 481),), (), (), (), (), (), ()))
    assert minute.add(1_790_000_000_000, 365 * DAY) == NEVER
    assert minute.between(1_790_000_000_000, NEVER) < 2 * DAY


def test_what_is_never_open_ends_never() -> None:
    closed = Calendar(zone=BERLIN, hours=((),) * 7, workdays=frozenset({date(2026, 1, 1)}))
    now = at(BERLIN, 2026, 1, 1)
    assert closed.next_change(now) is None
    assert closed.add(now, 1) == NEVER
    assert closed.between(now, now + 1_000 * DAY) == 0


def test_what_is_always_open_changes_at_its_holidays_only() -> None:
    now, far = at(BERLIN, 2026, 1, 1), date(2125, 6, 1)
    assert Calendar(zone=BERLIN).next_change(now) is None
    assert Calendar(zone=BERLIN).add(now, 400 * DAY) == now + 400 * DAY
    calendar = Calendar(zone=BERLIN, hours=(((480, 480),),) * 7, holidays=frozenset({far}))
    closes = calendar.next_change(now)
    assert closes == at(BERLIN, 2125, 6, 1, 8)
    assert calendar.next_change(closes) == at(BERLIN, 2125, 6, 2, 8)
    assert calendar.next_change(closes + DAY) is None


def test_a_long_row_of_holidays_is_looked_past() -> None:
    year = frozenset(date(2026, 1, 1) + timedelta(days) for days in range(365))
    office = Calendar(zone=BERLIN, hours=OFFICE, holidays=year)
    assert office.next_change(at(BERLIN, 2026, 1, 1)) == at(BERLIN, 2027, 1, 1, 8)


@pytest.mark.parametrize(
    "hours", [EVERY_DAY[:6], (((-1, 60),),) * 7, (((1440, 60),),) * 7, (((0, 1441),),) * 7]
)
def test_hours_outside_the_day_are_refused(hours: tuple[DayHours, ...]) -> None:
    with pytest.raises(ValueError, match="found"):
        Calendar(zone=BERLIN, hours=hours)


# --- windows -----------------------------------------------------------------------------------------------------


def test_windows_that_overlap_or_touch_are_one() -> None:
    windows = Windows(spans=((10, 20), (20, 30), (5, 12), (40, 50)))
    assert [one for one in range(60) if windows.is_open(one)] == [*range(5, 30), *range(40, 50)]
    assert [windows.next_change(one) for one in (0, 5, 19, 30, 40, 50)] == [5, 30, 30, 40, 50, None]


def test_a_window_that_comes_again() -> None:
    due = Recurrence(rule="FREQ=WEEKLY;BYDAY=SU;COUNT=2", start=datetime(2026, 3, 22, 1, 30), zone=BERLIN)
    windows = Windows(recurrence=due, lasts=2 * HOUR)
    opens = at(BERLIN, 2026, 3, 22, 1, 30)
    later = at(BERLIN, 2026, 3, 29, 1, 30)
    assert [windows.next_change(one) for one in (0, opens, opens + 2 * HOUR, later, later + 2 * HOUR)] == [
        opens,
        opens + 2 * HOUR,
        later,
        at(BERLIN, 2026, 3, 29, 4, 30),  # two hours later, over the change of the clock
        None,
    ]
    assert not windows.is_open(opens - 1)
    assert windows.is_open(opens)
    assert not windows.is_open(opens + 2 * HOUR)


def test_occurrences_that_overlap_are_one_window_and_an_endless_row_never_closes() -> None:
    rule = Recurrence(rule="FREQ=HOURLY;COUNT=5", start=datetime(2026, 6, 1, 8), zone=BERLIN)
    opens = at(BERLIN, 2026, 6, 1, 8)
    assert Windows(recurrence=rule, lasts=90 * MINUTE).next_change(opens) == opens + 4 * HOUR + 90 * MINUTE
    endless = Recurrence(rule="FREQ=HOURLY", start=datetime(2026, 6, 1, 8), zone=BERLIN)
    assert Windows(recurrence=endless, lasts=2 * HOUR).next_change(opens) is None


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=5),
    st.integers(1, 6),
    st.integers(1, 300),
)
def test_windows_change_where_they_open_or_close(
    spans: list[tuple[int, int]], every: int, lasts: int
) -> None:
    start = at(BERLIN, 2026, 3, 28, 20)
    due = Recurrence(
        rule=f"FREQ=HOURLY;INTERVAL={every};COUNT=6", start=datetime(2026, 3, 28, 21, 30), zone=BERLIN
    )
    windows = Windows(
        spans=tuple((start + a * 15 * MINUTE, start + (a + b) * 15 * MINUTE) for a, b in spans),
        recurrence=due,
        lasts=lasts * MINUTE,
    )
    moments = range(start, start + 4 * DAY, 15 * MINUTE)
    moment = start
    while (change := windows.next_change(moment)) is not None:
        assert change > moment
        assert windows.is_open(change) is not windows.is_open(change - 1)
        assert (
            len(
                {windows.is_open(one) for one in moments if moment <= one < change}
                | {windows.is_open(moment)}
            )
            == 1
        )
        moment = change
    assert not any(windows.is_open(one) for one in moments if one >= moment)


@pytest.mark.parametrize("wrong", [{"spans": ((5, 5),)}, {"lasts": 5}])
def test_windows_without_length_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="found"):
        Windows(**wrong)  # type: ignore[arg-type]
