"""``fgw tags``: what hangs at the checkpoints: labels to print, tags to register, keys to write."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.calls import URL, Caller, gateway_url
from api.cli.letters import Font, letters

if TYPE_CHECKING:
    from gateway.codecs.tag_settings import TagSettings
    from gateway.core.plan import SitePlan

app = typer.Typer(help="Tags and labels of the checkpoints.", no_args_is_help=True)

HIDDEN: Final = "(hidden; --show-keys shows it)"
WARNING: Final = (
    "These keys are secret: whoever has key 2 can forge taps of this tag, whoever has key 0 can write it anew. "
    "Enter them into the writer and keep them nowhere else; they can be derived again from FGW_TAG_KEY."
)
ORDER: Final = (
    "Write in this order, logged in with key 0 (16 zero bytes on a new tag): the NDEF file, the settings of file 02, "
    "keys 1 and 2, key 0 last. After a tag was written again, raise its epoch: fgw tags epoch."
)
NAMES: Final = {
    "uid": "UID",
    "epoch": "epoch",
    "url": "address",
    "ndef": "NDEF file (02), from byte 0",
    "change_file_settings": "ChangeFileSettings data",
    "access_rights": "AccessRights",
    "sdm_options": "SDMOptions",
    "sdm_access_rights": "SDMAccessRights",
    "picc_offset": "PICCDataOffset",
    "mac_input_offset": "SDMMACInputOffset",
    "mac_offset": "SDMMACOffset",
    "enc_offset": "SDMENCOffset",
    "enc_length": "SDMENCLength",
    "tt_offset": "TTStatusOffset",
}
"""What each setting is called in the data sheet."""
KEY_NAMES: Final = {
    "0": "key 0, to change the tag",
    "1": "key 1, reads the identity",
    "2": "key 2, MAC and file data",
}
NEW_KEY: Final = """\
This is the master key of your tags. Set it as FGW_TAG_KEY for the gateway, and keep a copy in a safe place.
It does not belong in the site file, nor is it in the database or its back-ups: without it no tag can be verified
or written anew. To replace it later, put the new one first and the old one behind it, with a space between."""

Url = Annotated[
    str, typer.Option("--url", envvar="FGW_URL", callback=gateway_url, help="The running gateway.")
]
Actor = Annotated[str, typer.Option(help="Who does it, for the records.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Since = Annotated[
    str | None,
    typer.Option(help="From when on, as 2026-11-03T08:30:00+08:00; at most 30 days ago. Now when not given."),
]
Site = Annotated[Path | None, typer.Option(help="The site file (FGW_SITE).")]
BaseUrl = Annotated[
    str, typer.Option(envvar="FGW_PUBLIC_URL", help="Where phones reach the gateway: https://host.")
]
TagId = Annotated[str, typer.Argument(metavar="TAG", help="The tag's id; colons and spaces do not matter.")]


# --- at a running gateway ------------------------------------------------------------------------------------


@app.command("list")
def list_tags(*, url: Url = URL, as_json: AsJson = False) -> None:
    """Every tag the gateway knows, where it hangs and since when."""
    found = Caller(url, "").items("/patrol/tags")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    columns = ("uid", "state", "checkpoint", "secure", "epoch", "since", "until", "tampered", "title")
    rows = [columns, *([_cell(one.get(name)) for name in columns] for one in found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case {"id": str(name)}:
            return name
        case _:
            return str(value)


@app.command("register")
def register(
    tag: TagId,
    checkpoint: Annotated[str, typer.Option(help="Where it hangs.")],
    *,
    secure: Annotated[bool, typer.Option("--secure", help="It proves itself: NTAG 424 DNA.")] = False,
    title: Annotated[str, typer.Option(help="A note, such as what it is glued to.")] = "",
    since: Since = None,
    url: Url = URL,
    actor: Actor = "operator",
    as_json: AsJson = False,
) -> None:
    """Say that a tag hangs at a checkpoint. A tag that hung elsewhere moves."""
    body: dict[str, object] = {"tag": tag, "checkpoint": checkpoint, "secure": secure}
    body |= {"title": title} if title else {}
    body |= {"since": since} if since else {}
    _tell(
        Caller(url, actor).post("/patrol/tags", body), f"{_plain(tag)} hangs at {checkpoint}", as_json=as_json
    )


@app.command("retire")
def retire(
    tag: TagId,
    *,
    since: Since = None,
    url: Url = URL,
    actor: Actor = "operator",
    as_json: AsJson = False,
) -> None:
    """Say that a tag means nothing any more. What was made with it before stays good."""
    body = {"since": since} if since else {}
    found = Caller(url, actor).post(f"/patrol/tags/{_plain(tag)}/retire", body)
    _tell(found, f"{_plain(tag)} is retired", as_json=as_json)


@app.command("epoch")
def raise_epoch(
    tag: TagId,
    *,
    epoch: Annotated[
        int | None, typer.Option("--to", min=1, help="The new epoch; the next one when not given.")
    ] = None,
    url: Url = URL,
    actor: Actor = "operator",
    as_json: AsJson = False,
) -> None:
    """Say that a tag was written anew: its counter begins again, and its old keys count no more."""
    body = {} if epoch is None else {"epoch": epoch}
    found = Caller(url, actor).post(f"/patrol/tags/{_plain(tag)}/epoch", body)
    known = found.get("epoch") if isinstance(found, dict) else None
    _tell(found, f"{_plain(tag)} is in epoch {known or epoch or 'the next one'}", as_json=as_json)


def _tell(found: Any, words: str, *, as_json: bool) -> None:  # noqa: ANN401 - whatever the JSON is
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else words)


def _plain(tag: str) -> str:
    """The id as it stands in a path. What is no id at all ends the command."""
    from gateway.core.tags import normal

    found = normal(tag)
    if not found or not found.isascii():
        raise typer.BadParameter(f"{tag!r} is no id of a tag, such as 04A22B1C3D5E80", param_hint="TAG")
    return found


# --- from the site file --------------------------------------------------------------------------------------


@app.command("labels")
def labels(
    base_url: BaseUrl,
    *,
    out: Annotated[Path, typer.Option(help="The PDF.")] = Path("labels.pdf"),
    checkpoint: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    site: Site = None,
    language: Annotated[str, typer.Option("--lang", help="Whose name is larger: en or zh.")] = "en",
    skip: Annotated[int, typer.Option(min=0, help="Labels of the first sheet that are used already.")] = 0,
    font: Font = None,
) -> None:
    """Write a sheet of labels: name, QR code, and the code to type; 3 by 8 on A4, to be printed at 100 %."""
    from gateway.core.tags import code
    from gateway.reports.labels import Label, LabelSheet, label_sheet
    from gateway.reports.words import Wording

    if language not in ("en", "zh"):
        raise typer.BadParameter(f"{language!r} is neither en nor zh", param_hint="--lang")
    address = _base(base_url)
    plan = _plan(site)
    wanted = checkpoint or list(plan.checkpoints)
    unknown = [name for name in wanted if name not in plan.checkpoints]
    if unknown:
        words = f"no checkpoint {', '.join(unknown)}; the site has {', '.join(plan.checkpoints) or 'none'}"
        raise typer.BadParameter(words, param_hint="--checkpoint")
    wording = Wording(plan, language)  # type: ignore[arg-type]  # just checked
    made = [
        Label(
            one.title, wording.place(one), code(plan.site, one.id), f"{address}?c={code(plan.site, one.id)}"
        )
        for one in (plan.checkpoints[name] for name in wanted)
    ]
    try:
        body = label_sheet(made, language, LabelSheet(skip=skip), letters(font))  # type: ignore[arg-type]  # as above
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        out.write_bytes(body)
    except OSError as error:
        typer.echo(f"fgw tags labels: {out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out}: {len(made)} labels")


@app.command("settings")
def settings(
    tag: TagId,
    base_url: BaseUrl,
    *,
    site: Site = None,
    epoch: Annotated[
        int | None, typer.Option(help="How often it was written; from the site file when not given.")
    ] = None,
    tamper: Annotated[bool, typer.Option("--tamper", help="It is a TagTamper.")] = False,
    show_keys: Annotated[
        bool, typer.Option("--show-keys", help="Show the keys to write. They are secret.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what to write to an NTAG 424 DNA with a tag-writer app. Needs FGW_TAG_KEY."""
    from gateway.codecs.tag_keys import SETTING, TagKeys
    from gateway.codecs.tag_settings import tag_settings
    from gateway.errors import SettingsError
    from gateway.settings import read_settings

    key = read_settings(site=site).tag_key
    if key is None:
        raise SettingsError(
            f"{SETTING} is not set: it is the key all others are made from; `fgw tags new-key` makes one"
        )
    keys = TagKeys.parse(key.get_secret_value())
    plan = _plan(site)
    number = _epoch(plan, _plain(tag)) if epoch is None else epoch
    found = tag_settings(keys, plan.site, tag, number, _base(base_url), tamper=tamper)
    if show_keys:
        _refuse_open_file()
    if as_json:
        typer.echo(json.dumps(_as_json(found, show_keys=show_keys), indent=2))
    else:
        typer.echo(_as_text(found, show_keys=show_keys))


def _as_text(found: "TagSettings", *, show_keys: bool) -> str:
    shown = _as_json(found, show_keys=show_keys)
    keys = shown.pop("keys")
    lines = [f"{NAMES[name]:<28} {value}" for name, value in shown.items() if value is not None]
    lines += [f"{KEY_NAMES[number]:<28} {value or HIDDEN}" for number, value in keys.items()]
    return "\n".join([*lines, "", ORDER, WARNING])


def _as_json(found: "TagSettings", *, show_keys: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(found, name) for name in NAMES}
    shown["sdm_options"] = f"{found.sdm_options:02X}"
    shown["keys"] = {str(number): key if show_keys else None for number, key in found.keys.items()}
    return shown


def _refuse_open_file() -> None:
    """Keys go to a screen, a pipe, or a file that nobody else can read."""
    try:
        out = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return
    if stat.S_ISREG(out.st_mode) and stat.S_IMODE(out.st_mode) & 0o077:
        typer.echo(
            "fgw tags settings: others can read the file this is written to; "
            "make it with `umask 077` or leave out --show-keys",
            err=True,
        )
        raise typer.Exit(1)


@app.command("new-key")
def new_key() -> None:
    """Make a master key for cryptographic tags."""
    import secrets

    typer.echo(secrets.token_hex(16).upper())
    typer.echo(NEW_KEY, err=True)


def _plan(site: Path | None) -> "SitePlan":
    from gateway.settings import read_settings
    from gateway.site import load_site

    return load_site(read_settings(site=site).site)


def _epoch(plan: "SitePlan", uid: str) -> int:
    from gateway.core.tags import index

    return max((tag.epoch for _, tag in index(plan).get(uid, ())), default=1)


def _base(text: str) -> str:
    """The address of the landing page: https, since phones open it and a guard's token goes there."""
    found = gateway_url(text)
    if not found.startswith("https://"):
        raise typer.BadParameter(
            f"{text!r} is not https://; phones would send taps in the clear", param_hint="--base-url"
        )
    return f"{found.removesuffix('/t')}/t"
