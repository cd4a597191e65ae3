"""A document as CSV, for a spreadsheet: every row of every table, UTF-8 with a byte-order mark, no cell a formula."""

import csv
import io
from collections.abc import Iterable, Iterator

from gateway.reports.document import Block, Document, Facts, Paragraph, Signatures, Table

BOM = "\ufeff"
"""Tells Excel that this is UTF-8."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection), full-width signs included."""


def neutral(cell: object) -> object:
    """A cell no spreadsheet evaluates: a text that begins like a formula gets an apostrophe. Numbers stay numbers.

    Example:
        >>> neutral("=1+1"), neutral("gate"), neutral(-5)
        ("'=1+1", 'gate', -5)
    """
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(_DANGEROUS) or cell.lstrip().startswith(_DANGEROUS) else cell


def csv_lines(document: Document) -> Iterator[str]:
    """The file line by line, the byte-order mark in the first; ends of lines as RFC 4180 has them."""
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(BOM)
    for row in _rows(document):
        writer.writerow([neutral(cell) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def csv_file(document: Document) -> bytes:
    """The whole file."""
    return "".join(csv_lines(document)).encode()


def _rows(document: Document) -> Iterator[Iterable[object]]:
    yield (document.title, document.subtitle)
    yield from document.head.rows
    for section in document.sections:
        yield ()
        yield (section.title,)
        for block in section.blocks:
            yield from _block(block)


def _block(block: Block) -> Iterator[Iterable[object]]:
    match block:
        case Paragraph(text):
            yield (text,)
        case Facts(rows):
            yield from rows
        case Table():
            yield [column.title for column in block.columns]
            for row in block.rows:
                yield [cell.replace("\n", " · ") if isinstance(cell, str) else cell for cell in row]
        case Signatures(roles, lines):
            yield from ((role, *lines) for role in roles)
