"""A backtest on a terminal."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.backtest.lines import Lines, Row
from api.backtest.views import BacktestView
from api.backtest.words import Language

STYLES: Final = {"good": "green", "bad": "red", "added": "red", "total": "bold", "changed": "yellow"}
RULES: Final = ("rule", "now", "candidate", "added", "removed", "moved", "level_changed", "hushed", "voiced")
CHANGES: Final = ("time", "device", "rule", "what", "level", "value", "lasted")
LISTED: Final = 1_000
"""Changes that ``--list`` shows; the others are counted."""


def show(view: BacktestView, language: Language, console: Console, *, each: bool = False) -> None:
    """Write the tables: what was judged, alerts by rule, figures, what people get, budgets, and what is not known.

    Args:
        view: the backtest.
        language: of the words.
        console: where to.
        each: list every alert that is not the same.
    """
    lines = Lines(view, language)
    facts = Table.grid(padding=(0, 2))
    for name, value in lines.facts():
        facts.add_row(Text(name, style="dim"), Text(value))
    console.print(facts)
    _table(
        console,
        lines,
        "parameters",
        ("profile", "param", "was", "becomes", "devices"),
        lines.parameters(),
        text=5,
    )
    _table(console, lines, "alerts", RULES, lines.rules(), text=1)
    if each:
        changes = view.alerts.changes
        _table(console, lines, "changes", CHANGES, islice(lines.changes(), LISTED), text=7)
        if not changes:
            console.print(Text(lines.word("no_changes")))
        if len(changes) > LISTED:
            console.print(Text(lines.word("left_out", f"{len(changes) - LISTED:,}")))
    _table(console, lines, "figures", ("figure", "now", "candidate", "target", ""), lines.figures(), text=1)
    _table(console, lines, "top", ("rank", "now", "candidate"), lines.top(), text=3)
    _table(console, lines, "impact", ("", "now", "candidate"), lines.impact(), text=1)
    _table(
        console, lines, "order_changes", ("template", "device", "now", "candidate"), lines.orders(), text=2
    )
    _table(console, lines, "gaps_listed", ("from", "until", "took"), lines.gaps(), text=2)
    if lines.gaps_left_out():
        console.print(Text(lines.word("left_out", lines.gaps_left_out())))
    _table(console, lines, "budgets", ("budget", "found", "allowed", ""), lines.budgets(), text=1)
    for note in lines.notes():
        console.print(Text(f"· {note}", style="dim"))


def _table(
    console: Console, lines: Lines, title: str, heads: Sequence[str], rows: Iterable[Row], *, text: int
) -> None:
    """A table whose first ``text`` columns are words and whose others are numbers; nothing where it has no row."""
    table = Table(title=lines.word(title), title_justify="left", title_style="bold")
    for place, head in enumerate(heads):
        table.add_column(lines.word(head) if head else "", justify="left" if place < text else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row.cells), style=STYLES.get(row.tone))
    if table.row_count:
        console.print()
        console.print(table)
