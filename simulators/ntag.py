"""A simulated NTAG 424 DNA: the tag's own side of "SUN", written from the data sheet and not from the gateway's reader.

Source: data sheets NT4H2421Gx and NT4H2421Tx (TagTamper), §9.3.
"""

import random
from typing import Final, Literal, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

from simulators.errors import SimulationError

Form: TypeAlias = Literal["encrypted", "enc", "plain"]
"""Identity encrypted; identity and file data encrypted; identity plain."""

LAST_TAP: Final = 0xFFFFFF
FILE_DATA: Final = b"0" * 16
"""What the tag was written with where it encrypts file data; TagTamper's state goes over its beginning."""


class SimulatedTag:
    """One tag; each tap gives its next address. The same arguments give the same addresses.

    Args:
        uid: 7 bytes in hexadecimal.
        epoch: how often it was written; stands in the address as ``e``.
        base: the address up to the question mark, such as ``https://gateway.example/t``.
        meta_key: key 1, 16 bytes.
        file_key: key 2, 16 bytes.
        form: what its address looks like.
        tamper: whether it is a TagTamper that mirrors its state; its loop is closed at first.
        counter: taps it had before.
        seed: of the random padding.
    """

    def __init__(  # noqa: PLR0913 - what is written to a tag
        self,
        uid: str,
        epoch: int,
        base: str,
        meta_key: bytes,
        file_key: bytes,
        *,
        form: Form = "encrypted",
        tamper: bool = False,
        counter: int = 0,
        seed: int = 0,
    ) -> None:
        if tamper and form == "encrypted":
            raise SimulationError("a tag shows its tamper state in file data or in plain text: enc or plain")
        self.uid = bytes.fromhex(uid)
        self.epoch = epoch
        self.base = base
        self.form = form
        self.counter = counter
        self.status = "CC" if tamper else ""
        """TagTamper's two characters: ever open, open now; empty where it is none."""
        self._meta_key = meta_key
        self._file_key = file_key
        self._rng = random.Random(f"{seed}:{uid}")

    def tear(self) -> None:
        """Break the loop of a TagTamper."""
        self.status = "OO"

    def mend(self) -> None:
        """Close the loop again; the tag remembers that it was open."""
        self.status = "OC"

    def tap(self) -> str:
        """The address a phone reads now.

        Raises:
            SimulationError: the counter has reached its end; the tag answers no more.
        """
        if self.counter == LAST_TAP:
            raise SimulationError(f"tag {self.uid.hex().upper()} has had its last tap")
        self.counter += 1
        start = f"{self.base}?e={self.epoch}&"
        match self.form:
            case "encrypted":
                return f"{start}picc={self._picc()}&cmac={self._mac('')}"
            case "enc":
                signed = f"{self._file_data()}&cmac="
                return f"{start}picc={self._picc()}&enc={signed}{self._mac(signed)}"
            case "plain":
                start += f"uid={self.uid.hex().upper()}&ctr={self.counter:06X}"
                if not self.status:
                    return f"{start}&cmac={self._mac('')}"
                signed = f"{self.status}&cmac="
                return f"{start}&tt={signed}{self._mac(signed)}"

    def _picc(self) -> str:
        plain = bytes([0xC7]) + self._identity() + self._rng.randbytes(5)
        return _encrypt(self._meta_key, bytes(16), plain).hex().upper()

    def _file_data(self) -> str:
        key = _cmac(self._file_key, bytes.fromhex("C33C00010080") + self._identity())
        start = _encrypt(key, bytes(16), self.counter.to_bytes(3, "little") + bytes(13))
        status = self.status.encode()
        return _encrypt(key, start, status + FILE_DATA[len(status) :]).hex().upper()

    def _mac(self, signed: str) -> str:
        key = _cmac(self._file_key, bytes.fromhex("3CC300010080") + self._identity())
        return _cmac(key, signed.encode())[1::2].hex().upper()

    def _identity(self) -> bytes:
        return self.uid + self.counter.to_bytes(3, "little")


def _encrypt(key: bytes, start: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), CBC(start)).encryptor().update(data)


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()
