"""Text that looks like JSON and is none, such as an object that was cut off: its values by name, as far as they can be told."""

import re
from collections.abc import Callable, Iterator
from typing import Final

_TOKEN: Final = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*(?:"|\\?\Z))|(?P<sign>[\[\]{}:,])|[^\s\[\]{}:,"]+', re.DOTALL
)
_COLON: Final = re.compile(r"\s*:")


def replace_values(text: str, named: Callable[[str], bool], other: Callable[[str], str]) -> str:
    """The text with each value replaced whose name is ``named``, and all within it.

    Args:
        text: in linear time, whatever it is.
        named: whether the value of a name is meant.
        other: what stands in for a value as it is written; a text may lack its closing quotation mark.
    """
    return "".join(_pieces(text, named, other))


def _pieces(text: str, named: Callable[[str], bool], other: Callable[[str], str]) -> Iterator[str]:
    done = depth = 0
    inside: int | None = None
    """The depth of the list or object that is replaced as a whole."""
    name, awaited = "", False
    for token in _TOKEN.finditer(text):
        word = token[0]
        if token["sign"] is None:
            if token["text"] is not None and _COLON.match(text, token.end()):
                name = word
                continue
            if awaited or inside is not None:
                yield text[done : token.start()]
                yield other(word)
                done = token.end()
            awaited = False
        elif word in "[{":
            depth += 1
            inside = depth if awaited and inside is None else inside
            awaited = False
        elif word in "]}":
            inside = None if inside is not None and depth <= inside else inside
            depth -= 1
        else:
            awaited = word == ":" and named(name.strip('"'))
    yield text[done:]
