"""YAML as owners write it, and its traps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.site.document import DocumentError, parse


def fault(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        parse("f.yaml", text)
    return str(caught.value.problem)


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "y", "NO", "22:00", "2026-09-21", "1_000", "0b11", "12e", "0x"]
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_text(word: str) -> None:
    assert parse("f.yaml", f"a: {word}").data == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("012", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.", 1.0),
        (".5", 0.5),
        ("6e3", 6000.0),
        ("-.inf", float("-inf")),
        ("'12'", "12"),
        ("!!str 12", "12"),
    ],
)
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    data = parse("f.yaml", f"a: {text}").data
    assert isinstance(data, dict)
    assert data["a"] == value
    assert type(data["a"]) is type(value)


def test_keys_are_text_even_when_they_look_like_something_else() -> None:
    assert parse("f.yaml", "{on: 1, no: 2, 1: 3, true: 4}").data == {"on": 1, "no": 2, "1": 3, "true": 4}


def test_lines_of_keys_items_and_of_what_is_absent() -> None:
    document = parse("f.yaml", "a: 1\nb:\n  - x\n  -\n    c: 2\n")
    assert [
        document.line(path) for path in [(), ("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "no", "such")]
    ] == [
        1,
        1,
        2,
        3,
        5,
        5,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: the key 'a' was already given on line 1"),
        ("a:\n  x: 1\n  x: 1\n", "f.yaml:3: a.x: the key 'x' was already given on line 2"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            "f.yaml:3: c: merge keys (<<) are not part of YAML 1.2; write the entries out",
        ),
        (
            "a: !!python/object:os.system x",
            "f.yaml:1: a: the tag 'tag:yaml.org,2002:python/object:os.system' is not",
        ),
        ("a: !secret x", "f.yaml:1: a: the tag '!secret' is not allowed"),
        ("a: !!set {x}", "f.yaml:1: a: the tag"),
        ("[1, 2]: 3", "f.yaml:1: a key must be text"),
        ("a: &x [*x]", "f.yaml:1: a.0: an alias that contains itself"),
        ("", "f.yaml:1: the file is empty"),
        ("# nothing\n", "f.yaml:1: the file is empty"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2: not valid YAML: "),
        ("a: 1\n\tb: 2\n", "f.yaml:2: not valid YAML: "),
        ("a: *nobody", "f.yaml:1: not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not valid YAML: expected a single document"),
        ("a: 1\nb: \x07\n", "f.yaml:2: not valid YAML: "),
    ],
)
def test_what_is_refused_names_its_line(text: str, message: str) -> None:
    assert fault(text).startswith(message)


def test_aliases_that_multiply_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.site.document.MAX_NODES", 10_000)
    layers = "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(9))
    assert "look for an alias that repeats itself" in fault(f"a0: &a0 [x]\n{layers}\n")


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    assert "f.yaml" in fault("[" * 5000)


WORDS = st.characters(
    max_codepoint=0xFFFF, exclude_categories=["Cs"]
)  # JSON writes the others as two escapes; YAML takes keys of up to 1,024 characters


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(WORDS),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(WORDS, min_size=1, max_size=80), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: {"value": value})
)
def test_json_is_yaml(value: dict[str, object]) -> None:

    def merged(found: object) -> bool:
        if isinstance(found, dict):
            return "<<" in found or any(map(merged, found.values()))
        return isinstance(found, list) and any(map(merged, found))

    if not merged(value):
        assert parse("f.yaml", json.dumps(value)).data == value
