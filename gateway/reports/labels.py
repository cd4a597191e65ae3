"""Label sheets for tags: on each label the name of its place in both languages, a QR code, and the code to type."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from gateway.core.values import Title
from gateway.reports import words
from gateway.reports.fonts import CODE, Typeface, typeface
from gateway.reports.words import Language

_INK, _GREY, _CUT = (HexColor(code) for code in ("#000000", "#444444", "#aaaaaa"))
_PADDING: Final = 3.0
"""Millimetres of a label of the usual size."""
_QUIET: Final = 4
"""Modules around a QR code that stay white (ISO/IEC 18004)."""
_LEADING: Final = 1.15
_SMALLEST: Final = 0.6
"""How far a text shrinks before it is cut."""
_SHRUNK: Final = 0.8
"""How far it shrinks before it takes another line."""
_CODE_WIDTH: Final = 0.6
"""Of a letter of a code, beside its height."""
_CODE_SMALL: Final = 8.5
"""Points below which a code takes two lines."""
_PIECES: Final = re.compile(r"\s+|[\u0021-\u024f]+|.")
"""What a line may be broken between: words, and single Chinese characters."""
_FORBIDDEN_FIRST: Final = frozenset(",.;:!?)]}，。；：！？）】》、”’")


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says.

    Raises:
        ValueError: the code is empty, or has letters that no phone types easily.
    """

    title: Title
    place: str
    code: str
    """What is typed where nothing can be scanned."""
    url: str
    """What the QR code holds."""

    def __post_init__(self) -> None:
        if not (self.code and self.code.isascii() and self.code.isprintable()):
            raise ValueError(f"found the code {self.code!r}; it is made of plain letters, digits and signs")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSheet:
    """How labels lie on A4. Lengths in millimetres; the usual 3 by 8 of 70 by 37.

    Raises:
        ValueError: they do not fit on the page, or the first is not on it.
    """

    columns: int = 3
    rows: int = 8
    width: float = 70.0
    height: float = 37.0
    left: float = 0.0
    top: float = 0.5
    across: float = 0.0
    """Between two columns."""
    down: float = 0.0
    """Between two rows."""
    skip: int = 0
    """Labels of the first sheet that are used already, row by row."""

    def __post_init__(self) -> None:
        wide = self.left + self.columns * self.width + (self.columns - 1) * self.across
        high = self.top + self.rows * self.height + (self.rows - 1) * self.down
        if min(self.columns, self.rows, self.width, self.height) <= 0 or min(self.left, self.top) < 0:
            raise ValueError("found labels without size, or outside the page")
        if wide * mm > A4[0] + 1 or high * mm > A4[1] + 1:
            raise ValueError(f"found labels of {wide:g} x {high:g} mm in all; A4 has 210 x 297")
        if not 0 <= self.skip < self.columns * self.rows:
            raise ValueError(f"found {self.skip} labels to skip; a sheet has {self.columns * self.rows}")

    def places(self) -> Iterator[tuple[int, float, float]]:
        """Where labels go, without end: the sheet, from 0, and the lower left corner in points."""
        per_sheet, index = self.columns * self.rows, self.skip
        while True:
            sheet, place = divmod(index, per_sheet)
            row, column = divmod(place, self.columns)
            x = (self.left + column * (self.width + self.across)) * mm
            y = A4[1] - (self.top + (row + 1) * self.height + row * self.down) * mm
            yield sheet, x, y
            index += 1


class _Line(NamedTuple):
    text: str
    size: float


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def label_sheet(
    labels: Iterable[Label],
    language: Language,
    sheet: LabelSheet | None = None,
    face: Typeface | None = None,
) -> bytes:
    """A PDF of labels, to be printed at 100 %. The same labels give the same bytes.

    Args:
        labels: in the order they are printed, row by row.
        language: the one whose name stands first, and larger.
        sheet: how they lie; 3 by 8 where None.
        face: the letters; those found on the machine where None.

    Raises:
        ValueError: an address is empty, or too long for a QR code.
    """
    sheet, face = sheet or LabelSheet(), face or typeface()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, lang="zh-CN" if language == "zh" else "en")
    canvas.setTitle(words.LABELS.zh if language == "zh" else words.LABELS.en)
    page = 0
    drawn = False
    for label, (number, x, y) in zip(labels, sheet.places(), strict=False):
        if number != page:
            canvas.showPage()
            page = number
        _Drawing(canvas, face, language, sheet).draw(label, x, y)
        drawn = True
    if not drawn:
        none = words.NO_LABELS.zh if language == "zh" else words.NO_LABELS.en
        _write(canvas, face, (20 * mm, A4[1] - 25 * mm), _Line(none, 12), bold=False)
    canvas.save()
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Drawing:
    canvas: Canvas
    face: Typeface
    language: Language
    sheet: LabelSheet

    def draw(self, label: Label, x: float, y: float) -> None:
        """One label, its lower left corner given."""
        wide, high = self.sheet.width * mm, self.sheet.height * mm
        scale = min(self.sheet.width / 70, self.sheet.height / 37)
        padding = _PADDING * scale * mm
        self.canvas.setStrokeColor(_CUT)
        self.canvas.setLineWidth(0.25)
        self.canvas.rect(x, y, wide, high)
        side = min(high - padding, wide * 0.48)
        _draw_code(self.canvas, label.url, x + padding / 3, y + (high - side) / 2, side)
        left = x + padding / 3 + side
        room = x + wide - padding - left
        code = _code_lines(label.code, room, scale)
        floor = y + padding + sum(line.size for line in code) + 6.5 * scale
        self._names(label, _Box(left, floor, room, y + high - padding - floor), scale)
        self._code(code, _Box(left, y + padding, room, floor - y - padding), scale)

    def _names(self, label: Label, box: _Box, scale: float) -> None:
        """The names and the place, from the top down; what has no room is left out."""
        first, second = label.title.en, label.title.zh
        if self.language == "zh":
            first, second = second, first
        y = box.y + box.height
        told = ((first, 11.0, 3, _INK), (second if second != first else "", 8.0, 2, _INK))
        for text, size, most, color in (*told, (label.place, 6.5, 2, _GREY)):
            self.canvas.setFillColor(color)
            bold = most > 2  # noqa: PLR2004 - the first name
            for line in fitted(text, self.face, box.width, size * scale, most=most, bold=bold):
                if y - line.size * _LEADING < box.y:
                    return
                y -= line.size * _LEADING
                _write(self.canvas, self.face, (box.x, y + line.size * 0.2), line, bold=bold)
            y -= 1.2 * scale

    def _code(self, lines: Sequence[_Line], box: _Box, scale: float) -> None:
        """The code under its caption."""
        caption = words.CODE.zh if self.language == "zh" else words.CODE.en
        y = box.y + sum(line.size for line in lines)
        self.canvas.setFillColor(_GREY)
        corner = (box.x, y + 0.5 * scale)
        _write(self.canvas, self.face, corner, _Line(caption, 5.5 * scale), bold=False)
        self.canvas.setFillColor(_INK)
        for line in lines:
            y -= line.size
            self.canvas.setFont(CODE, line.size)
            self.canvas.drawString(box.x, y, line.text)


def _code_lines(code: str, room: float, scale: float) -> list[_Line]:
    """The code as large as it goes, in two lines where one would be small; never cut, for half a code is none."""
    size = min(16.0 * scale, room / (_CODE_WIDTH * len(code)))
    if size >= _CODE_SMALL * scale:
        return [_Line(code, size)]
    first = -(-len(code) // 2)
    size = min(_CODE_SMALL * scale, room / (_CODE_WIDTH * first))
    return [_Line(code[:first], size), _Line(code[first:], size)]


def fitted(
    text: str, face: Typeface, room: float, size: float, *, most: int = 2, bold: bool = False
) -> list[_Line]:
    """A text in few lines, none wider than the room: smaller where it must be, cut where that is not enough.

    Args:
        text: what is written; nothing gives no line.
        face: the letters.
        room: in points.
        size: the largest, in points.
        most: lines; a second is taken before the letters get small, a third only then.
        bold: whether Latin is bold.
    """
    smallest = size * _SMALLEST
    for lines in range(1, most + 1):
        tried, least = size, smallest if lines == most else size * _SHRUNK
        if lines > 2:  # noqa: PLR2004 - so many only in small letters
            tried = size * _SHRUNK
        while tried >= least:
            found = _wrapped(text, face, room, tried, bold=bold)
            if len(found) <= lines:
                return [_Line(line, tried) for line in found]
            tried -= 0.25
    found = _wrapped(text, face, room, smallest, bold=bold)
    last = "".join(found[most - 1 :])
    while last and face.width(f"{last}…", smallest, bold=bold) > room:
        last = last[:-1]
    return [_Line(line, smallest) for line in (*found[: most - 1], f"{last.rstrip()}…")]


def _wrapped(text: str, face: Typeface, room: float, size: float, *, bold: bool) -> list[str]:
    """Lines no wider than the room, broken between words or Chinese characters, within a word only where it must be."""
    lines = [""]
    for piece in _PIECES.findall(" ".join(text.split())):
        if face.width(lines[-1] + piece, size, bold=bold) <= room:
            lines[-1] += piece
        elif piece in _FORBIDDEN_FIRST and len(lines[-1]) > 1:
            lines[-1:] = [lines[-1][:-1], lines[-1][-1] + piece]
        elif face.width(piece, size, bold=bold) <= room:
            lines.append(piece.lstrip())
        else:
            for char in piece:
                if face.width(lines[-1] + char, size, bold=bold) > room:
                    lines.append("")
                lines[-1] += char
    return [line.rstrip() for line in lines if line.strip()]


def _write(canvas: Canvas, face: Typeface, corner: tuple[float, float], line: _Line, *, bold: bool) -> None:
    x, y = corner
    for font, piece in face.runs(line.text, bold=bold):
        canvas.setFont(font, line.size)
        canvas.drawString(x, y, piece)
        x += canvas.stringWidth(piece, font, line.size)


def _draw_code(canvas: Canvas, url: str, x: float, y: float, side: float) -> None:
    """A QR code of medium correction with its quiet zone; the dark modules of a row in one stroke."""
    matrix: Sequence[Sequence[int]] = segno.make_qr(url, error="m").matrix
    module = side / (len(matrix) + 2 * _QUIET)
    canvas.setFillColor(_INK)
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        top = y + side - (row + _QUIET + 1) * module
        for run in re.finditer(b"\x01+", bytes(modules)):
            path.rect(x + (run.start() + _QUIET) * module, top, (run.end() - run.start()) * module, module)
    canvas.drawPath(path, stroke=0, fill=1)
