"""A backtest as a page of HTML: one file without scripts or requests, that prints well, light and dark."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from api.backtest.charts import bars, columns
from api.backtest.lines import Lines
from api.backtest.table import CHANGES, RULES
from api.backtest.views import BacktestView
from api.backtest.words import Language

LISTED: Final = 500
"""Changes on a page; the others are counted."""
RULES_DRAWN: Final = 12


class Chart(NamedTuple):
    """A drawing with its legend."""

    title: str
    legend: tuple[str, str]
    svg: Markup


def page(view: BacktestView, language: Language) -> str:
    """The whole page.

    Args:
        view: the backtest.
        language: ``en`` or ``zh``.
    """
    lines = Lines(view, language)
    return _template().render(
        view=view,
        lines=lines,
        language=language,
        charts=list(_charts(view, lines)),
        changes=list(islice(lines.changes(), LISTED)),
        left_out=max(0, len(view.alerts.changes) - LISTED),
        heads={"rules": RULES, "changes": CHANGES},
    )


def _charts(view: BacktestView, lines: Lines) -> Iterator[Chart]:
    both = lines.word("now"), lines.word("candidate")
    sides = [
        {one.day: one.announced if one.observed_seconds else None for one in side.days}
        for side in (view.quality.now, view.quality.candidate)
    ]
    days = sorted({*sides[0], *sides[1]})  # of two time zones they need not be the same
    title = lines.word("chart_days")
    data = [[side.get(day) for day in days] for side in sides]
    yield Chart(title, both, columns(title, [day[5:] for day in days], data))
    rules = [one for one in view.alerts.rules if one.added or one.removed]
    rules = sorted(rules, key=lambda one: -(one.added + one.removed))[:RULES_DRAWN]
    if rules:
        title = lines.word("chart_rules")
        names = [f"{one.profile or '?'}.{one.rule}" for one in rules]
        found = [[one.removed for one in rules], [one.added for one in rules]]
        yield Chart(title, (lines.word("removed"), lines.word("added")), bars(title, names, found))
    shifts = view.notices.shifts
    if view.notices.now or view.notices.candidate:
        title = lines.word("chart_shifts")
        names = [f"{one.start[5:10]} {one.start[11:13]}h" for one in shifts]
        yield Chart(
            title, both, columns(title, names, [[s.now for s in shifts], [s.candidate for s in shifts]])
        )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("api.backtest", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
