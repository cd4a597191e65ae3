"""The text a plan is built from: the site file and every profile it uses, by name, with one digest over all of it.

The gateway keeps bundles in its journal, so a replay judges each moment by the very rules of that moment. Profiles
that ship with the gateway are part of the bundle: an upgrade does not change what was.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import device_profiles
from gateway.core.values import Json
from gateway.errors import Problem, SiteError
from gateway.site.document import Document, DocumentError, parse

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Far beyond a site of a hundred thousand devices."""

_SHIPPED = "shipped:"
_PATROL = ("checkpoints", "routes", "guards", "patrol")
"""Sections of the site file that need the gateway's own profiles."""


@dataclass(frozen=True)
class SiteBundle:
    """The texts behind one plan."""

    main: str
    """The name of the site file among ``files``."""
    files: Mapping[str, str]
    """Name → text. Own profiles by their path in the site file, shipped ones by :func:`shipped_name`."""
    _read: dict[str, Document] = field(default_factory=dict, repr=False, compare=False)

    def document(self, name: str) -> Document:
        """One of the files, read once: that of a large site takes seconds.

        Raises:
            DocumentError: it is not YAML that can be used.
        """
        if name not in self._read:
            self._read[name] = parse(name, self.files[name])
        return self._read[name]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and texts, in hexadecimal."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """One byte string that holds all of it, the same for the same content."""
        content = {"main": self.main, "files": dict(sorted(self.files.items()))}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> "SiteBundle":
        """The inverse of :meth:`encode`.

        Raises:
            SiteError: the bytes are not an encoded bundle.
        """
        try:
            content = json.loads(data)
            return cls(main=content["main"], files=dict(content["files"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise SiteError(f"not an encoded site bundle: {exc}") from exc


def shipped_name(profile: str) -> str:
    """The name a shipped profile has in a bundle."""
    return f"{_SHIPPED}{profile}.yaml"


def is_shipped(name: str) -> bool:
    """Whether a file of a bundle came with the gateway."""
    return name.startswith(_SHIPPED)


def internal_profiles() -> dict[str, str]:
    """The gateway's own profiles, of checkpoints, routes and guards, by their names in a bundle."""
    return {
        shipped_name(profile): device_profiles.profile_path(profile).read_text("utf-8")
        for profile in device_profiles.internal()
    }


def read_bundle(path: Path) -> SiteBundle:
    """Read a site file and the profiles it uses: its own by path, the shipped ones its devices or its patrol need.

    Raises:
        SiteError: a file cannot be read, or the site file is not YAML.
    """
    return bundle_of(path.name, read_text(path, path.name), path.parent)


def bundle_of(main: str, text: str, folder: Path) -> SiteBundle:
    """The bundle of a site file given as text.

    Args:
        main: what to call it.
        text: its content.
        folder: where the paths in it start.

    Raises:
        SiteError: a file cannot be read, or the text is not YAML.
    """
    try:
        document = parse(main, text)
    except DocumentError as exc:
        raise SiteError(str(exc), [exc.problem]) from exc
    files = {main: text}
    problems: list[Problem] = []
    for index, name in _own_profiles(document.data):
        try:
            files.setdefault(name, read_text(folder / name, name))
        except SiteError as exc:
            line = document.line(("profiles", index))
            problems.append(Problem(main, line, f"profiles[{index}]", exc.problems[0].message))
    if problems:
        raise SiteError("\n".join(map(str, problems)), problems)
    used = {device.get("profile") for device in _devices(document.data)}
    for profile in device_profiles.available():
        if profile in used:
            files[shipped_name(profile)] = device_profiles.profile_path(profile).read_text("utf-8")
    if isinstance(document.data, dict) and any(document.data.get(section) for section in _PATROL):
        files |= internal_profiles()
    return SiteBundle(main, files, {main: document})


def is_relative(name: str) -> bool:
    """Whether it is a path that can be read beside the site file, on any system."""
    return bool(name.strip()) and not name.startswith(("/", "~")) and not set(name) & {"\\", "\0"}


def read_text(path: Path, name: str) -> str:
    """Read a UTF-8 file.

    Args:
        path: where it is.
        name: what to call it in a message.

    Raises:
        SiteError: it is not there, too large, not readable or not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _unreadable(name, f"larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")
        return path.read_text("utf-8-sig")
    except FileNotFoundError as exc:
        raise _unreadable(name, f"there is no such file: {path}") from exc
    except OSError as exc:
        raise _unreadable(name, f"it cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise _unreadable(name, f"not UTF-8: byte 0x{exc.object[exc.start]:02x}", line) from exc


def _unreadable(name: str, message: str, line: int = 0) -> SiteError:
    problem = Problem(name, line, "", message)
    return SiteError(str(problem), [problem])


def _own_profiles(data: Json) -> list[tuple[int, str]]:
    """The plain relative paths among ``profiles`` with their indexes; anything else is left to the validation."""
    found = data.get("profiles") if isinstance(data, dict) else None
    names = enumerate(found) if isinstance(found, list) else ()
    return [(index, name) for index, name in names if isinstance(name, str) and is_relative(name)]


def _devices(data: Json) -> list[dict[str, Json]]:
    found = data.get("devices") if isinstance(data, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
