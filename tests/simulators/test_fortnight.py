"""A fortnight of a well-kept site: no rule chatters, no alert is older than its cause, the figures are those of the log."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import sqlalchemy as sa

from gateway.adapters.sql import quality, schema
from gateway.adapters.sql.store import Store
from gateway.core import quality_figures as figures
from gateway.core.effects import Effects, Outcome
from gateway.core.quality import Spell
from gateway.core.quality_figures import Period, Sums
from gateway.core.state import State
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis
from simulators.faults import Fault, FaultKind
from tests.core import quality_by_hand as by_hand
from tests.simulators.fortnight import Run, Size
from tests.simulators.listening import START

OFFSET: Millis = 8 * HOUR
"""Of the site's zone from UTC."""
SMALL = Size(devices=27, length=14 * DAY)
HOUR_OF_DEMO = Size(devices=27, length=HOUR, full_rate=True)
LARGE = Size(devices=1_000, length=14 * DAY)
FULL_HOUR = Size(devices=1_000, length=HOUR, full_rate=True)


SOAK = (pytest.mark.soak, pytest.mark.timeout(3_600))


class Lived(NamedTuple):
    """What is left of a run: what was seen, and what is on disk."""

    run: Run
    period: Period
    kept: quality.Kept
    log: list[Outcome]


class Disk:
    """The real store under a run: committed every simulated hour, closed and opened again at every restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._runner = asyncio.Runner()
        self.store = Store.open(path)

    def commit(self, run: Run) -> None:
        self._runner.run(self.store.commit([], run.effects, run.engine.state))
        run.effects = Effects()

    def restart(self, run: Run) -> State:
        self.commit(run)
        self.close()
        self.store, self._runner = Store.open(self._path), asyncio.Runner()
        return self._runner.run(self.store.load()).state

    def read(self, period: Period) -> tuple[quality.Kept, list[Outcome]]:
        def log(connection: sa.Connection) -> list[Outcome]:
            decode = msgspec.json.Decoder(Outcome).decode
            rows = connection.execute(sa.select(schema.outcome.c.body).order_by(schema.outcome.c.seq))
            return [decode(body) for (body,) in rows]

        kept = self._runner.run(self.store.read(quality.reader(period)))
        return kept, self._runner.run(self.store.read(log))

    def close(self) -> None:
        self._runner.run(self.store.close())
        self._runner.close()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SMALL, id="27 devices"),
        pytest.param(HOUR_OF_DEMO, id="an hour at full rate"),
        pytest.param(LARGE, id="1,000 devices", marks=SOAK),
        pytest.param(FULL_HOUR, id="an hour of 1,000 devices at full rate", marks=SOAK),
    ],
)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    disk = Disk(tmp_path_factory.mktemp("fortnight"))
    try:
        run = Run(request.param, disk.restart, disk.commit)
        run.live()
        disk.commit(run)
        end = START + request.param.length
        period = figures.aligned(Period(START, end), lambda _: OFFSET)
        kept, log = disk.read(period)
        yield Lived(run, period, kept, log)
    finally:
        disk.close()


def test_no_rule_chatters(lived: Lived) -> None:
    chatters = Counter((one.device, one.rule) for one in lived.log if one.kind == "alert.chattering")
    assert chatters == {}


def test_no_alert_is_older_than_its_cause_and_none_outlives_it(lived: Lived) -> None:
    """Every raise, rise and return had its condition true for its ``for`` in what was received up to then; every alert
    let go when its clear delay was over; every notice and every order has its alert."""
    witness = lived.run.witness
    assert witness.faults == []
    real = lived.run.plan.equipment
    raised = ("alert.raised", "alert.raised_again", "alert.risen")
    raises = sum(one.kind in raised and one.device in real for one in lived.log)
    assert witness.judged.total() == raises > 5
    assert witness.let_go > 5


def test_people_and_troubles_were_there(lived: Lived) -> None:
    """Else the rest would be true of nothing."""
    kinds = Counter(one.kind for one in lived.log)
    assert lived.log == lived.run.outcomes
    if lived.run.size.length > DAY:
        results = {one.detail["result"] for one in lived.log if one.kind == "round.closed"}
        assert {"complete", "incomplete"} <= results
    assert min(kinds[kind] for kind in ("gateway.unobserved", "gateway.started", "notice.sent")) > 0
    assert lived.run.crew.answers["alert.ack", "done"] > 0
    if lived.run.size.length > DAY:
        done = ("work_order.opened", "work_order.signed", "alert.shelved", "alert.assigned", "alert.reset")
        assert min(kinds[kind] for kind in done) > 0


def test_rate_and_floods_equal_a_count_by_hand(lived: Lived) -> None:
    period, kept, log = lived.period, lived.kept, lived.log
    gaps = [one for one in kept.spells if one.spell is Spell.UNOBSERVED]
    rate = figures.rate(kept.announced, figures.observed(period, kept.since, gaps), lambda _: OFFSET)

    unseen = _unobserved(log)
    looked = period.end - START - sum(end - begin for begin, end in unseen)
    windows = by_hand.windows(log, period.start, period.end, OFFSET)
    flooded = {begin for begin, count in windows.items() if count > 10}
    flood_time = 0
    for begin in flooded:
        end = begin + 10 * MINUTE
        flood_time += end - max(begin, START)
        flood_time -= sum(max(0, min(end, until) - max(begin, since)) for since, until in unseen)
    assert rate.announced == sum(windows.values()) == sum(bool(one.detail.get("announced")) for one in log)
    assert rate.observed == looked
    assert rate.mean == pytest.approx(sum(windows.values()) * 10 * MINUTE / looked)
    assert rate.peak == max(windows.values())
    assert rate.flood_time == flood_time
    assert {one.start for one in rate.floods} == {one for one in flooded if one - 10 * MINUTE not in flooded}


def _unobserved(log: list[Outcome]) -> list[tuple[Millis, Millis]]:
    found, since = [], None
    for one in log:
        if one.kind == "gateway.unobserved":
            since = one.detail["since"]
        elif one.kind == "gateway.observing" and since is not None:
            found.append((since, one.detail["until"]))
            since = None
    return found


@pytest.mark.parametrize("by", ["rule", "level", "device", "actor"])
def test_counts_equal_a_count_by_hand(lived: Lived, by: str) -> None:
    def group(one: Sums) -> str:
        return str(getattr(one, by))

    counted = figures.totals(lived.kept.sums, group)
    expected: dict[str, Counter[str]] = {}
    for one in lived.log:
        for name, amount in _counts(one).items():
            acts = ("acknowledged", "acknowledge_ms", "shelved", "assigned", "reset", "out_of_service")
            whose = (one.actor if name in acts else "") if by == "actor" else getattr(one, by)
            expected.setdefault(whose or "", Counter())[name] += amount
    assert {name: +Counter(counts) for name, counts in counted.items()} == expected


def _counts(one: Outcome) -> Counter[str]:
    """What one outcome is worth, spelled out."""
    found: Counter[str] = Counter()
    kind = one.kind.removeprefix("alert.")
    if not one.kind.startswith("alert."):
        return found
    if one.detail.get("announced"):
        found["announced"] += 1
    if kind in ("raised", "raised_again") and "suppressed" in one.detail:
        found["quiet"] += 1
    if kind in (
        "raised", "raised_again", "risen", "acknowledged", "cleared", "ended", "chattering", "stale", "shelved",
        "assigned", "reset", "out_of_service",
    ):  # fmt: skip
        found[kind] += 1
    if kind == "acknowledged":
        found["acknowledge_ms"] += one.detail["after"]
    if kind == "cleared":
        found["clear_ms"] += one.detail["after"]
    if kind == "calm":
        found["hidden"] += one.detail["hidden"]
    return +found


def test_what_lasted_equals_a_count_by_hand(lived: Lived) -> None:
    ends = {"shelved": ("unshelved",), "stale": ("cleared", "ended"), "chattering": ("calm",)}
    for spell, ending in ends.items():
        took = sum(one.within(lived.period) for one in lived.kept.spells if one.spell == spell)
        expected, standing = 0, dict[tuple[str | None, str | None], Millis]()
        for one in lived.log:
            key, kind = (one.device, one.rule), one.kind.removeprefix("alert.")
            if kind == spell:
                expected += one.at - standing.get(key, one.at)
                standing[key] = one.at
            elif kind in ending and key in standing:
                expected += one.at - standing.pop(key)
        expected += sum(lived.period.end - since for since in standing.values())
        assert took == expected, spell


def test_a_connection_that_comes_and_goes_is_caught_chattering() -> None:
    """On purpose: told once, then silence until it is calm."""
    size = Size(devices=27, length=3 * HOUR)
    run = Run(size)
    loose = [Fault("t1-gate-1", FaultKind.OFFLINE, HOUR + n * 90 * SECOND, 45 * SECOND) for n in range(20)]
    run.live(loose)
    of_gate = [one for one in run.outcomes if (one.device, one.rule) == ("t1-gate-1", "offline")]
    kinds = [one.kind for one in of_gate]
    first, calm = kinds.index("alert.chattering"), kinds.index("alert.calm")
    assert Counter(kinds)["alert.chattering"] == 1
    assert of_gate[calm].detail["hidden"] > 10
    assert not any(one.detail.get("announced") for one in of_gate[first:calm])
    assert run.witness.faults == []
