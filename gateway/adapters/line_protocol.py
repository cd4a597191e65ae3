r"""Line protocol, InfluxDB's wire format: ``elevator,device=A1 motor_temp=41.5,floor=12i 1790000000000``.

Written here and not by ``influxdb_client.Point`` because this is the hot path (an eighth of the cost) and because
``Point`` lets a trailing backslash through. Times are milliseconds: send ``precision=ms`` along.

Escaping, from InfluxData's reference: measurement ``,`` and space; tag names, tag values and field names also ``=``;
text fields ``"`` and ``\``. A line break cannot be escaped everywhere, so it is refused everywhere.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final

from gateway.adapters.row_rules import INT_MAX, INT_MIN, name_flaw, series_flaw, time_flaw, value_flaw
from gateway.core.values import Scalar, Series, TelemetryRow

_MEASUREMENT: Final = str.maketrans({",": r"\,", " ": r"\ "})
_KEY: Final = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
_TEXT: Final = str.maketrans({'"': r"\"", "\\": r"\\"})

CACHE_LIMIT: Final = 200_000
"""Prefixes remembered; past it the cache starts afresh, so odd traffic cannot fill the memory."""


class LineError(ValueError):
    """The row must not be sent; the text says why, for a person."""


def _series_prefix(series: Series) -> str:
    flaw = series_flaw(series)
    if flaw is not None:
        raise LineError(flaw)
    measurement = series.measurement.translate(_MEASUREMENT)
    if measurement.startswith("#"):
        raise LineError(f"the measurement {series.measurement!r} would read as a comment")
    tags = "".join(f",{k.translate(_KEY)}={v.translate(_KEY)}" for k, v in sorted(series.tags) if v)
    return f"{measurement}{tags} "


def _field_prefix(name: str) -> str:
    flaw = name_flaw("field", name)
    if flaw is not None:
        raise LineError(flaw)
    return f"{name.translate(_KEY)}="


def _rare(value: Scalar) -> str:
    """Encode what the fast path does not: text, and what must be refused."""
    flaw = value_flaw(value)
    if flaw is not None:
        raise LineError(flaw)
    if not isinstance(value, str):
        raise LineError(f"a {type(value).__name__} cannot be stored; float, int, bool and text can")
    return f'"{value.translate(_TEXT)}"'


class _Memory(dict[str, str]):
    """Field prefixes by name; fills itself."""

    def __missing__(self, name: str) -> str:
        prefix = _field_prefix(name)
        if len(self) >= CACHE_LIMIT:
            self.clear()
        self[name] = prefix
        return prefix


class LineEncoder:
    """Rows to lines, remembering the escaped start of each series. One per writer; not for several threads."""

    def __init__(self) -> None:
        self._series: dict[Series, str] = {}
        self._fields = _Memory()

    def encode(self, row: TelemetryRow) -> str:
        """One line, without its line break.

        Raises:
            LineError: the row holds something that must never reach a store.
        """
        series, ts, fields = row
        prefix = self._series.get(series) or self._remember(series)
        names = self._fields
        parts = []
        for name, value in fields.items():
            if type(value) is float and isfinite(value):
                parts.append(f"{names[name]}{value!r}")
            elif type(value) is bool:
                parts.append(f"{names[name]}{'true' if value else 'false'}")
            elif type(value) is int and INT_MIN <= value <= INT_MAX:
                parts.append(f"{names[name]}{value}i")
            else:
                parts.append(names[name] + _rare(value))
        if not parts:
            raise LineError("the row has no fields")
        flaw = time_flaw(ts)
        if flaw is not None:
            raise LineError(flaw)
        return f"{prefix}{','.join(parts)} {ts}"

    def encode_all(
        self, rows: Sequence[TelemetryRow], refuse: Callable[[TelemetryRow, str], None]
    ) -> tuple[list[TelemetryRow], list[bytes]]:
        """Encode the rows that can be sent, each beside its line; the others go to ``refuse`` with the reason."""
        kept: list[TelemetryRow] = []
        lines: list[bytes] = []
        for row in rows:
            try:
                line = self.encode(row).encode()
            except LineError as flaw:
                refuse(row, str(flaw))
            else:
                kept.append(row)
                lines.append(line)
        return kept, lines

    def _remember(self, series: Series) -> str:
        prefix = _series_prefix(series)
        if len(self._series) >= CACHE_LIMIT:
            self._series.clear()
        self._series[series] = prefix
        return prefix
