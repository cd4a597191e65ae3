"""What a printed document consists of, whatever it is written as: sections of paragraphs, facts and tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeAlias, TypeVar, overload

from gateway.reports.words import Language

Cell: TypeAlias = str | int
Row: TypeAlias = tuple[Cell, ...]
T = TypeVar("T")


class Listing(Sequence[Row], Generic[T]):
    """Rows that are written when they are read, so that a long list costs no second copy.

    Args:
        items: what is listed.
        write: makes the row of one.
    """

    def __init__(self, items: Sequence[T], write: Callable[[T], Row]) -> None:
        self._items, self._write = items, write

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Row]:
        return map(self._write, self._items)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return Listing(self._items[index], self._write)
        return self._write(self._items[index])


class Column(NamedTuple):
    """One column of a table."""

    title: str
    share: float
    """Of the width, beside those of the others."""
    numeric: bool = False
    """Numbers stand at the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head that is repeated on each page."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    more: str = ""
    """What is said of those left out, with a place for their number."""
    limit: int | None = None
    """So many rows are printed; a file for a spreadsheet has all."""
    part: float = 1.0
    """How much of the width of the page it takes."""

    @property
    def width(self) -> float:
        """What the shares of the columns add up to."""
        return sum(column.share for column in self.columns)

    @property
    def printed(self) -> Sequence[Row]:
        """The rows that go on paper."""
        return self.rows if self.limit is None else self.rows[: self.limit]

    @property
    def left_out(self) -> str:
        """What is said of the others; empty where there are none."""
        count = len(self.rows) - len(self.printed)
        return self.more.format(count) if count else ""


class Facts(NamedTuple):
    """Names and what they stand for, a line each."""

    rows: tuple[tuple[str, str], ...]


class Paragraph(NamedTuple):
    """A few sentences."""

    text: str
    tone: str = "plain"
    """``plain``, ``key`` (what matters most), ``note`` (set apart) or ``small`` (an explanation)."""


class Signatures(NamedTuple):
    """Room to sign: a box for each person."""

    roles: tuple[str, ...]
    lines: tuple[str, ...]
    """What is to be filled in."""


Block: TypeAlias = Table | Facts | Paragraph | Signatures


class Section(NamedTuple):
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole document, in one language."""

    language: Language
    title: str
    subtitle: str
    foot: str
    """Stands at the foot of each page."""
    page: str
    """The number of a page, with places for it and for how many there are."""
    made_at: str
    """RFC 3339, with offset."""
    head: Facts
    sections: tuple[Section, ...]
