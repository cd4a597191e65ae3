"""The report as PDF, read back."""

from pathlib import Path

import pytest

from gateway.core.values import DAY
from gateway.reports.fonts import NOT_EMBEDDED, Typeface, typeface
from gateway.reports.patrol_figures import Evidence, patrol_figures
from gateway.reports.patrol_report import patrol_report
from gateway.reports.sheet import pdf_file
from gateway.reports.words import Language
from tests.reports.made import OCTOBER, became, day, evidence, site, walk
from tests.reports.printed import pages

NAMED = typeface(folders=())
FOUND = typeface()


def printed(language: Language, face: Typeface, given: Evidence | None = None) -> bytes:
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end + DAY, given or evidence())
    return pdf_file(patrol_report(site(), figures, language), face)


def test_a_font_with_chinese_is_found_where_the_tests_run() -> None:
    assert FOUND.embedded, "install fonts-wqy-microhei"


@pytest.mark.parametrize("face", [NAMED, FOUND], ids=["named", "embedded"])
def test_both_languages_can_be_read_from_the_file(face: Typeface) -> None:
    chinese = "".join(pages(printed("zh", face)))
    for text in ("滨江广场·2026年10月", "完成率", "62.5%", "大门岗", "第1页，共"):
        assert text in chinese
    english = "".join(pages(printed("en", face)))
    for text in (
        "Completion:62.5%(5of8stops).",
        "contactwiththetag,notwhotapped",
        "<script>alert(1)</script>",
    ):
        assert text in english


def test_the_font_is_embedded_where_there_is_one_and_named_where_there_is_none() -> None:
    assert b"/FontFile2" in printed("zh", FOUND)
    assert b"/FontFile2" not in printed("zh", NAMED)
    assert f"/{NOT_EMBEDDED}".encode() in printed("zh", NAMED)


def test_pages_are_numbered_and_repeat_the_head_of_a_table() -> None:
    rounds = [walk(day(1) + place * DAY // 9, "incomplete", became("gate", "missed")) for place in range(90)]
    text = pages(printed("en", FOUND, Evidence(rounds=rounds)))
    assert len(text) > 2
    assert [f"Page{number}of{len(text)}" in page for number, page in enumerate(text, 1)] == [True] * len(text)
    heads = ["ShiftdateRoundCheckpointTypeTimeDetail" in page for page in text]
    assert heads.count(True) >= 2


def test_the_same_document_gives_the_same_bytes_dated_as_it_was_made() -> None:
    assert printed("zh", FOUND) == printed("zh", FOUND)
    assert b"(D:20261102000000+08'00')" in printed("zh", FOUND)


def test_text_goes_to_the_font_that_has_it() -> None:
    assert list(FOUND.runs("Tower 1 大门“东”口 — x")) == [
        ("Helvetica", "Tower 1 "),
        (FOUND.chinese, "大门“东”口 — "),
        ("Helvetica", "x"),
    ]


@pytest.mark.parametrize("face", [NAMED, FOUND], ids=["named", "embedded"])
def test_what_no_font_has_is_a_question_mark_and_never_a_box(face: Typeface) -> None:
    assert "".join(piece for _, piece in face.runs("门\U0001f642\u0378 é\x07")) == "门?? é?"


def test_a_named_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "font.ttf"
    broken.write_bytes(b"none")
    for path in (broken, tmp_path / "missing.ttf"):
        with pytest.raises(ValueError, match="a TrueType font with Chinese is needed"):
            typeface(path)


def test_a_file_that_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "wqy-microhei.ttc").write_bytes(b"none")
    assert typeface(folders=(str(tmp_path),)) == NAMED
