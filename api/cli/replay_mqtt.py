"""``fgw replay --to``: the messages of traffic files published on a live broker."""

import asyncio
import contextlib
import json
import math
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import typer

from api.cli.traffic_files import TrafficFiles
from gateway.core.values import Millis
from gateway.site.fields import duration
from gateway.traffic.lines import Line
from simulators.replayer import Progress, Replayed, replay_to

_SHIFT: Final = re.compile(r"([+-])(.+)")


def publish(files: list[Path], url: str, speed: str, shift: str | None, *, as_json: bool) -> None:
    """Publish everything, say what rate was reached, and end with 1 where a file was not read to its end."""
    times, moved = _speed(speed), _shift(shift)
    source = TrafficFiles(files, "replay")
    done = asyncio.run(_publish(source, url, times, moved))
    if as_json:
        fields = done._asdict() if done is not None else {}
        body = {**fields, "partial": bool(source.faults) or done is None, "fault_count": source.faults}
        typer.echo(json.dumps(body, indent=2))
    elif done is not None:
        typer.echo(_told(done))
    if source.faults:
        typer.echo(f"PARTIAL: {source.faults:,} lines or files could not be read to their end", err=True)
    if done is None or source.faults:
        raise typer.Exit(1)


async def _publish(
    source: TrafficFiles, url: str, speed: float, shift: Callable[[Millis], Millis] | None
) -> Replayed | None:
    """None where it was stopped before the end."""
    lines = _lines(source)
    first = next(lines, None)
    if first is None:
        raise typer.BadParameter("the file holds no line that could be read", param_hint="fgw replay")
    sending = asyncio.create_task(
        replay_to(
            _again(first, lines),
            url,
            speed=speed,
            shift=None if shift is None else shift(first.at),
            progress=lambda now: source.say(_words(now)),
        ),
        name="replay",
    )
    # Ctrl-C cancels us without that; a second one breaks off even a wait for the standard input.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sending.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await sending
    typer.echo("stopped before the end", err=True)
    return None


def _lines(source: TrafficFiles) -> Iterator[Line]:
    for batch in source.batches():
        yield from batch


def _again(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest


def _words(now: Progress) -> str:
    rate = now.messages / now.seconds if now.seconds else 0.0
    behind = f", {now.behind:.1f} s behind" if now.behind >= 1 else ""
    return f"{now.messages:,} published, {rate:,.0f} a second{behind}"


def _told(done: Replayed) -> str:
    behind = f"; {done.behind:.1f} s behind its time at the worst" if done.behind >= 1 else ""
    skipped = f"; {done.skipped:,} lines are no messages and were passed over" if done.skipped else ""
    reached = f"{done.messages:,} messages in {done.seconds:.1f} s, {done.rate:,.0f} a second"
    return f"{reached}{behind}{skipped}"


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        words = (
            f"{text!r} is no speed; give 1 for the pace it was recorded at, 60 for sixty times that, or max"
        )
        raise typer.BadParameter(words, param_hint="--speed")
    return speed


def _shift(text: str | None) -> Callable[[Millis], Millis] | None:
    """How far times are moved, given the first of them."""
    if text is None:
        return None
    if text == "now":
        return lambda first: time.time_ns() // 1_000_000 - first
    match = _SHIFT.fullmatch(text)
    span = None if match is None else _span(match[2])
    if match is None or span is None:
        words = f"{text!r} is no shift; write now, +3d or -2h"
        raise typer.BadParameter(words, param_hint="--shift")
    return lambda _first: -span if match[1] == "-" else span


def _span(text: str) -> Millis | None:
    try:
        return duration(text)
    except ValueError:
        return None
