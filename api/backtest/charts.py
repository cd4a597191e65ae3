"""The charts of a backtest as SVG that takes its colours from the page around it."""

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup
from reportlab.graphics import renderSVG
from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color

WIDTH: Final = 720
HEIGHT: Final = 190
NAMES: Final = 230
"""Room for the names beside horizontal bars."""
BAR: Final = 26
"""Height of a name's pair of horizontal bars."""
LABELS: Final = 12
"""Names below a chart at the most."""
STEPS: Final = 5

INK, GRID = Color(0, 0, 0), Color(0, 1, 0)
SERIES: Final = (Color(1, 0, 0), Color(0, 0, 1))
INKS: Final = {
    "rgb(0%,0%,0%)": "currentColor",
    "rgb(0%,100%,0%)": "var(--grid)",
    "rgb(100%,0%,0%)": "var(--one)",
    "rgb(0%,0%,100%)": "var(--other)",
}
"""What stands for the page's colours while a chart is drawn."""


def columns(title: str, names: Sequence[str], data: Sequence[Sequence[int | None]]) -> Markup:
    """Two series side by side over a row of names; what is None has no column.

    Args:
        title: what it shows, for those who cannot see it.
        names: below the columns; where there are many, only some are written.
        data: two series as long as the names.
    """
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 40, 30, WIDTH - 55, HEIGHT - 45
    every = -(-len(names) // LABELS) or 1
    _fill(chart, [name if place % every == 0 else "" for place, name in enumerate(names)], data)
    return _svg(title, chart, HEIGHT)


def bars(title: str, names: Sequence[str], data: Sequence[Sequence[int | None]]) -> Markup:
    """The same lying down, the first name on top; of a name the second series is above the first."""
    chart = HorizontalBarChart()
    height = BAR * len(names)
    chart.x, chart.y, chart.width, chart.height = NAMES, 25, WIDTH - NAMES - 20, height
    _fill(chart, list(names)[::-1], [list(one)[::-1] for one in data])
    return _svg(title, chart, height + 35)


def _fill(chart: Any, names: list[str], data: Sequence[Sequence[int | None]]) -> None:  # noqa: ANN401 - either chart
    chart.data = [list(one) for one in data]
    chart.barSpacing, chart.groupSpacing = 0, 4
    for place, colour in enumerate(SERIES):
        chart.bars[place].fillColor, chart.bars[place].strokeColor = colour, None
    chart.categoryAxis.categoryNames = names
    chart.categoryAxis.labels.fontSize = 9
    chart.categoryAxis.strokeColor = INK
    chart.categoryAxis.visibleTicks = 0
    most = max((found or 0 for one in data for found in one), default=0)
    axis = chart.valueAxis
    axis.valueMin, axis.valueStep = 0, _step(most)
    axis.valueMax = max(1, -(-most // axis.valueStep)) * axis.valueStep
    axis.labels.fontSize = 9
    axis.visibleGrid, axis.gridStrokeColor, axis.gridStrokeWidth = 1, GRID, 0.5
    axis.visibleAxis = axis.visibleTicks = 0
    axis.labelTextFormat = "%d"


def _step(most: int) -> int:
    """A round distance between lines so that there are about five of them."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size * STEPS >= most:
                return factor * size
        size *= 10


def _svg(title: str, chart: Any, height: int) -> Markup:  # noqa: ANN401 - either chart
    drawing = Drawing(WIDTH, height)
    drawing.add(chart)
    text = renderSVG.drawToString(drawing)
    text = re.sub(r"<(title|desc)>.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<clipPath.*?</clipPath>", "", text, flags=re.DOTALL)
    text = text.replace('id="group" ', "").replace('style="clip-path: url(#clip)"', "")
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)  # within a page they say nothing
    text = text.replace("font-family: Helvetica", "font-family: inherit")
    for ink, colour in INKS.items():
        text = text.replace(ink, colour)
    head = Markup('<svg role="img" aria-label="{}" ').format(title)
    return head + Markup(text.removeprefix("<svg "))  # noqa: S704 - made here; names in it are escaped by reportlab
