"""JSON in payloads, read and written again so that no value changes: integers of any length, floats as they are."""

import json
from typing import Any, NamedTuple


class Body(NamedTuple):
    """What a payload holds."""

    value: object
    repeated: bool = False
    """A name stands in an object more than once; only its last value is in ``value``."""


def parsed(payload: bytes) -> Body:
    """The content of a JSON payload. Raises :class:`ValueError` when it is none that can be read."""
    repeated = False

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) != len(pairs)
        return found

    try:
        value = json.loads(payload.decode(), object_pairs_hook=fields)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return Body(value, repeated)


def written(value: object) -> bytes:
    """A value as JSON. Raises :class:`ValueError` for NaN, Infinity and numbers past the floats."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character, as readers cut texts; only an escape can carry it
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
