"""Reading patrol back: taps and rounds are found by whatever they are asked for by, each once."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.sql import patrol_records, records, schema
from gateway.adapters.sql.patrol_records import Proof, RoundQuery, TapQuery
from gateway.adapters.sql.store import Store, opened
from gateway.core.patrol.memory import Round, RoundState, TapRecord
from gateway.core.values import DAY
from tests.adapters.patrol_samples import NOW, a_round, a_tap, keep_rounds, keep_taps

T = TypeVar("T")

RESULTS = ("pending", "complete", "incomplete")
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    async with opened(tmp_path_factory.mktemp("patrol")) as store:
        yield store


# --- finding taps --------------------------------------------------------------------------------------------

ODD = ("forged", "late_upload")


def made(rows: list[dict[str, Any]]) -> list[TapRecord]:
    return [a_tap(f"t-{number:02d}", **row) for number, row in enumerate(rows)]


TAPS = st.lists(
    st.fixed_dictionaries(
        {
            "ts": st.integers(0, 5),
            "checkpoint": st.sampled_from(["gate", "roof", "yard", None]),
            "guard": st.sampled_from(["g-1", "g-2", None]),
            "review": st.sampled_from(["pending", "approved", None]),
            "counted": st.booleans(),
            "grade": st.sampled_from("AD"),
            "flags": st.lists(st.sampled_from(ODD), unique=True),
            "rounds": st.lists(st.sampled_from(["ro-1", "ro-2"]), unique=True),
        }
    ),
    max_size=25,
).map(made)
QUERIES = st.builds(
    TapQuery,
    checkpoint=st.sampled_from([None, "gate"]),
    guard=st.sampled_from([None, "g-1"]),
    source=st.sampled_from([None, None, "reader-1", "reader-2"]),
    round=st.sampled_from([None, "ro-1"]),
    review=st.sampled_from([None, "pending"]),
    counted=st.sampled_from([None, True, False]),
    grade=st.sampled_from([None, "A"]),
    flag=st.sampled_from([None, None, *ODD]),
    start=st.none() | st.integers(0, 5),
    end=st.none() | st.integers(0, 5),
)


def fits(tap: TapRecord, wanted: TapQuery) -> bool:
    return all(
        (
            *(
                value is None or getattr(tap, name) == value
                for name, value in wanted._asdict().items()
                if name in ("checkpoint", "guard", "source", "review", "counted", "grade")
            ),
            wanted.round is None or wanted.round in tap.rounds,
            wanted.flag is None or wanted.flag in tap.flags,
            wanted.start is None or tap.ts >= wanted.start,
            wanted.end is None or tap.ts < wanted.end,
        )
    )


async def alone(store: Store, *taps: TapRecord) -> None:
    """Have these taps and no others."""

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(schema.tap_round))
        connection.execute(sa.delete(schema.tap))

    await store.write(work)
    await keep_taps(store, *taps)


def pages(call: Callable[[records.Key | None], records.Page[T]], most: int) -> list[T]:
    found: list[T] = []
    after: records.Key | None = None
    while True:
        page = call(after)
        assert len(page.items) <= most
        found += page.items
        after = page.next
        if after is None:
            return found


@pytest.mark.asyncio(loop_scope="module")
@QUICK
@given(TAPS, QUERIES, st.integers(1, 7))
async def test_the_pages_of_any_filter_hold_each_tap_once_and_the_latest_first(
    shared: Store, taps: list[TapRecord], wanted: TapQuery, limit: int
) -> None:
    await alone(shared, *taps)
    found = await shared.read(
        lambda connection: pages(
            lambda after: patrol_records.taps(connection, wanted, after=after, limit=limit), limit
        )
    )
    newest = sorted(taps, key=lambda tap: (tap.ts, tap.id), reverse=True)
    assert found == [tap for tap in newest if fits(tap, wanted)]


@pytest.mark.asyncio(loop_scope="module")
@QUICK
@given(TAPS, st.integers(0, 6), st.integers(0, 6))
async def test_gaps_are_measured_from_the_last_proof_before_the_period(
    shared: Store, taps: list[TapRecord], start: int, end: int
) -> None:
    await alone(shared, *taps)
    found = await shared.read(lambda connection: list(patrol_records.proofs_between(connection, start, end)))
    expected: list[str] = []
    for place in ("gate", "roof", "yard"):
        here = sorted((tap for tap in taps if tap.checkpoint == place), key=lambda tap: (tap.ts, tap.id))
        expected += [tap.id for tap in here if tap.ts < start and tap.counted][-1:]
        expected += [tap.id for tap in here if start <= tap.ts < end]
    assert [proof.tap for proof in found] == expected
    by_id = {tap.id: tap for tap in taps}
    assert all(proof == as_proof(by_id[proof.tap]) for proof in found)


def as_proof(tap: TapRecord) -> Proof:
    assert tap.checkpoint is not None
    return Proof(tap.checkpoint, tap.ts, tap.id, tap.grade, tap.counted, tap.source, tap.received)


async def test_a_tap_leaves_the_round_it_no_longer_belongs_to(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        one, two = a_tap("t-1", NOW + 9, rounds=["ro-1"]), a_tap("t-2", NOW, rounds=["ro-1", "ro-2"])
        await keep_taps(store, one, two)

        async def of(name: str) -> list[str]:
            found = await store.read(lambda connection: patrol_records.taps_of_round(connection, name))
            return [tap.id for tap in found]

        assert [await of("ro-1"), await of("ro-2")] == [["t-2", "t-1"], ["t-2"]]
        await keep_taps(store, msgspec.structs.replace(one, rounds=["ro-2", "ro-3"]))
        assert [await of("ro-1"), await of("ro-2"), await of("ro-3")] == [["t-2"], ["t-2", "t-1"], ["t-1"]]
        some = await store.read(lambda connection: patrol_records.taps_by_id(connection, ["t-2", "t-9"]))
        assert (list(some), await of("ro-9")) == (["t-2"], [])
        assert await store.read(lambda connection: patrol_records.tap(connection, "t-9")) is None


async def test_a_tap_that_comes_again_when_it_is_forgotten_takes_no_ones_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        first = a_tap("t-1", NOW, rounds=["ro-1"], counted=True)
        await keep_taps(store, first)
        await keep_taps(
            store, msgspec.structs.replace(first, received=NOW + 40 * DAY, counted=False, rounds=[])
        )
        assert await store.read(lambda connection: patrol_records.tap(connection, "t-1")) == first
        kept = await store.read(lambda connection: patrol_records.taps_of_round(connection, "ro-1"))
        assert kept == [first]


async def test_what_a_supervisor_should_see_of_a_period_is_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await keep_taps(
            store,
            a_tap("early", ts=9),
            a_tap("asked", ts=12, counted=True, review="pending"),
            a_tap("refused", ts=10, review="rejected"),
            a_tap("good", ts=11, counted=True, review="approved"),
            a_tap("next", ts=20),
        )
        found = await store.read(lambda connection: list(patrol_records.doubtful_between(connection, 10, 20)))
    assert [tap.id for tap in found] == ["refused", "asked"]


# --- finding rounds ------------------------------------------------------------------------------------------


@pytest.fixture
async def walked(tmp_path: Path) -> AsyncIterator[tuple[Store, Sequence[Round]]]:
    """Sixty rounds of two routes on five shifts, the last ten of them live."""
    rounds = [
        a_round(
            f"ro-{number:02d}",
            NOW + number // 2,
            route=("night", "day")[number % 2],
            date=f"2026-09-{20 + number // 12}",
            result=RESULTS[number % 3],
            state=RoundState.OPEN if number >= 50 else RoundState.CLOSED,
        )
        for number in range(60)
    ]
    async with opened(tmp_path) as store:
        await keep_rounds(store, *rounds, live={one.id for one in rounds[50:]})
        yield store, rounds


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        (RoundQuery(), lambda _: True),
        (RoundQuery(date="2026-09-21"), lambda one: one.date == "2026-09-21"),
        (
            RoundQuery(date_from="2026-09-21", date_to="2026-09-23"),
            lambda one: "2026-09-21" <= one.date <= "2026-09-23",
        ),
        (
            RoundQuery(route="day", result="complete"),
            lambda one: (one.route, one.result) == ("day", "complete"),
        ),
        (RoundQuery(state="open", date_from="2026-09-20"), lambda one: one.state is RoundState.OPEN),
        (RoundQuery(live=False), lambda one: one.id < "ro-50"),
        (RoundQuery(live=True, route="night"), lambda one: one.id >= "ro-50" and one.route == "night"),
        (RoundQuery(date="2026-10-01"), lambda _: False),
    ],
)
async def test_the_pages_of_rounds_hold_each_once_and_the_latest_first(
    walked: tuple[Store, Sequence[Round]], wanted: RoundQuery, fitting: Callable[[Round], bool]
) -> None:
    store, rounds = walked
    found = await store.read(
        lambda connection: pages(
            lambda after: patrol_records.rounds(connection, wanted, after=after, limit=7), 7
        )
    )
    newest = sorted(rounds, key=lambda one: (one.start, one.id), reverse=True)
    assert found == [one for one in newest if fitting(one)]


async def test_a_month_of_rounds_comes_by_date_route_and_start(
    walked: tuple[Store, Sequence[Round]],
) -> None:
    store, rounds = walked
    found = await store.read(
        lambda connection: list(patrol_records.rounds_between(connection, "2026-09-21", "2026-09-22"))
    )
    within = [one for one in rounds if one.date in ("2026-09-21", "2026-09-22")]
    assert found == sorted(within, key=lambda one: (one.date, one.route, one.start))


async def test_shifts_tell_how_their_rounds_ended(walked: tuple[Store, Sequence[Round]]) -> None:
    store, _ = walked
    between = ("2026-09-19", "2026-09-21")
    both = await store.read(lambda connection: patrol_records.round_dates(connection, *between))
    day = await store.read(lambda connection: patrol_records.round_dates(connection, *between, "day"))
    assert both == {date: dict.fromkeys(RESULTS, 4) for date in ("2026-09-20", "2026-09-21")}
    assert day == {date: dict.fromkeys(RESULTS, 2) for date in ("2026-09-20", "2026-09-21")}
