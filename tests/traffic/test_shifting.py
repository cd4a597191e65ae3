import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs.scan import Fault, parse_time
from gateway.core.values import DAY, Message, Millis
from gateway.traffic.shifting import shift_message, shift_payload

EVENT, TAP = "facility/house/gate-1/event", "facility/house/reader-1/tap"
LATER: Millis = 90_061_001
"""A day, an hour, a minute, a second and a millisecond."""
STAMP = st.one_of(
    st.integers(0, 4 * 10**12),
    st.datetimes(
        dt.datetime(1990, 1, 1),  # noqa: DTZ001 - the strategy puts the zone to it
        dt.datetime(2090, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-9, minutes=-30))]),
    ).map(lambda moment: moment.isoformat()),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read(payload: bytes) -> Any:  # noqa: ANN401 - whatever the JSON is
    return json.loads(payload)


def millis(stamp: object) -> int:
    found = parse_time(stamp, 0, 10**15, 10**15)
    assert not isinstance(found, Fault)
    return found


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda name: name not in ("ts", "sent")), JSON, max_size=4),
    STAMP,
    st.integers(-1_000 * DAY, 1_000 * DAY),
)
def test_the_time_moves_and_every_other_value_stays(rest: dict[str, Any], stamp: object, by: int) -> None:
    found = read(shift_payload(EVENT, json.dumps({**rest, "ts": stamp}).encode(), by))
    assert millis(found.pop("ts")) == millis(stamp) + by
    assert repr(found) == repr(json.loads(json.dumps(rest)))


@given(st.lists(st.tuples(STAMP, STAMP), min_size=1, max_size=4), st.integers(-DAY, DAY))
def test_there_and_back_again_is_where_it_was(stamps: list[tuple[object, object]], by: int) -> None:
    body = [{"id": str(number), "ts": ts, "sent": sent} for number, (ts, sent) in enumerate(stamps)]
    there = shift_payload(TAP, json.dumps(body).encode(), by)
    back = read(shift_payload(TAP, there, -by))
    assert [(millis(one["ts"]), millis(one["sent"])) for one in back] == [
        (millis(ts), millis(sent)) for ts, sent in stamps
    ]


@pytest.mark.parametrize(
    ("stamp", "moved"),
    [
        ("2026-10-24T23:00:00Z", "2026-10-26T00:01:01.001000Z"),
        ("2026-10-24T23:00:00+08:00", "2026-10-26T00:01:01.001000+08:00"),
        ("2026-10-24T23:00:00", None),
        ("9999-12-31T23:00:00Z", None),
        ("soon", None),
        (True, None),
        (1.5, None),
        (None, None),
        (10**30, 10**30 + LATER),
    ],
)
def test_times_of_every_form(stamp: object, moved: object) -> None:
    payload = json.dumps({"ts": stamp}).encode()
    found = shift_payload(EVENT, payload, LATER)
    assert found == payload if moved is None else read(found)["ts"] == moved


def test_only_taps_say_when_they_were_sent() -> None:
    payload = b'{"ts":1000,"sent":2000}'
    assert read(shift_payload(TAP, payload, 5)) == {"ts": 1005, "sent": 2005}
    assert read(shift_payload(EVENT, payload, 5)) == {"ts": 1005, "sent": 2000}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("facility/house/gate-1/status", b'{"ts":1}'),
        ("zigbee2mqtt/lamp", b'{"ts":1}'),
        ("telemetry", b'{"ts":1}'),
        (EVENT, b'{"ts":1'),
        (EVENT, b"\xff"),
        (EVENT, b""),
        (EVENT, b'[1,"ts",null]'),
        (EVENT, b'{ "at" : {"ts":1}}'),
        (EVENT, b'{"ts":1,"x":NaN}'),
        (EVENT, b'{"ts":1,"x":1e999}'),
        (EVENT, b"[" * 100_000),
    ],
)
def test_what_has_no_device_time_is_given_back_as_it_came(topic: str, payload: bytes) -> None:
    assert shift_payload(topic, payload, 1) == payload


def test_half_a_character_stays_half_a_character() -> None:
    assert read(shift_payload(EVENT, b'{"ts":1,"name":"\\ud83d"}', 1)) == {"ts": 2, "name": "\ud83d"}


def test_a_first_receipt_moves_with_its_message() -> None:
    message = Message(EVENT, b'{"ts":1}', received=100)
    assert shift_message(message, 10) == Message(EVENT, b'{"ts":11}', received=110)
    untouched = Message("a", b"b")
    assert shift_message(untouched, 10) is untouched
