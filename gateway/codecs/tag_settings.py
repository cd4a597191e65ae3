"""The exact settings to write to an NTAG 424 DNA, so that its address can be verified here.

Offsets count bytes from the start of the NDEF file (file 02), whose first byte is the high byte of NLEN. Source: data
sheets NT4H2421Gx and NT4H2421Tx (TagTamper), §8.2.3.3 and the table of ChangeFileSettings.

Write in this order, logged in with key 0 (a new tag's keys are all zeros): the NDEF file, the settings of file 02,
keys 1 and 2, key 0 last.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from gateway.codecs.sun import MAC_LENGTH, PICC_LENGTH
from gateway.codecs.tag_keys import EPOCH_LIMIT, TagKeys
from gateway.errors import SettingsError

FILE_SIZE: Final = 256
"""Bytes of the NDEF file."""
ACCESS_RIGHTS: Final = "00E0"
"""As sent, low byte first: read by anybody (E); write, read-write and change with key 0."""
SDM_ACCESS_RIGHTS: Final = "FF12"
"""As sent, low byte first: identity under key 1, file data and MAC under key 2, nobody asks for the counter (F)."""

_SDM_ON: Final = "40"
"""FileOption: mirroring on, plain communication."""
_OPTIONS: Final = 0xC1
"""SDMOptions: UID (80) and counter (40) mirrored, as ASCII (01)."""
_OPTION_ENCRYPTED: Final = 0x10
_OPTION_TAMPER: Final = 0x08
_HTTPS: Final = 0x04
"""URI identifier code: the record leaves ``https://`` away."""
_HEADER: Final = 7
"""Bytes before the address: NLEN (2), record header, length of type, length of payload, ``U``, URI code."""
_ENCRYPTED_LENGTH: Final = 32
"""Characters of file data: one block. Its first half holds the plain text, which begins with TagTamper's two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSettings:
    """What a tag-writer app or a script asks for. Offsets and lengths are in bytes."""

    uid: str
    epoch: int
    url: str
    """The address with zeros where the tag puts its own data."""
    ndef: str
    """The beginning of the NDEF file (NLEN and one URI record) in hexadecimal."""
    picc_offset: int
    """PICCDataOffset: encrypted UID and counter."""
    mac_input_offset: int
    mac_offset: int
    enc_offset: int | None = None
    enc_length: int | None = None
    tt_offset: int | None = None
    """TTStatusOffset; this and the two above are set for TagTamper only."""
    access_rights: str = ACCESS_RIGHTS
    sdm_options: int = _OPTIONS
    sdm_access_rights: str = SDM_ACCESS_RIGHTS
    keys: Mapping[int, str] = field(repr=False)
    """By number, in hexadecimal."""

    @property
    def change_file_settings(self) -> str:
        """The data of ChangeFileSettings after the file number 02, before secure messaging, in hexadecimal."""
        offsets = (
            self.picc_offset,
            self.tt_offset,
            self.mac_input_offset,
            self.enc_offset,
            self.enc_length,
            self.mac_offset,
        )
        return (
            f"{_SDM_ON}{self.access_rights}{self.sdm_options:02X}{self.sdm_access_rights}"
            + "".join(offset.to_bytes(3, "little").hex() for offset in offsets if offset is not None)
        ).upper()


def tag_settings(
    keys: TagKeys, site: str, uid: str, epoch: int, base_url: str, *, tamper: bool = False
) -> TagSettings:
    """The settings of one tag under the first master key.

    Args:
        keys: the owner's master keys.
        site: the site's id.
        uid: of the tag, 7 bytes in hexadecimal; colons, dashes and spaces are passed over.
        epoch: how often the tag was written, from 1.
        base_url: where people reach the gateway, ``https://…``; ``/t`` is added where it does not end in it.
        tamper: whether it is a TagTamper, whose state is then mirrored too.

    Raises:
        SettingsError: one of them cannot be, or the address does not fit into the tag.
    """
    plain_uid = _uid(uid)
    if not 1 <= epoch <= EPOCH_LIMIT:
        raise SettingsError(f"epoch: {epoch} is not between 1 and {EPOCH_LIMIT}")
    encrypted = f"&enc={'0' * _ENCRYPTED_LENGTH}" if tamper else ""
    identity, mac = "0" * 2 * PICC_LENGTH, "0" * 2 * MAC_LENGTH
    address = f"{_address(base_url)}?e={epoch}&picc={identity}{encrypted}&cmac={mac}"
    mac_offset = _offset(address, "&cmac=")
    enc_offset = _offset(address, "&enc=") if tamper else None
    own = keys.of_site(site)[0]
    numbered = (own.change(plain_uid), own.meta, own.file(plain_uid, epoch))
    return TagSettings(
        uid=plain_uid.hex().upper(),
        epoch=epoch,
        url=f"https://{address}",
        ndef=_ndef(address, base_url),
        picc_offset=_offset(address, "&picc="),
        mac_input_offset=mac_offset if enc_offset is None else enc_offset,
        mac_offset=mac_offset,
        enc_offset=enc_offset,
        enc_length=_ENCRYPTED_LENGTH if tamper else None,
        tt_offset=enc_offset,
        sdm_options=_OPTIONS | (_OPTION_ENCRYPTED | _OPTION_TAMPER if tamper else 0),
        keys={number: key.hex().upper() for number, key in enumerate(numbered)},
    )


def _uid(text: str) -> bytes:
    plain = re.sub(r"[:\s-]", "", text)
    if re.fullmatch(r"[0-9A-Fa-f]{14}", plain) is None:
        raise SettingsError(f"uid: {text!r} is not 7 bytes in hexadecimal, such as 04A22B1C3D5E80")
    return bytes.fromhex(plain)


def _address(base_url: str) -> str:
    """Host and path, without ``https://``."""
    if re.fullmatch(r"https://[!-~]+", base_url) is None:
        raise SettingsError(
            f"base_url: {base_url!r} is not https://host in plain ASCII; phones open no other"
        )
    if re.search(r"[?#%@]", base_url):
        raise SettingsError(
            f"base_url: {base_url!r} holds one of ? # % @; only host, port and path are possible"
        )
    try:
        parts = urlsplit(base_url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise SettingsError(f"base_url: {base_url!r} names no host, or a port that cannot be")
    return base_url.removeprefix("https://").rstrip("/").removesuffix("/t") + "/t"


def _offset(address: str, name: str) -> int:
    """Where in the file the value of a parameter begins."""
    return _HEADER + address.rindex(name) + len(name)


def _ndef(address: str, base_url: str) -> str:
    """NLEN and a short URI record. A file that fits leaves no more than the 255 bytes such a record may hold."""
    over = _HEADER + len(address) - FILE_SIZE
    if over > 0:
        raise SettingsError(
            f"base_url: {base_url!r} is {over} characters too long for the {FILE_SIZE} bytes of the tag"
        )
    payload = bytes([_HTTPS]) + address.encode()
    record = bytes([0xD1, 0x01, len(payload), ord("U")]) + payload
    return (len(record).to_bytes(2, "big") + record).hex().upper()
