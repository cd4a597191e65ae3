"""One suite over every telemetry store: the embedded one and a real InfluxDB 1.6."""

import math
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.embedded import EmbeddedStore
from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Scalar, Series, TelemetryRow
from gateway.ports import Answer, Bucket, Query, Sample, TelemetryStore
from tests.servers.influx import InfluxServer

T0 = 1_790_000_000_000 - 1_790_000_000_000 % DAY
"""A midnight, UTC."""

LIFT = Series("elevator", (("building", "A"), ("device", "lift-1"), ("floor", "B1"), ("site", "hq")))
OTHER = Series("elevator", (("building", "A"), ("device", "lift-2"), ("site", "hq")))

_names = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    influx = InfluxServer(tmp_path_factory.mktemp("influx"))
    influx.start()
    yield influx
    influx.stop()


@pytest.fixture(params=["embedded", "influxdb"])
async def open_store(
    request: pytest.FixtureRequest, server: InfluxServer, tmp_path: Path
) -> AsyncIterator[Callable[[], TelemetryStore]]:
    """Makes empty stores of one kind, and closes them."""
    opened: list[TelemetryStore] = []

    def make() -> TelemetryStore:
        name = f"contract{next(_names)}"
        if request.param == "embedded":
            opened.append(EmbeddedStore(tmp_path / name))
        else:
            opened.append(InfluxStore(InfluxSettings.parse(server.url, bucket=name)))
        return opened[-1]

    yield make
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Callable[[], TelemetryStore]) -> TelemetryStore:
    return open_store()


def row(ts: int, series: Series = LIFT, **fields: Scalar) -> TelemetryRow:
    return TelemetryRow(series, ts, fields)


def query(
    *fields: str, start: int = T0, end: int = T0 + DAY, every: int | None = None, limit: int = 10_000
) -> Query:
    return Query(LIFT, fields, start, end, every, limit)


def about(mean: float) -> Any:  # noqa: ANN401  # pytest's own type is no float, though it compares as one
    """A mean, whichever way its readings were added up."""
    return pytest.approx(mean, rel=1e-9, abs=1e-6)


async def test_what_was_written_is_read_back_in_order_of_time(store: TelemetryStore) -> None:
    rows = [row(T0 + 2000, speed=-1.5), row(T0, speed=0.1), row(T0 + 1000, speed=2.5e-7)]
    assert await store.write(rows) == []
    expected = [Sample(T0, 0.1), Sample(T0 + 1000, 2.5e-7), Sample(T0 + 2000, -1.5)]
    assert await store.read(query("speed")) == [Answer("speed", expected, [])]


async def test_writing_twice_is_one_reading(store: TelemetryStore) -> None:
    rows = [row(T0 + n * SECOND, speed=float(n), door="open") for n in range(90)]
    for _ in range(2):
        assert await store.write(rows) == []
    assert [len(answer.samples) for answer in await store.read(query("speed", "door"))] == [90, 90]
    (buckets,) = await store.read(query("speed", every=MINUTE))
    assert buckets.buckets == [Bucket(T0, 0.0, 59.0, 29.5, 60), Bucket(T0 + MINUTE, 60.0, 89.0, 74.5, 30)]


async def test_a_value_written_again_takes_the_place_of_the_first(store: TelemetryStore) -> None:
    await store.write([row(T0, speed=1.0)])
    await store.write([row(T0, speed=2.0)])
    assert (await store.read(query("speed")))[0].samples == [Sample(T0, 2.0)]


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        1.0,
        -0.1,
        1e300,
        5e-324,
        0,
        7,
        -(2**63),
        2**63 - 1,
        True,
        False,
        "",
        "open",
        'a"b\\c,d=e f',
        "电梯 🛗",
    ],
    ids=repr,
)
async def test_values_keep_their_type(store: TelemetryStore, value: Scalar) -> None:
    await store.write([row(T0, value=value)])
    (answer,) = await store.read(query("value"))
    assert answer.samples == [Sample(T0, value)]
    assert type(answer.samples[0].value) is type(value)


async def test_start_is_inclusive_and_end_is_exclusive(store: TelemetryStore) -> None:
    await store.write([row(T0 + n, speed=float(n)) for n in range(4)])
    (raw,) = await store.read(query("speed", start=T0 + 1, end=T0 + 3))
    assert raw.samples == [Sample(T0 + 1, 1.0), Sample(T0 + 2, 2.0)]
    (cut,) = await store.read(query("speed", start=T0 + 1, end=T0 + 3, every=MINUTE))
    assert cut.buckets == [Bucket(T0, 1.0, 2.0, 1.5, 2)]


async def test_every_field_asked_for_gets_an_answer_in_the_order_of_the_question(
    store: TelemetryStore,
) -> None:
    assert await store.read(query("speed", "door")) == [Answer("speed", [], []), Answer("door", [], [])]
    await store.write([row(T0, speed=1.0)])
    answers = await store.read(query("never", "speed", every=MINUTE))
    assert answers == [Answer("never", [], []), Answer("speed", [], [Bucket(T0, 1.0, 1.0, 1.0, 1)])]
    assert await store.read(query("speed", start=T0 + 1)) == [Answer("speed", [], [])]
    assert await store.read(query("speed", start=T0 + 5, end=T0)) == [Answer("speed", [], [])]


async def test_a_series_is_not_mixed_with_another(store: TelemetryStore) -> None:
    elsewhere = Series("fire_panel", LIFT.tags)
    await store.write(
        [row(T0, speed=1.0), row(T0, series=OTHER, speed=2.0), row(T0, series=elsewhere, speed=3.0)]
    )
    assert (await store.read(query("speed")))[0].samples == [Sample(T0, 1.0)]


async def test_fewer_tags_find_a_device_that_was_moved(store: TelemetryStore) -> None:
    moved = Series("elevator", (("building", "C"), ("device", "lift-1"), ("site", "hq")))
    await store.write(
        [row(T0, speed=1.0), row(T0 + 1000, series=moved, speed=2.0), row(T0, series=OTHER, speed=9.0)]
    )
    device = Series("elevator", (("device", "lift-1"), ("site", "hq")))
    (raw,) = await store.read(Query(device, ["speed"], T0, T0 + DAY, None))
    assert raw.samples == [Sample(T0, 1.0), Sample(T0 + 1000, 2.0)]
    (hour,) = await store.read(Query(device, ["speed"], T0, T0 + DAY, HOUR))
    assert hour.buckets == [Bucket(T0, 1.0, 2.0, 1.5, 2)]


async def test_a_long_answer_is_cut_at_the_end_and_says_so(store: TelemetryStore) -> None:
    await store.write([row(T0 + n * MINUTE, speed=float(n)) for n in range(11)])
    (exact,) = await store.read(query("speed", limit=11))
    assert (len(exact.samples), exact.truncated) == (11, False)
    (cut,) = await store.read(query("speed", limit=10))
    assert (cut.samples[-1].ts, len(cut.samples), cut.truncated) == (T0 + 9 * MINUTE, 10, True)
    (buckets,) = await store.read(query("speed", limit=10, every=MINUTE))
    assert (buckets.buckets[-1].ts, len(buckets.buckets), buckets.truncated) == (T0 + 9 * MINUTE, 10, True)


async def test_two_fields_at_different_times_do_not_fill_each_other(store: TelemetryStore) -> None:
    await store.write([row(T0, speed=1.0), row(T0 + 1000, load=40), row(T0 + 2000, speed=2.0, load=41)])
    speed, load = await store.read(query("speed", "load"))
    assert speed.samples == [Sample(T0, 1.0), Sample(T0 + 2000, 2.0)]
    assert load.samples == [Sample(T0 + 1000, 40), Sample(T0 + 2000, 41)]


async def test_fields_of_one_moment_may_come_one_by_one(store: TelemetryStore) -> None:
    await store.write([row(T0, speed=1.0)])
    await store.write([row(T0, load=40)])
    assert [a.samples for a in await store.read(query("speed", "load"))] == [
        [Sample(T0, 1.0)],
        [Sample(T0, 40)],
    ]


async def test_text_is_answered_raw_whatever_was_asked(store: TelemetryStore) -> None:
    await store.write([row(T0, door="open", speed=1.0), row(T0 + 1000, door="closed", speed=2.0)])
    door, speed = await store.read(query("door", "speed", every=HOUR))
    assert door == Answer("door", [Sample(T0, "open"), Sample(T0 + 1000, "closed")], [])
    assert speed == Answer("speed", [], [Bucket(T0, 1.0, 2.0, 1.5, 2)])


async def test_truths_count_as_nought_and_one(store: TelemetryStore) -> None:
    truths = [True, False, True, True]
    await store.write([row(T0 + n * 20 * SECOND, moving=truth) for n, truth in enumerate(truths)])
    (answer,) = await store.read(query("moving", every=MINUTE))
    assert answer.buckets == [
        Bucket(T0, 0.0, 1.0, about(2 / 3), 3),
        Bucket(T0 + MINUTE, 1.0, 1.0, 1.0, 1),
    ]


async def test_late_readings_are_found_and_counted(store: TelemetryStore) -> None:
    await store.write([row(T0 + n * SECOND, speed=1.0) for n in range(0, 3 * 3600, 10)])
    assert (await store.read(query("speed", every=HOUR)))[0].buckets[0] == Bucket(T0, 1.0, 1.0, 1.0, 360)
    await store.write([row(T0 + 5, speed=5.0), row(T0 - 3 * DAY, speed=-1.0)])
    (answer,) = await store.read(query("speed", start=T0 - 7 * DAY, every=HOUR))
    assert answer.buckets[0] == Bucket(T0 - 3 * DAY, -1.0, -1.0, -1.0, 1)
    assert answer.buckets[1] == Bucket(T0, 1.0, 5.0, about(365 / 361), 361)


async def test_thousands_of_rows_in_one_write(store: TelemetryStore) -> None:
    lifts = [Series("elevator", (("device", f"lift-{n}"), ("site", "hq"))) for n in range(50)]
    rows = [row(T0 + n * SECOND, series=lift, speed=n / 7, floor=n % 9) for n in range(100) for lift in lifts]
    assert await store.write(rows) == []
    for lift in (lifts[0], lifts[-1]):
        speed, floor = await store.read(Query(lift, ["speed", "floor"], T0, T0 + DAY, None))
        assert [s.value for s in speed.samples] == [n / 7 for n in range(100)]
        assert [s.value for s in floor.samples] == [n % 9 for n in range(100)]


async def test_a_row_of_the_wrong_type_is_handed_back_and_the_other_999_are_stored(
    store: TelemetryStore,
) -> None:
    await store.write([row(T0 - 1000, speed=1.0)])
    rows = [row(T0 + n, speed=float(n)) for n in range(1000)]
    culprit = rows[617] = row(T0 + 617, speed=3)
    (refused,) = await store.write(rows)
    assert refused.row == culprit
    assert "speed" in refused.words
    assert "float" in refused.words
    (answer,) = await store.read(query("speed"))
    assert [s.ts - T0 for s in answer.samples] == [n for n in range(1000) if n != 617]


async def test_a_point_that_changed_its_type_is_handed_back_every_time(store: TelemetryStore) -> None:
    await store.write([row(T0, speed=1.0)])
    rows = [row(T0 + n, speed=n if n % 2 else float(n)) for n in range(1, 2001)]
    refused = await store.write(rows)
    assert sorted(r.row.ts - T0 for r in refused) == list(range(1, 2001, 2))
    assert len((await store.read(query("speed")))[0].samples) == 1001


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(T0, speed=math.nan), "nan"),
        (row(T0, speed=math.inf), "inf"),
        (row(T0, trips=2**63), "64 bits"),
        (row(T0, door="open\nelevator,device=lift-1 speed=99 1"), "U+000A"),
        (row(T0, door="\x00"), "U+0000"),
        (row(T0, door="\ud800"), "U+D800"),
        (TelemetryRow(LIFT, T0, {"speed=1\nx": 1.0}), "control"),
        (TelemetryRow(LIFT, T0, {"speed\\": 1.0}), "backslash"),
        (TelemetryRow(LIFT, T0, {"": 1.0}), "no name"),
        (row(T0, time=1.0), '"time"'),
        (row(T0), "no fields"),
        (row(10**16, speed=1.0), "1677"),
        (row(T0, series=Series("elevator", (("device", "lift-1\nforged speed=1"),)), speed=1.0), "control"),
        (row(T0, series=Series("elevator", (("device", "lift-1\\"),)), speed=1.0), "backslash"),
        (row(T0, series=Series("ele\rvator", LIFT.tags), speed=1.0), "control"),
        (row(T0, series=Series("", LIFT.tags), speed=1.0), "no name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_must_not_be_stored_is_handed_back_in_words(
    store: TelemetryStore, bad: TelemetryRow, words: str
) -> None:
    (refused,) = await store.write([row(T0 + 1, speed=1.0), bad, row(T0 + 2, speed=2.0)])
    assert refused.row is bad
    assert words in refused.words
    assert [s.ts for s in (await store.read(query("speed")))[0].samples] == [T0 + 1, T0 + 2]


@pytest.mark.parametrize(
    "odd",
    ["a b", "a,b=c", 'say "hi"', "a\\b", "\\a,\\", "it's; DROP DATABASE", "电梯", "$x", "#1", "--", "a/b"],
    ids=repr,
)
async def test_odd_names_come_back_as_they_were(store: TelemetryStore, odd: str) -> None:
    if odd.endswith("\\"):
        odd += "."
    series = Series(f"m {odd}", (("device", odd), (f"k {odd}", "v")))
    assert await store.write([TelemetryRow(series, T0, {f"f {odd}": odd, "n": 1})]) == []
    text, number = await store.read(Query(series, [f"f {odd}", "n"], T0, T0 + 1, None))
    assert text.samples == [Sample(T0, odd)]
    assert number.samples == [Sample(T0, 1)]


@pytest.mark.parametrize("attack", ['" OR 1=1 --', "x' OR 'a'='a", "lift-1\nforged", "a\\"])
async def test_a_question_cannot_reach_past_its_series(store: TelemetryStore, attack: str) -> None:
    await store.write([row(T0, speed=1.0)])
    for series in (
        Series("elevator", (("device", attack),)),
        Series(attack, ()),
        Series("elevator", ((attack, "hq"),)),
    ):
        assert await store.read(Query(series, ["speed", attack], T0, T0 + 1, None)) == [
            Answer("speed", [], []),
            Answer(attack, [], []),
        ]


async def test_a_healthy_store_says_so(store: TelemetryStore) -> None:
    await store.write([row(T0, speed=1.0)])
    health = await store.health()
    assert health.ok, health.words


readings = st.dictionaries(
    st.integers(0, 3 * HOUR // 1000).map(lambda second: T0 + 22 * HOUR + second * 1000),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
    min_size=1,
    max_size=60,
)


@given(
    first=readings,
    late=readings,
    every=st.sampled_from([SECOND, 7 * SECOND, MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, 2 * HOUR, DAY]),
    start=st.integers(0, 3 * HOUR),
    length=st.integers(1, 4 * HOUR),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_downsampling_equals_counting_by_hand(
    open_store: Callable[[], TelemetryStore],
    first: dict[int, float],
    late: dict[int, float],
    every: int,
    start: int,
    length: int,
) -> None:
    store = open_store()
    begin = T0 + 22 * HOUR + start
    ranged = query("speed", start=begin, end=begin + length, every=every)
    for batch in (first, late, first | late):
        assert await store.write([row(ts, speed=value) for ts, value in batch.items()]) == []
        await store.read(ranged)
    (answer,) = await store.read(ranged)
    assert answer.buckets == _by_hand(first | late, ranged)


def _by_hand(values: dict[int, float], asked: Query) -> list[Bucket]:
    assert asked.every is not None
    groups: dict[int, list[float]] = {}
    for ts in sorted(values):
        if asked.start <= ts < asked.end:
            groups.setdefault(ts // asked.every * asked.every, []).append(values[ts])
    return [
        Bucket(ts, min(group), max(group), about(sum(group) / len(group)), len(group))
        for ts, group in groups.items()
    ]
