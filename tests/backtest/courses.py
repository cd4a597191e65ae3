"""Backtests of the chillers, of files and of lines in memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.backtest import Backtest, TrafficSource, lay_over, parse, run_backtest
from gateway.backtest.episodes import Episode
from gateway.backtest.source import Who
from gateway.core.inputs import Command
from gateway.core.plan import SitePlan
from gateway.core.values import Message, Millis
from gateway.errors import Problem
from gateway.site.plan_builder import load_site
from gateway.traffic.lines import Line
from tests.backtest.by_hand import Span
from tests.backtest.month import MINUTE, ONE, write_site


class Lines:
    """A :class:`gateway.backtest.Source` of lines in memory.

    Args:
        lines: in order of time.
        known: what ids stood for in the gateway that was recorded.
    """

    faults = 0
    problems: Sequence[Problem] = ()

    def __init__(self, lines: Sequence[Line], known: dict[str, Who] | None = None) -> None:
        self._lines, self._known = lines, known or {}

    def span(self) -> tuple[Millis, Millis] | None:
        return (self._lines[0].at, self._lines[-1].at) if self._lines else None

    def batches(self, since: Millis) -> Iterator[Sequence[Line]]:
        return iter([[line for line in self._lines if line.at >= since]])

    def who(self, record: str) -> Who | None:
        return self._known.get(record)


def plans(folder: Path, *settings: str, site: str = ONE) -> tuple[SitePlan, SitePlan]:
    """A site of chillers now, and with some parameters set otherwise."""
    plan = load_site(write_site(folder, site))
    return plan, lay_over(plan, [parse(text) for text in settings])


def of_files(pair: tuple[SitePlan, SitePlan], *paths: Path, days: int | None = None) -> Backtest:
    """A backtest of traffic files."""
    return run_backtest(*pair, TrafficSource(paths), days=days)


def of_lines(
    pair: tuple[SitePlan, SitePlan], lines: Sequence[Line], known: dict[str, Who] | None = None
) -> Backtest:
    """A backtest of lines in memory."""
    return run_backtest(*pair, Lines(lines, known))


def span_of(one: Episode | None) -> Span | None:
    """An episode as it is written by hand."""
    return None if one is None else Span(one.device, one.rule, one.raised_at, one.until, one.level.label)


def reading(at: Millis, device: str, ts: Millis | None = None, **values: float) -> Line:
    """A chiller speaks."""
    body = json.dumps({"ts": at if ts is None else ts, "values": values}).encode()
    return Line(0, at, Message(f"facility/mill/{device}/telemetry", body))


def steady(device: str, begin: Millis, end: Millis, temp: float) -> Iterator[Line]:
    """It says the same every minute, ``end`` excluded."""
    return (reading(at, device, temp=temp) for at in range(begin, end, MINUTE))


def in_order(*parts: Iterable[Line]) -> list[Line]:
    """Lines of several origins in order of time; of one moment in the order given."""
    return sorted((line for part in parts for line in part), key=lambda line: line.at)


def command(at: Millis, verb: str, target: str, *, expect: int | None = None, **args: Any) -> Line:  # noqa: ANN401
    """A person wants something done."""
    name = f"{verb} {target} {at}"
    return Line(
        0, at, Command(at=at, id=name, actor="ann", verb=verb, target=target, args=args, expect=expect)
    )
