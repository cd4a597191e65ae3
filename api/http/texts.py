"""Texts and ids in requests, kept within what may be stored and shown."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from api.http.problems import wrong

INTEGER_MOST = 2**53 - 1
"""The largest whole number every JSON reader takes exactly."""

_UNFIT = {"Cc", "Cs", "Co", "Cn"}
"""Control characters, halves of surrogate pairs, private and unassigned code points."""
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the reading direction: they make one text look like another."""


def _fit(text: str, *, lines: bool) -> str:
    text = text.strip()
    for character in text:
        if unicodedata.category(character) in _UNFIT and not (lines and character in "\n\t"):
            raise ValueError(f"found the character U+{ord(character):04X}; only printable text is allowed")
    if _DIRECTIONS.search(text):
        raise ValueError("found a mark that turns the reading direction; only printable text is allowed")
    return text


def _line(text: str) -> str:
    return _fit(text, lines=False)


def _prose(text: str) -> str:
    return _fit(text.replace("\r\n", "\n"), lines=True)


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
"""One line of text."""
Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_line)]
"""Why somebody does something."""
Prose = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(_prose)]
"""What a person writes; may have line breaks."""
Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_line)]
"""A person's name or id."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The id of a device, record or template."""
Search = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_line)]
"""A text to search for."""


def _exact(value: object) -> object:
    if isinstance(value, int) and abs(value) > INTEGER_MOST:
        raise ValueError(f"a whole number is at most {INTEGER_MOST}")
    return value


Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Finding = Annotated[
    Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True)] | Finite | Prose,
    BeforeValidator(_exact),
]
"""What was found at a step: a word, a number, or yes and no."""


def header_text(name: str, value: str, longest: int = 64) -> str:
    """A short text from a header; UTF-8 is taken although HTTP says Latin-1.

    Raises:
        Problem: it is empty, too long or not printable.
    """
    try:
        text = _line(value.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        raise wrong(f"header.{name}", f"{name} is not UTF-8") from None
    except ValueError as error:
        raise wrong(f"header.{name}", str(error)) from None
    if not 1 <= len(text) <= longest:
        raise wrong(f"header.{name}", f"{name} has {len(text)} characters; 1 to {longest} are allowed")
    return text
