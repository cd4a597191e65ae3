"""A file that has its name when it is complete, and until then one that says it is a part."""

import os
from pathlib import Path
from typing import BinaryIO

from gateway.errors import TrafficError


class PartFile:
    """A file as it is written, under its name with ``.part`` behind it.

    What has the name already stays until the new file takes its place; a symbolic link goes on leading to it.

    Args:
        path: what it is called in the end.

    Raises:
        TrafficError: it cannot be written there, or there is something that is no file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if path.exists() and not path.is_file():
                what = "a folder" if path.is_dir() else "no ordinary file"
                raise TrafficError(f"{path} is {what}; the name of a file is needed")
            self._target = Path(os.path.realpath(path))
            self.part = self._target.with_name(f"{self._target.name}.part")
            """Where it lies until it is complete."""
            self._file: BinaryIO = self.part.open("wb")
        except OSError as error:
            raise self._told(error) from error

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def write(self, data: bytes | bytearray) -> None:
        """Write some more. Raises :class:`gateway.errors.TrafficError` when it cannot be written; so do the others."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._told(error) from error

    def flush(self) -> None:
        """Let what was written be read by others."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._told(error) from error

    def close(self, *, complete: bool) -> None:
        """End the file; when it is complete it takes its name once all of it is on the disk."""
        if self._file.closed:
            return
        try:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()
            if complete:
                self.part.replace(self._target)
        except OSError as error:
            raise self._told(error) from error

    def _told(self, error: OSError) -> TrafficError:
        return TrafficError(f"{self._path} cannot be written: {error.strerror}")
