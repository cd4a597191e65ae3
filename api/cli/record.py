"""``fgw record``: what comes over a broker, kept as a traffic file."""

import asyncio
import re
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.durations import seconds

if TYPE_CHECKING:
    from gateway.core.plan import SitePlan
    from gateway.traffic.masking import Mask
    from simulators.recorder import Recorded, Tally
    from simulators.reel import Rotation

UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
KEY_BYTES: Final = 32
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]i?|)b?", re.IGNORECASE)


def record(  # noqa: PLR0913 - one for each flag of the command
    out: Annotated[
        Path, typer.Option(help="The file; .jsonl.zst and .jsonl.gz are compressed.", dir_okay=False)
    ],
    *,
    url: Annotated[str, typer.Option(help="The broker.", envvar="FGW_MQTT_URL")] = "mqtt://localhost:1883",
    site: Annotated[
        Path | None, typer.Option(help="The site file: listen to what its gateway listens to.")
    ] = None,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="A topic filter; give as many as you need.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", help="End by itself after this long, as 1h.")
    ] = None,
    rotate_size: Annotated[
        str | None, typer.Option(help="Begin the next file at this size on disk, as 100MB.")
    ] = None,
    rotate_every: Annotated[
        str | None, typer.Option(help="Begin the next file after this long, as 1h.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(help="Delete all but the newest so many finished files.", min=1)
    ] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Replace personal data by stand-ins.")] = False,
    keep_guards: Annotated[
        bool, typer.Option("--keep-guards", help="With --mask: leave ids of guards.")
    ] = False,
) -> None:
    """Record what comes over a broker, until Ctrl-C or for a time. A lost connection is made again and is on record."""
    if keep_guards and not mask:
        raise typer.BadParameter("it goes with --mask", param_hint="--keep-guards")
    rotation = _rotation(rotate_size, rotate_every, keep)
    length = _length(duration, "--for")
    plan = _plan(site)
    done = asyncio.run(
        _record(url, _filters(filters, plan), out, rotation, length, _mask(plan, mask, keep_guards))
    )
    _tell_end(done, out)


async def _record(
    url: str,
    filters: tuple[str, ...],
    out: Path,
    rotation: "Rotation",
    length: float | None,
    mask: "Mask | None",
) -> "Recorded":
    from simulators.recorder import record as record_traffic
    from simulators.reel import Reel

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await record_traffic(
        url,
        filters,
        Reel(out, rotation),
        stop=stop,
        duration=length,
        mask=mask,
        say=lambda words: typer.echo(f"{_fresh()}fgw record: {words}", err=True),
        progress=_tell if sys.stderr.isatty() else None,
    )


def _rotation(size: str | None, every: str | None, keep: int | None) -> "Rotation":
    from simulators.reel import Rotation

    length = _length(every, "--rotate-every")
    found = Rotation(_size(size), None if length is None else round(length * 1000), keep)
    if keep is not None and not found.wanted:
        raise typer.BadParameter("it goes with --rotate-size or --rotate-every", param_hint="--keep")
    return found


def _length(text: str | None, flag: str) -> float | None:
    if text is None:
        return None
    length = seconds(text)
    if length <= 0:
        raise typer.BadParameter(f"{text!r} is too short", param_hint=flag)
    return length


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    size = round(float(found[1]) * UNITS[found[2].lower()]) if found else 0
    if size < 1:
        raise typer.BadParameter(f"{text!r} is no size; write 100MB or 1GB", param_hint="--rotate-size")
    return size


def _plan(site: Path | None) -> "SitePlan | None":
    from gateway.site import load_site

    return None if site is None else load_site(site)


def _filters(given: list[str] | None, plan: "SitePlan | None") -> tuple[str, ...]:
    from simulators.errors import SimulationError
    from simulators.filters import EVERYTHING, distinct, site_filters

    if given:
        try:
            return distinct(given)
        except SimulationError as error:
            raise typer.BadParameter(str(error), param_hint="--filter") from error
    return (EVERYTHING,) if plan is None else site_filters(plan)


def _mask(plan: "SitePlan | None", wanted: bool, keep_guards: bool) -> "Mask | None":
    from gateway.traffic.masking import Mask

    return Mask(plan, secrets.token_bytes(KEY_BYTES), keep_guards=keep_guards) if wanted else None


def _fresh() -> str:
    return "\r\x1b[K" if sys.stderr.isatty() else ""


def _tell(tally: "Tally") -> None:
    rate = tally.messages / tally.seconds if tally.seconds else 0.0
    words = f"{tally.messages:,} messages, {rate:,.0f} a second, {_show(tally.size)}"
    lost = "" if tally.connected else ", not connected"
    typer.echo(f"{_fresh()}{words}{lost}", nl=False, err=True)


def _tell_end(done: "Recorded", out: Path) -> None:
    typer.echo(_fresh(), nl=False, err=True)
    times = "once" if done.losses == 1 else f"{done.losses} times"
    losses = f", the broker was lost {times}" if done.losses else ""
    count = len(done.files)
    place = str(done.files[0] if count == 1 else f"{count} files like {out}") if count else "no file"
    typer.echo(f"{done.messages:,} messages in {done.seconds:,.0f} s, {_show(done.size)}{losses}: {place}")


def _show(size: int) -> str:
    for unit, factor in (("GB", UNITS["g"]), ("MB", UNITS["m"]), ("kB", UNITS["k"])):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
