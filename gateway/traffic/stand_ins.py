"""What stands in for a personal value: of the same kind, the same for the same value, nothing without the key."""

import json
import math
import re
from hashlib import blake2b
from typing import Final

from gateway.core.persons import seen

KEY_LEAST, KEY_MOST = 16, 64
"""Bytes of a key."""
PREFIX: Final = "masked-"
FROM, SPAN = 10**9, 9 * 10**9
"""Numbers become numbers of ten digits."""
BITS: Final = 30
"""A drawn number has more bits than this."""
SURE: Final = 2**53
"""Floats from here on are no integers to the gateway, and have to stay so; past 64 bits nor are integers."""
LONG: Final = 32
"""Characters from which on the length of a text is kept, as there are limits it may break or keep."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HALF: Final = re.compile(r"[\ud800-\udfff]")
"""Half a character, as from a text that was cut."""
_SECRET: Final = re.compile(r"([?&](?:picc|cmac|enc)=)([^&#\s\"\\]*)", re.IGNORECASE)
"""What a cryptographic tag writes into its address, good for one tap."""
_HEX: Final = "0123456789ABCDEF"
_REST: Final = "GHJKLMNPQRSTUVWX"


class StandIns:
    """The stand-ins of one recording.

    Args:
        key: a secret of 16 to 64 bytes.

    Raises:
        ValueError: it has another length.
    """

    def __init__(self, key: bytes) -> None:
        if not KEY_LEAST <= len(key) <= KEY_MOST:
            raise ValueError(f"a key has {KEY_LEAST} to {KEY_MOST} bytes, this one {len(key)}")
        self._key = key

    def of(self, value: object) -> object:
        """For any scalar. A flag becomes false and null stays null: of two words none can stand for the other."""
        if isinstance(value, bool):
            return False
        if isinstance(value, int | float):
            return self.number(value)
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Names that read alike have one stand-in. A blank text stays, and so does what is wrong with a text."""
        if not text.strip():
            return text
        stand_in = PREFIX + self._digest("text", seen(text), 5).hex()
        if len(text) > LONG:
            stand_in = stand_in.ljust(len(text), "-")
        wrong = _HALF.search(text) or _CONTROL.search(text)
        return stand_in if wrong is None else stand_in[:-1] + ("\ud800" if wrong.re is _HALF else "\x7f")

    def number(self, number: float) -> float:
        """A whole number stays whole, a broken one broken, and what is no number none."""
        if isinstance(number, float) and not math.isfinite(number):
            return number
        drawn = FROM + int.from_bytes(self._digest("number", repr(number), 8)) % SPAN
        drawn += drawn == number
        if isinstance(number, int):
            return drawn if -(2**63) <= number < 2**63 else drawn << number.bit_length() - BITS
        if abs(number) >= SURE:
            return float(drawn * SURE)
        return float(drawn) if number.is_integer() else drawn + 0.5

    def of_source(self, source: str) -> str:
        """For a value as it is written in JSON, whole or cut off."""
        try:
            return json.dumps(self.of(json.loads(source)))
        except ValueError:
            if source.startswith('"'):
                return json.dumps(self.text(source.strip('"')))
            return str(FROM + int.from_bytes(self._digest("source", source, 8)) % SPAN)

    def address(self, text: str) -> str:
        """The text with what a tag's address proves replaced, character by character, so that its form stays."""
        if "=" not in text:
            return text
        return _SECRET.sub(lambda found: found[1] + self._letters(found[2]), text)

    def _letters(self, secret: str) -> str:
        drawn, block = b"", 0
        while len(drawn) < len(secret):
            drawn += self._digest(f"address {block}", secret.upper(), 64)
            block += 1
        return "".join(_like(letter, byte % 16) for letter, byte in zip(secret, drawn, strict=False))

    def _digest(self, kind: str, text: str, size: int) -> bytes:
        data = text.encode(errors="surrogatepass")
        return blake2b(data, digest_size=size, key=self._key, person=kind.encode()).digest()


def _like(letter: str, nibble: int) -> str:
    if not (letter.isascii() and letter.isalnum()):
        return letter
    drawn = (_HEX if letter.upper() in _HEX else _REST)[nibble]
    return drawn.lower() if letter.islower() else drawn
