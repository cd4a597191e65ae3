"""Durations, parameters, titles."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.core.values import Title, show_duration
from gateway.site.fields import (
    MAX_DURATION,
    CountOrParam,
    Id,
    LongText,
    Multiple,
    NumberOrParam,
    Param,
    ParamValue,
    Silence,
    Span,
    TitleText,
    duration,
)


def refusal(kind: Any, value: object) -> str:  # noqa: ANN401 - an annotated type has no type of its own
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return caught.value.errors()[0]["msg"]


@given(st.integers(0, MAX_DURATION))
def test_every_duration_can_be_written_and_read_back(millis: int) -> None:
    assert duration(show_duration(millis)) == millis


@given(st.text(alphabet="0123456789dhms. -+x", max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        found = duration(text)
    except ValueError:
        return
    assert 0 <= found <= MAX_DURATION


@pytest.mark.parametrize(
    ("text", "millis"),
    [("30s", 30_000), ("2m", 120_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("500ms", 500), ("0s", 0)],
)
def test_durations(text: str, millis: int) -> None:
    assert duration(text) == millis


@pytest.mark.parametrize(
    "value", [120, 1.5, "120", "", "m", "30m1h", "1.5h", "-2m", "2 m", "5w", True, None, ["2m"], "99999d"]
)
def test_what_is_no_duration_is_said_with_what_is_one(value: object) -> None:
    with pytest.raises(ValueError, match=r"a duration (has a unit, such as 30s, 2m|is at most 3660d)"):
        duration(value)


def test_numbers_and_parameters() -> None:
    adapter: TypeAdapter[float | Param] = TypeAdapter(NumberOrParam)
    assert adapter.validate_python(3) == 3.0
    assert adapter.validate_python("$limit") == Param("limit")
    for value in ("3", True, None, float("nan"), float("inf"), 10**400, [1]):
        assert "number" in refusal(NumberOrParam, value)
    assert "written $name" in refusal(NumberOrParam, "$1")


def test_a_count_is_a_whole_number_from_one_up() -> None:
    for value in (0, -1, 2.0, True, "5"):
        assert "a whole number from 1 up is needed" in refusal(CountOrParam, value)


def test_silence_is_a_duration_or_so_many_report_intervals() -> None:
    adapter: TypeAdapter[object] = TypeAdapter(Silence)
    assert adapter.validate_python("3x") == Multiple(3)
    assert adapter.validate_python("90s") == 90_000
    for value in ("0x", "0s", "x", 3, "1.5x"):
        assert "or so many report intervals: 3x" in refusal(Silence, value)


def test_a_parameter_is_a_number_or_a_duration() -> None:
    adapter: TypeAdapter[object] = TypeAdapter(ParamValue)
    assert adapter.validate_python(80) == 80.0
    assert adapter.validate_python("60m") == Span(3_600_000)
    for value in (True, None, "warm", [1], float("inf")):
        assert refusal(ParamValue, value)


def test_titles_in_one_language_or_two() -> None:
    adapter: TypeAdapter[Title] = TypeAdapter(TitleText)
    assert adapter.validate_python("Pump") == Title("Pump", "Pump")
    assert adapter.validate_python({"en": "Pump", "zh": "水泵"}) == Title("Pump", "水泵")
    assert adapter.validate_python({"en": "Pump"}) == Title("Pump", "Pump")
    for value in (
        {"zh": "水泵"},
        {"en": "Pump", "de": "Pumpe"},
        {},
        5,
        "",
        "a\nb",
        "a\x1b[31m",
        "x" * 201,
        {"en": None},
    ):
        assert refusal(TitleText, value)


def test_only_long_texts_have_lines() -> None:
    adapter: TypeAdapter[Title] = TypeAdapter(LongText)
    assert adapter.validate_python("first\nsecond").en == "first\nsecond"
    assert "control character" in refusal(LongText, "a\x00b")


@pytest.mark.parametrize("value", ["t1-lift-1", "A", "0", "_", "x" * 64])
def test_ids(value: str) -> None:
    assert TypeAdapter(Id).validate_python(value) == value


@pytest.mark.parametrize("value", ["", "x" * 65, "a/b", "a b", "é", "a.b", "+", "#", None, 7, True])
def test_what_is_no_id(value: object) -> None:
    assert "an id is" in refusal(Id, value) or "put it in quotes" in refusal(Id, value)
