"""What the address of a secure tag proves.

A tag gives one of these, its parameters in this order and nothing beside them::

    https://host/t?e=2&picc=<32 hex>&cmac=<16 hex>                 identity encrypted; MAC over no text
    https://host/t?e=2&picc=<32 hex>&enc=<32·n hex>&cmac=<16 hex>  and file data; MAC over "<enc>&cmac="
    https://host/t?e=2&uid=<14 hex>&ctr=<6 hex>&cmac=<16 hex>      identity plain; MAC over no text
    https://host/t?e=2&uid=<14 hex>&ctr=<6 hex>&tt=CC&cmac=<16 hex>  and TagTamper; MAC over "CC&cmac="

``e`` is the epoch of the keys, 1 where it is absent. Identity and epoch need no place in the text under the MAC: the
key of the MAC is derived from them. Host and path prove nothing and are not compared. The text is cut out of the
address as it stands, so an address in lower case fails where there is such a text, as the tag wrote upper case.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.codecs.sun import (
    LRP_PICC_LENGTH,
    TAMPER,
    Picc,
    decrypt_file_data,
    decrypt_picc,
    mac_fits,
    plain_picc,
)
from gateway.codecs.tag_keys import SiteKeys, TagKeys
from gateway.core.values import Seal

URL_LIMIT: Final = 512
"""Characters of an address; a tag's file holds 256 bytes."""

_HEX: Final = "[0-9A-Fa-f]"
_TAG_URL: Final = re.compile(
    r"(?i:https)://[!-\"$&->@-~]+\?"
    r"(?:e=(?P<e>[1-9][0-9]{0,8})&)?"
    rf"(?:picc=(?P<picc>{_HEX}{{32}}(?:{_HEX}{{16}})?)(?:&enc=(?P<enc>(?:{_HEX}{{32}})+))?"
    rf"|uid=(?P<uid>{_HEX}{{14}})&ctr=(?P<ctr>{_HEX}{{6}})(?:&tt=(?P<tt>[0-9A-Za-z]{{2}}))?)"
    rf"&cmac=(?P<cmac>{_HEX}{{16}})"
)
_KNOWN: Final = frozenset({"e", "picc", "enc", "uid", "ctr", "tt", "cmac"})


class TagReader:
    """Reads addresses of one site's tags.

    Args:
        site: the site's id, which takes part in every key.
        keys: the owner's master keys; None where there are none, so that nothing can be verified.
    """

    def __init__(self, site: str, keys: TagKeys | None) -> None:
        self._keys = keys.of_site(site) if keys is not None else ()

    def read(self, url: str) -> Seal:
        """What the address proves. Every text has an answer; UID and counter are told only where they are proven."""
        found = _TAG_URL.fullmatch(url) if len(url) <= URL_LIMIT else None
        if found is None:
            return Seal("malformed_url", words=_what_is_wrong(url))
        epoch = int(found["e"] or 1)
        if found["picc"] and len(found["picc"]) == 2 * LRP_PICC_LENGTH:
            return Seal("lrp", epoch=epoch, words="the tag is in LRP mode; write it anew in AES mode")
        if not self._keys:
            claim = f"; it claims to be tag {found['uid'].upper()}" if found["uid"] else ""
            return Seal("no_key", epoch=epoch, words=f"the gateway has no tag key to verify it with{claim}")
        text, mac = _text_under_mac(found).encode(), bytes.fromhex(found["cmac"])
        claimed: Picc | None = None
        for keys, picc in self._claims(found):
            claimed = claimed or picc
            file_key = keys.file(picc.uid, epoch)
            if mac_fits(file_key, picc, text, mac):
                return _good(found, epoch, picc, file_key)
        uid = None if claimed is None else claimed.uid.hex().upper()
        return Seal("forged", uid, epoch=epoch, words=_why_forged(found, claimed, epoch))

    def _claims(self, found: re.Match[str]) -> Iterator[tuple[SiteKeys, Picc]]:
        """Who the tag says it is, under each key that can read it."""
        for keys in self._keys:
            if found["picc"]:
                picc = decrypt_picc(keys.meta, bytes.fromhex(found["picc"]))
            else:
                picc = plain_picc(found["uid"], found["ctr"])
            if picc is not None:
                yield keys, picc


def _text_under_mac(found: re.Match[str]) -> str:
    for name in ("enc", "tt"):
        if found[name] is not None:
            return found.string[found.start(name) : found.start("cmac")]
    return ""


def _good(found: re.Match[str], epoch: int, picc: Picc, file_key: bytes) -> Seal:
    tamper: str | None = None
    if found["enc"]:
        tamper = TAMPER.get(decrypt_file_data(file_key, picc, bytes.fromhex(found["enc"]))[:2])
    elif found["tt"]:
        tamper = TAMPER.get(found["tt"].encode(), "unknown")
    uid = picc.uid.hex().upper()
    words = f"tag {uid}, tap {picc.counter}"
    if tamper is not None:
        seal = {"closed": "closed", "open": "torn, now or once"}.get(tamper, "unknown: never set up")
        words += f"; its seal is {seal}"
    return Seal("good", uid, picc.counter, epoch, tamper, words)


def _why_forged(found: re.Match[str], claimed: Picc | None, epoch: int) -> str:
    """The likeliest reasons, for the person who has to find out."""
    if not found["cmac"].strip("0"):
        return "its signature is all zeros: secure messaging is not switched on in this tag"
    if claimed is None:
        return (
            "this site's keys read no UID with a counter in it: it is the tag of another site or master key, "
            "or it does not mirror both, or the address was made up"
        )
    words = f"wrong signature; it claims to be tag {claimed.uid.hex().upper()}, tap {claimed.counter}, epoch {epoch}"
    text = _text_under_mac(found).removesuffix("&cmac=")
    if text != text.upper():
        words += (
            "; it is in lower case where a tag writes upper case: a phone or a reader may have changed it"
        )
    return words


def _what_is_wrong(url: str) -> str:
    """The first thing that makes this no address of a tag."""
    if len(url) > URL_LIMIT:
        return f"{len(url)} characters; an address of a tag has {URL_LIMIT} at the most"
    if url[:8].lower() != "https://":
        return "it does not begin with https://"
    head, mark, query = url.partition("?")
    if not mark or not head[8:]:
        return "it has no host, or no parameters after a question mark"
    if not all("!" <= character <= "~" for character in url):
        return "it holds a space, or a character outside ASCII"
    for sign, name in (("#", "a fragment"), ("%", "percent-encoding")):
        if sign in url:
            return f"it holds {name} ({sign}), which no tag writes: something changed it on its way"
    names = [part.partition("=")[0] for part in query.split("&")]
    double = next((name for name in names if names.count(name) > 1), None)
    if double in _KNOWN:
        return f"it holds {double} more than once"
    if not _KNOWN.issuperset(names):
        return "it holds parameters that no tag of this gateway writes"
    return (
        "its parameters are not those of a tag: [e, 1 to 999999999] then picc (32 hex), [enc (32 hex or a multiple)] "
        "or uid (14 hex), ctr (6 hex), [tt (2 characters)], then cmac (16 hex), in this order"
    )
