"""The letters of a PDF that a command writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from gateway.reports.fonts import Typeface

Font = Annotated[
    Path | None,
    typer.Option(
        "--font",
        envvar="FGW_FONT",
        help="A TrueType font with Chinese; one found on the machine when not given.",
    ),
]
UNEMBEDDED: Final = (
    "no font with Chinese is on this machine, so the PDF names one and embeds none: how its Chinese looks depends on "
    "the viewer. Install fonts-wqy-microhei, or give --font."
)


def letters(font: Path | None) -> "Typeface":
    """The letters to print with; says so where the Chinese cannot be embedded.

    Raises:
        typer.BadParameter: the named file is no TrueType font with Chinese.
    """
    from gateway.reports.fonts import typeface

    try:
        found = typeface(font)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--font") from None
    if not found.embedded:
        typer.echo(f"fgw: {UNEMBEDDED}", err=True)
    return found
