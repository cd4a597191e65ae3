"""Reading records back: pages that neither repeat nor leave out, whatever is asked for and whatever comes between."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.sql import records, schema
from gateway.adapters.sql.database import open_database
from gateway.adapters.sql.recorder import alert_row
from gateway.adapters.sql.store import Store
from gateway.core.effects import Effects, Outcome
from gateway.core.inputs import Event
from gateway.core.state import Alert, AlertState, Cause, State
from gateway.core.values import Level

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATES = list(AlertState)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    found = Store.open(tmp_path_factory.mktemp("records"))
    yield found
    await found.close()


def an_alert(number: int, raised_at: int, device: int, level: int, state: int) -> Alert:
    return Alert(
        id=f"al-{number:03d}",
        device=f"d{device}",
        rule="r",
        level=Level(level),
        state=STATES[state],
        raised_at=raised_at,
        cause=Cause(raised_at),
    )


alert_lists = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 3), st.integers(0, 3)), max_size=30
).map(lambda rows: [an_alert(number, *row) for number, row in enumerate(rows)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    alerts=alert_lists,
    limit=st.integers(1, 7),
    live=st.none() | st.booleans(),
    levels=st.lists(st.sampled_from(Level), max_size=2),
    devices=st.none() | st.frozensets(st.sampled_from(["d0", "d1", "d2", "d9"])),
    odd=st.booleans(),
    start=st.none() | st.integers(0, 5),
)
async def test_the_pages_of_any_filter_hold_each_match_once_and_newest_first(
    store: Store,
    alerts: list[Alert],
    limit: int,
    live: bool | None,
    levels: list[Level],
    devices: frozenset[str] | None,
    odd: bool,
    start: int | None,
) -> None:
    keep: Callable[[Alert], bool] | None = (lambda alert: int(alert.id[3:]) % 2 == 1) if odd else None
    query = records.AlertQuery(live=live, levels=levels, devices=devices, start=start, keep=keep)

    def work(connection: sa.Connection) -> list[str]:
        connection.execute(sa.delete(schema.alert))
        if alerts:
            connection.execute(sa.insert(schema.alert), [alert_row(alert) for alert in alerts])
        return read_all(connection, query, limit)

    expected = [
        alert.id
        for alert in sorted(alerts, key=lambda alert: (alert.raised_at, alert.id), reverse=True)
        if (live is None or (alert.state is not AlertState.NORMAL) is live)
        and (not levels or alert.level in levels)
        and (devices is None or alert.device in devices)
        and (start is None or alert.raised_at >= start)
        and (keep is None or keep(alert))
    ]
    assert await store.write(work) == expected


def read_all(connection: sa.Connection, query: records.AlertQuery, limit: int) -> list[str]:
    found: list[str] = []
    after: records.Key | None = None
    while True:
        page = records.alerts(connection, query, after=after, limit=limit)
        assert len(page.items) <= limit
        found += [alert.id for alert in page.items]
        after = page.next
        if after is None:
            return found


async def test_a_filter_that_hardly_matches_gets_short_pages_and_arrives_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", 4)
    monkeypatch.setattr(records, "LOOKED_MOST", 8)
    many = [an_alert(number, number, 0, 1, 1) for number in range(50)]
    query = records.AlertQuery(keep=lambda alert: alert.id == "al-001")

    def work(connection: sa.Connection) -> tuple[records.Page[Alert], list[str]]:
        connection.execute(sa.delete(schema.alert))
        connection.execute(sa.insert(schema.alert), [alert_row(alert) for alert in many])
        return records.alerts(connection, query, after=None, limit=3), read_all(connection, query, 3)

    first, everything = await store.write(work)
    assert (first.items, first.next, everything) == ([], (42, "al-042"), ["al-001"])


async def test_more_devices_than_a_query_can_name_are_compared_one_by_one(store: Store) -> None:
    devices = frozenset({"d1", *(f"x{number}" for number in range(40_000))})

    def work(connection: sa.Connection) -> list[str]:
        connection.execute(sa.delete(schema.alert))
        pair = [an_alert(1, 1, 1, 1, 1), an_alert(2, 2, 2, 1, 1)]
        connection.execute(sa.insert(schema.alert), [alert_row(alert) for alert in pair])
        return read_all(connection, records.AlertQuery(devices=devices), 10)

    assert await store.write(work) == ["al-001"]


async def test_a_new_directory_has_nothing_and_says_so(tmp_path: Path) -> None:
    writer, reader = open_database(tmp_path / "facility.db")
    try:
        with reader.connect() as connection:
            assert records.outcome_range(connection) == (0, 0)
            assert records.watching(connection) == records.Watching()
            assert records.device_states(connection, ["d1"]) == {}
            assert records.alert(connection, "al-x") is None
    finally:
        writer.dispose()
        reader.dispose()


async def test_outcomes_are_read_from_one_number_to_another_and_by_their_subject(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    try:
        effects = Effects()
        effects.outcomes = [Outcome(number, "alert.raised", "d1", f"al-{number % 2}") for number in range(6)]
        last = await store.commit([], effects, State())
        between = await store.read(lambda connection: records.outcomes(connection, 2, 10, upto=4))
        history = await store.read(lambda connection: records.history(connection, "al-1", 2))
    finally:
        await store.close()
    assert (last, [one.seq for one in between]) == (6, [3, 4])
    assert [(one.seq, one.outcome.at) for one in history] == [(4, 3), (6, 5)]


async def test_events_of_the_same_moment_are_parted_by_their_key(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    try:
        effects = Effects()
        effects.events = [Event(9, "d1", 5, key, "fault", {"n": 1}) for key in ("a", "b", "c")]
        await store.commit([], effects, State())
        first = await store.read(lambda connection: records.events(connection, "d1", after=None, limit=2))
        rest = await store.read(
            lambda connection: records.events(connection, "d1", after=first.next, limit=2)
        )
    finally:
        await store.close()
    assert [one.key for one in first.items] == ["c", "b"]
    assert ([one.key for one in rest.items], rest.next) == (["a"], None)
