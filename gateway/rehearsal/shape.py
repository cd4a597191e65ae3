"""Taking a document apart, with whatever has the wrong shape told at its line."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from gateway.core.values import Json
from gateway.site.document import Document, Path
from gateway.site.fields import shown
from gateway.site.problems import Problems, unknown

ValueT = TypeVar("ValueT")


class Shape:
    """Takes the parts of one document and reports what is wrong with their shape.

    Args:
        document: the file.
        problems: takes what is wrong.
    """

    def __init__(self, document: Document, problems: Problems) -> None:
        self.document, self.problems = document, problems
        self.report = problems.reporter(document)

    def line(self, path: Path) -> int:
        """The line of a part."""
        return self.document.line(path)

    def mapping(self, path: Path, value: Json, fields: Iterable[str] | None) -> dict[str, Json] | None:
        """A mapping with no other fields than these; None where it is none."""
        if not isinstance(value, dict):
            self.report(path, f"found {shown(value)}; a mapping (name: value) is needed")
            return None
        allowed = None if fields is None else [*fields]
        for name in value:
            if allowed is not None and name not in allowed:
                self.report((*path, name), unknown("field", name, allowed))
        return value

    def list(self, path: Path, value: Json) -> Sequence[Json]:
        """A list that is not empty; an empty one where it is none."""
        if not isinstance(value, list) or not value:
            found = "an empty list" if value == [] else shown(value)
            self.report(path, f"found {found}; a list with at least one entry is needed")
            return ()
        return value

    def text(self, path: Path, value: Json, otherwise: str) -> str:
        """A text that is not empty."""
        if isinstance(value, str) and value.strip():
            return value
        self.report(path, f"found {shown(value)}; text is needed (put it in quotes)")
        return otherwise

    def take(self, path: Path, value: Json, read: Callable[[Json], ValueT], otherwise: ValueT) -> ValueT:
        """Whatever ``read`` makes of it; ``otherwise`` where it refuses it."""
        try:
            return read(value)
        except ValueError as exc:
            self.report(path, str(exc))
            return otherwise
