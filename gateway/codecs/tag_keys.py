"""The keys of secure tags, all derived from one master key of the owner by NXP AN10922 (AES-128).

======  ======================  ===================================================================================
number  purpose                 derived from
======  ======================  ===================================================================================
0       change the tag          site, UID; not the epoch, so that the writer of a new epoch can still log in
1       read the identity       site; not the UID, which nobody knows before this key was used
2       MAC and file data       site, UID, epoch
======  ======================  ===================================================================================

The message diversified is always 31 bytes: UID (7) ‖ purpose (4) ‖ hash of the site's id (16) ‖ epoch (4, most
significant first), zeros for what does not take part. No key is ever part of a text: not of an error, not of a repr.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from string import hexdigits
from typing import Final, Self

from gateway.codecs.sun import UID_LENGTH, cmac
from gateway.errors import SettingsError

SETTING: Final = "FGW_TAG_KEY"
REMEMBERED: Final = 4_096
"""Derived keys kept in memory; the ones used longest ago give way."""
EPOCH_LIMIT: Final = 65_535

_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}")
_CHANGE: Final = b"FGWC"
_META: Final = b"FGWM"
_FILE: Final = b"FGWF"
_SITE_HASH: Final = 16
_NO_UID: Final = bytes(UID_LENGTH)
_SHORTEST, _LONGEST = 16, 31


@lru_cache(maxsize=REMEMBERED)
def diversify(master: bytes, message: bytes) -> bytes:
    """A 16-byte key for one purpose: CMAC(master, 01 ‖ message), as AN10922 has it.

    AN10922 pads to two blocks whatever the length. CMAC does the same from 17 bytes on, so shorter messages are
    refused.

    Args:
        master: 16 bytes.
        message: 16 to 31 bytes.

    Raises:
        ValueError: the message is shorter or longer.
    """
    if not _SHORTEST <= len(message) <= _LONGEST:
        raise ValueError(f"{len(message)} bytes to diversify with; {_SHORTEST} to {_LONGEST} are possible")
    return cmac(master, b"\x01" + message)


class SiteKeys:
    """The keys of one site's tags under one master key.

    Args:
        master: 16 bytes.
        site: the site's id; another site gets other keys from the same master key.
    """

    __slots__ = ("_master", "_site", "meta")

    def __init__(self, master: bytes, site: str) -> None:
        self._master = master
        self._site = sha256(site.encode()).digest()[:_SITE_HASH]
        self.meta = self._derive(_NO_UID, _META, 0)
        """Key 1, the same in every tag of the site. It shows who a tag is, but signs nothing."""

    def file(self, uid: bytes, epoch: int) -> bytes:
        """Key 2 of one tag: its MAC and its file data."""
        return self._derive(uid, _FILE, epoch)

    def change(self, uid: bytes) -> bytes:
        """Key 0 of one tag (AppMasterKey): whoever has it can write the tag anew."""
        return self._derive(uid, _CHANGE, 0)

    def _derive(self, uid: bytes, purpose: bytes, epoch: int) -> bytes:
        return diversify(self._master, uid + purpose + self._site + epoch.to_bytes(4, "big"))

    def __repr__(self) -> str:
        return "SiteKeys(…)"


@dataclass(frozen=True, slots=True, repr=False)
class TagKeys:
    """The owner's master keys: tags are written with the first and verified with any, so that a key can be rotated."""

    masters: tuple[bytes, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The keys of a setting: 32 hexadecimal characters each, with spaces between them.

        Raises:
            SettingsError: there is none, or one of them is no key; the text never repeats what was found.
        """
        words = text.split()
        if not words:
            raise SettingsError(f"{SETTING}: no key; expected 32 hexadecimal characters (AES-128)")
        for number, word in enumerate(words, 1):
            which = f"{SETTING}: key {number} of {len(words)}"
            if _KEY.fullmatch(word) is None:
                strange = sum(character not in hexdigits for character in word)
                found = f"{len(word)} characters, {strange} of them not hexadecimal"
                raise SettingsError(f"{which} is not 32 hexadecimal characters (AES-128), but {found}")
            if not any(bytes.fromhex(word)):
                raise SettingsError(f"{which} is all zeros, the key every tag leaves the factory with")
        return cls(tuple(dict.fromkeys(bytes.fromhex(word) for word in words)))

    def of_site(self, site: str) -> tuple[SiteKeys, ...]:
        """The keys of one site's tags, a master key each, in the order of the setting."""
        return tuple(SiteKeys(master, site) for master in self.masters)

    def __repr__(self) -> str:
        return f"TagKeys({len(self.masters)} …)"
