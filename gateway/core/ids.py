"""Ids that derive from what caused a record, so that a replay gives the same ones."""

import base64
import hashlib


def derive_id(prefix: str, *parts: object) -> str:
    """A short id: ``prefix-`` and 16 characters (80 bits) of the hash of the parts.

    Example:
        >>> derive_id("al", "riverside", "t1-lift-1", "motor_overheat", 3)
        'al-lkhxe65txzx4kawa'
    """
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode(), digest_size=10).digest()
    return f"{prefix}-{base64.b32encode(digest).decode().lower()}"
