"""What becomes of suppressions, rounds and hand-overs."""

from pathlib import Path

import yaml

from api.backtest.body import Body
from gateway.backtest.commands import STALE, as_seen
from gateway.core.inputs import Command, LinkUp, Tap, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, AlertState, Cause, State
from gateway.core.tags import codes
from gateway.core.values import Level
from gateway.site.plan_builder import load_site
from gateway.traffic.lines import Line
from tests.backtest.courses import in_order, of_lines, plans, steady
from tests.backtest.month import HOUR, MINUTE, ONE, START, write_site
from tests.core.patrol_site import BEGIN, SITE
from tests.core.patrol_site import plan as patrol_plan


def test_what_the_candidate_keeps_quiet_is_told_apart_from_what_is_gone(tmp_path: Path) -> None:
    window = (
        'maintenance: {works: {devices: [ch-1], every: "FREQ=DAILY", start: 2026-09-21 20:00, lasts: 12h}}\n'
    )
    now, _ = plans(tmp_path / "now")
    quiet = load_site(write_site(tmp_path / "quiet", ONE + window))
    lines = in_order(
        steady("ch-1", START, START + HOUR, temp=82), steady("ch-1", START + HOUR, START + 2 * HOUR, temp=70)
    )
    for pair, kind in (((now, quiet), "hushed"), ((quiet, now), "voiced")):
        result = of_lines(pair, lines)
        (found,) = result.pairs
        assert [name for name in ("same", "moved", "hushed", "voiced") if getattr(found, name)] == [kind]
        total = Body(result).view().alerts.total
        assert (total.now, total.candidate, total.added, total.removed) == (1, 1, 0, 0)
        assert total.now_announced + total.candidate_announced == 1
        assert {result.now.targets["duty"], result.candidate.targets["duty"]} == {0, 1}


def taps() -> list[Line]:
    """The gate, the pump and the boiler within half an hour, the roof only after 35 minutes."""
    made = (("gate", 1), ("boiler", 4), ("pump", 12), ("roof", 35))
    found = []
    for name, minute in made:
        at = BEGIN + minute * MINUTE
        tap = Tap(at=at, id=f"tap-{name}", source="p1", ts=at, code=name_code(name), how="qr", guard="g-1")
        found.append(Line(0, at, tap))
    return [
        Line(0, BEGIN - HOUR // 2, Tick(BEGIN - HOUR // 2)),
        *found,
        Line(0, BEGIN + HOUR, Tick(BEGIN + HOUR)),
    ]


def name_code(checkpoint: str) -> str:
    return next(code for code, name in codes(patrol_plan()).items() if name == checkpoint)


def test_rounds_and_taps_are_counted_by_what_each_site_makes_of_them() -> None:
    route = {**SITE["routes"][0], "order": "any", "leg": ["1s", "50m"]}
    long = patrol_plan(routes=[route], patrol={})
    short = patrol_plan(routes=[{**route, "lasts": "20m", "grace": "1m"}], patrol={})
    result = of_lines((long, short), linked(taps()))
    ended = [
        {word for (_, word), count in side.rounds.items() if count} for side in (result.now, result.candidate)
    ]
    assert ended == [{"complete", "pending"}, {"incomplete", "pending"}]  # the next one has just opened
    assert result.now.taps["D"] == result.candidate.taps["D"] == 4
    (row,) = [one for one in Body(result).view().rounds if one.of == ["night", "complete"]]
    assert (row.now, row.candidate) == (1, 0)


def linked(lines: list[Line]) -> list[Line]:
    """Behind a gateway that sees its devices."""
    return [lines[0], Line(0, lines[0].at, LinkUp(lines[0].at)), *lines[1:]]


def state(*names: str, version: int = 3) -> State:
    alerts = {
        name: Alert(
            name, "d", "r", Level.INFO, AlertState.UNACKNOWLEDGED, START, Cause(START), version=version
        )
        for name in names
    }
    return State(alerts=alerts)


def confirm(*seen: str) -> Command:
    args = {"alerts": [*seen], "orders": [], "keys": ["ring"]}
    return Command(at=START, id="c", actor="g-2", verb="duty.confirm", target="desk", args=args)


def desk(folder: Path) -> SitePlan:
    folder.mkdir()
    site = {**SITE, "patrol": {"posts": {"desk": {"keys": ["ring"]}}}}
    (folder / "thing.yaml").write_text("{profile: thing, report_every: 1h}")
    (folder / "site.yaml").write_text(yaml.safe_dump(site))
    return load_site(folder / "site.yaml")


def test_who_had_seen_all_that_was_open_has_seen_all_that_is_open_here(tmp_path: Path) -> None:
    plan, before, here = desk(tmp_path / "desk"), state("a", "b"), state("a", "c", "d")
    all_of_it, some = confirm("a", "b"), confirm("a")
    assert as_seen(all_of_it, all_of_it, before, here, plan).args["alerts"] == ["a", "c", "d"]
    assert as_seen(some, some, before, here, plan).args["alerts"] == ["a"]


def test_who_was_too_late_there_is_too_late_here(tmp_path: Path) -> None:
    plan, before, here = desk(tmp_path / "desk"), state("a", version=3), state("x", version=8)

    def seen(version: int) -> int | None:
        theirs = Command(at=START, id="c", actor="ann", verb="alert.ack", target="a", args={}, expect=version)
        ours = Command(at=START, id="c", actor="ann", verb="alert.ack", target="x", args={}, expect=version)
        return as_seen(ours, theirs, before, here, plan).expect

    assert (seen(3), seen(2)) == (8, STALE)
