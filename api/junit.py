"""Rule tests as JUnit XML, the way GitHub's, GitLab's and Jenkins' readers take it.

A ``testsuite`` is a file, a ``testcase`` a scenario. A file that cannot be read is one ``testcase`` with an ``error``.
"""

import re
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from api.rule_tests import SUFFIX, Timed, failure_text
from gateway.rehearsal import Played

FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
INSTEAD: Final = "\ufffd"


def junit(results: Iterable[Timed]) -> bytes:
    """The report, UTF-8. Times are seconds; characters that XML forbids are replaced by U+FFFD."""
    root = Element("testsuites", name="fgw test")
    took = 0.0
    for one in results:
        _add_suite(root, one)
        took += sum(one.seconds)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    root.set("time", _seconds(took))
    indent(root)
    whole: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return whole + b"\n"


def _add_suite(root: Element, one: Timed) -> None:
    result = one.result
    unread = 1 if result.problems else 0
    failed = sum(1 for played in result.played if played.failures)
    suite = SubElement(
        root,
        "testsuite",
        name=_plain(result.file),
        file=_plain(result.file),
        tests=str(len(result.played) + unread),
        failures=str(failed),
        errors=str(unread),
        skipped="0",
        time=_seconds(sum(one.seconds)),
    )
    if unread:
        text = "\n".join(map(str, result.problems))
        case = _case(suite, result.file, "the file can be read", result.problems[0].line, 0.0)
        error = SubElement(case, "error", message=_plain(str(result.problems[0])), type="SiteError")
        error.text = _plain(text)
    for played, seconds in zip(result.played, one.seconds, strict=True):
        _add_case(suite, result.file, played, seconds)


def _add_case(suite: Element, file: str, played: Played, seconds: float) -> None:
    case = _case(suite, file, played.title, played.line, seconds)
    if not played.failures:
        return
    first = played.failures[0]
    more = f" (and {len(played.failures) - 1} more)" if len(played.failures) > 1 else ""
    message = f"at {first.at}: expected {first.expected}, found {first.found}{more}"
    # One failure a testcase: several are read by some and dropped by others.
    failure = SubElement(case, "failure", message=_plain(message), type="Failure")
    failure.text = _plain("\n".join(failure_text(played.title, one) for one in played.failures))


def _case(suite: Element, file: str, title: str, line: int, seconds: float) -> Element:
    return SubElement(
        suite,
        "testcase",
        classname=_plain(_class_name(file)),
        name=_plain(title),
        file=_plain(file),
        line=str(max(line, 1)),
        time=_seconds(seconds),
    )


def _class_name(file: str) -> str:
    """``rules/lift.scenario.yaml`` as ``rules.lift``: readers make folders of what stands before each dot."""
    parts = [
        part
        for part in file.removesuffix(SUFFIX).replace("\\", "/").split("/")
        if part not in ("", ".", "..")
    ]
    return ".".join(part.replace(".", "_") for part in parts)


def _plain(text: str) -> str:
    return FORBIDDEN.sub(INSTEAD, text)


def _seconds(value: float) -> str:
    return f"{value:.3f}"
