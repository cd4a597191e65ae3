"""Budgets: how much a candidate may change before a pipeline refuses it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.backtest.backtest import Backtest
from gateway.backtest.tallies import more
from gateway.core.values import HOUR
from gateway.site.zones import zone

PERCENT: Final = 100


class Budgets(NamedTuple):
    """What is allowed at most; None sets no limit."""

    added: int | None = None
    removed: int | None = None
    moved: int | None = None
    level_changed: int | None = None
    per_hour: float | None = None
    """Announced by the candidate in an observed hour, on average."""
    notices_per_shift: int | None = None
    """Sent by the candidate in its busiest shift."""
    flood_share: float | None = None
    """Percent of the observed time that the candidate is in flood."""
    work_orders: int | None = None
    """Opened by the candidate in addition to those of the site now."""


class Kept(NamedTuple):
    """One budget and how it came out."""

    name: str
    """The field of :class:`Budgets`."""
    found: float | None
    """None where nothing can be said: such a budget is broken."""
    allowed: float
    kept: bool
    partial: bool
    """It is broken because the result is partial, whatever was found."""


def judge(result: Backtest, budgets: Budgets, *, allow_partial: bool = False) -> list[Kept]:
    """How the budgets that were given came out, in the order of :class:`Budgets`.

    A partial result keeps none of them: what could not be read might have broken it.

    Args:
        result: of the backtest.
        budgets: what is allowed.
        allow_partial: judge a partial result by what could be read.
    """
    doubted = result.partial and not allow_partial
    return [
        Kept(name, found, allowed, found is not None and found <= allowed and not doubted, doubted)
        for name, found in _found(result)
        if (allowed := getattr(budgets, name)) is not None
    ]


def _found(result: Backtest) -> Iterator[tuple[str, float | None]]:
    pairs, side = result.pairs, result.candidate
    yield "added", sum(one.added for one in pairs)
    yield "removed", sum(one.removed for one in pairs)
    yield "moved", sum(one.moved for one in pairs)
    yield "level_changed", sum(one.level_changed for one in pairs)
    rate = side.quality.rate(result.window, zone(side.plan.timezone))
    yield "per_hour", rate.announced * HOUR / rate.observed if rate.observed else None
    yield "notices_per_shift", max(side.notices, default=None)
    yield "flood_share", None if rate.flood_share is None else rate.flood_share * PERCENT
    yield "work_orders", more(side.opened, result.now.opened)
