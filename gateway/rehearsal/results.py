"""What a rehearsal finds, as values."""

from typing import NamedTuple

from gateway.errors import Problem


class Raise(NamedTuple):
    """A level of a rule of a profile."""

    profile: str
    rule: str
    level: str


class Failure(NamedTuple):
    """Something that did not come as the file says."""

    file: str
    line: int
    at: str
    """The moment, as the file writes times."""
    expected: str
    found: str


class Played(NamedTuple):
    """What became of one scenario."""

    file: str
    line: int
    title: str
    failures: tuple[Failure, ...]
    raised: frozenset[Raise]


class FileResult(NamedTuple):
    """What became of a file. One with problems was not played."""

    file: str
    problems: tuple[Problem, ...]
    played: tuple[Played, ...]
    known: frozenset[Raise]
    """All rules and levels of the profiles its sites use."""


class Coverage(NamedTuple):
    """Which levels of which rules some scenario raised."""

    raised: frozenset[Raise]
    missing: tuple[Raise, ...]
    """The others, sorted."""
