"""Label sheets, read back: what the codes hold, and that nothing leaves its label."""

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from gateway.core.values import Title
from gateway.reports.fonts import typeface
from gateway.reports.labels import Label, LabelSheet, fitted, label_sheet
from tests.reports.printed import letters, pages, picture

FACE = typeface()
LONG = Label(
    Title(
        "Basement 2 substation, east wing, behind the loading bay " * 3,
        "地下二层东翼变配电室（卸货平台后侧）" * 4,
    ),
    "一号楼 · 地下二层 · 变配电室东侧走廊尽头消防栓旁" * 3,
    "A-VERY-LONG-CODE-THAT-SOMEBODY-CHOSE-2026",
    "https://patrol.example.com/t?c=" + "K7QF2M9X" * 12,
)


def short(number: int) -> Label:
    return Label(
        Title(f"Gate {number}", f"大门{number}"),
        "Tower 1 · B2",
        f"K7QF-{number:04}",
        f"https://patrol.example.com/t?c=K7QF{number:04}",
    )


def test_each_code_holds_its_address() -> None:
    data = label_sheet([short(number) for number in range(24)], "zh", face=FACE)
    found = {code.text for code in zxingcpp.read_barcodes(picture(data))}
    assert found == {short(number).url for number in range(24)}


def test_a_long_address_can_be_read_from_a_small_label() -> None:
    sheet = LabelSheet(columns=4, rows=10, width=52.5, height=29.7, top=0)
    data = label_sheet([LONG] * 2, "en", sheet, FACE)
    assert [code.text for code in zxingcpp.read_barcodes(picture(data))] == [LONG.url] * 2


def test_a_label_has_both_names_the_place_and_the_code() -> None:
    (page,) = pages(label_sheet([short(7)], "en", face=FACE))
    for text in ("Gate7", "大门7", "Tower1·B2", "Code", "K7QF-0007"):
        assert text in page


def test_the_language_decides_which_name_stands_first_and_equal_names_stand_once() -> None:
    assert pages(label_sheet([short(7)], "zh", face=FACE))[0].startswith("大门7Gate7")
    assert pages(label_sheet([short(7)], "en", face=FACE))[0].startswith("Gate7大门7")
    same = Label(Title("Roof", "Roof"), "", "K7", "https://example.com")
    assert pages(label_sheet([same], "zh", face=FACE))[0].count("Roof") == 1


@pytest.mark.parametrize(
    "sheet",
    [
        LabelSheet(),
        LabelSheet(columns=4, rows=10, width=52.5, height=29.7, top=0),
        LabelSheet(columns=1, rows=1),
    ],
    ids=["usual", "small", "single"],
)
def test_nothing_leaves_its_label(sheet: LabelSheet) -> None:
    found = letters(label_sheet([LONG], "zh", sheet, FACE))
    left, right = sheet.left * mm, (sheet.left + sheet.width) * mm
    top, bottom = A4[1] - sheet.top * mm, A4[1] - (sheet.top + sheet.height) * mm
    assert len(found) > 80
    assert [one for one in found if not (left <= one.left and one.right <= right)] == []
    assert [one for one in found if not (bottom <= one.bottom and one.top <= top)] == []


def test_a_long_code_is_whole() -> None:
    (page,) = pages(label_sheet([LONG], "zh", face=FACE))
    assert LONG.code in page


@given(
    text=st.text(st.sampled_from("aW i-大门，。（é🙂 ")) | st.text(max_size=80),
    room=st.floats(30, 200),
    size=st.floats(5, 20),
    most=st.integers(1, 3),
)
def test_fitted_text_is_never_wider_than_its_room(text: str, room: float, size: float, most: int) -> None:
    found = fitted(text, FACE, room, size, most=most)
    assert len(found) <= most
    assert [line for line in found if FACE.width(line.text, line.size) > room] == []
    assert [line for line in found if line.size > size] == []


def test_a_name_shrinks_and_wraps_before_it_is_cut() -> None:
    room = 90.0
    assert fitted("Gate", FACE, room, 11) == [("Gate", 11)]
    (line,) = fitted("Main entrance east", FACE, room, 11)
    assert (line.text, line.size < 11) == ("Main entrance east", True)
    assert [line.text for line in fitted("Fire pump room at the east gate", FACE, room, 11)] == [
        "Fire pump room at",
        "the east gate",
    ]
    assert fitted("x" * 200, FACE, room, 11)[-1].text.endswith("…")


def test_labels_go_on_where_the_last_sheet_was_left() -> None:
    sheet = LabelSheet(skip=23)
    data = label_sheet([short(1), short(2)], "en", sheet, FACE)
    first, second = pages(data)
    assert ("K7QF-0001" in first, "K7QF-0002" in second) == (True, True)
    assert min(one.left for one in letters(data)) > 140 * mm
    assert max(one.right for one in letters(data, 1)) < 70 * mm


def test_no_labels_are_a_page_that_says_so() -> None:
    assert pages(label_sheet([], "zh", face=FACE)) == ["没有需要打印的标签。"]


def test_the_same_labels_give_the_same_bytes() -> None:
    assert label_sheet([short(1)], "zh", face=FACE) == label_sheet([short(1)], "zh", face=FACE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": 4}, "A4 has 210 x 297"),
        ({"rows": 9}, "A4 has 210 x 297"),
        ({"skip": 24}, "a sheet has 24"),
        ({"width": 0}, "without size"),
        ({"left": -1}, "outside the page"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelSheet(**wrong)


@pytest.mark.parametrize("code", ["", "大门", "K7\n"])
def test_a_code_that_cannot_be_typed_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="plain letters, digits and signs"):
        Label(Title("Gate", "大门"), "", code, "https://example.com")
