"""The page on which a phone lands, as the gateway gives it; what its script does is in test_landing_browser.py."""

import base64
import hashlib
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.http.landing_words import PAGE, SCRIPT, language_of
from gateway.core.patrol.flags import FLAGS
from gateway.core.tags import code
from tests.api.tower import OLD_GATE, PUMP, READER, ROOF, Tower, open_tower, tag
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tower(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tower]:
    async with open_tower(broker, tmp_path_factory.mktemp("tower")) as found:
        yield found


async def page(tower: Tower, query: str, language: str = "en") -> str:
    answer = await tower.http.get(f"/t?{query}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


def facts(text: str) -> dict[str, Any]:
    match = re.search(r'data-facts="([^"]*)"', text)
    assert match is not None
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


def seen(text: str) -> str:
    """What a person reads of the place and the proof."""
    match = re.search(r'<section class="place">(.*?)</section>', text, re.DOTALL)
    assert match is not None
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", match[1])).split())


def query_of(url: str) -> str:
    return url.partition("?")[2]


async def test_a_tag_that_proves_itself_is_named_with_its_place_in_both_languages(tower: Tower) -> None:
    url = tag(PUMP).tap()
    english, chinese = await page(tower, query_of(url)), await page(tower, query_of(url), "zh-CN,zh;q=0.9")
    assert seen(english) == (
        'Pump room <img src=x onerror=alert(1)> Tower 1 · Basement 1 · by the "fire" door ✓ The tag has proven itself'
    )
    assert seen(chinese) == '消防水泵房 一号楼 · 地下一层 · by the "fire" door ✓ 标签已通过验证'
    assert '<html lang="zh-Hans">' in chinese
    assert facts(english)["how"] == "nfc"
    assert facts(english)["tap"] == {"url": url.replace("gate.example", "localhost")}


async def test_what_the_owner_and_the_address_say_is_text_and_never_markup(tower: Tower) -> None:
    text = await page(tower, query_of(tag(PUMP).tap()))
    assert "<img" not in text
    hostile = await page(tower, 'picc="><script>alert(1)</script>&c=</main><script>')
    assert hostile.count("<script>") == 1
    assert "script" in facts(hostile)["tap"]["url"]


@pytest.mark.parametrize(
    ("uid", "epoch", "words"),
    [
        (ROOF, 1, f"Roof door Tower 1 · Roof ✕ {FLAGS['old_epoch'].title.en}"),
        (ROOF, 2, "Roof door Tower 1 · Roof ✓ The tag has proven itself"),
        (OLD_GATE, 1, f"No checkpoint ✕ {FLAGS['retired_tag'].title.en}"),
        ("04FFFFFFFFFF80", 1, f"No checkpoint ✕ {FLAGS['unknown_tag'].title.en}"),
        (READER, 1, "Reader ! The tag of equipment, not of a checkpoint"),
    ],
)
async def test_a_genuine_tag_is_told_apart_by_where_it_hangs(
    tower: Tower, uid: str, epoch: int, words: str
) -> None:
    assert seen(await page(tower, query_of(tag(uid, epoch=epoch).tap()))) == words


async def test_a_torn_seal_is_told(tower: Tower) -> None:
    torn = tag(PUMP, form="enc")
    torn.tear()
    assert seen(await page(tower, query_of(torn.tap()))).endswith("! " + PAGE["torn"].en)


async def test_a_forged_tag_is_told_and_still_uploaded_so_that_it_is_on_record(tower: Tower) -> None:
    text = await page(tower, query_of(tag(PUMP, key="F" * 32).tap()), "zh")
    assert seen(text) == f"未识别巡更点 ✕ {FLAGS['forged'].title.zh}"
    assert facts(text)["tap"] is not None


async def test_without_a_key_nothing_is_proven(broker: Mosquitto, tmp_path: Path) -> None:
    async with open_tower(broker, tmp_path, key=None) as bare:
        assert FLAGS["no_key"].title.en in seen(await page(bare, query_of(tag(PUMP).tap())))


async def test_a_label_is_named_and_said_to_be_weak(tower: Tower) -> None:
    label = code("tower", "roof")
    text = await page(tower, f"c={label.lower()}&from=a-scanner")
    assert seen(text) == f"Roof door Tower 1 · Roof ! {PAGE['label'].en}"
    assert (facts(text)["tap"], facts(text)["how"], facts(text)["key"]) == (
        {"code": label},
        "qr",
        f"c={label}",
    )
    assert seen(await page(tower, "c=ABCD2345")) == f"No checkpoint ✕ {PAGE['unknown_code'].en}"


async def test_the_language_can_be_switched_without_spoiling_the_address_of_the_tag(tower: Tower) -> None:
    query = query_of(tag(PUMP).tap())
    text = await page(tower, f"{query}&lang=zh", "en")
    assert "标签已通过验证" in text
    other = re.search(r'<a href="([^"]*)"', text)
    assert other is not None
    assert html.unescape(other[1]) == f"?{query}&lang=en"
    assert facts(text)["key"] == query
    assert "The tag has proven itself" in await page(tower, f"lang=en&{query}", "zh")


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "fr", "en"),
        (None, "fr, zh-Hant-TW;q=0.2", "zh"),
        (None, "zh;q=0.5, en;q=0.8", "en"),
        (None, "zh;q=x, zh;q=7, zh;q=-1, zh;q=nan", "en"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("zh'\"<", "zh", "zh"),
        (None, "zh" + "," * 100_000, "zh"),
    ],
)
async def test_the_language_is_the_one_asked_for_or_liked_better(
    wanted: str | None, accepted: str, language: str
) -> None:
    assert language_of(wanted, accepted) == language


@pytest.mark.parametrize(
    "query",
    [
        "",
        "c=",
        "c=" + "A" * 33,
        "c=%00",
        "c=大门",
        "x=1",
        "picc=" + "A" * 600,
        "&" * 2_000,
        "=",
        "c=%E0%A4%A",
    ],
)
async def test_where_nothing_can_be_read_nothing_is_uploaded(tower: Tower, query: str) -> None:
    text = await page(tower, query)
    assert seen(text) == f"{PAGE['heading'].en} … {PAGE['nothing'].en} {PAGE['nothing_more'].en}"
    assert facts(text)["tap"] is None


@pytest.mark.parametrize(
    "query", ["picc=1", "uid=04&cmac=", "cmac=%00", "enc=%27%22", "ctr=大", "picc=a&picc=b"]
)
async def test_what_looks_like_a_tag_and_cannot_be_read_is_told_and_uploaded(
    tower: Tower, query: str
) -> None:
    text = await page(tower, query)
    assert seen(text) == f"No checkpoint ✕ {FLAGS['malformed_url'].title.en}"
    assert facts(text)["tap"] is not None


async def test_the_page_may_run_its_own_script_and_style_and_nothing_else(tower: Tower) -> None:
    answer = await tower.http.get(f"/t?{query_of(tag(PUMP).tap())}")
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": _hashed(answer.text, "script"),
        "style-src": _hashed(answer.text, "style"),
        "connect-src": "'self'",
        "img-src": "data:",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["vary"] == "Accept-Language"
    assert re.findall(r'(?:src|href|action)="([a-z]+:)?//', answer.text) == []
    bare = re.sub(r'<script>.*</script>|"[^"]*"', "", await page(tower, ""), flags=re.DOTALL)
    assert re.findall(r"\s(?:on\w+|style)\s*=", bare) == []


def _hashed(text: str, element: str) -> str:
    (found,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()}'"


async def test_looking_at_the_page_changes_nothing(tower: Tower) -> None:
    def outcomes() -> dict[str, float]:
        return {name: count for name, count in tower.gateway.meters().items() if name.startswith("outcomes_")}

    before = outcomes()
    taps, tags = await tower.taps(), (await tower.http.get("/api/v1/patrol/tags")).json()
    query = query_of(tag(PUMP).tap())
    for _ in range(3):
        await page(tower, query)
        assert (await tower.http.head(f"/t?{query}")).status_code in (200, 405)
        assert (await tower.http.post(f"/t?{query}")).status_code == 405
    assert await tower.taps() == taps == []
    assert (await tower.http.get("/api/v1/patrol/tags")).json() == tags
    assert outcomes() == before


async def test_a_foreign_host_gets_no_page(tower: Tower) -> None:
    answer = await tower.http.get("/t", headers={"Host": 'evil.example"><script>'})
    assert answer.status_code == 421


async def test_without_a_script_the_page_says_what_to_do(tower: Tower) -> None:
    for language in ("en", "zh"):
        match = re.search(r"<noscript>(.*?)</noscript>", await page(tower, "", language), re.DOTALL)
        assert match is not None
        assert getattr(PAGE["noscript"], language) in html.unescape(match[1])


async def test_every_word_is_there_in_both_languages_and_used() -> None:
    script = (Path(__file__).parents[2] / "api/http/pages/landing.js").read_text()
    for name, title in {**PAGE, **SCRIPT}.items():
        assert title.en, name
        assert title.zh, name
        assert re.findall(r"\{\w+\}", title.en) == re.findall(r"\{\w+\}", title.zh), name
    said = set(re.findall(r'"([a-z_]+)"', script))
    assert said >= SCRIPT.keys()
    assert set(re.findall(r'say\("([a-z_]+)"', script)) <= SCRIPT.keys()
