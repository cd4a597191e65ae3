"""``fgw guards``: the phones of those who walk rounds."""

import re
from typing import Annotated

import typer

from api.cli.calls import URL, Caller
from api.cli.tags import Actor, Url

app = typer.Typer(help="Guards and their phones.", no_args_is_help=True)


@app.callback()
def guards() -> None:
    """Guards and their phones."""


@app.command("token")
def token(
    guard: Annotated[str, typer.Argument(help="The guard's id.")],
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Take it back: the phone's uploads are refused.")
    ] = False,
    url: Url = URL,
    actor: Actor = "operator",
) -> None:
    """Give a guard's phone a token, which shows that its uploads are theirs. A new one ends the old one."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", guard) is None:
        raise typer.BadParameter(
            f"{guard!r} is no id of a guard: letters, digits, - and _", param_hint="GUARD"
        )
    caller, path = Caller(url, actor), f"/patrol/guards/{guard}/token"
    if revoke:
        caller.delete(path)
        typer.echo(f"{guard} has no token any more")
        return
    typer.echo(caller.post(path, {})["token"])
    typer.echo(f"Enter it on the phone of {guard}. It is shown this once; only its hash is kept.", err=True)
