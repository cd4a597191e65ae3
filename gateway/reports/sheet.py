"""A document as PDF: A4, numbered pages, table heads on each of them."""

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    KeepTogether,
    LongTable,
    SimpleDocTemplate,
    TableStyle,
)
from reportlab.platypus import Paragraph as Text

from gateway.reports.document import Block, Document, Facts, Paragraph, Row, Section, Signatures, Table
from gateway.reports.fonts import LATIN, LATIN_BOLD, Typeface, typeface

MARGIN: Final = 14 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
INK, BLUE, GREY, LINE = (HexColor(code) for code in ("#1b1f24", "#1f4e79", "#57606a", "#d8dee4"))
HEAD, NOTE, NOTE_EDGE = (HexColor(code) for code in ("#e8eef5", "#fff6dd", "#d99e00"))
_FRAME: Final = 6
"""What the library leaves free inside the margins, in points."""
_HEADING_ROOM: Final = 30 * mm
"""A heading with less below it goes to the next page."""


def pdf_file(document: Document, face: Typeface | None = None) -> bytes:
    """The whole file. The same document gives the same bytes.

    Args:
        document: what is written.
        face: the letters; those found on the machine where None.
    """
    out = io.BytesIO()
    writer = _Writer(document, face or typeface())
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN - _FRAME,
        rightMargin=MARGIN - _FRAME,
        topMargin=14 * mm,
        bottomMargin=17 * mm,
        title=document.foot,
        author="facility-gateway",
        lang="zh-CN" if document.language == "zh" else "en",
        invariant=1,
    ).build(list(writer.story()), canvasmaker=writer.canvas)
    return out.getvalue()


class _Pages(Canvas):
    """Holds pages back until their number is known."""

    def __init__(self, *args: Any, foot: Callable[[Canvas, int, int], None], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._foot = foot
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the library's name
        self._held.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        held = self._held
        for number, page in enumerate(held, 1):
            self.__dict__.update(page)
            self._foot(self, number, len(held))
            super().showPage()
        super().save()


class _Writer:
    """Makes the parts of one document."""

    def __init__(self, document: Document, face: Typeface) -> None:
        self._document, self._face = document, face
        self._styles: dict[tuple[str, bool], ParagraphStyle] = {}

    def story(self) -> Iterator[Flowable]:
        document = self._document
        yield self._text(document.title, "title", bold=True)
        yield self._text(document.subtitle, "subtitle")
        yield HRFlowable(width="100%", thickness=1.2, color=BLUE, spaceBefore=3, spaceAfter=6)
        yield from self._block(document.head)
        for section in document.sections:
            yield from self._section(section)

    def canvas(self, *args: Any, **kwargs: Any) -> Canvas:  # noqa: ANN401 - the library's own arguments
        """A canvas that numbers its pages, dated as the document is."""
        made = datetime.fromisoformat(self._document.made_at)
        zone = made.strftime("%z")
        canvas = _Pages(*args, foot=self._foot, **kwargs)
        canvas.setDateFormatter(lambda *_: f"D:{made:%Y%m%d%H%M%S}{zone[:3]}'{zone[3:5]}'")
        return canvas

    def _foot(self, canvas: Canvas, number: int, pages: int) -> None:
        canvas.setFillColor(GREY)
        self._line(canvas, MARGIN, self._document.foot)
        page = self._document.page.format(number, pages)
        self._line(canvas, A4[0] - MARGIN - self._face.width(page, 8), page)

    def _line(self, canvas: Canvas, x: float, text: str) -> None:
        for font, piece in self._face.runs(text):
            canvas.setFont(font, 8)
            canvas.drawString(x, 9 * mm, piece)
            x += canvas.stringWidth(piece, font, 8)

    def _section(self, section: Section) -> Iterator[Flowable]:
        heading = self._text(section.title, "heading", bold=True)
        if any(isinstance(block, Signatures) for block in section.blocks):
            parts = [part for block in section.blocks for part in self._block(block)]
            yield KeepTogether([heading, *parts])
            return
        yield CondPageBreak(_HEADING_ROOM)
        yield heading
        for block in section.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Flowable]:
        match block:
            case Paragraph(text, tone):
                yield self._text(text, tone, bold=tone == "key")
            case Facts(rows):
                yield self._facts(rows)
            case Table():
                yield self._table(block)
                if block.left_out:
                    yield self._text(block.left_out, "small")
            case Signatures():
                yield self._signatures(block)

    def _facts(self, rows: tuple[tuple[str, str], ...]) -> Flowable:
        cells = [[self._text(name, "fact"), self._text(value, "cell")] for name, value in rows]
        table = LongTable(cells, colWidths=[36 * mm, WIDTH - 36 * mm])
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(0, 0.8)]))
        return table

    def _table(self, table: Table) -> Flowable:
        numeric = [column.numeric for column in table.columns]
        head: list[Flowable] = [
            self._text(column.title, "number" if column.numeric else "cell", bold=True)
            for column in table.columns
        ]
        cells: list[list[Flowable]] = [head, *(self._cells(row, numeric) for row in table.printed)]
        made = LongTable(
            cells,
            colWidths=[WIDTH * table.part * column.share / table.width for column in table.columns],
            hAlign="LEFT",
            repeatRows=1,
            spaceBefore=3,
            spaceAfter=5,
        )
        made.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
                    ("VALIGN", (0, 1), (-1, -1), "TOP"),
                    ("BACKGROUND", (0, 0), (-1, 0), HEAD),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.7, BLUE),
                    ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
                    *_padding(4, 2),
                ]
            )
        )
        return made

    def _cells(self, row: Row, numeric: list[bool]) -> list[Flowable]:
        return [
            self._text(str(cell), "number" if right else "cell")
            for cell, right in zip(row, numeric, strict=True)
        ]

    def _signatures(self, block: Signatures) -> Flowable:
        rows: list[list[Any]] = [[self._text(role, "plain", bold=True) for role in block.roles]]
        rows += [[self._text(line, "fact") for _ in block.roles] for line in block.lines]
        count = len(block.roles)
        gap = 12 * mm
        width = (WIDTH - gap * (count - 1)) / count
        spaced = [
            [cell for pair in zip(row, [""] * count, strict=True) for cell in pair][:-1] for row in rows
        ]
        table = LongTable(
            spaced, colWidths=([width, gap] * count)[:-1], rowHeights=[9 * mm] + [11 * mm] * len(block.lines)
        )
        lines = [("LINEBELOW", (2 * one, 1), (2 * one, -1), 0.6, INK) for one in range(count)]
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "BOTTOM"), *_padding(0, 1.5), *lines]))
        return table

    def _text(self, text: str, tone: str, *, bold: bool = False) -> Text:
        return Text(self._face.markup(text, bold=bold), self._style(tone, bold=bold))

    def _style(self, tone: str, *, bold: bool) -> ParagraphStyle:
        found = self._styles.get((tone, bold))
        if found is None:
            size, color, before, after = _TONES[tone]
            found = self._styles[tone, bold] = ParagraphStyle(
                tone,
                fontName=LATIN_BOLD if bold else LATIN,
                fontSize=size,
                leading=size * 1.32,
                textColor=color,
                spaceBefore=before,
                spaceAfter=after,
                alignment=TA_RIGHT if tone == "number" else TA_LEFT,
                wordWrap="CJK" if self._document.language == "zh" else None,
                **(_NOTE_BOX if tone == "note" else {}),
            )
        return found


_TONES: Final = {
    "title": (19, BLUE, 0, 2),
    "subtitle": (11.5, INK, 0, 2),
    "heading": (12, BLUE, 12, 4),
    "plain": (9, INK, 2, 3),
    "key": (9.5, INK, 3, 3),
    "note": (9, INK, 8, 8),
    "small": (8, GREY, 2, 3),
    "fact": (8.5, GREY, 0, 0),
    "cell": (8, INK, 0, 0),
    "number": (8, INK, 0, 0),
}
"""Size in points, colour, and the room before and after."""
_NOTE_BOX: Final[dict[str, Any]] = {
    "backColor": NOTE,
    "borderColor": NOTE_EDGE,
    "borderWidth": 0.5,
    "borderPadding": 4,
    "leftIndent": 5,
    "rightIndent": 5,
}


def _padding(across: float, along: float) -> list[Any]:
    sides = (
        ("LEFTPADDING", across),
        ("RIGHTPADDING", across),
        ("TOPPADDING", along),
        ("BOTTOMPADDING", along),
    )
    return [(name, (0, 0), (-1, -1), size) for name, size in sides]
