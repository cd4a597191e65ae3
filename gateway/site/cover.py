"""Which devices something is about: maintenance, preventive work, callouts."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from gateway.core.plan import Device
from gateway.site.document import Path
from gateway.site.problems import Report, unknown
from gateway.site.profile_file import Entry

Names = Annotated[list[str], Field(min_length=1)]


class CoverEntry(Entry):
    """Some devices of the site: those that fit everything that is given."""

    devices: Names | None = None
    kinds: Names | None = None
    building: str | None = None
    floor: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether it speaks of devices at all."""
        return any(part is not None for part in (self.devices, self.kinds, self.building, self.floor))


class Ground:
    """The devices of a site, to find those that are covered."""

    def __init__(
        self, devices: Mapping[str, Device], listed: Iterable[str], floors: Mapping[str, Iterable[str]]
    ) -> None:
        """Take what may be named.

        Args:
            devices: those that could be built.
            listed: the ids of all, those of entries that are wrong elsewhere included.
            floors: of each building.
        """
        self.devices = devices
        self._listed = dict.fromkeys(listed)
        self._floors = floors
        self._kinds: dict[str, list[str]] = {}
        for name, device in devices.items():
            self._kinds.setdefault(device.kind.profile, []).append(name)

    @property
    def whole(self) -> bool:
        """Whether every device of the file could be built."""
        return len(self._listed) == len(self.devices)

    def covered(
        self, entry: CoverEntry, path: Path, report: Report, *, equipment: bool = False
    ) -> tuple[str, ...]:
        """The ids of the covered devices in the order of the file; all where nothing narrows them.

        Unknown names, and a cover that fits no device, are reported. With ``equipment``, what stands for checkpoints,
        routes and guards is covered only where its ids or kinds are named.
        """
        named = not equipment or entry.devices is not None or entry.kinds is not None
        sound = self._check_place(entry, path, report)
        for index, name in enumerate(entry.devices or ()):
            if name not in self._listed:
                report((*path, "devices", index), unknown("device", name, self._listed))
                sound = False
        for index, name in enumerate(entry.kinds or ()):
            if name not in self._kinds and self.whole:
                report((*path, "kinds", index), unknown("kind of device at this site:", name, self._kinds))
                sound = False
        found = tuple(
            name
            for name in self._candidates(entry)
            if self._fits(entry, self.devices[name]) and (named or not self.devices[name].virtual)
        )
        if sound and not found and entry.narrows and self.whole:
            report(path, "no device of the site fits all of what is given here")
        return found

    def _candidates(self, entry: CoverEntry) -> Iterable[str]:
        if entry.devices is None:
            return self.devices
        wanted = frozenset(entry.devices)
        return [name for name in dict.fromkeys(entry.devices) if name in wanted and name in self.devices]

    def _check_place(self, entry: CoverEntry, path: Path, report: Report) -> bool:
        if entry.building is None:
            if entry.floor is not None:
                report((*path, "floor"), f"the floor {entry.floor!r} needs the building it belongs to")
            return entry.floor is None
        if entry.building not in self._floors:
            report((*path, "building"), unknown("building", entry.building, self._floors))
            return False
        floors = self._floors[entry.building]
        if entry.floor is not None and entry.floor not in floors:
            report((*path, "floor"), unknown(f"floor of {entry.building}:", entry.floor, floors))
            return False
        return True

    @staticmethod
    def _fits(entry: CoverEntry, device: Device) -> bool:
        return (
            (entry.kinds is None or device.kind.profile in entry.kinds)
            and (entry.building is None or device.building == entry.building)
            and (entry.floor is None or device.floor == entry.floor)
        )
