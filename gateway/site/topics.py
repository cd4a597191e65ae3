"""The topic patterns a profile claims beside the native ones, and where two of them would name different devices."""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations

from gateway.site.document import Path
from gateway.site.problems import Report

MAX_TOPIC_BYTES = 65_535
_CAPTURE = re.compile(r"\{([a-z]{1,32})\}")
_FORM = "a pattern is levels joined by '/', with {device} as one of them, such as zigbee2mqtt/{device}"


def check_claims(patterns: Iterable[str], report: Report) -> None:
    """Report what is wrong with each pattern by itself."""
    for index, pattern in enumerate(patterns):
        message = _fault(pattern)
        if message:
            report(("topics", index), f"found {pattern!r}: {message}")


def _fault(pattern: str) -> str:
    levels = pattern.split("/")
    captures = [match[1] for level in levels if (match := _CAPTURE.fullmatch(level))]
    if "" in levels:
        return f"an empty level; {_FORM}"
    if any(char in pattern for char in "+#\0") or len(pattern.encode()) > MAX_TOPIC_BYTES:
        return f"the wildcards + and # are not allowed; {_FORM}"
    if any(("{" in level or "}" in level) and not _CAPTURE.fullmatch(level) for level in levels):
        return f"a capture is a level of its own; {_FORM}"
    if captures.count("device") != 1 or len(set(captures)) != len(captures):
        return f"exactly one {{device}} is needed, and no capture twice; {_FORM}"
    return ""


def check_clashes(claims: Mapping[str, Path], topic_root: str, site: str, report: Report) -> None:
    """Report patterns that one topic can match with two different device names.

    Args:
        claims: each pattern of every profile in use, and where to report it.
        topic_root: of the native topics.
        site: the id in the native topics.
        report: told of each clash.
    """
    native = f"{topic_root}/{site}/{{device}}/{{what}}"
    sound = [pattern for pattern in claims if not _fault(pattern)]
    for pattern in sound:
        if _overlap(native.split("/"), pattern.split("/")):
            report(
                claims[pattern], f"the topic pattern {pattern!r} takes topics of the native form {native!r}"
            )
    for first, second in combinations(sound, 2):
        one, two = first.split("/"), second.split("/")
        if one.index("{device}") != two.index("{device}") and _overlap(one, two):
            clash = f"the topic pattern {second!r} clashes with {first!r}: one topic would name two devices"
            report(claims[second], clash)


def _overlap(first: list[str], second: list[str]) -> bool:
    """Whether some topic fits both patterns."""
    same_length = len(first) == len(second)
    return same_length and all(
        one == two or "{" in one or "{" in two for one, two in zip(first, second, strict=True)
    )
