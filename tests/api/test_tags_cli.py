"""``fgw tags`` and ``fgw guards``: against a real gateway, and from a site file alone."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
import zxingcpp

from api.cli.letters import UNEMBEDDED
from api.cli.tags import HIDDEN, WARNING
from gateway.core.tags import code
from simulators.ntag import SimulatedTag
from tests.api.commands import Ran, asking, fgw, served
from tests.api.tower import KEY, OLD_GATE, PUMP, ROOF, SITE, Tower, open_tower
from tests.reports.printed import pages, picture
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = ("--base-url", "https://gate.example")
NEW, NEW_SPELT = "04A22B1C3D5EC0", "04:a2:2b:1c:3d:5e:c0"


class Place(NamedTuple):
    """A gateway that commands reach."""

    tower: Tower
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_tower(broker, tmp_path_factory.mktemp("asked")) as tower, served(tower.app) as url:
        yield Place(tower, url)


# --- at a running gateway ------------------------------------------------------------------------------------


async def test_the_tags_of_the_site_are_listed_with_where_they_hang(place: Place) -> None:
    ran = await asking("tags", "list", "--url", place.url)
    head, *lines = (line.split() for line in ran.out.splitlines())
    assert (ran.status, ran.err) == (0, "")
    assert head[:5] == ["uid", "state", "checkpoint", "secure", "epoch"]
    shown = {uid: rest[:4] for uid, *rest in lines}
    assert shown[PUMP] == ["in_use", "pump", "yes", "1"]
    assert shown[ROOF] == ["in_use", "roof", "yes", "2"]
    assert shown[OLD_GATE] == ["retired", "-", "yes", "1"]
    as_json = await asking("tags", "list", "--json", url=place.url)
    assert {one["uid"] for one in json.loads(as_json.out)} == shown.keys()


async def test_a_tag_written_as_the_settings_say_proves_itself_until_its_epoch_is_raised_or_it_retires(
    place: Place,
) -> None:
    at = ("--url", place.url, "--actor", "chief")
    ran = await asking("tags", "register", NEW_SPELT, "--checkpoint", "gate", "--secure", *at)
    assert (ran.status, ran.out.strip()) == (0, f"{NEW} hangs at gate")
    first = await _written(1)
    assert "The tag has proven itself" in await _page(place, first)
    ran = await asking("tags", "epoch", NEW_SPELT, *at)
    assert ran.out.strip() == f"{NEW} is in epoch 2"
    assert "keys that were replaced" in await _page(place, first)
    assert "The tag has proven itself" in await _page(place, await _written(2))
    ran = await asking("tags", "retire", NEW_SPELT, *at)
    assert ran.out.strip() == f"{NEW} is retired"
    assert "retired before" in await _page(place, await _written(2))
    (known,) = [one for one in _listed(await asking("tags", "list", "--json", *at[:2])) if one["uid"] == NEW]
    assert (known["state"], known["epoch"]) == ("retired", 2)


def _listed(ran: Ran) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ran.out)
    return found


async def _written(epoch: int) -> SimulatedTag:
    """A tag written by hand from what the command shows."""
    words = ("tags", "settings", NEW_SPELT, *BASE, "--site", SITE, "--epoch", epoch, "--show-keys", "--json")
    found = json.loads((await asking(*words, tag_key=KEY)).out)
    meta, file = (bytes.fromhex(found["keys"][number]) for number in "12")
    return SimulatedTag(NEW, epoch, found["url"].partition("?")[0], meta, file, form="encrypted")


async def _page(place: Place, tag: SimulatedTag) -> str:
    answer = await place.tower.http.get(f"/t?{tag.tap().partition('?')[2]}")
    return answer.text.partition("<form")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tags", "register", "04A22B1C3D5ED0", "--checkpoint", "cellar"), "cellar"),
        (("tags", "register", "04A22B1C3D5ED0", "--checkpoint", "gate", "--since", "yesterday"), "yesterday"),
        (
            ("tags", "register", "04A22B1C3D5ED0", "--checkpoint", "gate", "--since", "2020-01-01T00:00:00Z"),
            "30 days",
        ),
        (("tags", "retire", "04FFFFFFFFFF80"), "no checkpoint has this tag then"),
        (("tags", "epoch", ROOF, "--to", "1"), "epoch"),
        (("guards", "token", "nobody"), "nobody"),
    ],
)
async def test_what_the_gateway_refuses_is_said_in_its_words(
    place: Place, words: tuple[str, ...], said: str
) -> None:
    before = (await place.tower.http.get("/api/v1/patrol/tags")).json()
    ran = await asking(*words, "--url", place.url)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("fgw: ")
    assert said in ran.err
    assert (await place.tower.http.get("/api/v1/patrol/tags")).json() == before


async def test_a_token_is_shown_once_and_can_be_taken_back(place: Place) -> None:
    tap = {"id": "6f1c1f4e-3a0b-4d8e-9a51-0d5f5b7a9c01", "ts": 1, "tag": PUMP, "guard": "g-07"}

    async def upload(token: str) -> int:
        answer = await place.tower.http.post(
            "/api/v1/taps",
            json={"device": "phone-1", "taps": [tap]},
            headers={"Authorization": f"Bearer {token}"},
        )
        return answer.status_code

    ran = await asking("guards", "token", "g-07", "--url", place.url)
    token = ran.out.strip()
    assert (ran.status, token[:4]) == (0, "fgt_")
    assert "g-07" in ran.err
    assert token not in ran.err
    assert await upload(token) == 200
    ran = await asking("guards", "token", "g-07", "--revoke", "--url", place.url)
    assert (ran.status, ran.out.strip()) == (0, "g-07 has no token any more")
    assert await upload(token) == 401


async def test_what_is_no_id_is_not_asked_for(place: Place) -> None:
    for words in (("guards", "token", "g 07"), ("guards", "token", "../taps"), ("tags", "retire", "大门")):
        ran = await asking(*words, "--url", place.url)
        assert (ran.status, ran.out) == (2, "")
        assert f"{words[-1]!r} is no id of a" in ran.err


async def test_where_no_gateway_answers_it_says_where_it_asked() -> None:
    ran = fgw("tags", "list", "--url", "http://127.0.0.1:1")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("fgw: no gateway answers at http://127.0.0.1:1: ")
    assert fgw("tags", "list", url="127.0.0.1:8480").status == 2


# --- from the site file --------------------------------------------------------------------------------------


async def test_keys_are_hidden_until_they_are_asked_for() -> None:
    ran = fgw("tags", "settings", PUMP, *BASE, "--site", SITE, tag_key=KEY)
    assert (ran.status, ran.out.count(HIDDEN)) == (0, 3)
    assert WARNING in ran.out
    assert _keys(ran.out) == set()
    shown = fgw("tags", "settings", PUMP, *BASE, "--site", SITE, "--show-keys", tag_key=KEY)
    assert len(_keys(shown.out)) == 3
    assert KEY not in shown.out


def _keys(text: str) -> set[str]:
    """What looks like a key; the address holds zeros of that length."""
    return set(re.findall(r"\b[0-9A-F]{32}\b", text)) - {"0" * 32}


async def test_the_epoch_is_that_of_the_site_file_and_the_offsets_point_at_their_values() -> None:
    ran = fgw("tags", "settings", ROOF, *BASE, "--site", SITE, "--json", "--tamper", tag_key=KEY)
    found = json.loads(ran.out)
    file = bytes.fromhex(found["ndef"])
    assert found["epoch"] == 2
    assert "?e=2&" in found["url"]
    for offset, name in (("picc_offset", b"&picc="), ("enc_offset", b"&enc="), ("mac_offset", b"&cmac=")):
        assert file[: found[offset]].endswith(name)
    assert found["keys"] == {"0": None, "1": None, "2": None}


@pytest.mark.parametrize(
    ("tag", "words", "key", "said"),
    [
        (PUMP, BASE, "", "FGW_TAG_KEY is not set"),
        (PUMP, BASE, "secret", "FGW_TAG_KEY: key 1 of 1 is not 32 hexadecimal characters"),
        (PUMP, BASE, "0" * 32, "FGW_TAG_KEY: key 1 of 1 is all zeros"),
        ("04A2", BASE, KEY, "'04A2' is not 7 bytes in hexadecimal"),
        ("大门", BASE, KEY, "is no id of a tag"),
        (PUMP, (*BASE, "--epoch", "0"), KEY, "epoch: 0 is not between 1 and"),
        (PUMP, ("--base-url", "http://gate.example"), KEY, "is not https://"),
        (PUMP, ("--base-url", "gate.example"), KEY, "is not http://host:port or https://host"),
        (
            PUMP,
            ("--base-url", "https://gate.example/" + "a" * 200),
            KEY,
            "characters too long for the 256 bytes",
        ),
        (PUMP, (), KEY, "--base-url"),
    ],
)
async def test_settings_that_cannot_be_are_refused_without_repeating_a_key(
    tag: str, words: tuple[str, ...], key: str, said: str
) -> None:
    ran = fgw("tags", "settings", tag, *words, "--site", SITE, tag_key=key)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not key or key not in ran.err


async def test_keys_are_not_written_to_a_file_that_others_can_read(tmp_path: Path) -> None:
    for mode, status in ((0o644, 1), (0o600, 0)):
        file = tmp_path / f"{mode:o}"
        file.touch()
        file.chmod(mode)
        words = ("tags", "settings", PUMP, *BASE, "--site", str(SITE), "--show-keys")
        with file.open("wb") as out:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.cli", *words), stdout=out, env={**os.environ, "FGW_TAG_KEY": KEY}
            )
        assert await child.wait() == status
        assert bool(_keys(file.read_text())) is (status == 0)


async def test_a_new_key_is_one_the_settings_take_and_never_the_same() -> None:
    keys = [fgw("tags", "new-key").out.strip() for _ in range(3)]
    assert len(set(keys)) == 3
    for key in keys:
        assert fgw("tags", "settings", PUMP, *BASE, "--site", SITE, tag_key=key).status == 0


async def test_a_label_has_the_name_and_a_code_that_opens_the_landing_page(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "labels.pdf"
    ran = fgw(
        "tags", "labels", "--site", SITE, "--out", file, "--lang", "zh", public_url="https://gate.example/t"
    )
    assert (ran.status, ran.out.strip(), ran.err) == (0, f"{file}: 3 labels", "")
    read = {one.text for one in zxingcpp.read_barcodes(picture(file.read_bytes()))}
    assert read == {f"https://gate.example/t?c={code('tower', name)}" for name in ("pump", "roof", "gate")}
    (text,) = pages(file.read_bytes())
    assert "屋顶门Roofdoor" in text
    (roof,) = [url for url in read if code("tower", "roof") in url]
    assert "Roof door" in (await place.tower.http.get(f"/t?{roof.partition('?')[2]}")).text


async def test_labels_can_be_chosen_and_begin_on_a_used_sheet(tmp_path: Path) -> None:
    file = tmp_path / "labels.pdf"
    words = ("tags", "labels", *BASE, "--site", SITE, "--out", file, "--checkpoint", "roof")
    assert fgw(*words, "--skip", 23).out.strip() == f"{file}: 1 labels"
    (text,) = pages(file.read_bytes())
    assert "Roofdoor" in text
    assert "Gate" not in text


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--checkpoint", "cellar"), 2, "no checkpoint cellar; the site has pump, roof, gate"),
        (("--lang", "fr"), 2, "'fr' is neither en nor zh"),
        (("--skip", "24"), 2, "24"),
        (("--font", "/nowhere/font.ttf"), 2, "/nowhere/font.ttf cannot be used"),
        (("--font", str(SITE)), 2, "a TrueType font with Chinese is needed"),
        (("--out", "/nowhere/labels.pdf"), 1, "/nowhere/labels.pdf cannot be written"),
        (("--site", "nowhere.yaml"), 1, "nowhere.yaml"),
    ],
)
async def test_labels_that_cannot_be_made_leave_no_file(
    tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    file = tmp_path / "labels.pdf"
    ran = fgw("tags", "labels", *BASE, "--site", SITE, "--out", file, *words)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err
    assert not file.exists()


async def test_without_a_font_with_chinese_the_labels_are_made_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.reports.fonts._candidates", lambda _folders: [])
    file = tmp_path / "labels.pdf"
    ran = fgw("tags", "labels", *BASE, "--site", SITE, "--out", file)
    assert (ran.status, ran.err) == (0, f"fgw: {UNEMBEDDED}")
    assert len(zxingcpp.read_barcodes(picture(file.read_bytes()))) == 3


async def test_a_name_of_two_lines_is_refused_in_words(place: Place) -> None:
    ran = await asking("tags", "retire", NEW, "--url", place.url, "--actor", "li\nwei")
    assert ran.status != 0
    assert "one line of text" in ran.err
