"""Stretches of time on the command line."""

import typer

from gateway.core.values import Millis


def stretch(since: str | None, until: str | None, kept: tuple[Millis, Millis]) -> tuple[Millis, Millis]:
    """What ``--since`` and ``--until`` choose of a stretch; the end is exclusive.

    Args:
        since: a time with its offset, or a duration that is counted back from the end; None is the beginning.
        until: a time with its offset; None is the end.
        kept: the first and the last moment there are, milliseconds UTC.
    """
    first, last = kept
    end = last + 1 if until is None else _moment(until, "--until")
    if end <= first:
        raise typer.BadParameter(f"{until!r} is before the first moment there is", param_hint="--until")
    if since is None:
        return first, end
    span = _span(since)
    begin = _moment(since, "--since") if span is None else end - span
    if begin >= end:
        raise typer.BadParameter(f"{since!r} is not before the end", param_hint="--since")
    return begin, end


def _span(text: str) -> Millis | None:
    from gateway.site.fields import duration

    try:
        return duration(text)
    except ValueError:
        return None


def _moment(text: str, flag: str) -> Millis:
    from api.http.instants import moment

    try:
        return moment(text)
    except ValueError as error:
        words = f"{error}; or a duration such as 30d" if flag == "--since" else str(error)
        raise typer.BadParameter(words, param_hint=flag) from error
