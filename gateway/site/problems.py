"""Collecting what is wrong, so that the owner sees all of it at once."""

import difflib
from collections.abc import Callable, Iterable
from typing import TypeAlias

from gateway.errors import Problem, SiteError
from gateway.site.document import Document, Path

Report: TypeAlias = Callable[[Path, str], None]
"""Says that something at a path of one document is wrong."""

_LISTED = 24
_LONGEST = 64


def unknown(what: str, found: str, allowed: Iterable[str]) -> str:
    """The message for a name that is not there: what was found, the nearest right one, what is allowed."""
    names = list(allowed)
    found = found if len(found) <= _LONGEST else found[:_LONGEST] + "..."
    near = difflib.get_close_matches(found, names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    if not names:
        return f"unknown {what} {found!r}; none is defined"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"unknown {what} {found!r}{hint} (allowed: {', '.join(names[:_LISTED])}{more})"


class Problems:
    """What is wrong in a set of documents."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Problem) -> None:
        """Note one problem; the same one twice counts once."""
        self._found[problem] = None

    def at(self, document: Document, path: Path, message: str) -> None:
        """Note what is wrong at a path of a document."""
        path = document.original(path)
        self.add(Problem(document.name, document.line(path), dotted(path), message))

    def reporter(self, document: Document) -> Report:
        """A function that notes problems of one document."""
        return lambda path, message: self.at(document, path, message)

    def sorted(self) -> tuple[Problem, ...]:
        """All of them, by file and line."""
        return tuple(sorted(self._found, key=lambda problem: (problem.file, problem.line)))

    def raise_any(self) -> None:
        """Raise a :class:`SiteError` that holds all of them, if there is one."""
        if self._found:
            found = self.sorted()
            raise SiteError("\n".join(str(problem) for problem in found), found)


def dotted(path: Path) -> str:
    """A path as a person writes it: ``devices[3].params.motor_temp_high``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
