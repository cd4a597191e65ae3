"""Files that belong to work orders: kept beside the database under the hash of what is in them.

A file is on disk, and synced, before the command that names it is committed; one that no order names is deleted
after a day. What a file is, is decided by its first bytes and by nothing anybody says of it.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias

from gateway.core.values import DAY, Millis

BEGINNING = 64
"""Bytes by which a type is told."""
PIECE = 256 << 10
"""Bytes written at a time."""
GRACE: Millis = DAY
"""How long a file that no order names is kept."""

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

SUFFIXES = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
}
"""The types that are taken, each with the endings its names may have."""


class Kept(NamedTuple):
    """A file that is safely on disk."""

    digest: str
    """SHA-256 in hexadecimal."""
    size: int
    """Bytes."""
    media_type: str


class Refusal(NamedTuple):
    """Why a file was not taken."""

    why: str
    """``empty``, ``type``, ``size`` or ``room``."""
    words: str


Taken: TypeAlias = Kept | Refusal


def media_type_of(beginning: bytes) -> str | None:
    """The type of a file by its first 64 bytes; None for what is not taken here.

    Sources: JPEG (ITU T.81, SOI marker), PNG 1.2 section 3.1, WebP container specification, ISO/IEC 23008-12
    (HEIC brands), ISO 32000-1 section 7.5.2.
    """
    if beginning.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    if beginning.startswith(b"%PDF-"):
        return "application/pdf"
    if beginning[4:8] == b"ftyp" and _HEIF_BRANDS.intersection(_brands(beginning)):
        return "image/heic"
    return None


def _brands(beginning: bytes) -> Iterator[bytes]:
    """Major and compatible brands of an ISO base media file; between them stands a version."""
    end = min(len(beginning), int.from_bytes(beginning[:4]))
    yield beginning[8:12]
    for at in range(16, end - 3, 4):
        yield beginning[at : at + 4]


class Attachments:
    """The files of one data directory.

    Args:
        folder: where they lie; made when the first one comes.
        most: bytes one file may have.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.most = most
        self._folder = folder
        self._lock = threading.Lock()
        """Held while a file takes its place or is deleted, so that neither undoes the other."""
        self._held: Counter[str] = Counter()
        """What is being uploaded: digests whose command is not committed yet, and unfinished files by name."""

    def path(self, digest: str) -> Path:
        """Where a file lies, or would."""
        return self._folder / digest[:2] / digest

    @contextlib.asynccontextmanager
    async def received(self, parts: AsyncIterator[bytes]) -> AsyncIterator[Taken]:
        """Take a file; inside the block upkeep does not touch it, so that an order can come to name it.

        Raises:
            OSError: the disk fails in another way than by being full.
        """
        unfinished = self._folder / f"{uuid.uuid4().hex}.part"
        held = [self._hold(unfinished.name)]
        try:
            yield await self._receive(unfinished, parts, held)
        finally:
            for one in held:
                self._let_go(one)

    async def _receive(self, file: Path, parts: AsyncIterator[bytes], held: list[str]) -> Taken:
        try:
            with await asyncio.to_thread(self._begin, file) as sink:
                taken = await self._write(sink, parts)
            if isinstance(taken, Kept):
                held.append(self._hold(taken.digest))
                await asyncio.to_thread(self._settle, file, taken.digest)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return Refusal("room", f"the gateway's disk has no room for it: {error.strerror}")
        else:
            return taken
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)

    def _begin(self, file: Path) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return file.open("xb")

    async def _write(self, sink: IO[bytes], parts: AsyncIterator[bytes]) -> Taken:
        hashed, beginning, size = hashlib.sha256(), b"", 0
        async for piece in _pieces(parts):
            size += len(piece)
            if size > self.most:
                return Refusal("size", f"the file is larger than {self.most} bytes")
            if not beginning:
                beginning = piece[:BEGINNING]
                if media_type_of(beginning) is None:
                    break
            hashed.update(piece)
            await asyncio.to_thread(sink.write, piece)
        media_type = media_type_of(beginning)
        if not beginning:
            return Refusal("empty", "the file is empty")
        if media_type is None:
            return Refusal("type", f"this is none of {', '.join(sorted(SUFFIXES))} by its first bytes")
        await asyncio.to_thread(_sync, sink)
        return Kept(hashed.hexdigest(), size, media_type)

    def _settle(self, file: Path, digest: str) -> None:
        """Let a finished file take its place, for good."""
        place = self.path(digest)
        with self._lock:
            place.parent.mkdir(exist_ok=True)
            file.replace(place)
        for folder in (place.parent, self._folder, self._folder.parent):
            _sync_folder(folder)

    def unchanged_since(self, moment: Millis) -> list[str]:
        """The files last sent before a moment, by digest; which of them are somebody's, the records know."""
        return [file.name for file in self._folder.glob("??/*") if _written(file) < moment]

    def forget(self, digests: Collection[str], before: Millis) -> int:
        """Delete these, except what is being uploaded (again); also what broken uploads left. How many went."""
        gone = 0
        for file in [*map(self.path, digests), *self._folder.glob("*.part")]:
            with self._lock:
                whole = file.suffix != ".part"
                if file.name in self._held or (whole and _written(file) >= before):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    file.unlink()
                    gone += 1
        return gone

    def _hold(self, name: str) -> str:
        with self._lock:
            self._held[name] += 1
        return name

    def _let_go(self, name: str) -> None:
        with self._lock:
            self._held[name] -= 1
            self._held += Counter()  # drops what nobody holds any more


async def _pieces(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes in, in pieces of a fair size; the first has the beginning of the file whole."""
    waiting = bytearray()
    async for part in parts:
        waiting += part
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _written(file: Path) -> Millis:
    try:
        return file.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0


def _sync(sink: IO[bytes]) -> None:
    sink.flush()
    os.fsync(sink.fileno())


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, not only the files."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
