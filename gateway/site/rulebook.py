"""Which rules the devices of a site have, and which of them are life safety."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.core.plan import Device
from gateway.site.document import Path, listed_keys
from gateway.site.library import Library
from gateway.site.problems import Report, unknown


class Rulebook:
    """The rules of the profiles in use."""

    def __init__(self, devices: Mapping[str, Device], library: Library) -> None:
        self._devices = devices
        self._kinds = {device.kind.profile: device.kind for device in devices.values()}
        self._known = {
            profile: listed_keys(library.profiles[profile].document.data, "rules") for profile in self._kinds
        }
        self._broken = library.broken

    def check(self, names: Sequence[str], devices: Iterable[str], path: Path, report: Report) -> None:
        """Report rules that none of these devices has."""
        if not names or self._broken:
            return
        profiles = self._profiles(devices)
        known = dict.fromkeys(rule for profile in profiles for rule in self._known[profile])
        for index, name in enumerate(names):
            if profiles and name not in known:
                report((*path, index), unknown("rule of the devices it is about:", name, sorted(known)))

    def check_quietable(
        self, names: Sequence[str], devices: Iterable[str], path: Path, report: Report
    ) -> None:
        """Report rules that are life safety on every one of these devices that has them: they are never muted."""
        profiles = self._profiles(devices)
        for index, name in enumerate(names):
            found = [rule for profile in profiles if (rule := self._kinds[profile].rules.get(name))]
            if found and not any(rule.shelvable for rule in found):
                report(
                    (*path, index),
                    f"{name!r} is life safety (shelvable: false) and is not muted by maintenance",
                )

    def _profiles(self, devices: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(self._devices[name].kind.profile for name in devices))
