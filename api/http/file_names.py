"""Names of files as they are kept and given back: harmless on any system, and honest about what the file is."""

import unicodedata
from urllib.parse import quote

from gateway.adapters.attachments import SUFFIXES

NAME_MOST = 120
"""Characters of a name, its ending included."""

_RESERVED = frozenset('<>:"/\\|?*;%')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
"""Names that mean devices on Windows, whatever their ending."""


def fitting_name(given: str, media_type: str) -> str:
    """The last part of a name without anything odd, with an ending that fits what the file is.

    Example:
        >>> fitting_name("../../etc/motor.php", "image/jpeg")
        'motor.php.jpg'
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if (character not in _RESERVED and unicodedata.category(character)[0] not in "CZ") or character == " "
    )
    name = " ".join(kept.split()).strip(". ")
    suffixes = SUFFIXES[media_type]
    stem, ending = name, suffixes[0]
    for suffix in suffixes:
        if name.lower().endswith(suffix):
            stem, ending = name[: -len(suffix)].rstrip(". "), suffix
    if not stem or stem.partition(".")[0].lower() in _DEVICES:
        stem = f"file {stem}".strip()
    return stem[: NAME_MOST - len(ending)].rstrip(". ") + ending


def content_disposition(name: str) -> str:
    """Saved under its name and never shown in place (RFC 6266, RFC 8187)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
