"""What the contract suite cannot ask: versions, refusals and outages, with a real InfluxDB 1.6 wherever it can tell."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.core.values import DAY, HOUR, Scalar, Series, TelemetryRow
from gateway.errors import TelemetryMisconfigured, TelemetryUnavailable
from gateway.ports import Answer, Query, Sample
from tests.servers.answering import AnsweringServer
from tests.servers.influx import InfluxServer

T0 = 1_790_000_000_000
LIFT = Series("elevator", (("device", "lift-1"), ("site", "hq")))
SPEED = Query(LIFT, ["speed"], T0, T0 + DAY, None, 100_000)

TOKEN = "a-token"  # noqa: S105  # nobody's
USER_AND_PASSWORD = "fgw:p:ss w"  # noqa: S105  # nobody's

_names = count()

Open = Callable[..., InfluxStore]


def row(n: int, value: Scalar = 1.0) -> TelemetryRow:
    return TelemetryRow(LIFT, T0 + n, {"speed": value})


@pytest.fixture
async def open_store() -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def make(url: str, **settings: str) -> InfluxStore:
            store = InfluxStore(InfluxSettings.parse(url, **{"bucket": f"influx{next(_names)}", **settings}))
            stack.push_async_callback(store.close)
            return store

        yield make


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """Takes bodies of at most 20 kB."""
    influx = InfluxServer(tmp_path_factory.mktemp("influx"), http="max-body-size = 20000")
    influx.start()
    yield influx
    influx.stop()


async def stamps(store: InfluxStore) -> list[int]:
    (answer,) = await store.read(SPEED)
    return [sample.ts - T0 for sample in answer.samples]


async def test_a_body_that_is_too_long_is_sent_in_parts(server: InfluxServer, open_store: Open) -> None:
    store = open_store(server.url)
    assert await store.write([row(n) for n in range(3000)]) == []
    assert await stamps(store) == list(range(3000))


async def test_a_row_that_is_too_long_alone_is_handed_back(server: InfluxServer, open_store: Open) -> None:
    store = open_store(server.url)
    monster = TelemetryRow(LIFT, T0, {"note": "x" * 30_000})
    (refused,) = await store.write([row(1), monster, row(2)])
    assert refused.row is monster
    assert "Too Large" in refused.words
    assert await stamps(store) == [1, 2]


async def test_the_database_of_a_1_x_server_is_made_with_the_first_write(
    server: InfluxServer, open_store: Open
) -> None:
    store = open_store(server.url, bucket='a "quoted" database')
    assert await store.read(SPEED) == [Answer("speed", [], [])]
    assert await store.write([row(1)]) == []
    assert await stamps(store) == [1]


async def test_a_database_name_the_server_will_not_have_is_said(
    server: InfluxServer, open_store: Open
) -> None:
    with pytest.raises(TelemetryMisconfigured, match="invalid name"):
        await open_store(server.url, bucket="back\\slash").write([row(1)])


async def test_a_missing_retention_policy_is_said_and_nothing_is_taken_for_stored(
    server: InfluxServer, open_store: Open
) -> None:
    store = open_store(server.url, bucket="facility/no-such-policy")
    with pytest.raises(TelemetryUnavailable, match="retention policy not found"):
        await store.write([row(1)])


async def test_rows_from_before_the_retention_policy_are_handed_back(
    server: InfluxServer, open_store: Open
) -> None:
    database = f"kept{next(_names)}"
    store = open_store(server.url, bucket=f"{database}/hour")
    now = int(time.time() * 1000)
    make = f'CREATE DATABASE "{database}" WITH DURATION 1h REPLICATION 1 NAME "hour"'
    await store._connection.request("POST", "/query", data={"q": make})
    rows = [TelemetryRow(LIFT, now - n * HOUR - 1000 * n, {"speed": 1.0}) for n in range(10)]
    refused = await store.write(rows)
    assert sorted((one.row for one in refused), key=lambda one: -one.ts) == rows[1:]
    assert {one.words.partition(" dropped=")[0] for one in refused} == {
        "partial write: points beyond retention policy"
    }
    (answer,) = await store.read(Query(LIFT, ["speed"], now - DAY, now + 1, None))
    assert answer.samples == [Sample(now, 1.0)]


async def test_several_culprits_are_found_among_good_rows(server: InfluxServer, open_store: Open) -> None:
    store = open_store(server.url)
    await store.write([TelemetryRow(LIFT, T0, {"speed": 1.0, "door": "open", "trips": 3})])
    rows = [row(n) for n in range(1, 400)]
    rows[30] = row(31, "fast")
    rows[31] = TelemetryRow(LIFT, T0 + 32, {"door": 1})
    rows[300] = TelemetryRow(LIFT, T0 + 301, {"trips": 4.0, "speed": 1.0})
    refused = await store.write(rows)
    assert sorted(one.row.ts - T0 for one in refused) == [31, 32, 301]
    by_time = {one.row.ts - T0: one.words for one in refused}
    assert '"speed"' in by_time[31]
    assert '"door"' in by_time[32]
    assert '"trips"' in by_time[301]
    assert await stamps(store) == [n for n in range(400) if n not in {31, 32, 301}]


async def test_a_killed_server_is_unavailable_and_a_restarted_one_has_kept_its_readings(
    tmp_path: Path, open_store: Open
) -> None:
    server = InfluxServer(tmp_path)
    server.start()
    try:
        store = open_store(server.url)
        await store.write([row(1)])
        server.kill()
        for attempt in (store.write([row(2)]), store.read(SPEED)):
            with pytest.raises(TelemetryUnavailable, match="does not answer"):
                await attempt
        health = await store.health()
        assert not health.ok
        assert server.url in health.words
        server.start()
        assert await store.write([row(2)]) == []
        assert await stamps(store) == [1, 2]
        assert (await store.health()).ok
    finally:
        server.stop()


async def test_a_1_x_server_with_log_in_takes_the_right_password_only(
    tmp_path: Path, open_store: Open
) -> None:
    server = InfluxServer(tmp_path, http="auth-enabled = true")
    server.start()
    try:
        place = server.url.removeprefix("http://")
        stranger = open_store(server.url)
        with pytest.raises(TelemetryMisconfigured, match="create admin user first"):
            await stranger.write([row(1)])
        make_admin = {"q": "CREATE USER \"fgw\" WITH PASSWORD 'p:ss w' WITH ALL PRIVILEGES"}
        await stranger._connection.request("POST", "/query", data=make_admin)
        with pytest.raises(TelemetryMisconfigured, match="401"):
            await open_store(f"http://fgw:wrong@{place}").write([row(1)])
        for store in (
            open_store(f"http://fgw:p%3Ass%20w@{place}"),
            open_store(server.url, token=USER_AND_PASSWORD),
        ):
            assert await store.write([row(1)]) == []
            assert await stamps(store) == [1]
        health = await open_store(f"http://fgw:wrong@{place}").health()
        assert not health.ok
        assert "wrong" not in health.words
    finally:
        server.stop()


async def test_a_1_6_server_names_itself_in_health(server: InfluxServer, open_store: Open) -> None:
    health = await open_store(server.url, bucket="facility").health()
    assert health.ok
    assert health.words.startswith("InfluxDB 1.6")
    assert server.url in health.words


# --- servers that Debian does not have ---------------------------------------------------------------------------


def ping(version: str) -> Callable[[web.Request, bytes], web.Response]:
    return lambda *_: web.Response(status=204, headers={"X-Influxdb-Version": version})


def says(
    status: int, told: object, headers: Mapping[str, str] | None = None
) -> Callable[[web.Request, bytes], web.Response]:
    return lambda *_: web.json_response(told, status=status, headers=headers)


@pytest.fixture
async def answering() -> AsyncIterator[Callable[..., AnsweringServer]]:
    """Makes servers from ``{path: answer}``; they listen once started."""
    made: list[AnsweringServer] = []

    def make(answers: dict[str, Callable[[web.Request, bytes], web.Response]]) -> AnsweringServer:
        made.append(AnsweringServer(answers))
        return made[-1]

    yield make
    for server in made:
        await server.stop()


@pytest.mark.parametrize("version", ["1.8.10", "v2.7.6", "3.0.1"])
async def test_newer_servers_are_written_to_by_the_second_api(
    answering: Callable[..., AnsweringServer], open_store: Open, version: str
) -> None:
    server = answering({"/ping": ping(version), "/api/v2/write": lambda *_: web.Response(status=204)})
    await server.start()
    store = open_store(server.url, token=TOKEN, org="acme", bucket="facility")
    assert await store.write([row(1), row(2)]) == []
    path, parameters, headers, body = server.asked[-1]
    assert path == "/api/v2/write"
    assert parameters == {"org": "acme", "bucket": "facility", "precision": "ms"}
    assert headers["Authorization"] == f"Token {TOKEN}"
    assert (
        body
        == b"elevator,device=lift-1,site=hq speed=1.0 1790000000001\nelevator,device=lift-1,site=hq speed=1.0 1790000000002"
    )


async def test_version_3_is_known_by_the_body_of_its_ping(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    results = {"results": [{"statement_id": 0}]}
    server = answering(
        {"/ping": says(200, {"version": "3.1.0", "revision": "x"}), "/query": says(200, results)}
    )
    await server.start()
    health = await open_store(server.url, bucket="facility").health()
    assert health.words == f"InfluxDB 3.1.0 at {server.url}, facility"


async def test_a_2_x_server_that_refuses_whole_bodies_still_gets_every_good_row(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    stored: list[bytes] = []

    def write(_: web.Request, body: bytes) -> web.Response:
        lines = body.split(b"\n")
        if any(b"speed=99" in line for line in lines):
            return web.json_response(
                {"code": "unprocessable entity", "message": "failure writing points: no"}, status=422
            )
        stored.extend(lines)
        return web.Response(status=204)

    server = answering({"/ping": ping("v2.7.6"), "/api/v2/write": write})
    await server.start()
    rows = [row(n, 99.0 if n in {3, 500} else 1.0) for n in range(1000)]
    refused = await open_store(server.url).write(rows)
    assert sorted(one.row.ts - T0 for one in refused) == [3, 500]
    assert {one.words for one in refused} == {"failure writing points: no"}
    assert len(stored) == len(set(stored)) == 998


@pytest.mark.parametrize(
    ("status", "told", "headers", "kind", "words", "wait"),
    [
        (429, {"message": "slow down"}, {"Retry-After": "7"}, TelemetryUnavailable, "429: slow down", 7.0),
        (
            503,
            {"message": "warming up"},
            {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
            TelemetryUnavailable,
            "503: warming up",
            0.0,
        ),
        (
            500,
            {"error": "engine: cache maximum"},
            {"Retry-After": "soon"},
            TelemetryUnavailable,
            "cache maximum",
            None,
        ),
        (401, {"message": "unauthorized access"}, {}, TelemetryMisconfigured, "unauthorized access", None),
        (403, {"message": "forbidden"}, {}, TelemetryMisconfigured, "forbidden", None),
        (404, {"message": 'bucket "x" not found'}, {}, TelemetryMisconfigured, 'bucket "x" not found', None),
        (400, {"message": "org is required"}, {}, TelemetryMisconfigured, "org is required", None),
        (308, {}, {"Location": "https://elsewhere/"}, TelemetryMisconfigured, "https://elsewhere/", None),
        (200, {}, {}, TelemetryUnavailable, "neither 201 nor 204", None),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
async def test_a_refusal_of_everything_says_what_to_do(
    answering: Callable[..., AnsweringServer],
    open_store: Open,
    status: int,
    told: object,
    headers: dict[str, str],
    kind: type[TelemetryUnavailable],
    words: str,
    wait: float | None,
) -> None:
    server = answering({"/ping": ping("v2.7.6"), "/api/v2/write": says(status, told, headers)})
    await server.start()
    with pytest.raises(TelemetryUnavailable) as raised:
        await open_store(server.url).write([row(1)])
    assert type(raised.value) is kind
    assert words in str(raised.value)
    assert raised.value.retry_after == wait


async def test_after_a_failure_the_version_is_asked_for_again(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    answers = {"/ping": ping("v2.7.6"), "/api/v2/write": says(503, {"message": "upgrading"})}
    server = answering(answers)
    await server.start()
    store = open_store(server.url)
    with pytest.raises(TelemetryUnavailable):
        await store.write([row(1)])
    answers |= {"/ping": ping("1.7.9"), "/write": lambda *_: web.Response(status=204)}
    assert await store.write([row(1)]) == []
    assert [path for path, *_ in server.asked] == ["/ping", "/api/v2/write", "/ping", "/write"]


async def test_a_query_with_an_error_inside_is_no_empty_answer(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    answer = {"results": [{"statement_id": 0, "error": "query-timeout limit exceeded"}]}
    server = answering({"/ping": ping("v2.7.6"), "/query": says(200, answer)})
    await server.start()
    with pytest.raises(TelemetryUnavailable, match="query-timeout"):
        await open_store(server.url).read(SPEED)


async def test_a_page_that_is_no_database_is_said_to_be_none(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    page = web.Response(text="<html>welcome</html>", content_type="text/html")
    server = answering({"/ping": lambda *_: web.Response(status=204), "/query": lambda *_: page})
    await server.start()
    with pytest.raises(TelemetryMisconfigured, match="something else than JSON"):
        await open_store(server.url).read(SPEED)


async def test_values_are_bound_and_names_quoted(
    answering: Callable[..., AnsweringServer], open_store: Open
) -> None:
    def query(_: web.Request, body: bytes) -> web.Response:
        keys = [["speed", "float"]]
        values = [[T0, 1]]
        series = {"name": "elevator", "values": keys if b"SHOW" in body else values}
        return web.json_response({"results": [{"statement_id": 0, "series": [series]}]})

    server = answering({"/ping": ping("3.0.1"), "/query": query})
    await server.start()
    odd = Query(Series('m"; DROP', (("device", "x' OR 1=1"),)), ["speed", "other"], T0, T0 + 1, None, 5)
    answers = await open_store(server.url).read(odd)
    assert answers == [Answer("speed", [Sample(T0, 1.0)], []), Answer("other", [], [])]
    sent = dict(parse_qsl(server.asked[-1][3].decode()))
    assert sent["q"].startswith('SELECT "speed" FROM "m\\"; DROP" WHERE time >= 1790000000000ms AND ')
    assert '"device" = $tag0' in sent["q"]
    assert "OR 1=1" not in sent["q"]
    assert json.loads(sent["params"]) == {"tag0": "x' OR 1=1"}
