"""Durations on the command line."""

import typer


def seconds(text: str) -> float:
    """``90``, ``60s``, ``2m``, ``1h30m`` as seconds."""
    from gateway.site.fields import duration

    try:
        return float(text) if text.replace(".", "", 1).isdigit() else duration(text) / 1000
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no duration; write 60s, 2m or 1h30m") from error
