"""The small values of both files: ids, durations, numbers or ``$params``, titles. One pydantic type each."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Scalar, Title, show_duration

MAX_DURATION: Millis = 3660 * DAY
LARGEST = 1e300
"""Refuses infinity, what is not a number, and integers past what a float holds."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_PARAM = re.compile(r"\$([A-Za-z][A-Za-z0-9_-]{0,63})")
_DURATION = re.compile(
    r"(?=\d)(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m(?!s))?(?:(\d{1,10})s)?(?:(\d{1,12})ms)?"
)
_MULTIPLE = re.compile(r"(\d{1,4})x")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DURATION_FORM = "a duration has a unit, such as 30s, 2m, 1h30m or 7d"


@dataclass(frozen=True, slots=True)
class Param:
    """A ``$name`` that stands for a parameter of the profile."""

    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """A duration given as the value of a parameter."""

    millis: Millis


@dataclass(frozen=True, slots=True)
class Multiple:
    """So many report intervals."""

    times: int


def shown(value: object) -> str:
    """What was found, short enough for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a line's worth


def _check_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"found {shown(text)}; an id is 1 to 64 of A-Z a-z 0-9 _ -")
    return text


def _parse_id(value: object) -> str:
    if isinstance(value, bool | int | float):
        raise ValueError(f"found {shown(value)}, which is not text; put it in quotes")  # noqa: TRY004 - pydantic wants ValueError
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}; an id is 1 to 64 of A-Z a-z 0-9 _ -")  # noqa: TRY004 - as above
    return _check_id(value)


def check_name(text: str) -> str:
    """Take the name of a point, event, rule, parameter or calendar.

    Raises:
        ValueError: it is not a letter and what may follow one.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"found {shown(text)}; a name is a letter, then up to 63 of A-Z a-z 0-9 _ -")
    return text


def duration(value: object) -> Millis:
    """Read ``30s``, ``2m``, ``1h30m``, ``7d`` or ``500ms`` into milliseconds.

    Raises:
        ValueError: it is something else, or longer than ten years.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"found {shown(value)}; {_DURATION_FORM}")
    units = (DAY, HOUR, MINUTE, SECOND, 1)
    total = sum(int(part) * unit for part, unit in zip(match.groups(), units, strict=True) if part)
    if total > MAX_DURATION:
        raise ValueError(f"found {shown(value)}; a duration is at most {MAX_DURATION // DAY}d")
    return total


def positive_duration(value: object) -> Millis:
    """Read a duration that is longer than nothing.

    Raises:
        ValueError: it is something else.
    """
    millis = duration(value)
    if millis == 0:
        raise ValueError(f"found {shown(value)}; it must be longer than nothing")
    return millis


def between(low: Millis, high: Millis) -> AfterValidator:
    """Takes durations from ``low`` to ``high``, both included."""

    def check(millis: Millis) -> Millis:
        if not low <= millis <= high:
            span = f"{show_duration(low)} to {show_duration(high)}"
            raise ValueError(f"found {show_duration(millis)}; {span} is allowed")
        return millis

    return AfterValidator(check)


def number(value: object) -> float:
    """Take a finite number.

    Raises:
        ValueError: it is text, a boolean, infinite or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"found {shown(value)}; a number is needed")  # noqa: TRY004 - as above
    if not abs(value) <= LARGEST:
        raise ValueError(f"found {shown(value)}; a number between -1e300 and 1e300 is needed")
    return float(value)


def _param(value: object) -> Param | None:
    if not isinstance(value, str) or not value.startswith("$"):
        return None
    match = _PARAM.fullmatch(value)
    if match is None:
        raise ValueError(f"found {shown(value)}; a parameter is written $name")
    return Param(match[1])


def _number_or_param(value: object) -> float | Param:
    return _param(value) or number(value)


def _duration_or_param(value: object) -> Millis | Param:
    return _param(value) or duration(value)


def _silence(value: object) -> Millis | Param | Multiple:
    match = _MULTIPLE.fullmatch(value) if isinstance(value, str) else None
    if match is not None and int(match[1]) > 0:
        return Multiple(int(match[1]))
    try:
        return _param(value) or positive_duration(value)
    except ValueError as exc:
        raise ValueError(f"{exc}, or so many report intervals: 3x") from exc


def _count(value: object) -> int | Param:
    param = _param(value)
    if param is not None:
        return param
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"found {shown(value)}; a whole number from 1 up is needed")
    return value


def param_value(value: object) -> float | Span:
    """Take the value of a parameter: a number, or a duration as text.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return Span(duration(value))
    try:
        return number(value)
    except ValueError as exc:
        raise ValueError(
            f"found {shown(value)}; a parameter is a finite number or a duration such as 30s"
        ) from exc


def scalar(value: object) -> Scalar:
    """Take one plain value.

    Raises:
        ValueError: it is a list, a mapping, nothing, or not finite.
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"found {shown(value)}; one plain value is needed")


def _scalars(value: object) -> tuple[Scalar, ...]:
    if isinstance(value, list):
        if not value:
            raise ValueError("found an empty list; at least one value is needed")
        return tuple(scalar(item) for item in value)
    return (scalar(value),)


def _scalar_list(value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list):
        raise ValueError(f"found {shown(value)}; a list of values is needed, such as [fault, alarm]")  # noqa: TRY004 - as above
    return _scalars(value)


def _pair(value: object) -> tuple[float | Param, float | Param]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - low and high
        raise ValueError(f"found {shown(value)}; two limits are needed, such as [5, 40]")
    low, high = (_number_or_param(item) for item in value)
    return low, high


def _range(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - low and high
        raise ValueError(f"found {shown(value)}; two numbers are needed, such as [-40, 200]")
    low, high = (number(item) for item in value)
    if low >= high:
        raise ValueError(f"found [{low:g}, {high:g}]; the first must be below the second")
    return low, high


def _line_of_text(value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}; text is needed (put it in quotes)")  # noqa: TRY004 - as above
    text = value.strip()
    if not text or len(text) > longest:
        raise ValueError(f"found {len(text)} characters; 1 to {longest} are allowed")
    if _CONTROL.search(text.replace("\n", "") if longest > 200 else text):  # noqa: PLR2004 - only long texts have lines
        raise ValueError(f"found a control character in {shown(text)}; plain text is needed")
    return text


def _title(value: object, longest: int) -> Title:
    if isinstance(value, str):
        text = _line_of_text(value, longest)
        return Title(text, text)
    if not isinstance(value, dict):
        raise ValueError(f"found {shown(value)}; text is needed, or {{en: ..., zh: ...}}")  # noqa: TRY004 - as above
    odd = [key for key in value if key not in ("en", "zh")]
    if odd or "en" not in value:
        raise ValueError(
            f"found the languages {', '.join(value) or 'none'}; en is needed, zh may stand beside it"
        )
    en = _line_of_text(value["en"], longest)
    return Title(en, _line_of_text(value["zh"], longest) if "zh" in value else en)


def _text(value: object) -> str:
    return _line_of_text(value, 200)


def _schema(**schema: Any) -> WithJsonSchema:  # noqa: ANN401 - JSON Schema is untyped
    return WithJsonSchema(schema)


_PARAM_SCHEMA = {"type": "string", "pattern": f"^{_PARAM.pattern}$"}
_DURATION_SCHEMA = {"type": "string", "examples": ["30s", "2m", "1h30m", "7d"]}
_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, _PARAM_SCHEMA]}
_SCALAR_SCHEMA = {"type": ["boolean", "number", "string"]}
_TITLE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
            "required": ["en"],
            "additionalProperties": False,
        },
    ]
}

Id = Annotated[str, PlainValidator(_parse_id), _schema(type="string", pattern=f"^{_ID.pattern}$")]
"""The id of a device, building, checkpoint: part of topics and addresses."""
Name = Annotated[str, AfterValidator(check_name)]
"""The name of a point, event, rule or parameter: a field in the telemetry store."""
Text = Annotated[str, PlainValidator(_text), _schema(type="string", minLength=1, maxLength=200)]
"""One line a person reads."""
Duration = Annotated[Millis, PlainValidator(duration), _schema(**_DURATION_SCHEMA)]
PositiveDuration = Annotated[Millis, PlainValidator(positive_duration), _schema(**_DURATION_SCHEMA)]
DurationOrParam = Annotated[Millis | Param, PlainValidator(_duration_or_param), _schema(**_DURATION_SCHEMA)]
Silence = Annotated[Millis | Param | Multiple, PlainValidator(_silence), _schema(**_DURATION_SCHEMA)]
Number = Annotated[float, PlainValidator(number), _schema(type="number")]
NumberOrParam = Annotated[float | Param, PlainValidator(_number_or_param), _schema(**_NUMBER_SCHEMA)]
CountOrParam = Annotated[int | Param, PlainValidator(_count), _schema(**_NUMBER_SCHEMA)]
ParamValue = Annotated[float | Span, PlainValidator(param_value), _schema(type=["number", "string"])]
Limits = Annotated[
    tuple[float | Param, float | Param],
    PlainValidator(_pair),
    _schema(type="array", items=_NUMBER_SCHEMA, minItems=2, maxItems=2),
]
ValidRange = Annotated[
    tuple[float, float],
    PlainValidator(_range),
    _schema(type="array", items={"type": "number"}, minItems=2, maxItems=2),
]
OneScalar = Annotated[Scalar, PlainValidator(scalar), _schema(**_SCALAR_SCHEMA)]
Scalars = Annotated[
    tuple[Scalar, ...],
    PlainValidator(_scalars),
    _schema(anyOf=[_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}]),
]
ScalarList = Annotated[
    tuple[Scalar, ...], PlainValidator(_scalar_list), _schema(type="array", items=_SCALAR_SCHEMA, minItems=1)
]
TitleText = Annotated[Title, PlainValidator(lambda value: _title(value, 200)), _schema(**_TITLE_SCHEMA)]
LongText = Annotated[Title, PlainValidator(lambda value: _title(value, 4000)), _schema(**_TITLE_SCHEMA)]
