"""VictoriaMetrics as a target for numbers: a suite of its own, since it keeps no text and speaks no InfluxQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.core.values import DAY, MINUTE, SECOND, Scalar, Series, TelemetryRow
from gateway.ports import Answer, Bucket, Query, Sample
from tests.servers.victoria import VictoriaServer

T0 = 1_790_000_000_000 - 1_790_000_000_000 % DAY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaServer]:
    victoria = VictoriaServer(tmp_path_factory.mktemp("victoria"))
    victoria.start()
    yield victoria
    victoria.stop()


@pytest.fixture
async def store(server: VictoriaServer) -> AsyncIterator[InfluxStore]:
    store = InfluxStore(InfluxSettings.parse(server.url))
    yield store
    await store.close()


def lift(name: str) -> Series:
    return Series("elevator", (("device", name), ("site", "hq")))


def row(series: Series, n: int, **fields: Scalar) -> TelemetryRow:
    return TelemetryRow(series, T0 + n, fields)


async def test_numbers_and_truths_are_stored_as_floats(server: VictoriaServer, store: InfluxStore) -> None:
    series = lift("numbers")
    assert await store.write([row(series, 0, speed=-1.5, floor=12, moving=True)]) == []
    server.flush()
    answers = await store.read(Query(series, ["speed", "floor", "moving"], T0, T0 + 1, None))
    assert answers == [
        Answer("speed", [Sample(T0, -1.5)], []),
        Answer("floor", [Sample(T0, 12.0)], []),
        Answer("moving", [Sample(T0, 1.0)], []),
    ]


async def test_text_is_left_out_and_its_neighbours_are_kept(
    server: VictoriaServer, store: InfluxStore
) -> None:
    series = lift("text")
    assert await store.write([row(series, 0, door="open", floor=1), row(series, 1000, door="closed")]) == []
    server.flush()
    answers = await store.read(Query(series, ["door", "floor"], T0, T0 + DAY, None))
    assert answers == [Answer("door", [], []), Answer("floor", [Sample(T0, 1.0)], [])]


async def test_rows_written_twice_are_read_once(server: VictoriaServer, store: InfluxStore) -> None:
    series = lift("twice")
    rows = [row(series, n * SECOND, speed=float(n)) for n in range(90)]
    for _ in range(2):
        assert await store.write(rows) == []
    server.flush()
    (raw,) = await store.read(Query(series, ["speed"], T0 + SECOND, T0 + 3 * SECOND, None))
    assert raw.samples == [Sample(T0 + SECOND, 1.0), Sample(T0 + 2 * SECOND, 2.0)]
    (buckets,) = await store.read(Query(series, ["speed"], T0, T0 + DAY, MINUTE))
    assert buckets.buckets == [Bucket(T0, 0.0, 59.0, 29.5, 60), Bucket(T0 + MINUTE, 60.0, 89.0, 74.5, 30)]


async def test_a_long_answer_is_cut_and_says_so(server: VictoriaServer, store: InfluxStore) -> None:
    series = lift("long")
    await store.write([row(series, n * SECOND, speed=float(n)) for n in range(5000)])
    server.flush()
    (answer,) = await store.read(Query(series, ["speed"], T0, T0 + DAY, None, 4999))
    assert (len(answer.samples), answer.samples[-1], answer.truncated) == (
        4999,
        Sample(T0 + 4998 * SECOND, 4998.0),
        True,
    )


async def test_what_it_would_drop_in_silence_is_handed_back(
    server: VictoriaServer, store: InfluxStore
) -> None:
    series = lift("bad")
    bad = row(series, 0, speed=float("nan"))
    (refused,) = await store.write([bad, row(series, 1000, speed=1.0)])
    assert refused.row is bad
    assert "finite" in refused.words
    server.flush()
    (answer,) = await store.read(Query(series, ["speed"], T0, T0 + DAY, None))
    assert answer.samples == [Sample(T0 + 1000, 1.0)]


async def test_a_selector_cannot_reach_past_its_series(server: VictoriaServer, store: InfluxStore) -> None:
    odd = lift('odd "} or {x=~".*')
    await store.write([row(odd, 0, speed=1.0), row(lift("plain"), 0, speed=2.0)])
    server.flush()
    (answer,) = await store.read(Query(odd, ["speed"], T0, T0 + DAY, None))
    assert answer.samples == [Sample(T0, 1.0)]
    (nothing,) = await store.read(Query(lift('"} or {device="plain'), ["speed"], T0, T0 + DAY, None))
    assert nothing.samples == []


async def test_health_says_that_text_is_not_kept(server: VictoriaServer, store: InfluxStore) -> None:
    health = await store.health()
    assert health.ok
    assert health.words.startswith("VictoriaMetrics")
    assert "numbers only" in health.words
    assert server.url in health.words
