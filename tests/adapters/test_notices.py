"""Notices on their way to people: real mail, real web hooks, servers that go and come back."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gateway.adapters.notices.carrier import AppriseCarrier
from gateway.adapters.notices.courier import Courier, Patience
from gateway.adapters.sql.notices import Deliveries
from gateway.adapters.sql.store import Store, opened
from gateway.adapters.telemetry_drain import Backoff
from gateway.bootstrap import build, notice_carriers
from gateway.core.state import AlertState, Cause
from gateway.core.values import DAY, HOUR, Level
from gateway.errors import SettingsError
from gateway.jobs import Order
from gateway.settings import Settings
from tests.adapters.post import NOW, Hook, MailServer, alert, log, notice, order, site_plan, write_site
from tests.e2e.waiting import eventually
from tests.servers.ports import free_port

HASTY = Patience(pauses=Backoff(first=0.01, most=0.05))


async def until(done: Callable[[], object]) -> None:
    """Return once it is so."""
    await eventually(lambda: bool(done()), "a notice", seconds=20)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path / "data") as found:
        yield found


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    found = Hook()
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    found = MailServer()
    found.start()
    yield found
    found.stop()


@contextlib.asynccontextmanager
async def delivering(
    store: Store, addresses: dict[str, Sequence[str]], *, now: int = NOW, patience: Patience = HASTY
) -> AsyncIterator[Courier]:
    """A courier at work for the length of a block."""
    carriers = {name: [AppriseCarrier(url, patience=5.0) for url in urls] for name, urls in addresses.items()}
    plan = site_plan()
    courier = Courier(
        Deliveries(store),
        carriers,
        lambda: plan,
        lambda: now,
        public_url="https://mill.example/",
        patience=patience,
    )
    task = asyncio.create_task(courier.run())
    try:
        yield courier
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def words(courier: Courier) -> str:
    """What its health says."""
    health = courier.health()
    return "" if health is None else health.words


async def test_each_target_is_told_in_its_language(store: Store, hook: Hook, mail: MailServer) -> None:
    await log(store, notice("al-1", to=("duty", "lead")), alerts=(alert(),))
    async with delivering(store, {"duty": [mail.url], "lead": [hook.url]}) as courier:
        await until(lambda: mail.got and hook.got and not courier.waiting)
    assert hook.got == [
        {
            "title": "[紧急] 电机过热：1 号梯 (1 号楼, 地下)",  # noqa: RUF001 - Chinese
            "body": "电机温度：104.25 °C，限值 100 °C\n开始于 2026-09-21 16:13\n停梯。\nhttps://mill.example/api/v1/alerts/al-1",  # noqa: RUF001 - Chinese
        }
    ]
    (letter,) = mail.got
    assert letter["To"] == "duty@mill.example"
    assert letter["Subject"] == "[CRITICAL] Motor overheating: Lift 1 (Tower 1, Basement)"
    text = letter.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines()[:3] == [
        "Motor temperature: 104.25 °C, limit 100 °C",
        "Since 2026-09-21 16:13",
        "Stop the lift.",
    ]
    assert (courier.counters.sent, courier.counters.failed) == (2, 0)


async def test_several_alerts_and_orders_have_words_of_their_own(store: Store, hook: Hook) -> None:
    event = Cause(NOW, event="opened", attributes={"zone": "B1", "who": "Anna"})
    several = [alert(number, device=f"lift-{number}") for number in (1, 2)]
    forced = alert(
        3, rule="forced", level=Level.WARNING, cause=event, acked_by="ben", state=AlertState.ACKNOWLEDGED
    )
    await log(
        store,
        notice("al-1", "al-2", why="repeat"),
        notice("al-3"),
        notice(why="opened", order="wo-1"),
        alerts=(*several, forced),
        orders=(order(),),
    )
    async with delivering(store, {"duty": [hook.url]}):
        await until(lambda: len(hook.got) == 3)
    first, second, third = hook.got
    assert first["title"] == "[CRITICAL] Motor overheating: 2 devices"
    assert first["body"].split("\n")[:2] == [
        "Still not acknowledged",
        "- Lift 1 (Tower 1, Basement) · Motor temperature: 104.25 °C, limit 100 °C · 2026-09-21 16:13",
    ]
    assert second["title"] == "[WARNING] Door forced: Lift 1 (Tower 1, Basement)"
    assert second["body"].startswith("Door opened · zone B1\nSince 2026-09-21 16:13\nAcknowledged by ben")
    assert "Anna" not in second["body"]
    assert third["title"] == "[EMERGENCY] Repair: Lift 1 (Tower 1, Basement)"
    assert third["body"].startswith("New work order\nSince 2026-09-21 16:13\nTeam: House team\n")


async def test_what_happened_before_word_of_it_came_says_when(store: Store, hook: Hook) -> None:
    known = alert(1, rule="forced", cause=Cause(NOW - 1_200_000, event="opened", attributes={"zone": "B1"}))
    await log(store, notice("al-1"), alerts=(known,))
    async with delivering(store, {"duty": [hook.url]}):
        await until(lambda: len(hook.got) == 1)
    assert "It happened at 2026-09-21 15:53; word of it came late" in hook.got[0]["body"]


async def test_what_a_server_missed_comes_when_it_is_back_over_two_restarts(tmp_path: Path) -> None:
    hook = Hook()
    for number in (1, 2):
        async with opened(tmp_path) as store, delivering(store, {"duty": [hook.url]}) as courier:
            await log(store, notice(f"al-{number}"), alerts=(alert(number, device=f"lift-{number}"),))
            await until(lambda: courier.counters.failed >= 3)
    await hook.start()
    async with opened(tmp_path) as store, delivering(store, {"duty": [hook.url]}) as courier:
        await until(lambda: len(hook.got) == 2 and not courier.waiting)
    assert sorted(one["title"].split(": ")[1] for one in hook.got) == ["Lift 1 (Tower 1, Basement)", "lift-2"]
    async with opened(tmp_path) as store, delivering(store, {"duty": [hook.url]}) as courier:
        await log(store, notice("al-2", why="repeat"))
        await until(lambda: len(hook.got) == 3)
    await hook.stop()
    assert hook.got[2]["body"].startswith("Still not acknowledged")


async def test_a_notice_that_was_read_but_not_delivered_before_a_kill_is_delivered(
    tmp_path: Path, hook: Hook
) -> None:
    async with opened(tmp_path) as store:
        await log(store, notice("al-1"), alerts=(alert(),))
        await Deliveries(store).take({"duty": 1})
    async with opened(tmp_path) as store, delivering(store, {"duty": [hook.url]}):
        await until(lambda: hook.got)


async def test_a_target_that_does_not_answer_holds_up_nobody(store: Store, hook: Hook) -> None:
    await log(store, notice("al-1", to=("duty", "lead")), alerts=(alert(),))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system connects, and nobody ever answers
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=60"
        async with delivering(store, {"duty": [url], "lead": [hook.url]}) as courier:
            await until(lambda: hook.got and courier.waiting == 1)


async def test_one_address_that_fails_does_not_repeat_the_other(store: Store, hook: Hook) -> None:
    await log(store, notice("al-1"), alerts=(alert(),))
    broken = f"json://127.0.0.1:{free_port()}"
    async with delivering(store, {"duty": [broken, hook.url]}) as courier:
        await until(lambda: courier.counters.failed >= 3)
        assert len(hook.got) == 1


async def test_what_comes_late_is_told_as_one(store: Store, hook: Hook) -> None:
    late = [notice("al-1", at=NOW + minute * 60_000) for minute in range(12)]
    now = NOW + 3 * HOUR
    await log(store, *late, notice("al-2", at=now), alerts=(alert(), alert(2, device="lift-2")))
    async with delivering(store, {"duty": [hook.url]}, now=now) as courier:
        await until(lambda: len(hook.got) == 2 and not courier.waiting)
    summary = hook.got[0]
    assert summary["title"] == "The mill · 12 notices could not be delivered before"
    assert summary["body"].split("\n") == [
        "From 2026-09-21 16:13 to 2026-09-21 16:24",
        "Still open:",
        "- [CRITICAL] Motor overheating: Lift 1 (Tower 1, Basement)",
    ]
    assert courier.counters.sent == 13


async def test_a_message_a_server_never_takes_holds_up_no_other_and_is_given_up(
    store: Store, hook: Hook
) -> None:
    hook.refuses = "Lift 1"
    now = NOW + 2 * DAY
    await log(store, notice("al-1"), alerts=(alert(), alert(2, device="lift-2")))
    async with delivering(store, {"duty": [hook.url]}, now=now) as courier:
        await until(lambda: courier.counters.failed >= 2)
        await log(store, notice("al-2", at=now))
        await until(lambda: hook.got and "1 given up for duty" in words(courier))
        health = courier.health()
        assert health is not None
        assert not health.ok
    assert hook.tries == 6


async def test_who_has_no_address_is_counted_and_named(store: Store, hook: Hook) -> None:
    await log(store, notice("al-1", to=("duty", "lead")), alerts=(alert(),))
    async with delivering(store, {"duty": [hook.url]}) as courier:
        await until(lambda: courier.counters.sent == 1 and not courier.waiting)
        health = courier.health()
    assert health is not None
    assert (health.ok, health.words) == (True, "1 sent, 0 waiting; no address for lead")


async def test_addresses_that_are_gone_keep_nothing_waiting(store: Store, hook: Hook) -> None:
    await log(store, notice("al-1"), notice("al-1", to=("lead",)), alerts=(alert(),))
    await Deliveries(store).take({"duty": 2, "lead": 1})
    async with delivering(store, {"duty": [hook.url]}) as courier:
        await until(lambda: hook.got and not courier.waiting)
    assert len(hook.got) == 1


async def test_no_address_is_ever_shown(store: Store, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hook.status = 503
    await log(store, notice("al-1"), alerts=(alert(),))
    secret = hook.url.replace("://", "://anna:pa55word@") + "?+X-Token=k3y"
    async with delivering(store, {"duty": [secret]}) as courier:
        await until(lambda: courier.counters.failed >= 4)
        health = courier.health()
    assert health is not None
    assert "503" in health.words
    for word in ("T0PS3CRET", "pa55word", "anna", "k3y", "127.0.0.1"):
        assert word not in health.words
        assert word not in " ".join(
            record.getMessage() for record in caplog.records if record.name != "aiohttp.access"
        )


def test_an_address_that_cannot_be_used_ends_the_start_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FGW_NOTIFY_DUTY", "json://good.example nonsense://T0PS3CRET")
    with pytest.raises(SettingsError) as caught:
        notice_carriers(site_plan())
    assert (
        str(caught.value)
        == "FGW_NOTIFY_DUTY: an address that begins with nonsense:// is none that apprise can use"
    )


async def test_a_gateway_tells_a_team_of_its_order(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FGW_NOTIFY_DUTY", hook.url)
    settings = Settings(
        site=write_site(tmp_path), data_dir=tmp_path / "data", mqtt_url=f"mqtt://127.0.0.1:{free_port()}"
    )
    async with build(settings) as gateway:
        running = asyncio.create_task(gateway.run())
        wish = Order("work_order.open", "lift-1", {"template": "repair"}, "anna", "c1")
        (reply,) = await gateway.submit_many([wish])
        assert reply.status == "done"
        await until(lambda: hook.got)
        await until(lambda: gateway.health()["notices"].words == "1 sent, 0 waiting; no address for lead")
        assert gateway.meters()["notices_sent"] == 1
        gateway.stop()
        await running
    assert hook.got[0]["title"] == "[NORMAL] Repair: Lift 1 (Tower 1, Basement)"
