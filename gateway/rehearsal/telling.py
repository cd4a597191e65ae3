"""Comparing what a file says with what there is, and showing both in the file's own words."""

import enum
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.values import Level, Millis, show_duration
from gateway.rehearsal.moments import EARLIEST, Moments
from gateway.site.fields import duration

_LONGEST = 400


def plain(value: Any) -> Any:  # noqa: ANN401 - any field of any record
    """A field of a record as plain values."""
    if isinstance(value, Level):
        return value.label
    if isinstance(value, enum.StrEnum):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


class Telling:
    """How one scenario writes values.

    Args:
        moments: its times.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self.like = ""
        """A time as the file last wrote it: others are shown alike."""

    def fits(self, found: Any, wanted: Any) -> bool:  # noqa: ANN401 - YAML is untyped
        """Whether a plain value is the one a file asks for. Of a mapping only the entries named are compared."""
        if isinstance(wanted, dict) and isinstance(found, dict):
            return all(name in found and self.fits(found[name], value) for name, value in wanted.items())
        if isinstance(found, list):
            return (
                len(found) == len(wanted) and all(map(self.fits, found, wanted))
                if isinstance(wanted, list)
                else any(self.fits(one, wanted) for one in found)
            )
        if isinstance(found, bool) or isinstance(wanted, bool) or found is None or wanted is None:
            return found is wanted
        if isinstance(wanted, int | float) and isinstance(found, int | float):
            return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
        if isinstance(wanted, str) and isinstance(found, int):
            return self._is_time(found, wanted)
        if isinstance(wanted, str) and isinstance(found, dict):
            return wanted in found.values()  # a title in one of its languages
        return bool(found == wanted)

    def _is_time(self, found: int, wanted: str) -> bool:
        if found >= EARLIEST:
            return self._moments.means(wanted, found)
        try:
            return found == duration(wanted)
        except ValueError:
            return False

    def moment(self, at: Millis) -> str:
        """A moment in milliseconds UTC."""
        return self._moments.show(at, self.like)

    def show(self, value: Any, wanted: Any = None) -> str:  # noqa: ANN401 - any value
        """A value in words; times like the one that is wanted."""
        text = self._show(value, wanted)
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

    def _show(self, value: Any, wanted: Any) -> str:  # noqa: ANN401 - as above
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int) and value >= EARLIEST:
            return self._moments.show(value, wanted if isinstance(wanted, str) else self.like)
        if isinstance(value, int) and isinstance(wanted, str):
            return show_duration(value) if value >= 0 else str(value)
        if isinstance(value, float):
            return f"{value:.10g}"
        if isinstance(value, dict):
            parts = wanted if isinstance(wanted, dict) else value
            inner = ", ".join(
                f"{name}: {self._show(value.get(name), wanted=one if parts is wanted else None)}"
                for name, one in parts.items()
            )
            return f"{{{inner}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._show(one, None) for one in value)}]"
        return str(value)
