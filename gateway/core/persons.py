"""Whether two names mean one person, where two different people are asked for."""

import unicodedata


def is_same(one: str, other: str | None) -> bool:
    r"""Whether both names read alike: case, width and characters that nobody sees make no second person.

    Example:
        >>> is_same("Anna", "an\\u200bna")
        True
    """
    return other is not None and seen(one) == seen(other)


def seen(name: str) -> str:
    """A name as the eye takes it: without case, width and characters that nobody sees."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(one for one in folded if unicodedata.category(one) != "Cf").split())
