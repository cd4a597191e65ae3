"""What differs between two results, for a person."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import msgspec

from gateway.core.effects import Outcome
from gateway.core.values import Millis, show_duration

ALIGNED_MOST = 3_000
"""Outcomes on either side that are still lined up one with the other; more are compared by content alone."""

Sign = Literal["-", "+", "~"]


class Difference(NamedTuple):
    """One place where two results differ."""

    sign: Sign
    """``-`` expected and not found, ``+`` found and not expected, ``~`` something about it is different."""
    expected: Outcome | None
    found: Outcome | None


def differences(expected: Sequence[Outcome], found: Sequence[Outcome]) -> list[Difference]:
    """Every place where two results differ, in order; empty when they are the same, line for line."""
    begin = _same(expected, found)
    end = _same(expected[begin:][::-1], found[begin:][::-1])
    missing, extra = expected[begin : len(expected) - end], found[begin : len(found) - end]
    if not missing and not extra:
        return []
    if max(len(missing), len(extra)) > ALIGNED_MOST:
        return list(_by_content(missing, extra))
    return list(_paired(missing, extra))


def _same(one: Sequence[Outcome], other: Sequence[Outcome]) -> int:
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _paired(missing: Sequence[Outcome], extra: Sequence[Outcome]) -> Iterator[Difference]:
    keys = [_identity(one) for one in missing], [_identity(one) for one in extra]
    for _, low, high, start, stop in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        same = keys[0][low:high] == keys[1][start:stop]
        if same:
            pairs = zip(missing[low:high], extra[start:stop], strict=True)
            yield from (Difference("~", one, other) for one, other in pairs if one != other)
            continue
        yield from (Difference("-", one, None) for one in missing[low:high])
        yield from (Difference("+", None, one) for one in extra[start:stop])


def _identity(one: Outcome) -> tuple[str, str | None, str | None, str | None]:
    return one.kind, one.device, one.rule, one.level


def _by_content(missing: Sequence[Outcome], extra: Sequence[Outcome]) -> Iterator[Difference]:
    texts = [msgspec.json.encode(one) for one in missing], [msgspec.json.encode(one) for one in extra]
    counts = Counter(texts[0]), Counter(texts[1])
    gone, new = counts[0] - counts[1], counts[1] - counts[0]
    found: list[Difference] = []
    for text, one in zip(texts[0], missing, strict=True):
        if gone[text] > 0:
            gone[text] -= 1
            found.append(Difference("-", one, None))
    for text, one in zip(texts[1], extra, strict=True):
        if new[text] > 0:
            new[text] -= 1
            found.append(Difference("+", None, one))
    if not found:  # the same outcomes in another order
        first = next(pair for pair in zip(missing, extra, strict=True) if pair[0] != pair[1])
        found.append(Difference("~", *first))
    yield from sorted(found, key=lambda one: (one.expected or one.found or missing[0]).at)


def told(difference: Difference, moment: Callable[[Millis], str]) -> str:
    """A difference in a line; ``moment`` writes a time as people read it."""
    expected, found = difference.expected, difference.found
    if expected is None or found is None:
        one = expected or found
        return f"{difference.sign} {_told(one, moment)}" if one is not None else ""
    return f"~ {_told(expected, moment)}\n      {'; '.join(_changes(expected, found, moment))}"


def _told(one: Outcome, moment: Callable[[Millis], str]) -> str:
    level = f"{one.rule}/{one.level}" if one.rule and one.level else one.rule
    detail = [f"{name}={_word(value)}" for name, value in one.detail.items() if value is not None]
    words = (moment(one.at), one.kind, one.device, level, one.actor and f"by={one.actor}", *detail)
    return " ".join(word for word in words if word)


def _changes(expected: Outcome, found: Outcome, moment: Callable[[Millis], str]) -> Iterator[str]:
    if expected.at != found.at:
        shift = show_duration(abs(found.at - expected.at))
        yield f"found {moment(found.at)}, {shift} {'later' if found.at > expected.at else 'earlier'}"
    for name in ("subject", "actor"):
        if getattr(expected, name) != getattr(found, name):
            yield f"{name}: expected {getattr(expected, name)}, found {getattr(found, name)}"
    for name in dict.fromkeys((*expected.detail, *found.detail)):
        was, now = expected.detail.get(name), found.detail.get(name)
        if was != now:
            yield f"{name}: expected {_word(was)}, found {_word(now)}"
    if expected == found:
        yield "it stands at another place in the order"


def _word(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
