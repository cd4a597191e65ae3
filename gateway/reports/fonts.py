"""The letters of a PDF: Helvetica for Latin, and beside it a font with Chinese that is found on the machine.

A TrueType font is embedded as a subset, so the file looks the same everywhere. Where none is found, ``STSong-Light`` is
named instead: common viewers put a font of their own in its place. A character that neither has is written as ``?``,
never as a box.
"""

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/fonts-droid-fallback",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
"""Where fonts usually are: fontconfig's folders on Linux, then those of macOS and Windows."""
FILES: Final = (
    "wqy-microhei.ttc",
    "NotoSansSC-Regular.ttf",
    "NotoSansSC[wght].ttf",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
    "Arial Unicode.ttf",
)
"""Fonts with Chinese and TrueType outlines, the best first. Noto Sans CJK is not among them: its outlines are
PostScript, which cannot be embedded here."""
NOT_EMBEDDED: Final = "STSong-Light"
LATIN: Final = "Helvetica"
LATIN_BOLD: Final = "Helvetica-Bold"
CODE: Final = "Courier-Bold"
_LATIN_END = 0x100
_PROOF = "巡"


class _Gbk(Container[int]):
    """The characters that a font named and not embedded can be relied on to have."""

    def __contains__(self, code: object) -> bool:
        try:
            return isinstance(code, int) and bool(chr(code).encode("gbk"))
        except UnicodeEncodeError:
            return False


@dataclass(frozen=True, slots=True)
class Typeface:
    """Two fonts that write any mixture of Latin and Chinese."""

    chinese: str
    """The name it is registered under."""
    glyphs: Container[int]
    """The code points it has."""
    path: Path | None = None
    """The file that is embedded; None where the font is only named."""

    @property
    def embedded(self) -> bool:
        """Whether the Chinese looks the same on every machine."""
        return self.path is not None

    def runs(self, text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
        """The text in pieces, each with the font that has it; bold where it is Latin."""
        latin = LATIN_BOLD if bold else LATIN
        font, piece = "", ""
        for char in " ".join(text.split()):
            wanted, shown = self._fit(char, latin, font)
            if wanted != font and piece:
                yield font, piece
                piece = ""
            font, piece = wanted, piece + shown
        if piece:
            yield font, piece

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """In points."""
        return sum(stringWidth(piece, font, size) for font, piece in self.runs(text, bold=bold))

    def markup(self, text: str, *, bold: bool = False) -> str:
        """The text for a paragraph, whatever characters it has; its line breaks kept."""
        lines = (
            "".join(
                f'<font name="{font}">{escape(piece)}</font>' for font, piece in self.runs(line, bold=bold)
            )
            for line in text.split("\n")
        )
        return "<br/>".join(lines)

    def _fit(self, char: str, latin: str, current: str) -> tuple[str, str]:
        """The font for a character. Dashes and quotes that both have stay with what stands before them."""
        code = ord(char)
        if char == " ":
            return current or latin, char
        if code < _LATIN_END:
            return latin, char if char.isprintable() else "?"
        typographic = _is_typographic(char)
        if typographic and (current == latin or code not in self.glyphs):
            return latin, char
        return (self.chinese, char) if code in self.glyphs else (latin, "?")


def _is_typographic(char: str) -> bool:
    """Whether Helvetica has it beyond Latin-1."""
    try:
        return bool(char.encode("cp1252"))
    except UnicodeEncodeError:
        return False


def typeface(wanted: Path | None = None, folders: Sequence[str] = FOLDERS) -> Typeface:
    """The letters to print with.

    Args:
        wanted: a font file the owner names; None to look for one.
        folders: where to look, with all that is below.

    Raises:
        ValueError: the named file is no TrueType font with Chinese.
    """
    if wanted is not None:
        return _embedded(wanted)
    for path in _candidates(folders):
        try:
            return _embedded(path)
        except ValueError:
            continue
    return _named()


def _candidates(folders: Sequence[str]) -> list[Path]:
    """The files found of those known, the best first."""
    rank = {name.lower(): place for place, name in enumerate(FILES)}
    found: list[tuple[int, Path]] = []
    for folder in folders:
        for root, _, names in os.walk(Path(folder).expanduser()):
            found += [(rank[name.lower()], Path(root, name)) for name in names if name.lower() in rank]
    return [path for _, path in sorted(found)]


@cache
def _embedded(path: Path) -> Typeface:
    name = f"fgw-{path.stem}"
    try:
        font = TTFont(name, str(path), subfontIndex=0)
    except (TTFError, OSError) as error:
        raise ValueError(f"{path} cannot be used: {error}; a TrueType font with Chinese is needed") from None
    if ord(_PROOF) not in font.face.charToGlyph:
        raise ValueError(f"{path} has no Chinese; a TrueType font with Chinese is needed")
    registerFont(font)
    registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    return Typeface(name, frozenset(font.face.charToGlyph), path)


@cache
def _named() -> Typeface:
    registerFont(UnicodeCIDFont(NOT_EMBEDDED))
    registerFontFamily(
        NOT_EMBEDDED, normal=NOT_EMBEDDED, bold=NOT_EMBEDDED, italic=NOT_EMBEDDED, boldItalic=NOT_EMBEDDED
    )
    return Typeface(NOT_EMBEDDED, _Gbk())
