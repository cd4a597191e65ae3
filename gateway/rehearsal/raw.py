"""Bytes as a scenario writes them."""

import base64
import binascii

from gateway.core.values import Json
from gateway.site.fields import shown


def raw_bytes(value: Json) -> bytes:
    """Read a text as it is, or ``{base64: …}``.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and [*value] == ["base64"] and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except binascii.Error as exc:
            raise ValueError(f"found {shown(value['base64'])}, which is not base64: {exc}") from exc
    raise ValueError(f"found {shown(value)}; the text as it is sent is needed, or {{base64: ...}}")
