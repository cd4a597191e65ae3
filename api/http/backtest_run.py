"""Carrying a backtest out, in its own process, and leaving its result in a folder."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from api.backtest.body import Body
from api.backtest.page import page
from api.http import backtest_messages as messages
from api.http.backtest_journal import LiveJournal
from gateway.backtest import Budgets, judge, run_backtest
from gateway.collector import seldom
from gateway.core.plan import SitePlan
from gateway.errors import TrafficError

EVERY: Final = 0.25
"""Seconds between two words on how far it is."""
RESULT_MOST: Final = 32 << 20
"""Bytes of a result that is kept."""


def run(
    connection: sa.Connection,
    plans: tuple[SitePlan, SitePlan],
    folder: Path,
    order: messages.Order,
    tell: Callable[[messages.Answer], None],
) -> messages.Done:
    """Judge the journal by two sites.

    Args:
        connection: a reader's, see :func:`gateway.adapters.sql.beside.beside`.
        plans: the site now and the candidate.
        folder: takes the result, as JSON and as pages.
        order: the days, and the budgets.
        tell: told how far it is.

    Raises:
        TrafficError: nothing can be said, or too much.
        OSError: the result cannot be written.
    """
    source = LiveJournal(connection)
    told = 0.0

    def progress(share: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= EVERY:
            told = now
            tell(messages.Reached(share, source.at))

    with seldom():
        found = run_backtest(*plans, source, days=order.days, warm_up=order.warm_up, progress=progress)
    budgets = judge(found, Budgets(**order.budgets))  # type: ignore[arg-type]  # mypy sees one type for all of them
    view = Body(found).view(budgets)
    _save(folder / messages.RESULT, view.model_dump_json())
    for language in messages.LANGUAGES:
        _save(folder / messages.REPORT.format(language), page(view, language))
    return messages.Done([messages.Broken(*one) for one in budgets if not one.kept])


def _save(file: Path, text: str) -> None:
    body = text.encode()
    if len(body) > RESULT_MOST:
        words = f"the result has {len(body) >> 20} MiB, at most {RESULT_MOST >> 20} MiB are kept"
        raise TrafficError(f"{words}; take fewer days, or fgw backtest on the command line")
    with file.open("xb") as target:
        target.write(body)
        target.flush()
        os.fsync(target.fileno())
