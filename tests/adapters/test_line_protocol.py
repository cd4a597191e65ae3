from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.adapters.line_protocol import LineEncoder, LineError
from gateway.core.values import Level, Scalar, Series, TelemetryRow
from gateway.ports import Query, Refused
from tests.servers.influx import InfluxServer

_databases = count()
LIFT = Series("elevator", (("building", "A"), ("device", "lift-1"), ("site", "hq")))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    influx = InfluxServer(tmp_path_factory.mktemp("influx"))
    influx.start()
    yield influx
    influx.stop()


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            TelemetryRow(LIFT, 1790000000000, {"t": 41.5}),
            "elevator,building=A,device=lift-1,site=hq t=41.5 1790000000000",
        ),
        (
            TelemetryRow(Series("m", ()), -1, {"i": -3, "b": True, "c": False, "s": 'a"b\\c', "e": 1e-9}),
            'm i=-3i,b=true,c=false,s="a\\"b\\\\c",e=1e-09 -1',
        ),
        (
            TelemetryRow(Series("a b,c=d", (("k =,", "v =,"),)), 0, {"f =,": 1}),
            r"a\ b\,c=d,k\ \=\,=v\ \=\, f\ \=\,=1i 0",
        ),
        (TelemetryRow(Series("m", (("z", "1"), ("a", ""), ("b", "2"))), 0, {"f": 1}), "m,b=2,z=1 f=1i 0"),
    ],
    ids=["a reading", "every type", "escapes", "tags in order, empty ones left out"],
)
def test_a_row_becomes_the_line_of_the_reference(row: TelemetryRow, line: str) -> None:
    encoder = LineEncoder()
    assert [encoder.encode(row) for _ in range(2)] == [line, line]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "only finite"),
        (float("-inf"), "only finite"),
        (2**63, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        ("a\nb", r"U\+000A"),
        ("a\rb", r"U\+000D"),
        ("\x7f", r"U\+007F"),
        ("\u2028", r"U\+2028"),
        ("\ud800", r"U\+D800"),
        (Level.CRITICAL, "Level"),
        (None, "NoneType"),
        ([1], "list"),
    ],
)
def test_values_that_must_not_be_sent_are_refused(value: Scalar, words: str) -> None:
    with pytest.raises(LineError, match=words):
        LineEncoder().encode(TelemetryRow(LIFT, 0, {"f": value}))


def test_a_comment_sign_cannot_hide_a_line() -> None:
    with pytest.raises(LineError, match="comment"):
        LineEncoder().encode(TelemetryRow(Series("#m", ()), 0, {"f": 1}))


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_text_makes_a_second_line_or_ends_in_an_open_escape(
    measurement: str, key: str, tag: str, field: str, text: str
) -> None:
    try:
        line = LineEncoder().encode(TelemetryRow(Series(measurement, ((key, tag),)), 5, {field: text}))
    except LineError:
        return
    assert len(line.splitlines()) == 1
    assert line.endswith('" 5')
    line.encode()


printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=12)
spiteful = st.sampled_from(
    [" ", ",", "=", '"', "\\", "\\,", "\\ ", "\\=", '\\"', "\\\\", " 1\\", 'x"', "i", "#", "t=1 2", "'"]
)
names = (
    st.lists(printable | spiteful, min_size=1, max_size=4)
    .map("".join)
    .filter(
        lambda name: (
            not name.endswith("\\") and name != "time" and not name.startswith(("#", "_")) and name.strip()
        )
    )
)
values = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.lists(printable | spiteful, max_size=5).map("".join)
)


@given(
    measurement=names,
    tags=st.dictionaries(names, names, max_size=2),
    fields=st.dictionaries(names, values, min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_real_influxdb_reads_back_what_was_encoded(
    server: InfluxServer, measurement: str, tags: dict[str, str], fields: dict[str, Scalar]
) -> None:
    assume(not tags.keys() & fields.keys())  # InfluxDB cannot tell a field from a tag of the same name
    series = Series(measurement, tuple(tags.items()))
    row = TelemetryRow(series, 1_790_000_000_000, fields)
    try:
        LineEncoder().encode(row)
    except LineError:
        assume(False)
    store = InfluxStore(InfluxSettings.parse(server.url, bucket=f"line{next(_databases)}"))
    refused = await store.write([row])
    answers = await store.read(Query(series, list(fields), row.ts, row.ts + 1, None))
    await store.close()
    assert refused == list[Refused]()
    got = {answer.field: answer.samples[0].value for answer in answers}
    assert got == fields
    assert {name: type(value) for name, value in got.items()} == {
        name: type(value) for name, value in fields.items()
    }
