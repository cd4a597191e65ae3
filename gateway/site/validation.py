"""From plain data to a validated model, with every problem at its line and in the owner's words."""

import types
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.core.values import Json
from gateway.site.document import Document, Path
from gateway.site.fields import shown
from gateway.site.problems import Problems, unknown

ModelT = TypeVar("ModelT", bound=BaseModel)

_SHAPES = {
    "dict_type": "a mapping (name: value) is needed",
    "model_type": "a mapping (field: value) is needed",
    "model_attributes_type": "a mapping (field: value) is needed",
    "list_type": "a list is needed",
    "string_type": "text is needed (put it in quotes)",
    "bool_type": "true or false is needed",
    "int_type": "a whole number is needed",
}


def validate(
    document: Document, model: type[ModelT], problems: Problems, optional: Collection[str]
) -> tuple[ModelT, Document] | None:
    """Validate a document against a model.

    Args:
        document: the file.
        model: its shape.
        problems: takes each problem.
        optional: sections whose broken entries are left out, so that the rest can still be looked at.

    Returns:
        The model and the document it speaks of (both without the broken entries of ``optional`` sections), or None
        when too little is right.
    """
    try:
        return model.model_validate(document.data), document
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    for error in errors:
        problems.at(document, *_worded(model, error))
    if not all(len(error["loc"]) > 1 and error["loc"][0] in optional for error in errors):
        return None
    data, kept = _without(document.data, {error["loc"][:2] for error in errors})
    try:
        return model.model_validate(data), replace(document, kept=kept)
    except ValidationError:
        return None


def _without(data: Json, broken: Collection[Path]) -> tuple[Json, dict[str, list[int]]]:
    """The data without some entries of its sections, and the indexes that were kept of each list."""
    found: dict[str, Json] = {}
    indexes: dict[str, list[int]] = {}
    for section, entries in data.items() if isinstance(data, dict) else ():
        if isinstance(entries, dict):
            found[section] = {name: entry for name, entry in entries.items() if (section, name) not in broken}
        elif isinstance(entries, list):
            indexes[section] = [index for index in range(len(entries)) if (section, index) not in broken]
            found[section] = [entries[index] for index in indexes[section]]
        else:
            found[section] = entries
    return found, indexes


def _worded(model: type[BaseModel], error: ErrorDetails) -> tuple[Path, str]:
    """The path in the file and the message of one of pydantic's errors."""
    path: Path = tuple(part for part in error["loc"] if part != "[key]")
    found = error["input"]
    match error["type"]:
        case "missing":
            return path[:-1], f"the field {path[-1]!r} is missing"
        case "extra_forbidden":
            return path, unknown("field", str(path[-1]), _fields_around(model, path[:-1]))
        case "value_error":
            return path, str(error["ctx"]["error"])
        case "literal_error" | "enum":
            return path, _wrong_word(found, error["ctx"]["expected"])
        case "too_short":
            return path, "found it empty; at least one entry is needed"
        case kind if kind in _SHAPES:
            return path, f"found {shown(found)}; {_SHAPES[kind]}"
        case "string_pattern_mismatch":
            return path, f"found {shown(found)}; one word is needed, up to 64 of A-Z a-z 0-9 _ . : + -"
        case _:
            return path, f"found {shown(found)}; {error['msg'][:1].lower()}{error['msg'][1:]}"


def _wrong_word(found: object, expected: str) -> str:
    allowed = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    return (
        unknown("word", found, allowed)
        if isinstance(found, str)
        else f"found {shown(found)}; allowed: {expected}"
    )


def _fields_around(model: type[BaseModel], path: Path) -> list[str]:
    """The field names the model has at a path, as the owner writes them."""
    here: Any = model
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = next((field.annotation for name, field in _named(here) if name == part), None)
        else:
            here = get_args(here)[-1] if get_args(here) else None
        here = _bare(here)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [name for name, _ in _named(here)]
    return []


def _named(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """The type without ``Annotated`` and without ``| None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        else:
            return annotation
