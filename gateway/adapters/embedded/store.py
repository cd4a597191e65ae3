"""The embedded store as the port sees it: all SQLite work in one thread of its own, corrupt files set aside."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Final, TypeVar

from gateway.adapters.embedded import catalogue as catalogues
from gateway.adapters.embedded.catalogue import Catalogue
from gateway.adapters.embedded.days import Days, Reading
from gateway.adapters.embedded.files import CorruptFile, Files
from gateway.adapters.embedded.periods import day_file, span
from gateway.adapters.embedded.reading import Answers
from gateway.adapters.embedded.rollups import Rollups, Schedule
from gateway.adapters.row_rules import INT_MAX, INT_MIN, time_flaw, value_flaw
from gateway.core.values import DAY, HOUR, MINUTE, Millis, TelemetryRow
from gateway.errors import TelemetryUnavailable
from gateway.ports import Answer, Health, Query, Refused

T = TypeVar("T")

SERIES_PER_DEVICE: Final = 1_000
_CORRUPT_FILES: Final = 100
"""Files set aside within one call before it gives up: then it is the disk, not a file."""


@dataclass(frozen=True, slots=True)
class Longer:
    """How much longer than readings their roll-ups are kept, in milliseconds."""

    minutes: Millis = 335 * DAY
    hours: Millis = 10 * 365 * DAY


class EmbeddedStore:
    """A folder of SQLite files. Nothing is opened before the first call.

    Args:
        folder: made when it is not there; no other process may use it.
        series_per_device: fields of one device beyond this number are refused, so that a device gone wild
            cannot fill the catalogue.
        longer: how much longer roll-ups are kept.
    """

    def __init__(
        self, folder: Path, *, series_per_device: int = SERIES_PER_DEVICE, longer: Longer | None = None
    ) -> None:
        self._folder = folder
        self._cap = series_per_device
        self._longer = longer or Longer()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telemetry-store")
        self._vault: _Vault | None = None
        self._set_aside: list[str] = []
        self._closed = False

    async def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
        """Store all rows but those returned; on disk, past a power cut, when this returns.

        Refused are rows of another type than the field has, from before the retention, of too many series, and
        what no store may be given (:mod:`gateway.adapters.row_rules`).

        Raises:
            TelemetryUnavailable: the disk is full, read-only or broken.
        """
        return await self._run(lambda vault: vault.write(rows))

    async def read(self, query: Query) -> list[Answer]:
        """One answer per field. Buckets start at whole multiples of ``every`` since 1970; raises as :meth:`write`."""
        return await self._run(lambda vault: [vault.answers.answer(query, field) for field in query.fields])

    async def health(self) -> Health:
        """Whether the files can be used, and which were set aside since the start."""
        try:
            words = await self._run(_Vault.describe)
        except TelemetryUnavailable as error:
            return Health(False, str(error))
        if self._set_aside:
            words += "; corrupt and set aside: " + ", ".join(self._set_aside)
        return Health(True, words)

    async def keep(self, oldest: Millis) -> None:
        """Delete the days that ended before ``oldest`` (ms), and the roll-ups that are older still.

        Raises:
            TelemetryUnavailable: as :meth:`write`.
        """
        await self._run(lambda vault: vault.keep(oldest, self._longer))

    async def close(self) -> None:
        """Finish what is under way and close the files; closing twice is closing once."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._shut)
            self._thread.shutdown(wait=False)

    async def _run(self, work: "Callable[[_Vault], T]") -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._guarded, work))

    def _guarded(self, work: "Callable[[_Vault], T]") -> T:
        for _ in range(_CORRUPT_FILES):
            try:
                if self._vault is None:
                    self._vault = _Vault(Files(self._folder), self._cap)
                return work(self._vault)
            except CorruptFile as corrupt:
                self._put_aside(corrupt)
            except (sqlite3.Error, OSError) as error:
                self._shut()
                raise TelemetryUnavailable(
                    f"the telemetry files in {self._folder} cannot be used: {error}"
                ) from error
        raise TelemetryUnavailable(
            f"more than {_CORRUPT_FILES} files in {self._folder} are corrupt: check the disk"
        )

    def _put_aside(self, corrupt: CorruptFile) -> None:
        self._shut()
        try:
            kept = Files(self._folder).set_aside(corrupt.name)
        except OSError as error:
            raise TelemetryUnavailable(
                f"{self._folder / corrupt.name}.db is corrupt and cannot be renamed: {error}"
            ) from error
        self._set_aside.append(f"{kept} ({corrupt.words})")

    def _shut(self) -> None:
        vault, self._vault = self._vault, None
        if vault is not None:
            vault.files.close()


class _Vault:
    """The files and what is known about them. Lives in the store's thread, made again after a failure."""

    def __init__(self, files: Files, series_per_device: int) -> None:
        self.files = files
        try:
            self._catalogue = Catalogue(files, series_per_device)
            self._catalogue.load()
        except BaseException:
            files.close()
            raise
        self._days = Days(files, self._catalogue)
        self._rollups = Rollups(files, self._catalogue, self._days)
        self._schedule = Schedule(self._days, self._rollups, self._catalogue)
        self.answers = Answers(self._catalogue, self._days, self._rollups)

    def write(self, rows: Sequence[TelemetryRow]) -> list[Refused]:
        refused: list[Refused] = []
        readings: list[Reading] = []
        times: list[Millis] = []
        for row in rows:
            try:
                readings += self._readings(row)
            except ValueError as flaw:
                refused.append(Refused(row, str(flaw)))
            else:
                times.append(row.ts)
        if readings:
            self._catalogue.save()
            self._days.insert(readings)
            self._schedule.saw(min(times), max(times))
        self._schedule.work()
        return refused

    def _readings(self, row: TelemetryRow) -> list[Reading]:
        series, ts, fields = row
        columns = self._catalogue.columns(series)
        if not fields:
            raise ValueError("the row has no fields")
        flaw = time_flaw(ts)
        if flaw is not None:
            raise ValueError(flaw)
        floor = self._catalogue.floor
        if floor is not None and ts < floor:
            raise ValueError(f"the reading is older than the retention, which starts at {day_file(floor)}")
        readings: list[Reading] = []
        for name, value in fields.items():
            if not (
                (type(value) is float and isfinite(value))
                or (type(value) is int and INT_MIN <= value <= INT_MAX)
            ):
                flaw = value_flaw(value)
                if flaw is not None:
                    raise ValueError(flaw)
            column = columns.get(name) or self._catalogue.column(series, name, value)
            if type(value) is not column.type:
                self._catalogue.check(series.measurement, name, column.type, value)
            readings.append((column.id, ts, value))
        return readings

    def keep(self, oldest: Millis, longer: Longer) -> None:
        floor = oldest - oldest % DAY
        gone = [day for day in self._days.names() if span(day)[1] <= floor]
        self._schedule.roll(lambda mark: mark[1] < floor, 2**63 - 1)
        self._catalogue.raise_floor(floor)
        for day in gone:
            self._drop(day)
        for width, more in ((MINUTE, longer.minutes), (HOUR, longer.hours)):
            for name in self._rollups.names(width):
                if span(name)[1] <= oldest - more:
                    self.files.delete(name)

    def _drop(self, day: str) -> None:
        self.files.delete(day)
        self._days.forget(day)
        self._catalogue.mark_rolled(day)

    def describe(self) -> str:
        days = self._days.names()
        since = f"{len(days)} days from {days[0]} to {days[-1]}" if days else "no readings yet"
        with self.files.reading(catalogues.NAME, "") as db:
            db.execute("SELECT count(*) FROM series").fetchone()
        return f"embedded store in {self.files.folder}: {len(self._catalogue)} series, {since}"
