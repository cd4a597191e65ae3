"""YAML text as plain data that remembers the line of every field.

The schema is YAML 1.2's core: ``on``, ``no`` and ``22:00`` are text, only ``true`` and ``false`` are booleans, and
nothing is a date. Duplicate keys, merge keys and tags such as ``!!python/object`` are refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from gateway.core.values import Json
from gateway.errors import Problem

Path: TypeAlias = tuple[str | int, ...]
"""The way from the top of a document to a field: keys, and indexes counted from 0."""

MAX_NODES = 2_000_000
"""Fields of one document, aliases counted each time they are used."""

MAX_DEPTH = 100
"""Fields within fields."""

_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _STR = (_TAG + name for name in ("null", "bool", "int", "float", "str"))


class _CoreLoader(yaml.CSafeLoader):
    """libyaml's parser with the scalars of the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own field

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._tags: dict[str, str] = {}
        self._depth = 0

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node; of an unquoted scalar it depends on the text alone, and files repeat their words."""
        if kind is not yaml.ScalarNode or not implicit[0]:
            return self._found(kind, value, implicit)
        tag = self._tags.get(value)
        if tag is None:
            tag = self._tags[value] = self._found(kind, value, implicit)
        return tag

    def _found(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it open
        return tag

    def descend_resolver(self, _parent: yaml.Node | None, _index: object) -> None:
        """No tag depends on where a node stands. But libyaml goes as deep as it is led, and the stack ends before."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")

    def ascend_resolver(self) -> None:
        """See above."""
        self._depth -= 1


for _tag, _pattern, _first in (
    (_NULL, r"~|null|Null|NULL|", "~nN\0"),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    (_FLOAT, r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
):
    _CoreLoader.add_implicit_resolver(
        _tag, re.compile(f"(?:{_pattern})$"), ["" if first == "\0" else first for first in _first]
    )


class DocumentError(Exception):
    """The text is not YAML that can be used; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Lines:
    """The line of every field of a text, found when the first one is asked for: where nothing is wrong nobody asks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[Path, int] = {}

    def of(self, path: Path) -> int:
        """The line of a field, counted from 1; of the nearest thing around it where the field itself is absent."""
        if not self._found:
            _find_lines(_compose(self._text), (), self._found)
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data, and the lines it came from."""

    name: str
    data: Json
    lines: Lines = field(repr=False)
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Of lists that were read without their broken entries: the indexes of those that were kept."""

    def original(self, path: Path) -> Path:
        """The path in the file of a path in what was kept of it."""
        match path:
            case (str(section), int(index), *rest) if section in self.kept:
                return (section, self.kept[section][index], *rest)
            case _:
                return path

    def line(self, path: Path) -> int:
        """The line of a field, counted from 1; of the nearest thing around it where the field itself is absent."""
        return self.lines.of(path)


def parse(name: str, text: str) -> Document:
    """Read YAML.

    Args:
        name: the file's name, for messages.
        text: its content.

    Raises:
        DocumentError: the text is not YAML, holds a duplicate key, or is empty.
    """
    reader = _Reader(name)
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        words = ", ".join(part for part in (exc.context, exc.problem) if part)
        raise reader.error(mark.line + 1 if mark else 0, "", f"not valid YAML: {words}") from exc
    except (yaml.YAMLError, RecursionError) as exc:
        position = getattr(exc, "position", None)
        line = text.count("\n", 0, position) + 1 if position is not None else 0
        raise reader.error(line, "", f"not valid YAML: {str(exc).splitlines()[0]}") from exc
    if node is None:
        raise reader.error(1, "", "the file is empty")
    data = reader.value(node, ())
    return Document(name, data, Lines(text))


def _compose(text: str) -> yaml.Node | None:
    loader = _CoreLoader(text.removeprefix("\ufeff"))
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _find_lines(node: yaml.Node | None, path: Path, found: dict[Path, int]) -> None:
    """The lines of a document that could be read: entries of a mapping are where their keys are."""
    if node is None:
        return
    found.setdefault(path, _line(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _find_lines(item, (*path, index), found)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[(*path, key.value)] = _line(key)
            _find_lines(value, (*path, key.value), found)


def listed_ids(data: Json, section: str) -> dict[str, None]:
    """The ids a list of the file gives, those of entries that are wrong elsewhere included, in order."""
    entries = data.get(section) if isinstance(data, dict) else None
    found = (
        [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    return dict.fromkeys(name for name in found if isinstance(name, str))


def listed_keys(data: Json, section: str) -> tuple[str, ...]:
    """The names a section of the file gives, in order."""
    entries = data.get(section) if isinstance(data, dict) else None
    return tuple(entries) if isinstance(entries, dict) else ()


class _Reader:
    """Turns nodes into data."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields = 0
        self.open: set[int] = set()

    def error(self, line: int, field: str, message: str) -> DocumentError:
        return DocumentError(Problem(self.name, line, field, message))

    def value(self, node: yaml.Node, path: Path) -> Json:
        self.fields += 1
        if isinstance(node, yaml.ScalarNode) and self.fields <= MAX_NODES:
            return node.value if node.tag == _STR else self.scalar(node, path)
        line = _line(node)
        if self.fields > MAX_NODES:
            raise self.error(
                line, "", f"more than {MAX_NODES:,} fields; look for an alias that repeats itself"
            )
        if id(node) in self.open:
            raise self.error(line, _text(path), "an alias that contains itself")
        self.open.add(id(node))
        found: Json
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            found = [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            found = self.mapping(node, path)
        else:
            raise self.error(line, _text(path), f"the tag {node.tag!r} is not allowed; write plain data")
        self.open.discard(id(node))
        return found

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                raise self.error(
                    _line(key), _text(path), "a key must be text; what looks like one may need quotes"
                )
            name = key.value
            if name == "<<":
                raise self.error(
                    _line(key), _text(path), "merge keys (<<) are not part of YAML 1.2; write the entries out"
                )
            if name in found:
                first = _line(next(one for one, _ in node.value if one.value == name))
                raise self.error(
                    _line(key), _text((*path, name)), f"the key {name!r} was already given on line {first}"
                )
            found[name] = self.value(value, (*path, name))
        return found

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Json:
        text: str = node.value
        match node.tag:
            case tag if tag == _NULL:
                return None
            case tag if tag == _BOOL:
                return text.lower() == "true"
            case tag if tag == _INT:
                return _integer(text)
            case tag if tag == _FLOAT:
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            case _:
                line = _line(node)
                raise self.error(line, _text(path), f"the tag {node.tag!r} is not allowed; write plain data")


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line + 1
    return line


def _integer(text: str) -> int | float:
    if text.startswith(("0x", "0o")):
        return int(text, 0)
    return int(text) if len(text) <= 4300 else float("inf")  # noqa: PLR2004 - Python's own limit on digits


def _text(path: Path) -> str:
    return ".".join(str(part) for part in path)
