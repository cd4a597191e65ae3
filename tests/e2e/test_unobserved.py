"""Rules with a duration across restarts, crashes, cuts and clocks that are set; by a clock in the test's hands."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway import runtime
from gateway.adapters.sql import outbox_rows
from gateway.adapters.sql.outbox import SqlOutbox
from gateway.adapters.sql.schema import quarantine
from gateway.bootstrap import read_site
from gateway.codecs.decoder import Decoder
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Fact, Input, Telemetry
from gateway.core.values import HOUR, MINUTE, SECOND, Message, Millis, TelemetryRow
from gateway.errors import StoreError
from gateway.jobs import configure, take_again
from gateway.ports import Link
from tests.e2e.mill import DEVICES, telemetry, topic, write_site
from tests.e2e.replay import replay
from tests.e2e.tape import START, Hands, Life, living
from tests.e2e.waiting import eventually

HELD = """
  warm:
    levels: {warning: {when: {point: temp, above: 50}, for: 2m}}
"""


def write_held_site(folder: Path, **settings: str) -> Path:
    """The mill with a rule that must hold for two minutes."""
    site = write_site(folder, **settings)
    profile = folder / "press.yaml"
    profile.write_text(profile.read_text() + HELD)
    return site


async def warm_for_a_minute(life: Life, hands: Hands) -> None:
    await life.link(up=True)
    life.tape.read("press-1", hands.wall, temp=60.0)
    await life.all_acked(1)
    await life.pass_by(MINUTE)


async def await_the_rest(life: Life, hands: Hands) -> None:
    """The alert is raised after exactly the minute that is left, and not before."""
    back = hands.wall
    await life.link(up=True)
    await life.pass_by(MINUTE - SECOND)
    assert life.raised("warm") == []
    await life.pass_by(2 * SECOND)
    assert life.raised("warm") == [back + MINUTE]


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
async def test_a_rule_for_two_minutes_goes_on_after_a_restart_where_it_stood(
    tmp_path: Path, *, crash: bool
) -> None:
    site, hands = write_held_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands, crash=crash) as life:
        await warm_for_a_minute(life, hands)
    hands.pass_by(10 * MINUTE)
    async with living(tmp_path / "data", site, hands) as life:
        await await_the_rest(life, hands)
        (gap,) = life.kept.outcomes("gateway.observing")[1:] or life.kept.outcomes("gateway.observing")
        assert (gap.detail["since"], gap.detail["until"]) == (START + MINUTE, START + 11 * MINUTE)


async def test_a_rule_for_two_minutes_stands_still_while_the_broker_is_away(tmp_path: Path) -> None:
    site, hands = write_held_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await warm_for_a_minute(life, hands)
        await life.link(up=False)
        await life.pass_by(HOUR)
        assert life.raised("warm") == []
        await await_the_rest(life, hands)


async def test_a_clock_set_back_by_an_hour_neither_stops_nor_repeats_anything(tmp_path: Path) -> None:
    site, hands = write_held_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await warm_for_a_minute(life, hands)
        hands.wall -= HOUR
        await life.pass_by(MINUTE)
        assert life.raised("warm") == []  # after a minute of a clock that loses a twentieth until it agrees
        await life.pass_by(4 * SECOND)
        assert life.raised("warm") == [START + 2 * MINUTE]
        assert life.loop.clock.ahead > 59 * MINUTE
        life.tape.read("press-2", hands.wall, temp=90.0)
        await life.all_acked(2)
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        times = [one.at for one in life.kept.outcomes()]
        assert times == sorted(times)
        assert len(life.raised("warm")) == 1
        assert len(life.raised("hot")) == 1


async def test_a_full_outbox_raises_no_silence_for_the_time_nobody_read(tmp_path: Path) -> None:
    site, hands = write_site(tmp_path, silent="1m", grace="1m"), Hands()
    async with living(tmp_path / "data", site, hands, outbox_cap=100) as life:
        await life.link(up=True)
        for number in range(10):
            life.tape.read("press-1", hands.wall + number, seq=number)
        await life.all_acked(1)
        await life.turn()
        assert life.loop.sight.blocked
        late = life.tape.read("press-1", hands.wall + 11, seq=11)
        await life.pass_by(HOUR)
        assert life.raised("silent") == []
        assert late not in life.tape.acked

        outbox = SqlOutbox(life.store)
        await outbox.settle((await outbox.peek(100))[-1].seq, [])
        await life.turn()
        await eventually(lambda: late in life.tape.acked, "reading to go on")
        assert life.raised("silent") == []
        await life.pass_by(2 * MINUTE)
        assert len(life.raised("silent")) == len(DEVICES)


async def test_when_a_commit_fails_nothing_is_acknowledged_and_later_everything_goes_in(
    tmp_path: Path,
) -> None:
    site, hands = write_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        life.tape.read("press-1", hands.wall, temp=20.0)
        await life.all_acked(1)
        pages = await life.store.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
        await set_limit(life, pages)
        sent = [
            life.tape.read("press-1", hands.wall + 1 + n, temp=90.0, label=f"{n}" * 300) for n in range(200)
        ]
        await eventually(lambda: life.tape.refusals > 0, "the commit to fail")
        assert "full" in life.loop.trouble
        assert life.tape.acked[1:] == []
        assert life.raised("hot") == []
        with pytest.raises(StoreError, match="full"):
            await life.turn()

        await set_limit(life, 1 << 30)
        await life.all_acked(1 + len(sent))
        assert life.tape.acked[1:] == sent
        assert life.loop.trouble == ""
        assert len(life.raised("hot")) == 1
        await life.turn()
        outbox = await SqlOutbox(life.store).peek(1_000)
        rows = [row for entry in outbox for row in entry.rows]
        readings = [row.ts for row in rows if row.series.measurement == "press"]
        assert readings == [hands.wall + n for n in range(201)]
        assert life.store.waiting_rows == len(rows)
        assert life.store.waiting_bytes == sum(sizes(life))


async def test_stopped_while_nothing_can_be_committed_it_leaves_the_records_as_they_were(
    tmp_path: Path,
) -> None:
    site, hands = write_held_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await warm_for_a_minute(life, hands)
        await set_limit(
            life, await life.store.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
        )
        for number in range(200):
            life.tape.read("press-1", hands.wall + 1 + number, temp=90.0, label="x" * 1000)
        await eventually(lambda: life.tape.refusals > 0, "the commit to fail")
    assert life.tape.acked[1:] == []
    with pytest.raises(StoreError, match="the gateway is stopping"):
        await life.turn()
    hands.pass_by(MINUTE)
    async with living(tmp_path / "data", site, hands) as life:
        assert life.raised("hot") == []
        await await_the_rest(life, hands)


async def test_a_site_file_that_this_version_would_refuse_does_not_keep_the_next_one_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site, hands = write_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        await life.store.write(lambda c: c.exec_driver_sql("UPDATE config SET bundle = x'7b7d'"))
    site = write_site(tmp_path, grace="3m")
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        life.tape.read("press-1", hands.wall, temp=99.0)
        await life.all_acked(1)
        assert len(life.raised("hot")) == 1
    assert "the site file that was in force until now is not valid any more" in caplog.text


def sizes(life: Life) -> Sequence[int]:
    return [size for (size,) in life.kept.rows("SELECT size FROM telemetry_outbox")]


async def set_limit(life: Life, pages: int) -> None:
    """Let the database have so many pages and no more, as on a full disk."""
    await life.store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one())


async def test_a_message_that_brings_a_fault_of_ours_to_light_is_set_aside_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, hands = write_site(tmp_path), Hands()
    decode = Decoder.decode

    def faulty(self: Decoder, message: Message, at: Millis) -> Sequence[Fact]:
        if "press-2" in message.topic:
            raise ZeroDivisionError(message.topic)
        return decode(self, message, at)

    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        monkeypatch.setattr(Decoder, "decode", faulty)
        sent = [life.tape.read(f"press-{1 + n // 5 % 2}", hands.wall + n, temp=20.0) for n in range(20)]
        await life.all_acked(len(sent))
        assert life.tape.acked == sent
        refused = await life.store.read(lambda c: c.execute(sa.select(quarantine.c.reason)).scalars().all())
        assert refused == ["internal_error"] * 10
        await life.turn()
        rows = [row for entry in await SqlOutbox(life.store).peek(1_000) for row in entry.rows]
        assert sorted({row.ts for row in rows}) == [hands.wall + n for n in range(20) if n // 5 % 2 == 0]


def set_aside(name: str, decode: Callable[[Decoder, Message, Millis], Sequence[Fact]]) -> object:
    """A decoder with a fault that messages of one device bring to light."""

    def faulty(self: Decoder, message: Message, at: Millis) -> Sequence[Fact]:
        if name in message.topic:
            raise ZeroDivisionError(message.topic)
        return decode(self, message, at)

    return faulty


@pytest.mark.parametrize("up", [True, False], ids=["came", "went"])
async def test_a_link_change_beside_a_message_that_is_set_aside_is_not_lost_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, up: bool
) -> None:
    site, hands = write_site(tmp_path), Hands()
    monkeypatch.setattr(Decoder, "decode", set_aside("press-2", Decoder.decode))
    poison = Message(topic("press-2"), telemetry(hands.wall, temp=20.0))
    async with living(tmp_path / "data", site, hands) as life:
        await life.turn()
        if up:
            life.tape.put(Link(up=True), poison)
        else:
            await life.link(up=True)
            life.tape.put(poison, Link(up=False, reason="cut"))
        await life.all_acked(1)
        await life.turn()
        told = [one.kind for one in life.kept.outcomes() if one.kind.startswith("gateway.")]
        assert life.loop.sight.link_up is up
        assert (await life.store.load()).state.scalars.observing is up, told


async def test_room_in_the_outbox_beside_a_message_that_is_set_aside_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, hands = write_site(tmp_path), Hands()
    monkeypatch.setattr(runtime, "HEARTBEAT", 50)
    async with living(tmp_path / "data", site, hands, outbox_cap=100) as life:
        await life.link(up=True)
        life.tape.read("press-1", hands.wall, temp=20.0, label="x" * 200)
        await life.all_acked(1)
        await life.turn()
        assert life.loop.sight.blocked
        monkeypatch.setattr(Decoder, "decode", set_aside("press-2", Decoder.decode))
        life.tape.read("press-2", hands.wall, temp=20.0)
        outbox = SqlOutbox(life.store)
        await outbox.settle((await outbox.peek(100))[-1].seq, [])
        await life.all_acked(2)
        await life.turn()
        assert (await life.store.load()).state.scalars.observing


async def test_a_message_whose_effects_cannot_be_written_down_is_set_aside_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, hands = write_site(tmp_path), Hands()
    pack = outbox_rows.pack

    def faulty(rows: Sequence[TelemetryRow]) -> bytes:
        if any(row.fields.get("temp") == 13.0 for row in rows):
            raise OverflowError("13")
        return pack(rows)

    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        monkeypatch.setattr(outbox_rows, "pack", faulty)
        for number, temp in enumerate([20.0, 13.0, 21.0]):
            life.tape.read("press-1", hands.wall + number, temp=temp)
        await life.all_acked(3)
        assert life.loop.meters.rejected == {"internal_error": 1}
        rows = [row for entry in await SqlOutbox(life.store).peek(100) for row in entry.rows]
        assert {row.fields["temp"] for row in rows if row.series.measurement == "press"} == {20.0, 21.0}


async def test_stopped_over_a_fault_of_ours_it_leaves_the_records_without_what_was_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, hands = write_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        step, loop = Engine.step, life.loop

        def faulty(self: Engine, inputs: Sequence[Input]) -> Effects:
            effects = step(self, inputs)
            if any(isinstance(one, Telemetry) for one in inputs):
                loop.stop()
                raise ZeroDivisionError("after all was changed in memory")
            return effects

        monkeypatch.setattr(Engine, "step", faulty)
        hot = life.tape.read("press-1", hands.wall, temp=99.0)
        life.tape.read("press-2", hands.wall, temp=20.0)
        await eventually(lambda: life.tape.refusals > 0, "the fault to come up")
    monkeypatch.undo()
    assert life.tape.acked == []
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        life.tape.put(hot)
        await life.all_acked(1)
        assert len(life.raised("hot")) == 1


async def test_a_retry_in_the_turn_of_another_plan_is_judged_by_that_plan(tmp_path: Path) -> None:
    site, hands = write_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        profile = tmp_path / "press.yaml"
        profile.write_text(profile.read_text().replace("points:", "points:\n  pressure: {type: int}"))
        refused = Message(topic("press-1"), telemetry(hands.wall, pressure=2), received=hands.wall)
        words: list[str] = []
        await asyncio.gather(
            life.loop.ask(configure(*read_site(site))), life.loop.ask(take_again([refused], words))
        )
        assert words == ["accepted"]
        outcomes, state = replay(tmp_path / "data")
        assert state.devices["press-1"].last["pressure"] == (hands.wall, 2)
        assert [one.kind for one in outcomes] == [one.kind for one in life.kept.outcomes()]


async def test_a_device_that_is_new_after_a_plan_that_cannot_be_read_any_more_is_given_its_time(
    tmp_path: Path,
) -> None:
    site, hands = write_site(tmp_path), Hands()
    async with living(tmp_path / "data", site, hands, crash=True) as life:
        await life.link(up=True)
        await life.store.write(lambda c: c.exec_driver_sql("UPDATE config SET bundle = x'7b7d'"))
    site.write_text(site.read_text().rstrip() + "\n  - {id: press-new, profile: press}\n")
    hands.pass_by(SECOND)
    async with living(tmp_path / "data", site, hands) as life:
        await life.link(up=True)
        await life.pass_by(10 * MINUTE)
        assert life.raised("silent") == []
        await life.pass_by(3 * HOUR)
        assert len(life.raised("silent")) == len(DEVICES) + 1
