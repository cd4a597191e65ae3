"""Files of outcomes: what a replay came to, a line each, as the live gateway stores them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from gateway.core.effects import Outcome
from gateway.core.values import Json, Millis
from gateway.errors import Problem, TrafficError
from gateway.traffic.part_file import PartFile

PARTIAL = "replay.partial"
"""The last line of a result that is not whole: what was wrong, and what it cost."""
SHOWN = 20
"""Faults a partial result names; it counts all of them."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Outcome).decode


class OutcomeFile:
    """Counts outcomes, reckons their SHA-256, and writes them where a file is given. A context manager.

    The file appears under its name when all is written; until then there is one with ``.part`` behind its name.

    Args:
        path: the file, or None to write nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.kinds: Counter[str] = Counter()
        self._digest = hashlib.sha256()
        if path is not None and path.suffix in (".gz", ".zst"):
            raise TrafficError(f"{path}: outcomes are written as plain text; leave out {path.suffix}")
        self._file = None if path is None else PartFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, fault: object, *_: object) -> None:
        if self._file is not None:
            with suppress(*(TrafficError,) if fault is not None else ()):  # what went wrong first is told
                self._file.close(complete=fault is None)

    @property
    def count(self) -> int:
        """How many there were."""
        return self.kinds.total()

    @property
    def sha256(self) -> str:
        """Over the lines so far, in hexadecimal."""
        return self._digest.hexdigest()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Write some more. Raises :class:`gateway.errors.TrafficError` when it cannot."""
        lines = bytearray()
        for one in outcomes:
            self.kinds[one.kind] += 1
            lines += _encode(one)
            lines += b"\n"
        if not lines:
            return
        self._digest.update(lines)
        if self._file is not None:
            self._file.write(lines)

    def mark_partial(self, at: Millis, faults: int, problems: Iterable[Problem]) -> None:
        """Say in a last line that the result is not whole.

        Args:
            at: how far it got.
            faults: lines that could not be read, and the end of a file that was cut off.
            problems: the first of them.
        """
        told: list[Json] = [f"{one.line}: {one.message}" for one in list(problems)[:SHOWN]]
        self.add([Outcome(at, PARTIAL, detail={"faults": faults, "problems": told})])


def read_outcomes(path: Path) -> Iterator[Outcome]:
    """The outcomes of a file.

    Raises:
        TrafficError: it cannot be opened, or a line is no outcome; the text names file and line.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield _decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise TrafficError(f"{path}:{number}: no outcome of a replay: {error}") from error
    except OSError as error:
        raise TrafficError(f"{path} cannot be read: {error.strerror}") from error
