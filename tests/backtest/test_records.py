"""A backtest of the journal that a gateway has kept, beside the records it has kept."""

import json
from pathlib import Path

from gateway.adapters.sql import quality
from gateway.adapters.sql.beside import beside
from gateway.adapters.sql.recording import outcomes, span
from gateway.backtest import Backtest, DataDirSource, TrafficSource, run_backtest
from gateway.backtest.course import Side
from gateway.backtest.episodes import Episodes
from gateway.core.quality_figures import Period, aligned
from gateway.core.values import HOUR, MINUTE
from gateway.jobs import Order, carry_out
from gateway.site.plan_builder import load_site
from tests.api.commands import fgw
from tests.e2e.mill import write_site
from tests.e2e.tape import START, Hands, Life, living

EVER = {"silent": "5d"}


async def heat(life: Life, device: str, temp: float) -> None:
    """A press says how hot it is, and a minute passes."""
    life.tape.read(device, life.hands.wall, temp=temp)
    await life.all_acked(len(life.tape.acked) + 1)
    await life.pass_by(MINUTE)


async def act(life: Life, verb: str, target: str, **args: str) -> str:
    """Somebody does something; returns how it went."""
    order = Order(verb, target, {**args}, "ann", f"{verb}-{target}-{life.hands.wall}")
    (reply,) = await life.loop.ask(carry_out([order]))
    return reply.status


async def live_through(folder: Path, site: Path) -> None:
    """Two lives of a gateway: hot presses, an acknowledgement, an order that is worked on, a crash between them."""
    hands = Hands()
    async with living(folder, site, hands, crash=True) as life:
        await life.link(up=True)
        for temp in (60, 78, 85, 85, 104, 104):
            await heat(life, "press-1", temp)
        (alert,) = life.kept.alerts()
        assert await act(life, "alert.ack", alert.id) == "done"
        (order,) = life.kept.orders()
        assert await act(life, "work_order.move", order.id, to="in_progress") == "done"
        for temp in (60, 78, 60):
            await heat(life, "press-1", temp)
    hands.pass_by(2 * HOUR)
    async with living(folder, site, hands) as life:
        await life.link(up=True)
        await life.pass_by(5 * MINUTE)
        for temp in (60, 78, 85, 60, 78, 60):
            await heat(life, "press-1", temp)
        (alert,) = [one for one in life.kept.alerts() if one.ended_at is None]
        assert await act(life, "alert.ack", alert.id) == "done"


def sides(result: Backtest) -> tuple[Side, Side]:
    return result.now, result.candidate


def lower(folder: Path) -> Path:
    """The same site with a lower limit."""
    site = write_site(folder, **EVER)
    profile = folder / "press.yaml"
    profile.write_text(profile.read_text().replace("above: 80", "above: 75"))
    return site


async def test_the_site_now_gives_what_the_gateway_has_on_record(tmp_path: Path) -> None:
    site, data = write_site(tmp_path, **EVER), tmp_path / "data"
    await live_through(data, site)
    plan = load_site(site)
    with beside(data) as connection:
        result = run_backtest(plan, load_site(lower(tmp_path / "new")), DataDirSource(connection))
        recorded = Episodes()
        for some in outcomes(connection):
            recorded.take(some)
        first, last = span(connection) or (0, 0)
        period = aligned(Period(first, last + 1), lambda _: 8 * HOUR)
        kept = quality.read(connection, period)
    assert result.now.episodes == recorded.all()
    assert result.now.quality == tuple(kept)
    assert list(result.now.commands) == ["as_given"]


async def test_a_site_beside_itself_is_the_same_with_all_that_people_did(tmp_path: Path) -> None:
    site, data = write_site(tmp_path, **EVER), tmp_path / "data"
    await live_through(data, site)
    plan = load_site(site)
    with beside(data) as connection:
        result = run_backtest(plan, plan, DataDirSource(connection))
    assert result.now == result.candidate
    assert result.pairs
    assert all(pair.same for pair in result.pairs)


async def test_commands_meet_what_the_candidate_has_in_their_place(tmp_path: Path) -> None:
    site, data = write_site(tmp_path, **EVER), tmp_path / "data"
    await live_through(data, site)
    plan = load_site(site)
    with beside(data) as connection:
        result = run_backtest(plan, load_site(lower(tmp_path / "new")), DataDirSource(connection))
    assert (result.candidate.commands["met_another"], result.candidate.commands["dropped"]) == (3, 0)
    acknowledged = [
        sum(one.counts.get("acknowledged", 0) for one in side.quality.sums) for side in sides(result)
    ]
    assert acknowledged == [2, 2]
    assert [len(side.opened) for side in sides(result)] == [1, 1]
    assert any(pair.moved for pair in result.pairs)
    assert any(pair.added for pair in result.pairs)


async def test_what_the_gateway_did_not_see_is_not_observed(tmp_path: Path) -> None:
    site, data = write_site(tmp_path, **EVER), tmp_path / "data"
    await live_through(data, site)
    plan = load_site(site)
    with beside(data) as connection:
        source = DataDirSource(connection)
        result = run_backtest(plan, load_site(lower(tmp_path / "new")), source)
    before, gap, after = result.unobserved
    assert before.end == START
    assert gap.end - gap.start == 2 * HOUR
    assert after.end - after.start == 1  # it was stopped with its last line


async def test_the_exported_journal_gives_the_same(tmp_path: Path) -> None:
    site, data = write_site(tmp_path, **EVER), tmp_path / "data"
    await live_through(data, site)
    new = lower(tmp_path / "new")
    file = tmp_path / "journal.jsonl.zst"
    assert fgw("export", "journal", "--data-dir", data, "--out", file).status == 0
    with beside(data) as connection:
        one = run_backtest(load_site(site), load_site(new), DataDirSource(connection))
    other = run_backtest(load_site(site), load_site(new), TrafficSource([file]))
    assert one.pairs == other.pairs
    assert one.candidate.commands == other.candidate.commands
    said = [
        fgw("backtest", "--site", site, "--candidate", new, "--from", where, "--json")
        for where in (data, file)
    ]
    assert [one.status for one in said] == [0, 0], said[0].err
    assert json.loads(said[0].out) == json.loads(said[1].out)
