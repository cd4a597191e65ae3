"""The patrol report of a month: ``fgw report patrol`` beside a running gateway, and its route."""

import csv
import io
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from api.cli.letters import UNEMBEDDED
from gateway.core.patrol.flags import FLAGS
from gateway.core.tags import code
from tests.api.commands import asking, fgw
from tests.api.tower import PUMP, Tower, open_tower, tag
from tests.reports.printed import pages
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTE = "/api/v1/patrol/report"


class Place(NamedTuple):
    """A gateway that has seen a good tap, one of a label and a forged one."""

    tower: Tower
    data: Path
    month: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("reported")
    async with open_tower(broker, folder) as tower:
        now = time.time_ns() // 1_000_000
        read = [
            {"url": tag(PUMP).tap()},
            {"code": code("tower", "roof")},
            {"url": tag(PUMP, key="F" * 32).tap()},
        ]
        taps = [
            {"id": f"6f1c1f4e-3a0b-4d8e-9a51-0d5f5b7a9d0{number}", "ts": now, "guard": "g-07", **one}
            for number, one in enumerate(read)
        ]
        answer = await tower.http.post("/api/v1/taps", json={"device": "phone-1", "sent": now, "taps": taps})
        assert answer.status_code == 200, answer.text
        month = datetime.fromtimestamp(now / 1000, ZoneInfo("Asia/Shanghai")).strftime("%Y-%m")
        yield Place(tower, folder / "data", month)


def table(body: bytes) -> dict[str, list[str]]:
    """The rows of a CSV by their first cell."""
    return {row[0]: row[1:] for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if row}


async def test_the_taps_of_the_month_are_counted_by_what_they_prove(place: Place) -> None:
    words = (
        "report",
        "patrol",
        "--month",
        place.month,
        "--data-dir",
        place.data,
        "--format",
        "csv",
        "--out",
        "-",
    )
    ran = await asking(*words)
    found = table(ran.body)
    assert (ran.status, ran.err) == (0, "")
    assert found["Month"] == [datetime.strptime(place.month, "%Y-%m").strftime("%B %Y")]  # noqa: DTZ007 - a month
    assert [found[grade][1] for grade in "ABCD"] == ["1", "0", "0", "1"]
    assert found[FLAGS["forged"].title.en] == ["1"]
    assert "No round was due in this period." in found


async def test_the_route_and_the_command_tell_the_same(place: Place) -> None:
    for language, made in (("en", "Made at"), ("zh", "生成时间")):
        answer = await place.tower.http.get(
            ROUTE, params={"month": place.month, "format": "csv", "lang": language}
        )
        words = ("--month", place.month, "--format", "csv", "--lang", language, "--out", "-")
        ran = await asking("report", "patrol", *words, data_dir=str(place.data))
        one, other = table(answer.content), table(ran.body)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert one.pop(made)
        assert other.pop(made)
        same = [name for name in one if not name.startswith(("The figures", "The period", "统计时段尚未"))]
        assert [one[name] for name in same if "SHA-256" in name] != []
        for name in same:
            assert one[name][:2] == other.get(name, [])[:2], name


@pytest.mark.parametrize(
    ("form", "language", "begins", "media", "shown"),
    [
        ("pdf", "zh", b"%PDF-", "application/pdf", "attachment"),
        ("pdf", "en", b"%PDF-", "application/pdf", "attachment"),
        ("html", "zh", b"<!doctype html>", "text/html; charset=utf-8", "inline"),
        ("csv", "en", b"\xef\xbb\xbf", "text/csv; charset=utf-8", "attachment"),
    ],
)
async def test_each_format_is_what_it_says_and_named_after_site_and_month(
    place: Place, form: str, language: str, begins: bytes, media: str, shown: str, tmp_path: Path
) -> None:
    params = {"month": place.month, "format": form, "lang": language}
    answer = await place.tower.http.get(ROUTE, params=params)
    name = f"patrol-tower-{place.month}.{form}"
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.headers["content-disposition"] == f'{shown}; filename="{name}"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.content[: len(begins)].lower() == begins.lower()
    file = tmp_path / name
    words = ("--format", form, "--lang", language, "--out", file)
    ran = await asking("report", "patrol", "--month", place.month, *words, data_dir=str(place.data))
    assert (ran.status, ran.out.strip()) == (0, str(file))
    with file.open("rb") as written:
        assert written.read(len(begins)).lower() == begins.lower()


async def test_the_chinese_report_is_chinese_and_what_the_owner_wrote_is_text(place: Place) -> None:
    params = {"month": place.month, "format": "pdf", "lang": "zh"}
    text = "".join(pages((await place.tower.http.get(ROUTE, params=params)).content))
    for words in ("巡更报告", "海港大厦", "消防水泵房", FLAGS["forged"].title.zh, "巡更主管"):
        assert words in text
    answer = await place.tower.http.get(ROUTE, params={**params, "format": "html", "lang": "en"})
    assert "<img" not in answer.text
    assert "&lt;img" in answer.text


async def test_the_records_are_only_read(place: Place) -> None:
    before = (await place.tower.taps(), sorted(one.name for one in place.data.iterdir()))
    ran = await asking("report", "patrol", "--month", place.month, "--out", "-", data_dir=str(place.data))
    assert ran.body.startswith(b"%PDF-")
    assert (await place.tower.taps(), sorted(one.name for one in place.data.iterdir())) == before


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--month", "2026-13"), 2, "'2026-13' is no month; write it as 2026-10"),
        (("--month", "October"), 2, "'October' is no month"),
        ((), 2, "--month"),
        (("--month", "NOW", "--format", "doc"), 2, "'doc' is none of html, pdf, csv"),
        (("--month", "NOW", "--lang", "fr"), 2, "'fr' is neither en nor zh"),
        (("--month", "NOW", "--font", "/nowhere/font.ttf"), 2, "/nowhere/font.ttf cannot be used"),
        (("--month", "2999-01"), 1, "2999-01 has not begun yet in Asia/Shanghai"),
        (("--month", "2001-01"), 1, "2001-01 is before the records, which begin on"),
        (("--month", "0000-01"), 1, "0000-01 lies beyond what can be reckoned with"),
        (("--month", "9999-12"), 1, "9999-12"),
        (("--month", "NOW", "--data-dir", "/nowhere"), 1, "there are no records in /nowhere"),
        (("--month", "NOW", "--out", "/nowhere/report.pdf"), 1, "/nowhere/report.pdf cannot be written"),
    ],
)
async def test_a_report_that_cannot_be_made_says_why(
    place: Place, words: tuple[str, ...], status: int, said: str
) -> None:
    given = (place.month if word == "NOW" else word for word in words)
    ran = await asking("report", "patrol", *given, data_dir=str(place.data))
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("", "query.month", "required"),
        ("month=2026-13", "query.month", "pattern"),
        ("month=2026-10&format=doc", "query.format", "pdf"),
        ("month=2026-10&lang=fr", "query.lang", "zh"),
        ("month=2026-10&more=1", "query.more", "not permitted"),
        ("month=2999-01", "query.month", "has not begun yet"),
        ("month=2001-01", "query.month", "is before the records"),
        ("month=9999-12", "query.month", "9999-12"),
    ],
)
async def test_the_route_names_the_field_that_is_wrong(
    place: Place, query: str, field: str, said: str
) -> None:
    answer = await place.tower.http.get(f"{ROUTE}?{query}")
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert said in error["message"]


async def test_without_a_font_with_chinese_the_report_is_made_and_it_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.reports.fonts._candidates", lambda _folders: [])
    words = ("report", "patrol", "--month", place.month, "--lang", "zh", "--out", "-")
    ran = await asking(*words, data_dir=str(place.data))
    assert (ran.status, ran.err) == (0, f"fgw: {UNEMBEDDED}")
    assert ran.body.startswith(b"%PDF-")
    assert (await asking(*words, "--format", "html", data_dir=str(place.data))).err == ""


async def test_records_of_a_gateway_that_never_ran_are_told(tmp_path: Path) -> None:
    (tmp_path / "facility.db").write_bytes(b"")
    ran = fgw("report", "patrol", "--month", "2026-10", "--data-dir", tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert str(tmp_path) in ran.err
