"""A candidate made of the site now and a few parameters set otherwise: ``elevator.motor_temp_high=85``."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.core.plan import Device, Kind, Setting, SitePlan, Tuner
from gateway.core.values import show_duration
from gateway.errors import SiteError
from gateway.site.problems import unknown
from gateway.site.tuning import FileTuner

FORM = "TARGET.PARAM=VALUE, such as elevator.motor_temp_high=85 or lift-1.door_open_warning=90s"


class Wanted(NamedTuple):
    """One parameter set otherwise."""

    target: str
    """A device's id, or the name of a profile for those of its devices to which the site file gives no other value, as
    if it stood in the profile; a device where both are called so."""
    param: str
    value: Setting

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.target}.{self.param}={value}"


class Difference(NamedTuple):
    """A parameter that the candidate has otherwise on some devices of a profile."""

    profile: str
    param: str
    was: str | None
    """As the owner's files write it; None where the profile has no such parameter."""
    becomes: str | None
    devices: tuple[str, ...]
    everywhere: bool
    """Whether these are all devices of the profile."""


@dataclass(frozen=True, slots=True)
class _Tuner:
    """Lays what is tuned at run time over what is wanted, and that over the files."""

    base: Tuner
    wanted: Mapping[str, Mapping[str, Setting]]
    """By device."""

    def __call__(self, name: str, params: Mapping[str, Setting]) -> Device | list[str]:
        return self.base(name, {**self.wanted.get(name, {}), **params})


def parse(text: str) -> Wanted:
    """Read one. Raises :class:`SiteError` with what was found and the form that is needed."""
    place, equals, value = text.partition("=")
    target, dot, param = place.strip().partition(".")
    value = value.strip()
    if not (equals and dot and target and param and value):
        raise SiteError(f"found {text[:80]!r}; write {FORM}")
    try:
        return Wanted(target, param, float(value))
    except ValueError:
        return Wanted(target, param, value)


def lay_over(plan: SitePlan, wanted: Sequence[Wanted]) -> SitePlan:
    """The plan with these parameters; of two for the same parameter of a device the later one counts.

    One for a device counts more than one for its profile, wherever it stands.

    Raises:
        SiteError: a target, a parameter or a value is wrong; the text names the nearest right one.
    """
    if not wanted:
        return plan
    given: dict[str, dict[str, Setting]] = {}
    wrong: list[str] = []
    for one in sorted(wanted, key=lambda one: one.target in plan.devices):
        names = _devices(plan, one.target)
        if not names:
            known = [*plan.devices, *sorted({device.kind.profile for device in plan.devices.values()})]
            wrong.append(f"{one}: {unknown('device or profile', one.target, known)}")
            continue
        reached = [name for name in names if name == one.target or one.param not in _overridden(plan, name)]
        if not reached:
            wrong.append(f"{one}: the site file gives every {one.target} a value of its own; name the device")
        for name in reached:
            given.setdefault(name, {})[one.param] = one.value
    tuned: dict[str, Device] = {}
    for name, params in given.items():
        found = plan.tuner(name, params)
        if isinstance(found, list):
            wrong.extend(f"{_origin(wanted, name, plan)}: {words}" for words in found)
        else:
            tuned[name] = found
    if wrong:
        raise SiteError("\n".join(dict.fromkeys(wrong)))
    digest = hashlib.sha256("\n".join([plan.digest, *map(str, wanted)]).encode()).hexdigest()
    tuner = _Tuner(plan.tuner, given)
    return replace(plan, devices={**plan.devices, **tuned}, digest=digest, tuner=tuner)


def _devices(plan: SitePlan, target: str) -> list[str]:
    if target in plan.devices:
        return [target]
    return [name for name, device in plan.devices.items() if device.kind.profile == target]


def _overridden(plan: SitePlan, name: str) -> frozenset[str]:
    return plan.tuner.overridden(name) if isinstance(plan.tuner, FileTuner) else frozenset()


def _origin(wanted: Iterable[Wanted], name: str, plan: SitePlan) -> str:
    """The settings that reach a device, as they were given."""
    profile = plan.devices[name].kind.profile
    return ", ".join(str(one) for one in wanted if one.target in (name, profile))


def differences(now: SitePlan, candidate: SitePlan) -> list[Difference]:
    """The parameters that differ, of devices that both have and that are of the same profile."""
    found: dict[tuple[str, str, str | None, str | None], list[str]] = {}
    sizes: dict[str, int] = {}
    known: dict[tuple[int, int], list[tuple[str, str | None, str | None]]] = {}
    for name, device in now.devices.items():
        other = candidate.devices.get(name)
        if other is None or other.kind.profile != device.kind.profile:
            continue
        profile = device.kind.profile
        sizes[profile] = sizes.get(profile, 0) + 1
        key = id(device.kind), id(other.kind)
        if key not in known:
            known[key] = _between(device.kind, other.kind)
        for param, was, becomes in known[key]:
            found.setdefault((profile, param, was, becomes), []).append(name)
    return [
        Difference(*key, tuple(devices), everywhere=len(devices) == sizes[key[0]])
        for key, devices in sorted(found.items(), key=lambda one: (one[0][:2], one[1][0]))
    ]


def _between(one: Kind, other: Kind) -> list[tuple[str, str | None, str | None]]:
    names = sorted({*one.params, *other.params})
    pairs = ((name, _shown(one, name), _shown(other, name)) for name in names)
    return [(name, was, becomes) for name, was, becomes in pairs if was != becomes]


def _shown(kind: Kind, name: str) -> str | None:
    if name not in kind.params:
        return None
    value = kind.params[name]
    return show_duration(int(value)) if name in kind.durations else f"{value:.12g}"
