"""What the report says, in both languages, on paper and in a spreadsheet."""

import csv
import dataclasses
import io
import re
from html.parser import HTMLParser

import pytest

from gateway.core.patrol.routes import Patrol
from gateway.core.values import DAY, HOUR, Title
from gateway.reports import patrol_lists, words
from gateway.reports import patrol_report as report
from gateway.reports.document import Document, Paragraph, Table
from gateway.reports.page import html_page
from gateway.reports.patrol_figures import Evidence, patrol_figures
from gateway.reports.table import csv_file, neutral
from gateway.reports.words import Language, Wording
from tests.reports.made import HOSTILE, OCTOBER, became, day, evidence, site, walk


def made(language: Language, now: int = OCTOBER.end + DAY) -> Document:
    return report.patrol_report(site(), patrol_figures(site(), OCTOBER, now, evidence()), language)


def section(document: Document, title: Title) -> list[object]:
    wanted = title.zh if document.language == "zh" else title.en
    return next(list(one.blocks) for one in document.sections if one.title.endswith(f". {wanted}"))


def texts(document: Document) -> list[str]:
    return [block.text for one in document.sections for block in one.blocks if isinstance(block, Paragraph)]


def table(block: object) -> list[tuple[str | int, ...]]:
    assert isinstance(block, Table)
    return list(block.rows)


def test_the_head_says_what_it_was_made_from() -> None:
    rows = dict(made("en").head.rows)
    assert rows["Month"] == "October 2026"
    assert rows["Period"] == "2026-10-01 00:00 to 2026-11-01 00:00"
    assert rows["Made at"] == "2026-11-02T00:00:00+08:00"
    assert re.fullmatch("[0-9a-f]{64}", rows["Evidence (SHA-256)"])
    assert dict(made("zh").head.rows)["月份"] == "2026年10月"


def test_the_summary_has_rounds_stops_and_completion_with_its_definition() -> None:
    rounds, stops, completion, definition, still_open = section(made("en"), words.SUMMARY)
    assert table(rounds) == [("", 6, 2, 1, 1, 1, 1)]
    assert table(stops) == [("", 11, 2, 1, 1, 1, 1, 1, 1, 1, 2)]
    assert completion == Paragraph("Completion: 62.5 % (5 of 8 stops).", "key")
    assert definition == Paragraph(words.DEFINITION.en, "small")
    assert isinstance(still_open, Paragraph)
    assert still_open.text.startswith("Rounds still open: 1, with 2 stops.")


def test_evidence_has_the_share_of_each_grade_and_says_what_it_proves() -> None:
    grades, late, proves = section(made("zh"), words.PROOF)
    assert [(row[0], *row[2:]) for row in table(grades)] == [
        ("A", 1, "25.0 %"),
        ("B", 2, "50.0 %"),
        ("C", 0, "0.0 %"),
        ("D", 1, "25.0 %"),
    ]
    assert late == Paragraph("延迟上传：1 / 4 次有效打卡在打卡 60 秒后才收到（25.0 %）。")
    assert proves == Paragraph("其证明的是与标签的接触，而非打卡人身份。", "key")


def test_routes_and_checkpoints_have_a_row_each() -> None:
    document = made("en")
    assert table(section(document, words.BY_ROUTE)[0]) == [
        ("Night", 5, "57.1 %", 1, 1),
        ("Day", 0, "–", 0, 0),
        ("gone", 1, "100 %", 0, 0),
    ]
    gate, _, roof = table(section(document, words.BY_CHECKPOINT)[0])
    assert gate == (
        "Gate\nTower 1 · B2",
        3,
        0,
        "30 d 13 h",
        "2026-10-01 11:00",
        "2026-11-01 00:00",
        "4 h: exceeded for 30 d 11 h in total",
    )
    assert roof[1:4] == (0, 0, "no proof in the period\n31 d\nof it 2 h not observed")


def test_a_limit_that_was_kept_is_said_to_be() -> None:
    proofs = patrol_figures(site(), OCTOBER, day(1, 3), Evidence())
    (row, *_) = table(section(report.patrol_report(site(), proofs, "zh"), words.BY_CHECKPOINT)[0])
    assert row[-1] == "4小时：未超限"


def test_exceptions_are_counted_by_type_and_listed() -> None:
    counts, listed = section(made("en"), words.EXCEPTIONS)
    assert ("Missed", 1) in table(counts)
    assert len(table(counts)) == 9
    rows = table(listed)
    assert rows[0] == (
        "2026-10-01",
        "Night 00:00",
        HOSTILE,
        "Early",
        "2026-09-30 23:59",
        "1 min before it opened",
    )
    assert [row[-1] for row in rows[1:6]] == [
        "provisional: a device has not synced",
        "7 min after it closed",
        "uploaded 2 h after it was made",
        "4 s; at least 20 s are needed",
        HOSTILE,
    ]


def test_a_long_list_is_cut_on_paper_and_whole_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patrol_lists, "PRINTED", 4)
    document = made("en")
    listed = section(document, words.EXCEPTIONS)[1]
    assert isinstance(listed, Table)
    assert (len(listed.printed), listed.left_out) == (4, "and 5 more; the CSV file has all")
    assert "and 5 more" in html_page(document).decode()
    assert "Round cancelled,2026-10-05 00:00," in csv_file(document).decode()


def test_taps_that_did_not_count_and_reviews_are_told() -> None:
    document = made("zh")
    assert table(section(document, words.UNCOUNTED)[0]) == [
        ("标签签名不符，或为其他项目的标签", 1),
        ("未记录原因", 1),
    ]
    assert table(section(document, words.REVIEWS)[0]) == [("2026-10-02 00:00", "大门岗", "王", "补传")]


def test_times_not_observed_are_told() -> None:
    note, spans = section(made("en"), words.UNOBSERVED)
    assert isinstance(note, Paragraph)
    assert note.text.startswith("The gateway did not observe for 2 h in all.")
    assert table(spans) == [("2026-10-01 04:00", "2026-10-01 06:00", "2 h")]


def test_a_running_month_a_site_without_routes_and_an_empty_month_are_said_in_words() -> None:
    running = texts(made("en", day(9, 12)))
    assert words.RUNNING.en.format("2026-10-09 12:00") in running
    bare = site(routes={}, checkpoints={}, patrol=Patrol())
    nothing = report.patrol_report(bare, patrol_figures(bare, OCTOBER, OCTOBER.end, Evidence()), "zh")
    assert {words.NO_ROUTES.zh, words.NO_CHECKPOINTS.zh, words.NO_TAPS.zh} <= set(texts(nothing))
    empty = report.patrol_report(site(), patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence()), "zh")
    assert words.NO_ROUNDS.zh in texts(empty)


def test_of_a_month_to_come_nothing_is_claimed() -> None:
    ahead = patrol_figures(site(), OCTOBER, OCTOBER.start - 1, Evidence())
    assert texts(report.patrol_report(site(), ahead, "en")) == [words.NOT_BEGUN.en, words.NO_ROUNDS.en]


def test_almost_all_is_not_all() -> None:
    rounds = [walk(day(1) + place, "complete", became("gate", "on_time")) for place in range(2999)]
    rounds.append(walk(day(2), "incomplete", became("gate", "missed")))
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end, Evidence(rounds=rounds))
    assert "Completion: 99.9 % (2999 of 3000 stops)." in texts(report.patrol_report(site(), figures, "en"))


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (59_999, "59 s"),
        (90 * 60_000, "1 h 30 min"),
        (DAY + 5_000, "1 d"),
        (DAY + HOUR, "1 d 1 h"),
    ],
)
def test_durations_are_written_in_their_two_largest_units(length: int, text: str) -> None:
    assert Wording(site(), "en").duration(length) == text


class _Page(HTMLParser):
    """Collects the tags, and what would fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("href", "src", "srcset", "action")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_no_script_no_request_and_escapes_titles(language: Language) -> None:
    text = html_page(made(language)).decode()
    page = _Page(text)
    assert "script" not in page.tags
    assert not page.links
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert page.tags.count("table") == 10


def test_the_page_names_its_language_and_holds_the_words() -> None:
    text = html_page(made("zh")).decode()
    assert '<html lang="zh-Hans">' in text
    assert "滨江广场 · 2026年10月" in text
    assert "大门岗\n一号楼 · 地下二层" in text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "  =1", "＝1"])
def test_cells_that_look_like_formulas_are_neutralised(cell: str) -> None:
    assert neutral(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["gate", "1-2", "", 5, -5, "2026-10-01"])
def test_other_cells_stay_as_they_are(cell: str | int) -> None:
    assert neutral(cell) == cell


def test_the_file_opens_in_a_spreadsheet_and_holds_no_formula() -> None:
    data = csv_file(made("zh"))
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == ["巡更报告", "滨江广场 · 2026年10月"]
    assert ["夜间路线", "5", "57.1 %", "1", "1"] in rows
    assert any(f"'{HOSTILE}" in row for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_lists_are_written_when_they_are_read() -> None:
    figures = patrol_figures(site(), OCTOBER, OCTOBER.end, evidence())
    shorter = dataclasses.replace(figures, findings=figures.findings[:2])
    listed = section(report.patrol_report(site(), shorter, "en"), words.EXCEPTIONS)[1]
    assert isinstance(listed, Table)
    assert (len(listed.rows), listed.rows[1], listed.rows[1:][0]) == (2, table(listed)[1], table(listed)[1])


def test_a_title_in_one_language_serves_for_both() -> None:
    assert Wording(site(), "zh").of(Title("Gate", "")) == "Gate"
