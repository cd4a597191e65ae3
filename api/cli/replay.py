"""``fgw replay``: recorded traffic once more, through the engine or over MQTT."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api.cli.traffic_files import TrafficFiles
    from gateway.core.effects import Outcome
    from gateway.core.plan import SitePlan
    from gateway.core.values import Millis
    from gateway.replay import OutcomeFile, Stage
    from gateway.traffic.lines import Line, Setup

MIDDLE = (
    "it does not begin with the first start of a gateway: what was known before its first line, such as alerts that "
    "stood, is not in it"
)
LATEST = 4_102_444_800_000
"""The year 2100: what a line says from then on is damage, or microseconds."""
DIFFERENCES = 50
"""Differences that are shown; the others are counted."""


def replay(  # noqa: PLR0913 - one for each flag
    files: Annotated[list[Path], typer.Argument(help="Traffic files in order of time; - is the input.")],
    *,
    site: Annotated[Path | None, typer.Option(help="Judge all of it by this site file.")] = None,
    as_recorded: Annotated[
        bool, typer.Option("--as-recorded", help="Judge each moment by the site in the file.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the outcomes to this file.")] = None,
    expect: Annotated[Path | None, typer.Option(help="Compare with the outcomes in this file.")] = None,
    settle: Annotated[str, typer.Option(help="Let so much time pass after the last line.")] = "0s",
    to: Annotated[str | None, typer.Option(help="Publish it to this broker instead, mqtt://…")] = None,
    speed: Annotated[str, typer.Option(help="With --to: times as fast as recorded, or max.")] = "1",
    shift: Annotated[str | None, typer.Option(help="With --to: move all times; now, +3d or -2h.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Run recorded traffic through the engine, or publish it over MQTT."""
    ways = [way for way, given in (("--to", to), ("--site", site), ("--as-recorded", as_recorded)) if given]
    if len(ways) != 1:
        words = "give one of --site, --as-recorded and --to" + (f", not {' and '.join(ways)}" if ways else "")
        raise typer.BadParameter(words, param_hint="fgw replay")
    only_with_to = [flag for flag, given in (("--speed", speed != "1"), ("--shift", shift)) if given]
    only_without = [
        flag for flag, given in (("--out", out), ("--expect", expect), ("--settle", settle != "0s")) if given
    ]
    if odd := only_with_to if to is None else only_without:
        words = (
            "goes with --to only"
            if to is None
            else "says what becomes of outcomes, and with --to there are none"
        )
        raise typer.BadParameter(words, param_hint=" ".join(odd))
    if to is not None:
        from api.cli.replay_mqtt import publish

        publish(files, to, speed, shift, as_json=as_json)
        return
    _judge(files, site, out, expect, round(seconds(settle) * 1000), as_json=as_json)


def _judge(
    files: list[Path], site: Path | None, out: Path | None, expect: Path | None, settle: int, *, as_json: bool
) -> None:
    from api.cli.traffic_files import TrafficFiles, place_of
    from gateway.collector import seldom
    from gateway.replay import OutcomeFile, read_outcomes

    source = TrafficFiles(files, "replay")
    for one in [*files, *([] if expect is None else [expect])]:
        if out is not None and place_of(one) == place_of(out):
            raise typer.BadParameter(f"{out} is read, and would be written over", param_hint="--out")
    wanted = None if expect is None else list(read_outcomes(expect))
    began = time.perf_counter()
    found: list[Outcome] = []
    with OutcomeFile(out) as outcomes, seldom():
        keep = found.extend if wanted is not None else _forget
        stage = _run(source, site, outcomes, settle, keep)
    spent = time.perf_counter() - began
    _summary(source, stage, outcomes, spent, as_json=as_json)
    different = wanted is not None and _compare(wanted, found, stage.plan.timezone)
    if different or source.faults:
        raise typer.Exit(1)


def _forget(_: "list[Outcome]") -> None:
    pass


def _run(
    source: "TrafficFiles",
    site: Path | None,
    outcomes: "OutcomeFile",
    settle: int,
    keep: "Callable[[list[Outcome]], None]",
) -> "Stage":
    from gateway.replay import Stage
    from gateway.site.plan_builder import load_site

    stage = None if site is None else Stage(load_site(site))
    lines: Sequence[Line] = ()
    for batch in source.batches():
        _check_time(batch)
        lines = [*lines, *batch] if lines else batch
        if stage is None and any(_asks_for_a_site(line) for line in lines):
            stage = Stage(*_as_recorded(lines, source))
        if stage is None:
            continue
        for effects in stage.take(lines):
            outcomes.add(effects.outcomes)
            keep(effects.outcomes)
        lines = ()
    if stage is None and lines:
        stage = Stage(*_as_recorded(lines, source))
    if stage is None:
        raise typer.BadParameter("the file holds no line that could be read", param_hint="fgw replay")
    if settle:
        if source.last + settle >= LATEST:
            raise typer.BadParameter("it ends after the year 2099", param_hint="--settle")
        effects = stage.pass_by(source.last + settle)
        outcomes.add(effects.outcomes)
        keep(effects.outcomes)
    if source.faults:
        outcomes.mark_partial(stage.now, source.faults, source.problems)
    return stage


def _check_time(batch: "Sequence[Line]") -> None:
    """No gateway ran then, and until then every round and every appointment would be played."""
    from gateway.errors import TrafficError

    late = (
        next((line for line in batch if line.at >= LATEST), None)
        if batch and batch[-1].at >= LATEST
        else None
    )
    if late is not None:
        raise TrafficError(
            f"line {late.number}: at {late.at} lies past the year 2099; milliseconds UTC are expected"
        )


def _asks_for_a_site(line: "Line") -> bool:
    """Whether a line cannot be judged without one; those of the gateway itself can."""
    from gateway.core.inputs import LinkLost, LinkUp, Started, Tick

    return not isinstance(line.input, LinkLost | LinkUp | Started | Tick)


def _as_recorded(
    lines: "Sequence[Line]", source: "TrafficFiles"
) -> "tuple[SitePlan, Callable[[Setup], SitePlan]]":
    """The first site of a file, and how those after it are found."""
    from gateway.errors import SiteError, TrafficError
    from gateway.site import SiteBundle, build_plan
    from gateway.traffic.lines import Setup

    def plan_of(setup: Setup) -> "SitePlan":
        if setup.bundle is None:
            words = f"the site {setup.digest[:12]} is in force, and its text is not in the file"
            raise TrafficError(f"{words}, as where it was masked; judge all of it by one with --site")
        try:
            return build_plan(SiteBundle.decode(setup.bundle))
        except SiteError as error:
            raise TrafficError(f"the site {setup.digest[:12]} in the file is wrong:\n{error}") from error

    first = next((line.input for line in lines if _asks_for_a_site(line)), None)
    if not isinstance(first, Setup):
        raise TrafficError(f"{source.paths[0]} does not begin with a site; judge it by one with --site")
    return plan_of(first), plan_of


def _summary(
    source: "TrafficFiles", stage: "Stage", outcomes: "OutcomeFile", spent: float, *, as_json: bool
) -> None:
    rate = stage.messages / spent if spent else 0.0
    kinds = dict(sorted(outcomes.kinds.items()))
    if as_json:
        body = {
            "messages": stage.messages,
            "inputs": stage.inputs,
            "seconds": round(spent, 3),
            "messages_per_second": round(rate),
            "outcomes": kinds,
            "sha256": outcomes.sha256,
            "from_the_start": stage.from_the_start,
            "passed_over": stage.passed_over,
            "partial": bool(source.faults),
            "faults": [problem._asdict() for problem in source.problems],
            "fault_count": source.faults,
        }
        typer.echo(json.dumps(body, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{stage.messages:,} messages judged in {spent:.1f} s, {rate:,.0f} a second")
    typer.echo(f"{outcomes.count:,} outcomes, SHA-256 {outcomes.sha256}")
    for kind, count in kinds.items():
        typer.echo(f"  {count:>9,} {kind}")
    if not stage.from_the_start:
        typer.echo(MIDDLE, err=True)
    if stage.passed_over:
        words = f"{stage.passed_over} other sites in the file were passed over; --as-recorded judges by them"
        typer.echo(words, err=True)
    if source.faults:
        typer.echo(f"PARTIAL: {source.faults:,} lines or files could not be read to their end", err=True)


def _compare(expected: "list[Outcome]", found: "list[Outcome]", timezone: str) -> bool:
    """Show what differs; returns whether anything does."""
    from api.rule_tests import visible
    from gateway.core.local_time import wall_time
    from gateway.replay.difference import differences, told
    from gateway.site.zones import zone

    here = zone(timezone)

    def moment(at: "Millis") -> str:
        return f"{wall_time(at, here):%Y-%m-%d %H:%M:%S}.{at % 1000:03}"

    places = differences(expected, found)
    if not places:
        typer.echo(f"as expected: {len(found):,} outcomes are the same, line for line", err=True)
        return False
    typer.echo(
        f"{len(places):,} differences (- expected, + found, ~ changed), times of {timezone}:", err=True
    )
    for place in places[:DIFFERENCES]:
        typer.echo(f"  {visible(told(place, moment))}", err=True)
    if len(places) > DIFFERENCES:
        typer.echo(f"  … and {len(places) - DIFFERENCES:,} more", err=True)
    return True
