"""The devices of a plan in the order of their ids, ready to be searched."""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.core.plan import Device, SitePlan


class Filter(NamedTuple):
    """Which devices; None asks for all."""

    kind: str | None = None
    building: str | None = None
    floor: str | None = None
    text: str | None = None
    real: bool | None = None
    """Without those that stand for checkpoints, routes and guards, or only these."""

    def __bool__(self) -> bool:
        """Whether it narrows anything."""
        return any(value is not None for value in self)


class Inventory:
    """Built once for each configuration; where a device was tuned since, its plan is taken along."""

    def __init__(self, plan: SitePlan) -> None:
        self.plan = plan
        self._words = [(name, _searchable(plan.devices[name])) for name in sorted(plan.devices)]

    def find(self, wanted: Filter, after: str = "") -> Iterator[Device]:
        """The devices that match, after an id, in order."""
        text = wanted.text.casefold() if wanted.text else None
        devices = self.plan.devices
        for name, words in self._words:
            device = devices[name]
            if (
                name > after
                and wanted.kind in (None, device.kind.profile)
                and wanted.building in (None, device.building)
                and wanted.floor in (None, device.floor)
                and (text is None or text in words)
                and wanted.real in (None, not device.virtual)
            ):
                yield device


class Inventories:
    """Keeps the inventory of the plan in force."""

    def __init__(self) -> None:
        self._kept: Inventory | None = None

    def of(self, plan: SitePlan) -> Inventory:
        """The inventory of a plan."""
        if self._kept is None or self._kept.plan.digest != plan.digest:
            self._kept = Inventory(plan)
        self._kept.plan = plan
        return self._kept


def _searchable(device: Device) -> str:
    parts = (device.id, device.title.en, device.title.zh, device.place or "")
    return "\n".join(parts).casefold()
