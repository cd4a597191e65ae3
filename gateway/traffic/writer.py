"""Writing a traffic file, plain or compressed by its suffix; the same lines give the same bytes."""

import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import zstandard

from gateway.core.values import Message, Millis
from gateway.errors import TrafficError
from gateway.traffic.lines import TrafficInput, text_of
from gateway.traffic.part_file import PartFile

BLOCK = 256 << 10
"""Bytes that are gathered before they are compressed and written."""
GZIP = 31
"""zlib's word for a stream in gzip's format; it writes neither a time nor a name into it."""
ZSTD_LEVEL = 3


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int, /) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self, _mode: int, /) -> bytes:
        return b""


class _Packing(NamedTuple):
    """A way to compress, with its words for reaching the disk in between and for the end."""

    packer: _Packer
    between: int = 0
    end: int = 0


class TrafficWriter:
    """Writes lines in order of time. A context manager: :meth:`open`.

    A file appears under its name when it is complete; until then, and after an error, there is only a file with
    ``.part`` behind its name, which can be read as far as it goes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.size = 0
        """Bytes before compression."""
        self._packing = _packing(path)
        self._last: Millis = 0
        self._held: list[bytes] = []
        self._holds = 0
        self._file = PartFile(path)
        self.part = self._file.part
        """Where it lies until it is complete."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Begin a file; ``.gz`` and ``.zst`` are compressed. Raises :class:`gateway.errors.TrafficError`."""
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, fault: object, *_: object) -> None:
        with suppress(*(TrafficError,) if fault is not None else ()):  # what went wrong first is told
            self.close(complete=fault is None)

    def message(self, at: Millis, topic: str, payload: bytes, qos: int = 1, retained: bool = False) -> None:
        """Write a message; see :meth:`write`."""
        self.write(at, Message(topic, payload, retained), qos)

    def write(self, at: Millis, one: TrafficInput, qos: int = 1) -> None:
        """Write one input.

        Args:
            at: when it was received, milliseconds UTC; not before the line before.
            one: the input.
            qos: of a message.

        Raises:
            ValueError: the time goes back.
            TrafficError: it cannot be written.
        """
        if at < self._last:
            raise ValueError(f"at {at} after {self._last}: the lines of a traffic file are in order of time")
        self._last = at
        text = text_of(at, one, qos)
        self._held.append(text)
        self.lines += 1
        self.size += len(text)
        self._holds += len(text)
        if self._holds >= BLOCK:
            self._pack()

    def flush(self) -> None:
        """Hand over what was written so far, so that it can be read after whatever may happen to this process."""
        self._pack()
        self._file.write(self._packing.packer.flush(self._packing.between))
        self._file.flush()

    def close(self, *, complete: bool = True) -> None:
        """End the file. Without ``complete`` it keeps the name that says it is a part."""
        if self._file.closed:
            return
        try:
            self._pack()
            self._file.write(self._packing.packer.flush(self._packing.end))
        except BaseException:
            complete = False
            raise
        finally:
            self._file.close(complete=complete)

    def _pack(self) -> None:
        held, self._held, self._holds = b"".join(self._held), [], 0
        if held:
            self._file.write(self._packing.packer.compress(held))


def _packing(path: Path) -> _Packing:
    match path.suffix:
        case ".gz":
            return _Packing(zlib.compressobj(wbits=GZIP), zlib.Z_SYNC_FLUSH, zlib.Z_FINISH)
        case ".zst":
            packer = zstandard.ZstdCompressor(ZSTD_LEVEL, write_checksum=True).compressobj()
            return _Packing(packer, zstandard.COMPRESSOBJ_FLUSH_BLOCK, zstandard.COMPRESSOBJ_FLUSH_FINISH)
        case _:
            return _Packing(_Plain())
