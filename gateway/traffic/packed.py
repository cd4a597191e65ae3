"""The bytes of a traffic file, decompressed where they are compressed, as far as they go."""

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import zstandard

from gateway.errors import TrafficError
from gateway.traffic.writer import GZIP

PIECE = 16 << 10
"""Bytes read at a time. Small, since what is compressed may grow by orders of magnitude."""
MAGIC_GZIP, MAGIC_ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Broken(NamedTuple):
    """The bytes end here although the file does not say so; in words."""

    words: str


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def pieces(path: Path, taken: Callable[[int], None] = lambda _: None) -> Iterator[bytes | Broken]:
    """The content of a file, or of the standard input for ``-``; compression is told by the first bytes.

    The last piece is a :class:`Broken` where the file is cut off or damaged.

    Args:
        path: the file.
        taken: told of the bytes that were read of it, as they lie there.

    Raises:
        TrafficError: it cannot be opened.
    """
    if str(path) == "-":
        yield from _pieces(sys.stdin.buffer, taken)
        return
    try:
        with path.open("rb") as file:
            yield from _pieces(file, taken)
    except IsADirectoryError as error:
        raise TrafficError(f"{path} is a folder; a traffic file is expected") from error
    except FileNotFoundError as error:
        raise TrafficError(f"{path}: there is no such file") from error
    except OSError as error:
        raise TrafficError(f"{path} cannot be read: {error.strerror}") from error


def _pieces(file: BinaryIO, taken: Callable[[int], None]) -> Iterator[bytes | Broken]:
    def read(size: int) -> bytes:
        data = file.read(size)
        taken(len(data))
        return data

    first = read(PIECE)
    if first.startswith(MAGIC_GZIP):
        yield from _unpacked(read, first, "gzip")
    elif first.startswith(MAGIC_ZSTD):
        yield from _unpacked(read, first, "zstd")
    else:
        while first:
            yield first
            first = read(16 * PIECE)


def _unpacked(read: Callable[[int], bytes], first: bytes, what: str) -> Iterator[bytes | Broken]:
    unpacker, begun, data = _unpacker(what), False, first
    while data:
        begun = True
        try:
            out = unpacker.decompress(data)
        except (zlib.error, zstandard.ZstdError) as error:
            yield Broken(f"damaged {what} data: {error}")
            return
        if out:
            yield out
        data = b""
        if unpacker.eof:  # another stream may follow, as when files were joined
            data, unpacker, begun = unpacker.unused_data, _unpacker(what), False
        data = data or read(PIECE)
    if begun:
        yield Broken(f"the {what} data ends before its end: the file is cut off")


def _unpacker(what: str) -> _Unpacker:
    if what == "gzip":
        return zlib.decompressobj(wbits=GZIP)
    return zstandard.ZstdDecompressor().decompressobj()
