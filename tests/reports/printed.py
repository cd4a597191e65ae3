"""Reads a PDF back: its text, where its letters stand, and its pages as pictures."""

from typing import Any, NamedTuple

import pypdfium2  # type: ignore[import-untyped]


class Letter(NamedTuple):
    """One character; lengths in points from the lower left corner of the page."""

    left: float
    bottom: float
    right: float
    top: float


def pages(data: bytes) -> list[str]:
    """The text of each page, its spaces and line breaks taken out."""
    with pypdfium2.PdfDocument(data) as document:
        return ["".join(page.get_textpage().get_text_range().split()) for page in document]


def letters(data: bytes, page: int = 0) -> list[Letter]:
    """The boxes of the characters that show."""
    with pypdfium2.PdfDocument(data) as document:
        text = document[page].get_textpage()
        boxes = (Letter(*text.get_charbox(index)) for index in range(text.count_chars()))
        return [box for box in boxes if box.right > box.left]


def picture(data: bytes, page: int = 0) -> Any:  # noqa: ANN401 - an image of the picture library
    """A page at 200 dots an inch."""
    with pypdfium2.PdfDocument(data) as document:
        return document[page].render(scale=200 / 72).to_pil()
