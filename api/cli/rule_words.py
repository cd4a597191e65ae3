"""What ``fgw test`` prints: a line a file, failures, the table of rules and levels, the summary."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.cells import cell_len

from api.cli.words import Language
from api.rule_tests import Timed, failure_text, visible
from gateway.rehearsal import Coverage, Raise

LEVELS: Final = ("info", "warning", "critical")
WORDS: Final[dict[str, tuple[str, str]]] = {
    "passed": ("passed", "通过"),
    "failed": ("failed", "失败"),
    "unread": ("cannot be read", "无法读取"),
    "profile": ("profile", "设备类型"),
    "rule": ("rule", "规则"),
    "info": ("info", "提示"),
    "warning": ("warning", "警告"),
    "critical": ("critical", "严重"),
    "raised": ("raised", "已触发"),
    "never": ("never raised", "从未触发"),
}
"""Each word in English and Chinese."""


def word(key: str, language: Language) -> str:
    """The word for a key."""
    return WORDS[key][0 if language == "en" else 1]


def file_lines(one: Timed, width: int, language: Language) -> list[str]:
    """A file with its counts; below it what is wrong with it, or what failed in it."""
    result = one.result
    name = visible(result.file) + " " * (width - cell_len(result.file))
    if result.problems:
        return [
            f"{name}  {word('unread', language)}",
            *(visible(str(problem)) for problem in result.problems),
        ]
    failed = [played for played in result.played if played.failures]
    counts = {"passed": len(result.played) - len(failed), "failed": len(failed)}
    told = ", ".join(f"{count} {word(key, language)}" for key, count in counts.items() if count)
    return [
        f"{name}  {told}",
        *(failure_text(played.title, failure) for played in failed for failure in played.failures),
    ]


def summary(results: Sequence[Timed], seconds: float, language: Language) -> str:
    """All of it in a line, with the time it took."""
    scenarios = [played for one in results for played in one.result.played]
    failed = sum(1 for played in scenarios if played.failures)
    unread = sum(1 for one in results if one.result.problems)
    if language == "zh":
        told = [f"{len(scenarios) - failed} 个通过", f"{failed} 个失败"]
        told += [f"{unread} 个文件无法读取"] if unread else []
        return f"{len(results)} 个文件, {len(scenarios)} 个场景: {', '.join(told)}; 用时 {seconds:.1f} 秒"
    told = [f"{len(scenarios) - failed} passed", f"{failed} failed"]
    told += [f"{_counted(unread, 'file')} cannot be read"] if unread else []
    where = f"{_counted(len(scenarios), 'scenario')} in {_counted(len(results), 'file')}"
    return f"{where}: {', '.join(told)}; {seconds:.1f} s"


def coverage_table(found: Coverage, language: Language) -> list[str]:
    """A row for each rule: which of its levels some scenario raised, and which none did."""
    missing = frozenset(found.missing)
    rules = sorted({(one.profile, one.rule) for one in found.raised | missing})
    rows = [[word(key, language) for key in ("profile", "rule", *LEVELS)]]
    for profile, rule in rules:
        cells = [_cell(Raise(profile, rule, level), found, missing, language) for level in LEVELS]
        rows.append([profile, rule, *cells])
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    raised, all_ = len(found.raised), len(found.raised) + len(missing)
    last = f"{raised} of {all_} levels raised" if language == "en" else f"{all_} 个级别中 {raised} 个已触发"
    return [*(line.rstrip() for line in lines), last]


def as_json(results: Iterable[Timed], seconds: float, found: Coverage | None) -> dict[str, Any]:
    """The same for programs."""
    files = [
        {
            "file": one.result.file,
            "problems": [problem._asdict() for problem in one.result.problems],
            "scenarios": [
                {
                    "title": played.title,
                    "line": played.line,
                    "passed": not played.failures,
                    "seconds": round(took, 6),
                    "failures": [failure._asdict() for failure in played.failures],
                }
                for played, took in zip(one.result.played, one.seconds, strict=True)
            ],
        }
        for one in results
    ]
    whole: dict[str, Any] = {"files": files, "seconds": round(seconds, 3)}
    if found is not None:
        whole["coverage"] = {
            "raised": [one._asdict() for one in sorted(found.raised)],
            "missing": [one._asdict() for one in found.missing],
        }
    return whole


def _cell(one: Raise, found: Coverage, missing: frozenset[Raise], language: Language) -> str:
    if one in found.raised:
        return word("raised", language)
    return word("never", language) if one in missing else "-"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
