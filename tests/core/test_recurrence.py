# ruff: noqa: DTZ001 - wall times carry no zone
"""Due times, against dateutil asked from the start, and against the wall clock where it jumps."""

import calendar
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.core.local_time import EPOCH, instant, wall_time
from gateway.core.recurrence import Due, Recurrence
from gateway.core.values import DAY, HOUR, MINUTE, Millis

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
LORD_HOWE, SHANGHAI = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Shanghai")
ZONES = (BERLIN, NEW_YORK, LORD_HOWE, SHANGHAI)


def recurrence(rule: str, start: datetime, zone: ZoneInfo = BERLIN) -> Recurrence:
    return Recurrence(rule=rule, start=start, zone=zone)


def first(one: Recurrence, count: int, at: Millis = 0) -> list[Due]:
    found: list[Due] = []
    while len(found) < count and (due := one.after(at)) is not None:
        found.append(due)
        at = due.at
    return found


def keys(rule: str, start: datetime, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    return [due.key for due in first(recurrence(rule, start, zone), count)]


# --- against dateutil, from the start ----------------------------------------------------------------------------


def numbers(least: int, most: int) -> st.SearchStrategy[str]:
    found = st.lists(st.integers(least, most).filter(bool), min_size=1, max_size=3, unique=True)
    return found.map(lambda given: ",".join(map(str, given)))


PLAIN_DAYS = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3, unique=True
)
BY_DAY = PLAIN_DAYS.map(lambda days: "BYDAY=" + ",".join(days))
BY_NUMBERED_DAY = st.sampled_from(
    ["BYDAY=1MO", "BYDAY=-1FR,2TU", "BYDAY=SU;BYSETPOS=-1", "BYDAY=MO,TU;BYSETPOS=1,-1"]
)
BY_MONTH = numbers(1, 12).map("BYMONTH={}".format)
BY_MONTH_DAY = numbers(-31, 28).map("BYMONTHDAY={}".format)
BY_HOUR = numbers(1, 23).map("BYHOUR={}".format)
BY_MINUTE = st.sampled_from(["BYMINUTE=0,15,30,45", "BYMINUTE=30"])
FITTING = {
    "YEARLY": (
        BY_MONTH,
        BY_NUMBERED_DAY,
        BY_HOUR,
        BY_MINUTE,
        st.just("BYWEEKNO=1,20,53"),
        st.just("BYYEARDAY=1,-1"),
    ),
    "MONTHLY": (BY_MONTH, BY_NUMBERED_DAY, BY_MONTH_DAY, BY_HOUR, BY_MINUTE),
    "WEEKLY": (BY_MONTH, BY_DAY, BY_HOUR, BY_MINUTE, st.sampled_from(["WKST=SU", "WKST=WE"])),
    "DAILY": (BY_MONTH, BY_DAY, BY_MONTH_DAY, BY_HOUR, BY_MINUTE),
    "HOURLY": (BY_DAY, BY_HOUR, BY_MINUTE),
    "MINUTELY": (BY_DAY, BY_HOUR),
}
NUMBERED = re.compile(r"BYDAY=[^;']*[0-9]")
AT_MOST = {"YEARLY": 5, "MONTHLY": 14, "WEEKLY": 9, "DAILY": 40, "HOURLY": 30, "MINUTELY": 90}


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(sorted(FITTING)))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, AT_MOST[frequency]))}"]
    chosen = draw(st.lists(st.sampled_from(FITTING[frequency]), max_size=2, unique_by=id))
    parts += [draw(part) for part in chosen]
    assume(not ("BYWEEKNO" in str(parts) and NUMBERED.search(str(parts))))  # RFC 5545 forbids it
    end = draw(st.sampled_from(["", "COUNT=1", "COUNT=7", "UNTIL=20270401T023000", "UNTIL=20300101"]))
    return ";".join(part for part in (*parts, end) if part)


EVES = [
    datetime(2026, 3, 26),
    datetime(2026, 10, 23),
    datetime(2026, 3, 6),
    datetime(2026, 10, 30),
    datetime(2026, 4, 3),
]
STARTS = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)),
    st.builds(lambda eve, later: eve + timedelta(minutes=later), st.sampled_from(EVES), st.integers(0, 2880)),
).map(
    lambda wall: wall.replace(
        day=min(wall.day, 28), minute=wall.minute // 15 * 15, second=0, microsecond=0, fold=0
    )
)
HORIZONS = {"YEARLY": 1000 * DAY, "MONTHLY": 700 * DAY, "WEEKLY": 300 * DAY, "DAILY": 100 * DAY}


def from_the_start(rule: str, start: datetime, zone: ZoneInfo, until: Millis) -> list[Due]:
    """Every occurrence up to a moment, by dateutil alone; of two at one moment the one that was named first."""
    late = EPOCH + timedelta(milliseconds=until + 2 * DAY)
    try:
        walls = takewhile(lambda wall: wall < late, rrulestr(by_rfc(rule), dtstart=start))
    except ValueError:  # an interval that never meets the hours
        return []
    dues: dict[Millis, Due] = {}
    for wall in walls:
        due = Due(instant(wall, zone), wall.isoformat(timespec="minutes"))
        dues.setdefault(due.at, due)
    return sorted(due for due in dues.values() if due.at <= until)


def by_rfc(rule: str) -> str:
    """dateutil takes a date as midnight, and weeks to begin on Monday only where nobody set another first day."""
    whole_day = rule.replace("UNTIL=20300101", "UNTIL=20300101T235959")
    return whole_day if "WKST" in rule else f"{whole_day};WKST=MO"


@settings(deadline=None)
@given(rules(), STARTS, st.sampled_from(ZONES), st.lists(st.integers(0, 900 * DAY), max_size=6))
def test_due_times_are_those_of_a_search_from_the_start(
    rule: str, start: datetime, zone: ZoneInfo, moments: list[Millis]
) -> None:
    begin = instant(start, zone)
    end = begin + HORIZONS.get(rule[5:].split(";", maxsplit=1)[0], 5 * DAY)
    try:
        one = recurrence(rule, start, zone)
    except ValueError:
        assert from_the_start(rule, start, zone, end) == []
        return
    everything = from_the_start(rule, start, zone, end)
    found = list(takewhile(lambda due: due.at <= end, first(one, len(everything) + 1)))
    assert found == everything
    assert all(earlier.at < later.at for earlier, later in pairwise(found))
    for moment in moments:
        at = begin + moment % (end - begin)
        fresh = recurrence(rule, start, zone)  # asked for the first time in the middle
        later = [due for due in everything if due.at > at]
        before = [due for due in everything if due.at <= at]
        assert fresh.after(at) == (later[0] if later else one.after(end))
        assert fresh.last(at) == (before[-1] if before else None)
        assert one.after(at) == fresh.after(at)
        assert one.last(at) == fresh.last(at)


@given(st.integers(1, 7), st.integers(29, 31), st.integers(0, 400), st.booleans())
def test_the_end_of_a_month_is_its_last_day(every: int, day: int, later: int, said: bool) -> None:
    start = datetime(2024, 1, 1 if said else day, 8)
    rule = f"FREQ=MONTHLY;INTERVAL={every}" + (f";BYMONTHDAY={day}" if said else "")
    at = instant(datetime(2024, 1, 1), BERLIN) + later * DAY
    found = first(recurrence(rule, start), 5, at)
    wanted: list[str] = []
    for month in range(0, 100, every):
        year, number = 2024 + month // 12, month % 12 + 1
        wall = datetime(year, number, min(day, calendar.monthrange(year, number)[1]), 8)
        if instant(wall, BERLIN) > at:
            wanted.append(wall.isoformat(timespec="minutes"))
    assert [due.key for due in found] == wanted[:5]


# --- ends of months, leap days -----------------------------------------------------------------------------------


def test_a_month_without_the_day_has_its_last_day_and_no_day_comes_twice() -> None:
    assert keys("FREQ=MONTHLY;BYMONTHDAY=30,31", datetime(2026, 1, 1, 9), 5) == [
        "2026-01-30T09:00",
        "2026-01-31T09:00",
        "2026-02-28T09:00",
        "2026-03-30T09:00",
        "2026-03-31T09:00",
    ]
    assert keys("FREQ=MONTHLY;BYMONTHDAY=15,31;BYHOUR=8,20", datetime(2026, 2, 1, 0), 4) == [
        "2026-02-15T08:00",
        "2026-02-15T20:00",
        "2026-02-28T08:00",
        "2026-02-28T20:00",
    ]
    assert keys("FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31", datetime(2026, 1, 1, 9), 2) == [
        "2026-04-30T09:00",
        "2026-06-30T09:00",
    ]
    assert keys("FREQ=MONTHLY;BYMONTHDAY=-1,30", datetime(2026, 1, 1, 9), 4) == [
        "2026-01-30T09:00",
        "2026-01-31T09:00",
        "2026-02-28T09:00",
        "2026-03-30T09:00",
    ]


def test_what_began_on_a_leap_day_is_kept_every_year() -> None:
    assert keys("FREQ=YEARLY", datetime(2024, 2, 29, 12), 5) == [
        "2024-02-29T12:00",
        "2025-02-28T12:00",
        "2026-02-28T12:00",
        "2027-02-28T12:00",
        "2028-02-29T12:00",
    ]


def test_beside_weekdays_or_positions_days_are_as_the_rfc_has_them() -> None:
    assert keys("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=31", datetime(2026, 1, 1, 9), 2) == [
        "2026-07-31T09:00",
        "2027-12-31T09:00",
    ]
    assert keys("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", datetime(2026, 1, 1, 9), 3) == [
        "2026-01-31T09:00",
        "2026-02-28T09:00",
        "2026-03-31T09:00",
    ]
    assert keys("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", datetime(2026, 1, 1, 9), 2) == [
        "2026-01-30T09:00",
        "2026-02-27T09:00",
    ]


# --- daylight saving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "eve", "shown"),
    [
        (BERLIN, datetime(2026, 3, 28, 2, 30), "2026-03-29T03:30"),
        (NEW_YORK, datetime(2026, 3, 7, 2, 30), "2026-03-08T03:30"),
        (LORD_HOWE, datetime(2026, 10, 3, 2, 15), "2026-10-04T02:45"),
    ],
)
def test_what_is_due_in_the_lost_hour_is_moved_forward(zone: ZoneInfo, eve: datetime, shown: str) -> None:
    _, due, after = first(recurrence("FREQ=DAILY", eve, zone), 3)
    assert due.key == (eve + timedelta(1)).isoformat(timespec="minutes")
    assert wall_time(due.at, zone).isoformat(timespec="minutes") == shown
    assert after.key == (eve + timedelta(2)).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("zone", "eve", "longer"),
    [
        (BERLIN, datetime(2026, 10, 24, 2, 30), HOUR),
        (NEW_YORK, datetime(2026, 10, 31, 1, 30), HOUR),
        (LORD_HOWE, datetime(2026, 4, 4, 1, 45), 30 * MINUTE),
    ],
)
def test_what_is_due_in_the_hour_that_comes_twice_is_due_the_first_time(
    zone: ZoneInfo, eve: datetime, longer: Millis
) -> None:
    before, due, after = first(recurrence("FREQ=DAILY", eve, zone), 3)
    assert (due.at - before.at, after.at - due.at) == (DAY, DAY + longer)
    assert wall_time(due.at, zone).fold == 0


def test_what_falls_together_in_the_lost_hour_is_due_once() -> None:
    found = first(recurrence("FREQ=MINUTELY;INTERVAL=30", datetime(2026, 3, 29, 1, 0)), 6)
    assert [due.key[-5:] for due in found] == ["01:00", "01:30", "02:00", "02:30", "04:00", "04:30"]
    assert [later.at - earlier.at for earlier, later in pairwise(found)] == [30 * MINUTE] * 5


def test_shanghai_has_no_such_night() -> None:
    found = first(recurrence("FREQ=DAILY", datetime(2026, 1, 1, 2, 30), SHANGHAI), 366)
    assert {later.at - earlier.at for earlier, later in pairwise(found)} == {DAY}


def test_a_whole_day_that_is_skipped_is_made_up_for_on_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    found = first(recurrence("FREQ=DAILY", datetime(2011, 12, 28, 9), apia), 4)
    assert [due.key[:10] for due in found] == ["2011-12-28", "2011-12-29", "2011-12-30", "2012-01-01"]


# --- ends, and long times ----------------------------------------------------------------------------------------


def test_nothing_is_due_before_the_start_or_after_the_end() -> None:
    one = recurrence("FREQ=WEEKLY;BYDAY=MO;UNTIL=20260216", datetime(2026, 2, 4, 9))
    assert [due.key for due in first(one, 9)] == ["2026-02-09T09:00", "2026-02-16T09:00"]
    assert one.last(instant(datetime(2026, 2, 9, 8, 59), BERLIN)) is None
    end = one.last(instant(datetime(2190, 1, 1), BERLIN))
    assert end is not None
    assert end.key == "2026-02-16T09:00"


def test_an_end_in_utc_is_the_same_moment() -> None:
    rule = "FREQ=HOURLY;UNTIL=20260701T100000Z"
    assert keys(rule, datetime(2026, 7, 1, 10), 9) == [f"2026-07-01T{hour}:00" for hour in (10, 11, 12)]


def test_a_rule_that_is_counted_anew_keeps_its_end_and_forgets_its_count() -> None:
    done = instant(datetime(2026, 5, 20, 14, 23), BERLIN) + 40_000
    counted = recurrence("FREQ=MONTHLY;COUNT=2", datetime(2026, 1, 5, 9)).restarted(done)
    assert [due.key for due in first(counted, 2, done)] == ["2026-06-20T14:23", "2026-07-20T14:23"]
    ending = recurrence("FREQ=MONTHLY;UNTIL=20260601", datetime(2026, 1, 5, 9)).restarted(done)
    assert ending.after(done) is None


def test_a_rule_of_long_ago_is_asked_as_quickly_as_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in wall times that are looked at, since time on a busy machine says nothing."""
    looked = 0
    plain = Recurrence._walls

    def counting(self: Recurrence, low: datetime) -> Iterator[datetime]:
        nonlocal looked
        for wall in plain(self, low):
            looked += 1
            yield wall

    monkeypatch.setattr(Recurrence, "_walls", counting)
    one = recurrence("FREQ=MINUTELY;INTERVAL=15", datetime(2001, 1, 1))
    at = instant(datetime(2026, 3, 28), BERLIN)
    assert one.after(at) is not None
    assert looked < 100
    looked = 0
    assert len(first(one, 1_000, at)) == 1_000
    assert looked < 2_000


def test_a_rare_rule_is_found_a_hundred_years_on() -> None:
    assert keys("FREQ=YEARLY;INTERVAL=100", datetime(2026, 2, 3, 9), 3) == [
        "2026-02-03T09:00",
        "2126-02-03T09:00",
        "2226-02-03T09:00",
    ]
    assert keys("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", datetime(2070, 1, 1, 9), 2) == [
        "2072-02-29T09:00",
        "2112-02-29T09:00",
    ]


def test_equal_rules_are_equal_whatever_they_were_asked() -> None:
    one, other = (recurrence("FREQ=DAILY", datetime(2026, 1, 1)) for _ in range(2))
    one.after(0)
    assert one == other
    assert hash(one) == hash(other)


# --- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=FORTNIGHTLY", "no frequency 'FORTNIGHTLY' (allowed: YEARLY, MONTHLY"),
        ("INTERVAL=2", "FREQ is missing"),
        ("FREQ=SECONDLY", "once a minute at most"),
        ("FREQ=DAILY;BYSECOND=30", "whole minutes"),
        ("FREQ=DAILY;BYEASTER=0", "no part 'BYEASTER' (allowed: FREQ, "),
        ("DTSTART:20260101T090000;FREQ=DAILY", "the start is given beside the rule"),
        ("FREQ=DAILY;DTSTART=20260101T090000", "the start is given beside the rule"),
        ("FREQ=DAILY;", "no part ''"),
        ("FREQ=DAILY;INTERVAL", "INTERVAL has no value"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a whole number from 1 to 1000, found '0'"),
        ("FREQ=YEARLY;INTERVAL=101", "INTERVAL is a whole number from 1 to 100"),
        ("FREQ=DAILY;COUNT=10001", "COUNT is a whole number from 1 to 10000"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "COUNT is given twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20300101", "exclude each other"),
        ("FREQ=DAILY;UNTIL=2030-01-01", "UNTIL is a date or a local time"),
        ("FREQ=DAILY;UNTIL=20300230", "UNTIL is a date or a local time"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR lists whole numbers, 0 to 23; found '24'"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "1 to 31, or -1 to -31 from the end; found '0'"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY lists days such as MO"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY lists days such as MO"),
        ("FREQ=WEEKLY;BYDAY=1MO", "needs months or years"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO does not go with FREQ=MONTHLY (it goes with YEARLY)"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS chooses among"),
        ("FREQ=WEEKLY;WKST=XX", "WKST is one of MO"),
        ("FREQ=DAILY;UNTIL=20251231", "it never occurs"),
        ("FREQ=YEARLY;BYMONTH=4;BYYEARDAY=1", "it never occurs"),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=1", "it never occurs"),
        ("FREQ=DAILY;COUNT=2;BYMONTH=2;BYMONTHDAY=30", "it never occurs"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_reason(rule: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        recurrence(rule, datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "start",
    [datetime(2026, 1, 1, tzinfo=BERLIN), datetime(2026, 1, 1, 0, 0, 1), datetime(2026, 1, 1, 0, 0, 0, 1)],
)
def test_a_start_is_a_wall_time_in_whole_minutes(start: datetime) -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        recurrence("FREQ=DAILY", start)
