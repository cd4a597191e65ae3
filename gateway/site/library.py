"""The profiles of a bundle, and the kinds made of them: one for each set of parameters in use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import device_profiles
from gateway.core.plan import Kind
from gateway.core.values import show_duration
from gateway.site.bundle import SiteBundle, is_shipped
from gateway.site.document import Document, DocumentError, Path, listed_keys, parse
from gateway.site.fields import Span
from gateway.site.kinds import compile_kind
from gateway.site.problems import Problems, Report, dotted, unknown
from gateway.site.profile_file import ProfileFile
from gateway.site.terms import ALONE, Terms
from gateway.site.validation import validate

Params = Mapping[str, float | Span]

MAX_KINDS = 10_000
"""Kinds of one profile that are kept to be shared; beyond, the oldest is built anew when it is asked for again."""


@dataclass(frozen=True, slots=True)
class Override:
    """Parameters given by the site or a device, and where."""

    params: Params
    path: Path


class Tuned(NamedTuple):
    """The kind of a profile with other parameters, and what they make wrong."""

    kind: Kind
    faults: tuple[tuple[Path, str], ...]


@dataclass(slots=True)
class LoadedProfile:
    """A profile, the kind with its own parameters, and what was wrong with that one."""

    document: Document
    file: ProfileFile
    kind: Kind
    faults: frozenset[tuple[Path, str]]
    kinds: dict[tuple[tuple[str, float | Span], ...], Tuned] = field(default_factory=dict)


def read_profile(name: str, text: str, problems: Problems, terms: Terms = ALONE) -> LoadedProfile | None:
    """Read, validate and compile one profile with its own parameters; None when too little of it is right.

    Args:
        name: the file's name, for messages.
        text: its content.
        problems: takes each problem.
        terms: those of the site; without a site, any name is taken for one of its calendars.
    """
    try:
        document = parse(name, text)
    except DocumentError as exc:
        problems.add(exc.problem)
        return None
    found = validate(document, ProfileFile, problems, optional={"rules", "suppressions"})
    if found is None:
        return None
    file, document = found
    file = _without_dangling(file, document)
    faults: list[tuple[Path, str]] = []
    kind = compile_kind(file, file.params, terms, lambda path, message: faults.append((path, message)))
    for path, message in faults:
        problems.at(document, path, message)
    return LoadedProfile(document, file, kind, frozenset(faults))


def _without_dangling(file: ProfileFile, document: Document) -> ProfileFile:
    """The profile without suppressions of rules that were left out as wrong: those have been reported."""
    broken = set(listed_keys(document.data, "rules")) - set(file.rules)
    sound = {name: entry for name, entry in file.suppressions.items() if not broken & set(entry.rules)}
    return file if len(sound) == len(file.suppressions) else file.model_copy(update={"suppressions": sound})


class Library:
    """Every profile of a bundle by name. A site's own profile stands before a shipped one of the same name."""

    def __init__(self, bundle: SiteBundle, problems: Problems, terms: Terms) -> None:
        self.terms = terms
        self.profiles: dict[str, LoadedProfile] = {}
        self.broken = False
        """Some profile could not be read, so a missing name may be that one's."""
        self._reserved = frozenset(device_profiles.internal())
        own = [name for name in bundle.files if name != bundle.main and not is_shipped(name)]
        for name in (*own, *(name for name in bundle.files if is_shipped(name))):
            loaded = read_profile(name, bundle.files[name], problems, terms)
            if loaded is None:
                self.broken = True
                continue
            if loaded.file.profile in self._reserved and not is_shipped(name):
                message = f"the gateway itself has a profile {loaded.file.profile!r}, for its patrols; choose another name"
                problems.at(loaded.document, ("profile",), message)
                self.broken = True
                continue
            first = self.profiles.setdefault(loaded.file.profile, loaded)
            if first is not loaded and not is_shipped(name):
                message = f"the profile {loaded.file.profile!r} is already defined in {first.document.name}"
                problems.at(loaded.document, ("profile",), message)

    @property
    def internal(self) -> tuple[str, ...]:
        """The gateway's own profiles that are here, sorted: of checkpoints, routes and guards."""
        return tuple(sorted(self._reserved & self.profiles.keys()))

    def find(self, name: str, path: Path, report: Report) -> LoadedProfile | None:
        """The profile of that name, or None, which is reported."""
        loaded = self.profiles.get(name)
        if loaded is None and not self.broken:
            report(path, unknown("profile", name, sorted({*self.profiles, *device_profiles.available()})))
        return loaded

    def find_of_device(self, name: str, path: Path, report: Report) -> LoadedProfile | None:
        """The profile of that name if a device can be of it, or None, which is reported."""
        if name in self._reserved:
            report(path, f"the profile {name!r} is the gateway's own, for its patrols; no device is of it")
            return None
        loaded = self.profiles.get(name)
        if loaded is None and not self.broken:
            known = {*self.profiles, *device_profiles.available()} - self._reserved
            report(path, unknown("profile", name, sorted(known)))
        return loaded

    def lay_orders(self, name: str, orders: Mapping[str, Mapping[str, str]]) -> None:
        """Let rules of a profile open work orders from other templates: rule → level → template.

        Every kind of the profile that is asked for afterwards has them.
        """
        loaded = self.profiles[name]
        rules = dict(loaded.file.rules)
        for rule, levels in orders.items():
            rules[rule] = rules[rule].model_copy(update={"work_order": {**rules[rule].work_order, **levels}})
        loaded.file = loaded.file.model_copy(update={"rules": rules})
        loaded.kinds.clear()
        loaded.kind = compile_kind(loaded.file, loaded.file.params, self.terms, lambda _path, _message: None)

    def kind(self, loaded: LoadedProfile, overrides: tuple[Override, ...], report: Report) -> Kind:
        """The kind of a profile with overrides, the later ones stronger; the same parameters give the same object."""
        merged = dict(loaded.file.params)
        for override in overrides:
            merged.update(fitting(loaded, override, report))
        return self.kind_with(loaded, merged, overrides[-1].path, report)

    def kind_with(self, loaded: LoadedProfile, params: Params, blame: Path, report: Report) -> Kind:
        """The kind of a profile with all its parameters given; what they make wrong is reported at ``blame``."""
        if params == loaded.file.params:
            return loaded.kind
        key = tuple(sorted(params.items(), key=lambda item: item[0]))
        found = loaded.kinds.get(key)
        if found is None:
            found = self._compile(loaded, params)
            while len(loaded.kinds) >= MAX_KINDS:
                del loaded.kinds[next(iter(loaded.kinds))]
            loaded.kinds[key] = found
        for path, message in found.faults:
            words = f"with these parameters {dotted(path)} of {loaded.file.profile} is wrong: {message}"
            report(blame, words)
        return found.kind

    def _compile(self, loaded: LoadedProfile, params: Params) -> Tuned:
        faults: list[tuple[Path, str]] = []
        kind = compile_kind(
            loaded.file, params, self.terms, lambda path, message: faults.append((path, message))
        )
        return Tuned(kind, tuple(fault for fault in faults if fault not in loaded.faults))


def fitting(loaded: LoadedProfile, override: Override, report: Report) -> Iterator[tuple[str, float | Span]]:
    """The overrides that name a parameter of the profile and are of its type; the others are reported."""
    for name, value in override.params.items():
        default = loaded.file.params.get(name)
        path = (*override.path, name)
        if default is None:
            report(path, unknown(f"parameter of {loaded.file.profile}:", name, loaded.file.params))
        elif isinstance(default, Span) and not isinstance(value, Span):
            report(
                path,
                f"found the number {value:g}; a duration such as {show_duration(default.millis)} is needed",
            )
        elif isinstance(value, Span) and not isinstance(default, Span):
            report(
                path,
                f"found the duration {show_duration(value.millis)}; a number such as {default:g} is needed",
            )
        else:
            yield name, value
