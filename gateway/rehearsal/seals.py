"""Addresses of secure tags as a rehearsal makes them up: signed with keys of its own, so that the real check is made."""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from gateway.codecs.sun import plain_picc, sun_mac
from gateway.codecs.tag_keys import TagKeys
from gateway.core.values import Json

KEYS = TagKeys((sha256(b"facility-gateway rehearsal").digest()[:16],))
"""What the gateway verifies tags with while it is rehearsed; no tag was ever written with them."""

STATES: Mapping[str, str] = MappingProxyType({"closed": "CC", "open": "OO", "unknown": "II"})
"""What a TagTamper tag writes of its seal."""


def address(site: str, seal: Mapping[str, Json]) -> str:
    """The address a tag gives.

    Args:
        site: the id of the site.
        seal: ``uid``, and where they matter ``counter``, ``epoch``, ``tamper`` and ``verdict: forged``.
    """
    uid, epoch = str(seal["uid"]).upper(), int(str(seal.get("epoch", 1)))
    picc = plain_picc(uid, f"{int(str(seal.get('counter', 1))):06X}")
    state = f"&tt={STATES[str(seal['tamper'])]}" if "tamper" in seal else ""
    text = f"{state[4:]}&cmac=" if state else ""
    mac = sun_mac(KEYS.of_site(site)[0].file(picc.uid, epoch), picc, text.encode())
    if seal.get("verdict") == "forged":
        mac = bytes(byte ^ 0xFF for byte in mac)
    start = f"https://gateway.example/t?e={epoch}&uid={uid}&ctr={picc.counter:06X}"
    return f"{start}{state}&cmac={mac.hex().upper()}"
