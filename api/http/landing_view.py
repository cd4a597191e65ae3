"""What the page says of an address that a phone has opened: which place it stands for, and whether it proves itself."""

from dataclasses import dataclass
from typing import Final

from api.http.context import Context
from api.http.landing_words import PAGE, Language
from api.http.tag_views import TagBook
from gateway.codecs.tag_url import URL_LIMIT
from gateway.core import tags
from gateway.core.patrol.flags import FLAGS
from gateway.core.plan import SitePlan
from gateway.core.values import Title
from gateway.reports.words import Wording

MARKS: Final = {"good": "✓", "odd": "!", "bad": "✕", "wait": "…"}
"""Beside each tone, so that nobody needs to tell colours apart."""
_SIGNED: Final = ("picc=", "cmac=", "uid=", "ctr=", "enc=")
"""One of these, and it was meant to be the address of a secure tag."""
_CODE_MOST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What was read."""

    title: str
    place: str = ""
    tone: str
    proof: str
    more: str = ""
    how: str = ""
    """``nfc`` or ``qr``; empty where nothing was read."""
    key: str = ""
    """The same for the same reading: the address of a secure tag is another one with each tap, that of a label is not."""
    tap: dict[str, str] | None = None
    """What is uploaded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tag stands for now."""

    checkpoint: str | None = None
    device: str | None = None
    flag: str = ""
    """Why it stands for nothing, or does not count."""


def stands_for(asked: Context, uid: str, epoch: int) -> Standing:
    """What a tag stands for now.

    Args:
        asked: the site in force, and what was registered at run time.
        uid: the tag's id.
        epoch: of the keys it proved itself with.
    """
    book = TagBook(asked)
    known = book.find(uid) if uid in book.ids() else None
    if known is not None and known.checkpoint is not None and known.state == "in_use":
        if known.checkpoint.id not in asked.plan.checkpoints:
            return Standing(flag="unknown_tag")
        return Standing(known.checkpoint.id, flag="old_epoch" if epoch < known.epoch else "")
    device = tags.assets(asked.plan).get(uid)
    if device is not None:
        return Standing(device=device)
    return Standing(flag="retired_tag" if known is not None and known.state == "retired" else "unknown_tag")


def landing(asked: Context, host: str, query: str, language: Language) -> Landing:
    """What a phone reads that opens ``/t`` with a query, as it stands in the address and without ``lang``."""
    wording = Wording(asked.plan, language)
    parts = query.split("&")
    if any(part.startswith(_SIGNED) for part in parts) and len(query) < URL_LIMIT:
        return _of_tag(asked, f"https://{host}/t?{query}", query, wording)
    code = next((part[2:] for part in parts if part.startswith("c=")), "").upper()
    if code.isascii() and code.isalnum() and len(code) <= _CODE_MOST:
        return _of_label(asked.plan, code, wording)
    return Landing(
        title=wording.of(PAGE["heading"]),
        tone="wait",
        proof=wording.of(PAGE["nothing"]),
        more=wording.of(PAGE["nothing_more"]),
    )


def _of_tag(asked: Context, url: str, query: str, wording: Wording) -> Landing:
    seal = asked.gateway.read_tag(url)
    stands = Standing(flag=seal.verdict)
    if seal.verdict == "good" and seal.uid is not None:
        stands = stands_for(asked, seal.uid, seal.epoch)
    tone, proof = _proof(stands, seal.tamper)
    title, place = _place(asked.plan, stands, wording)
    return Landing(
        title=title,
        place=place,
        tone=tone,
        proof=wording.of(proof),
        how="nfc",
        key=query,
        tap={"url": url},
    )


def _proof(stands: Standing, tamper: str | None) -> tuple[str, Title]:
    if stands.flag:
        return "bad", FLAGS[stands.flag].title
    if stands.device is not None:
        return "odd", PAGE["of_device"]
    return ("odd", PAGE["torn"]) if tamper == "open" else ("good", PAGE["good"])


def _of_label(plan: SitePlan, code: str, wording: Wording) -> Landing:
    stands = Standing(tags.codes(plan).get(code))
    title, place = _place(plan, stands, wording)
    known = stands.checkpoint is not None
    return Landing(
        title=title,
        place=place,
        tone="odd" if known else "bad",
        proof=wording.of(PAGE["label" if known else "unknown_code"]),
        how="qr",
        key=f"c={code}",
        tap={"code": code},
    )


def _place(plan: SitePlan, stands: Standing, wording: Wording) -> tuple[str, str]:
    checkpoint = plan.checkpoints.get(stands.checkpoint or "")
    if checkpoint is not None:
        return wording.of(checkpoint.title), wording.place(checkpoint)
    device = plan.devices.get(stands.device or "")
    return wording.of(PAGE["no_place"] if device is None else device.title), ""
