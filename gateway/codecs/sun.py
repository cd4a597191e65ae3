"""NTAG 424 DNA "SUN" (Secure Unique NFC) in AES mode: the cryptography, as pure functions over bytes.

At every tap the tag writes its UID and a counter into its address, encrypted or plain, and a MAC under a key of its
own. LRP mode encrypts 24 bytes where AES mode encrypts 16; it is told apart by that length and not read.

Sources: NXP AN12196 "NTAG 424 DNA features and hints"; data sheets NT4H2421Gx and NT4H2421Tx (TagTamper), §9.3.
"""

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

UID_LENGTH: Final = 7
"""Bytes."""
COUNTER_LENGTH: Final = 3
"""Bytes; the counter ends at 0xFFFFFF."""
PICC_LENGTH: Final = 16
"""Bytes of encrypted identity in AES mode."""
LRP_PICC_LENGTH: Final = 24
"""Bytes of it in LRP mode."""
MAC_LENGTH: Final = 8
"""Bytes that are left of the MAC."""
TAMPER: Mapping[bytes, str] = MappingProxyType(
    {b"CC": "closed", b"OC": "open", b"OO": "open", b"CO": "open", b"II": "unknown"}
)
"""TagTamper's two characters: whether the loop was ever seen open, and whether it is now.

They are the first two of the file data where that is encrypted, and ``tt=`` where the tag mirrors in plain text.
"""

_BOTH_MIRRORED: Final = 0xC7
"""PICCDataTag: bit 7 the UID is there, bit 6 the counter is, bits 5 and 4 zero, low nibble the UID's 7 bytes."""
_FOR_ENCRYPTION: Final = bytes.fromhex("C33C00010080")
_FOR_MAC: Final = bytes.fromhex("3CC300010080")
_ZERO_BLOCK: Final = bytes(16)


class Picc(NamedTuple):
    """Which tag was tapped, and for which time."""

    uid: bytes
    counter: int

    @property
    def context(self) -> bytes:
        """Both as session vectors take them: the counter least significant byte first."""
        return self.uid + self.counter.to_bytes(COUNTER_LENGTH, "little")


def decrypt_picc(meta_key: bytes, picc: bytes) -> Picc | None:
    """Who the tag says it is; None where that is no UID with a counter, as under a wrong key.

    Args:
        meta_key: the key of the SDMMetaRead right, 16 bytes.
        picc: the encrypted identity, 16 bytes.
    """
    plain = _decrypt(meta_key, _ZERO_BLOCK, picc)
    if plain[0] != _BOTH_MIRRORED:
        return None
    end = 1 + UID_LENGTH
    return Picc(plain[1:end], int.from_bytes(plain[end : end + COUNTER_LENGTH], "little"))


def plain_picc(uid: str, counter: str) -> Picc:
    """The same from plain mirroring, where the counter's text is most significant byte first."""
    return Picc(bytes.fromhex(uid), int(counter, 16))


def mac_session_key(file_key: bytes, picc: Picc) -> bytes:
    """The key of this tap's MAC, from session vector SV2."""
    return cmac(file_key, _FOR_MAC + picc.context)


def encryption_session_key(file_key: bytes, picc: Picc) -> bytes:
    """The key of this tap's file data, from session vector SV1."""
    return cmac(file_key, _FOR_ENCRYPTION + picc.context)


def sun_mac(file_key: bytes, picc: Picc, text: bytes) -> bytes:
    """The MAC a tag with this key writes: 8 bytes, those at odd positions of the full one.

    Args:
        file_key: the key of the SDMFileRead right, 16 bytes.
        picc: which tag, and which tap of it.
        text: the part of the address between SDMMACInputOffset and SDMMACOffset, as it stands there.
    """
    return cmac(mac_session_key(file_key, picc), text)[1::2]


def mac_fits(file_key: bytes, picc: Picc, text: bytes, mac: bytes) -> bool:
    """Whether the MAC is the tag's own. The time this takes says nothing of where a wrong one differs."""
    return hmac.compare_digest(sun_mac(file_key, picc, text), mac)


def decrypt_file_data(file_key: bytes, picc: Picc, data: bytes) -> bytes:
    """The plain file data. It proves nothing before the MAC over it was checked.

    Args:
        file_key: as for :func:`sun_mac`.
        picc: which tag, and which tap of it.
        data: a multiple of 16 bytes.
    """
    key = encryption_session_key(file_key, picc)
    counter = picc.counter.to_bytes(COUNTER_LENGTH, "little").ljust(16, b"\0")
    cipher = Cipher(AES(key), CBC(_ZERO_BLOCK)).encryptor()  # for one block the same as ECB
    return _decrypt(key, cipher.update(counter), data)


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC (NIST SP 800-38B), all 16 bytes."""
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def _decrypt(key: bytes, start: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), CBC(start)).decryptor().update(data)
