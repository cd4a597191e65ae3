"""Backtest: what a changed site would have made of recorded traffic, beside what the site now makes of it (docs/backtest.md)."""

from gateway.backtest.backtest import WARM_UP, Backtest, run_backtest
from gateway.backtest.budgets import Budgets, judge
from gateway.backtest.settings import lay_over, parse
from gateway.backtest.source import DataDirSource, Source, TrafficSource

__all__ = [
    "WARM_UP",
    "Backtest",
    "Budgets",
    "DataDirSource",
    "Source",
    "TrafficSource",
    "judge",
    "lay_over",
    "parse",
    "run_backtest",
]
