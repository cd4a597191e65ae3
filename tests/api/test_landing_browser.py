"""What the page's script does, in a real browser against a real gateway. Needs the Debian package chromium."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api.http.landing_words import SCRIPT
from api.http.server import serve
from gateway.core.patrol.flags import FLAGS
from gateway.core.tags import code
from simulators.ntag import SimulatedTag
from tests.api.browser import Browser, Tab, browsing
from tests.api.tower import PUMP, Tower, open_tower, tag
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Place:
    """A gateway that phones reach."""

    def __init__(self, tower: Tower, url: str, pump: SimulatedTag) -> None:
        self.tower, self.url, self._pump = tower, url, pump

    def tapped(self) -> str:
        """The address a phone opens that was held to the pump room's tag."""
        return self.url + "/t?" + self._pump.tap().partition("?")[2]

    def scanned(self, checkpoint: str = "roof") -> str:
        """The address a phone opens that scanned a label."""
        return f"{self.url}/t?c={code('tower', checkpoint)}"

    async def taps(self) -> list[dict[str, Any]]:
        """Every tap there is, the latest first."""
        return await self.tower.taps()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_tower(broker, tmp_path_factory.mktemp("reached")) as tower:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(tower.app, "127.0.0.1", 0, ready=ready.set_result), name="serve")
        try:
            yield Place(tower, await ready, tag(PUMP))
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


@pytest_asyncio.fixture(loop_scope="module")
async def phone() -> AsyncIterator[Browser]:
    """A phone nobody has used yet."""
    async with browsing() as found:
        yield found


async def sign_in(tab: Tab, guard: str, token: str = "") -> None:
    await tab.until("!document.getElementById('who').hidden")
    await tab.run(
        f"document.getElementById('guard').value = {json.dumps(guard)};"
        f"document.getElementById('token').value = {json.dumps(token)};"
        "document.getElementById('who').requestSubmit()"
    )


async def known(tab: Tab, place: Place, guard: str = "g-07") -> None:
    """A phone whose guard is remembered."""
    await tab.speak("en")
    await tab.open(f"{place.url}/t")
    await tab.run(f"localStorage.setItem('fgw.guard', {json.dumps(json.dumps(guard))})")


async def judged(tab: Tab, words: str = SCRIPT["counted"].en) -> None:
    await tab.until(f"document.getElementById('verdict').innerText === {json.dumps(words)}")


async def test_the_first_tap_asks_who_it_is_and_the_next_ones_do_not(place: Place, phone: Browser) -> None:
    before = len(await place.taps())
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await sign_in(tab, "g-07")
    await judged(tab)
    assert await tab.text("detail") == SCRIPT["counts"].en.format(grade="A")
    assert FLAGS["voluntary"].title.en in await tab.text("reasons")
    second = await phone.tab()
    await second.speak("zh-CN")
    await second.open(place.tapped())
    await judged(second, SCRIPT["counted"].zh)
    assert await second.text("who") == ""
    new = (await place.taps())[: len(await place.taps()) - before]
    assert [(one["guard"]["id"], one["checkpoint"]["id"], one["grade"]) for one in new] == [
        ("g-07", "pump", "A")
    ] * 2
    assert len({one["source"] for one in new}) == 1
    assert new[0]["source"].startswith("web-")


async def test_the_page_asks_no_other_host_and_breaks_no_rule_of_its_own(
    place: Place, phone: Browser
) -> None:
    tab = await phone.tab()
    await known(tab, place)
    await tab.open(place.tapped())
    await judged(tab)
    assert {one.partition("?")[0] for one in tab.requests} == {f"{place.url}/t", f"{place.url}/api/v1/taps"}
    assert tab.complaints == []
    assert await tab.run("document.images.length") == 0


async def test_a_page_loaded_again_is_the_same_tap(place: Place, phone: Browser) -> None:
    tab = await phone.tab()
    await known(tab, place)
    for address in (place.tapped(), place.scanned()):
        before = len(await place.taps())
        await tab.open(address)
        await judged(tab)
        await tab.reload()
        await judged(tab)
        again = await phone.tab()
        await again.speak("en")
        await again.open(f"{address}&lang=en")
        await judged(again)
        assert len(await place.taps()) == before + 1


async def test_an_old_label_is_recorded_only_when_a_person_says_so(place: Place, phone: Browser) -> None:
    tab = await phone.tab()
    await known(tab, place)
    await tab.open(place.scanned("gate"))
    await judged(tab)
    before = len(await place.taps())
    await tab.run(
        "localStorage.setItem('fgw.seen', localStorage.getItem('fgw.seen').replace(/\"at\":\\d+/g,"
        " '\"at\":' + (Date.now() - 6 * 60 * 1000)))"
    )
    await tab.reload()
    await tab.shows(SCRIPT["old_label"].en)
    assert len(await place.taps()) == before
    await tab.run("document.getElementById('record-again').click()")
    await judged(tab)
    new = await place.taps()
    assert (len(new), new[0]["how"], new[0]["grade"]) == (before + 1, "qr", "D")


async def test_a_tap_without_network_is_kept_over_the_closing_of_the_page_and_sent_later(
    place: Place, phone: Browser
) -> None:
    before = len(await place.taps())
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await tab.until("!document.getElementById('who').hidden")
    await tab.offline(True)
    await sign_in(tab, "g-08")
    await judged(tab, SCRIPT["queued"].en)
    assert SCRIPT["waiting"].en.format(count=1) in await tab.text("queue")
    assert SCRIPT["unreached"].en in await tab.text("detail")
    assert len(await place.taps()) == before
    queued = json.loads(await tab.run("localStorage.getItem('fgw.queue')"))
    await tab.offline(False)
    other = await phone.tab()
    await other.speak("en")
    await other.open(f"{place.url}/t")
    await other.until("localStorage.getItem('fgw.queue') === '[]'")
    new = await place.taps()
    assert len(new) == before + 1
    assert (new[0]["key"], new[0]["guard"]["id"]) == (queued[0]["tap"]["id"], "g-08")
    await judged(tab)  # the first page hears of it


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("new Response('{\"detail\": \"later\"}', {status: 503, headers: {'Retry-After': '0'}})", "later"),
        ('new Response(\'{"detail": "slowly"}\', {status: 429})', "slowly"),
        ("new Response('<html>Log in to the hotel</html>', {status: 200})", SCRIPT["answer_odd"].en),
        ("new Response('{\"results\": []}', {status: 200})", SCRIPT["answer_odd"].en),
    ],
)
async def test_what_is_no_judgement_leaves_the_tap_in_the_queue_and_it_is_tried_again(
    place: Place, phone: Browser, answer: str, words: str
) -> None:
    before = len(await place.taps())
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await tab.until("!document.getElementById('who').hidden")
    await tab.run(
        f"window.real = fetch; window.tried = 0; fetch = async () => {{ tried += 1; return {answer}; }}"
    )
    await sign_in(tab, "g-07")
    await judged(tab, SCRIPT["queued"].en)
    await tab.until(f"document.getElementById('detail').innerText.includes({json.dumps(words)})")
    await tab.until("tried > 1")
    assert len(await place.taps()) == before
    await tab.run("fetch = window.real; document.getElementById('send').click()")
    await judged(tab)
    assert len(await place.taps()) == before + 1


async def test_a_token_that_nobody_has_is_asked_for_again_and_the_tap_is_kept(
    place: Place, phone: Browser
) -> None:
    answer = await place.tower.http.post("/api/v1/patrol/guards/g-08/token", headers={"X-Actor": "chief"})
    before = len(await place.taps())
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await sign_in(tab, "g-08", "fgt_wrong")
    await tab.shows(SCRIPT["who_again"].en)
    assert len(await place.taps()) == before
    await sign_in(tab, "g-08", answer.json()["token"])
    await judged(tab)
    new = await place.taps()
    assert (len(new), new[0]["by"], new[0]["flags"]) == (before + 1, "g-08", new[0]["flags"])
    assert "other_guard" not in {one["flag"] for one in new[0]["flags"]}


async def test_a_forged_tag_is_kept_and_the_guard_is_told_why_it_does_not_count(
    place: Place, phone: Browser
) -> None:
    tab = await phone.tab()
    await known(tab, place)
    forged = tag(PUMP, key="F" * 32).tap().partition("?")[2]
    await tab.open(f"{place.url}/t?{forged}")
    await judged(tab, SCRIPT["kept"].en)
    assert await tab.text("reasons") == FLAGS["forged"].title.en


async def test_an_id_that_cannot_be_is_not_sent(place: Place, phone: Browser) -> None:
    before = len(await place.taps())
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await sign_in(tab, "<img src=x>")
    await tab.shows(SCRIPT["guard_wrong"].en)
    assert await tab.run("localStorage.getItem('fgw.queue')") is None
    assert len(await place.taps()) == before


async def test_what_the_phone_keeps_may_be_damaged(place: Place, phone: Browser) -> None:
    tab = await phone.tab()
    await known(tab, place)
    for name in ("queue", "seen", "told", "tokens", "device", "guard"):
        for damage in ("{", "null", "[null, 1, {}]", '"x"', '{"x": null}'):
            await tab.run(f"localStorage.setItem('fgw.{name}', {json.dumps(damage)})")
            await tab.open(place.tapped())
            if name == "guard" and damage != '"x"':
                await sign_in(tab, "g-07")
            await judged(tab)
            await tab.run(
                f"localStorage.removeItem('fgw.{name}'); localStorage.setItem('fgw.guard', '\"g-07\"')"
            )
    assert tab.complaints == []


async def test_words_of_the_gateway_are_text_and_never_markup(place: Place, phone: Browser) -> None:
    tab = await phone.tab()
    await tab.speak("en")
    await tab.open(place.tapped())
    await tab.until("!document.getElementById('who').hidden")
    bad = "<img src=x onerror=alert(1)>"
    body = {"title": {"en": bad}, "flag": bad, "counts": False}
    await tab.run(
        "fetch = async (_, {body}) => new Response(JSON.stringify({results: [{id: JSON.parse(body).taps[0].id,"
        f" status: 'refused', detail: {json.dumps(bad)}, flags: [{json.dumps(body)}]}}]}}))"
    )
    await sign_in(tab, "g-07")
    await judged(tab, SCRIPT["refused"].en)
    assert await tab.text("detail") == bad
    assert await tab.run("document.images.length") == 0
