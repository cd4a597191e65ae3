"""The files of a recording: one, or one after the other by size and time; each whole when it has its name."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from gateway.core.inputs import LinkLost, LinkUp
from gateway.core.values import SECOND, Millis
from gateway.errors import TrafficError
from gateway.traffic import TrafficInput, TrafficWriter

PACKED = (".gz", ".zst")


class Rotation(NamedTuple):
    """When the next file begins. With neither size nor time there is one file."""

    size: int | None = None
    """Bytes on disk."""
    every: Millis | None = None
    """After the first line of the file, milliseconds."""
    keep: int | None = None
    """The newest finished files to keep; None keeps all."""

    @property
    def wanted(self) -> bool:
        """Whether there may be more than one file."""
        return self.size is not None or self.every is not None


class Reel:
    """Writes lines to a file, or to one after the other: ``site.jsonl.zst`` becomes ``site.20261126T105900Z.jsonl.zst``.

    A file begins with its first line, so there is none without any. One that takes over from another begins with how the
    connection to the broker stands, so that it can be read by itself.

    Args:
        out: the file, compressed by its suffix ``.gz`` or ``.zst``.
        rotation: when the next one begins.

    Raises:
        TrafficError: without rotation, there is such a file already.
    """

    def __init__(self, out: Path, rotation: Rotation = Rotation()) -> None:  # noqa: B008 - it never changes
        self._out, self._rotation = out, rotation
        self._stem, self._suffixes = _apart(out.name)
        self._writer: TrafficWriter | None = None
        self._begun: Millis = 0
        self._named = 0
        """The second in the name of the last file."""
        self._link: LinkUp | LinkLost | None = None
        self._finished = 0
        self.files: list[Path] = []
        """Finished files that were not deleted since, oldest first."""
        self.dropped = 0
        """Finished files that were deleted because newer ones came."""
        if not rotation.wanted:
            for taken in (out, _part(out)):
                if taken.exists():
                    raise TrafficError(f"{taken} exists already; move it away, or give another name")

    @property
    def size(self) -> int:
        """Bytes on disk, deleted files included; what was written since :meth:`tend` may be missing."""
        return self._finished + self._lies

    @property
    def part(self) -> Path | None:
        """The file that is being written; None between two files."""
        return None if self._writer is None else self._writer.part

    def write(self, at: Millis, one: TrafficInput, qos: int = 1) -> None:
        """Write one input. Raises :class:`gateway.errors.TrafficError` when it cannot be written."""
        with _told(self._out):
            writer = self._writer or self._open(at, one)
            writer.write(at, one, qos)
        if isinstance(one, LinkUp | LinkLost):
            self._link = one

    def tend(self, now: Millis) -> None:
        """Let what was written reach the disk, and end the file where it is time to; to be called about once a second.

        Raises:
            TrafficError: it cannot be written.
        """
        if self._writer is None:
            return
        with _told(self._out):
            self._writer.flush()
            size, every, _ = self._rotation
            if (size is not None and self._lies >= size) or (
                every is not None and now - self._begun >= every
            ):
                self._finish()

    def close(self, *, complete: bool = True) -> None:
        """End the last file. Without ``complete`` it stays a part, and nothing is said if it cannot be written."""
        if complete:
            with _told(self._out):
                self._finish()
        elif self._writer is not None:
            with suppress(TrafficError, OSError):
                self._writer.close(complete=False)

    def _open(self, at: Millis, one: TrafficInput) -> TrafficWriter:
        path = self._out if not self._rotation.wanted else self._free(at)
        self._writer, self._begun = TrafficWriter.open(path), at
        if self._link is not None and not isinstance(one, LinkUp | LinkLost):
            again = LinkUp(at) if isinstance(self._link, LinkUp) else LinkLost(at, self._link.reason)
            self._writer.write(at, again)
        return self._writer

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.close()
        self._finished += writer.path.stat().st_size
        self.files.append(writer.path)
        if self._rotation.wanted and self._rotation.keep is not None:
            self._drop(self._rotation.keep)

    def _drop(self, keep: int) -> None:
        """Of all finished files under this name, those of earlier recordings among them, only the newest stay."""
        pattern = re.compile(rf"{re.escape(self._stem)}\.[0-9]{{8}}T[0-9]{{6}}Z{re.escape(self._suffixes)}")
        found = [path for path in self._out.parent.iterdir() if pattern.fullmatch(path.name)]
        for path in sorted(found)[: max(0, len(found) - keep)]:
            path.unlink(missing_ok=True)
            self.dropped += 1
        self.files = [path for path in self.files if path.exists()]

    def _free(self, at: Millis) -> Path:
        """A name that nothing has and that comes after those before it: the second of its first line, or the next free one."""
        while True:
            self._named = max(at // SECOND, self._named + 1)
            moment = dt.datetime.fromtimestamp(self._named, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
            path = self._out.with_name(f"{self._stem}.{moment}{self._suffixes}")
            if not path.exists() and not _part(path).exists():
                return path

    @property
    def _lies(self) -> int:
        part = self.part
        try:
            return 0 if part is None else part.stat().st_size
        except FileNotFoundError:
            return 0


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrafficError(f"{out} cannot be written: {error.strerror}") from error


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _apart(name: str) -> tuple[str, str]:
    """``site.jsonl.zst`` as ``site`` and ``.jsonl.zst``."""
    packed = Path(name).suffix if Path(name).suffix in PACKED else ""
    plain = name.removesuffix(packed)
    kind = Path(plain).suffix
    return plain.removesuffix(kind), kind + packed
