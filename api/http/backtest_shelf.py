"""Backtests on disk: a folder each, which has its name only once everything in it is there."""

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from api.http import backtest_messages as messages
from gateway.core.values import Millis

ENTRY: Final = "backtest.json"
UNFINISHED: Final = ".part"
_ID: Final = re.compile(r"bt-[0-9a-f]{20}")

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One backtest: what was asked for, by whom, and what became of it. Times are milliseconds UTC."""

    id: str
    state: State
    by: str
    asked_at: Millis
    began_at: Millis | None = None
    ended_at: Millis | None = None
    days: int | None
    warm_up: Millis
    settings: dict[str, dict[str, float | str]]
    files: list[str]
    """Names only."""
    budgets: dict[str, int | float]
    now: str
    """The digest of the site that was in force."""
    candidate: str
    share: float = 0.0
    reached: Millis | None = None
    error: str | None = None
    broken: list[messages.Broken] | None = None
    """Budgets that are broken; None until it is done."""

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state not in ("queued", "running")


class Shelf:
    """The folder of all of them. Everything here waits for the disk.

    Args:
        folder: made when the first backtest begins.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> list[Entry]:
        """What is kept, oldest first. What an end of the gateway cut short is removed."""
        found: list[Entry] = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if not _ID.fullmatch(path.name.removesuffix(UNFINISHED)):
                continue  # nothing of ours
            entry = _read(path)
            if entry is None:
                _remove(path)
            else:
                found.append(entry)
        return sorted(found, key=lambda one: (one.asked_at, one.id))

    def begin(self, name: str) -> Path:
        """An empty folder for a result. Raises :class:`OSError`."""
        self._folder.mkdir(exist_ok=True)
        path = self._unfinished(name)
        _remove(path)
        path.mkdir()
        return path

    def keep(self, entry: Entry) -> None:
        """Put an ended one in its place, for good, with its result if it has one. Raises :class:`OSError`."""
        path = self._unfinished(entry.id)
        if entry.state != "done":
            path = self.begin(entry.id)
        with (path / ENTRY).open("xb") as file:
            file.write(msgspec.json.encode(entry))
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._folder / entry.id)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def file(self, name: str, part: str) -> Path:
        """Where a file of a kept one lies."""
        return self._folder / name / part

    def drop(self, name: str) -> None:
        """Remove one, finished or not."""
        _remove(self._unfinished(name))
        kept = self._folder / name
        if kept.exists():
            with contextlib.suppress(OSError):  # then it is seen again after a restart
                kept.replace(self._unfinished(name))
        _remove(self._unfinished(name))

    def _unfinished(self, name: str) -> Path:
        return self._folder / f"{name}{UNFINISHED}"


def _read(path: Path) -> Entry | None:
    """What is in a folder; None where it is not whole."""
    try:
        entry = msgspec.json.decode((path / ENTRY).read_bytes(), type=Entry)
    except (OSError, msgspec.MsgspecError):
        return None
    needed = (
        [messages.RESULT, *map(messages.REPORT.format, messages.LANGUAGES)] if entry.state == "done" else []
    )
    whole = entry.id == path.name and entry.ended and all((path / part).is_file() for part in needed)
    return entry if whole else None


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
