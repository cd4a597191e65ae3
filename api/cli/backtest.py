"""``fgw backtest``: recorded traffic judged by the site now and by a candidate, and what differs."""

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from api.cli.durations import seconds
from api.cli.words import Language

if TYPE_CHECKING:
    from gateway.backtest import Backtest, Source
    from gateway.backtest.budgets import Budgets
    from gateway.core.plan import SitePlan

COLUMNS = 140
"""Of a table that goes to no terminal."""
SHOWN = 20
"""Faults that are shown; the others are counted."""


def backtest(  # noqa: PLR0913 - one for each flag
    *,
    site: Annotated[Path, typer.Option(help="The site file as it is now.")],
    source: Annotated[
        list[Path], typer.Option("--from", help="A data directory, or traffic files in order of time.")
    ],
    candidate: Annotated[
        Path | None, typer.Option(help="The site file as it would be; the same where only --set is given.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="TARGET.PARAM=VALUE; TARGET is a device or a profile. Repeatable."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=400, help="Judge the last days only.")] = None,
    warm_up: Annotated[str, typer.Option(help="Feed so much of what was before them.")] = "2d",
    max_added: Annotated[int | None, typer.Option(min=0, help="Budget: alerts added.")] = None,
    max_removed: Annotated[int | None, typer.Option(min=0, help="Budget: alerts removed.")] = None,
    max_moved: Annotated[int | None, typer.Option(min=0, help="Budget: alerts moved.")] = None,
    max_level_changed: Annotated[int | None, typer.Option(min=0, help="Budget: levels changed.")] = None,
    max_per_hour: Annotated[
        float | None, typer.Option(min=0, help="Budget: announced in an observed hour.")
    ] = None,
    max_notices_per_shift: Annotated[
        int | None, typer.Option(min=0, help="Budget: notices in the busiest shift.")
    ] = None,
    max_flood_share: Annotated[
        float | None, typer.Option(min=0, max=100, help="Budget: percent of the time in flood.")
    ] = None,
    max_work_orders: Annotated[
        int | None, typer.Option(min=0, help="Budget: work orders opened in addition.")
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Judge budgets by what could be read.")
    ] = False,
    each: Annotated[bool, typer.Option("--list", help="Show every alert that is not the same.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
) -> None:
    """Show what a changed site would have made of recorded traffic. Exit 1 when a budget is broken."""
    from gateway.backtest import Budgets

    budgets = Budgets(
        max_added,
        max_removed,
        max_moved,
        max_level_changed,
        _finite(max_per_hour, "--max-per-hour"),
        max_notices_per_shift,
        _finite(max_flood_share, "--max-flood-share"),
        max_work_orders,
    )
    if language not in get_args(Language):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    if candidate is None and not settings:
        raise typer.BadParameter("give --candidate, --set, or both", param_hint="fgw backtest")
    warm = round(seconds(warm_up) * 1000)
    plans = _plans(site, candidate, settings or [])
    with _source(source) as found:
        result = _run(plans, found, days, warm)
    kept = _show(result, budgets, language, html, each=each, as_json=as_json, allow_partial=allow_partial)
    if not kept:
        raise typer.Exit(1)


def _finite(number: float | None, flag: str) -> float | None:
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"{number} is no finite number", param_hint=flag)
    return number


def _plans(site: Path, candidate: Path | None, settings: list[str]) -> "tuple[SitePlan, SitePlan]":
    from gateway.backtest import lay_over, parse
    from gateway.errors import SiteError
    from gateway.site.plan_builder import load_site

    now = load_site(site)
    other = now if candidate is None else load_site(candidate)
    if other.site != now.site:
        words = f"{candidate} is of the site {other.site}, {site} of {now.site}"
        raise typer.BadParameter(
            f"{words}; nothing recorded at one speaks of the other", param_hint="--candidate"
        )
    try:
        return now, lay_over(other, [parse(text) for text in settings])
    except SiteError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from error


@contextlib.contextmanager
def _source(paths: list[Path]) -> "Iterator[Source]":
    from gateway.adapters.sql.beside import beside
    from gateway.backtest import DataDirSource, TrafficSource
    from gateway.errors import Problem

    folders = [path for path in paths if path.is_dir()]
    if folders and len(paths) > 1:
        raise typer.BadParameter("give one data directory, or traffic files", param_hint="--from")
    if folders:
        with beside(folders[0]) as connection:
            yield DataDirSource(connection)
        return
    shown = 0

    def on_fault(problem: Problem) -> None:
        nonlocal shown
        shown += 1
        if shown <= SHOWN:
            typer.echo(f"fgw backtest: {problem}", err=True)
        elif shown == SHOWN + 1:
            typer.echo("fgw backtest: further lines that cannot be read are only counted", err=True)

    yield TrafficSource(paths, on_fault)


def _run(plans: "tuple[SitePlan, SitePlan]", source: "Source", days: int | None, warm_up: int) -> "Backtest":
    from api.cli.traffic_files import progress
    from gateway.backtest import run_backtest
    from gateway.collector import seldom

    with progress(1.0) as bar, seldom():
        task = bar.tasks[0].id
        return run_backtest(
            *plans,
            source,
            days=days,
            warm_up=warm_up,
            progress=lambda share: bar.update(task, completed=share),
        )


def _show(
    result: "Backtest",
    budgets: "Budgets",
    language: str,
    html: Path | None,
    *,
    each: bool,
    as_json: bool,
    allow_partial: bool,
) -> bool:
    """Show the result; returns whether every budget was kept."""
    from rich.console import Console

    from api.backtest.body import Body
    from api.backtest.table import show
    from gateway.backtest import judge

    kept = judge(result, budgets, allow_partial=allow_partial)
    view = Body(result).view(kept)
    if html is not None:
        from api.backtest.page import page

        _save(html, page(view, language))  # type: ignore[arg-type]  # just checked
    if as_json:
        typer.echo(view.model_dump_json(indent=2))
    else:
        console = Console(width=None if sys.stdout.isatty() else COLUMNS, soft_wrap=False)
        show(view, language, console, each=each)  # type: ignore[arg-type]  # just checked
    for one in kept:
        if not one.kept:
            found = "nothing can be said" if one.found is None else f"found {one.found:.6g}"
            doubt = "; the result is partial (--allow-partial)" if one.partial else ""
            flag = f"--max-{one.name.replace('_', '-')}"
            typer.echo(f"fgw backtest: {flag} is broken: {found}, allowed {one.allowed:.6g}{doubt}", err=True)
    return all(one.kept for one in kept)


def _save(file: Path, body: str) -> None:
    """Write the whole file or leave what was there."""
    from gateway.errors import TrafficError

    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        part.write_text(body, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TrafficError(f"{file} cannot be written: {error.strerror}") from error
