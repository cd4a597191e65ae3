"""From the entries of the site file to the devices of the plan, and those that stand for its patrol."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.core.plan import Device, Kind
from gateway.core.values import Series, Title
from gateway.site.library import Library, Override
from gateway.site.problems import Report
from gateway.site.site_file import DeviceEntry, PlacedEntry, SiteFile

CHECKPOINT, ROUTE, GUARD = "checkpoint", "patrol_route", "guard"
"""The gateway's own profiles."""


class _Shared(NamedTuple):
    """What devices of a profile without parameters of their own have in common."""

    kind: Kind
    origins: Mapping[str, str]


def build_devices(site: SiteFile, library: Library, report: Report) -> dict[str, Device]:
    """The devices, then one for each checkpoint, route and guard.

    Those without parameters of their own share the kind of their profile at this site. Where the bundle has no
    profiles of the gateway's own, as those kept before there were any, nothing stands for the patrol.
    """
    shared: dict[str, _Shared] = {}
    for name, params in site.params.items():
        loaded = library.find(name, ("params", name), report)
        if loaded is not None:
            kind = library.kind(loaded, (Override(params, ("params", name)),), report)
            shared[name] = _Shared(kind, dict.fromkeys(params, "site"))
    devices: dict[str, Device] = {}
    for index, entry in enumerate(site.devices):
        loaded = library.find_of_device(entry.profile, ("devices", index, "profile"), report)
        if loaded is None:
            continue
        kind, origins = shared.setdefault(entry.profile, _Shared(loaded.kind, {}))
        if entry.params:
            origins = {**origins, **dict.fromkeys(entry.params, "device")}
            site_wide = Override(site.params.get(entry.profile, {}), ("params", entry.profile))
            kind = library.kind(
                loaded, (site_wide, Override(entry.params, ("devices", index, "params"))), report
            )
        devices[entry.id] = _device(site.site, entry, kind, origins)
    for name in library.internal:
        shared.setdefault(name, _Shared(library.profiles[name].kind, {}))
    return devices | {device.id: device for device in _stand_ins(site, shared)}


def _device(site: str, entry: DeviceEntry, kind: Kind, origins: Mapping[str, str]) -> Device:
    return Device(
        id=entry.id,
        kind=kind,
        title=entry.title or Title(entry.id, entry.id),
        series=_series(site, entry.id, entry, kind),
        building=entry.building,
        floor=entry.floor,
        place=entry.place,
        via=entry.via,
        tags=tuple(entry.tags),
        origins=origins,
    )


def _stand_ins(site: SiteFile, shared: Mapping[str, _Shared]) -> Iterator[Device]:
    """A device for each checkpoint, route and guard: what alerts of the patrol belong to."""
    nowhere = PlacedEntry()
    entries: list[tuple[str, str, Title | None, PlacedEntry]] = [
        *((CHECKPOINT, entry.id, entry.title, entry) for entry in site.checkpoints),
        *((ROUTE, entry.id, entry.title, nowhere) for entry in site.routes),
        *((GUARD, name, entry.title, nowhere) for name, entry in site.guards.items()),
    ]
    for profile, name, title, place in entries:
        if profile not in shared:
            continue
        kind, origins = shared[profile]
        yield Device(
            id=name,
            kind=kind,
            title=title or Title(name, name),
            series=_series(site.site, name, place, kind),
            building=place.building,
            floor=place.floor,
            place=place.place,
            virtual=True,
            origins=origins,
        )


def _series(site: str, name: str, place: PlacedEntry, kind: Kind) -> Series:
    """A tag gives way to a point of the same name: InfluxQL would confuse them, InfluxDB 3 refuses both."""
    tags = {"site": site, "device": name, "building": place.building, "floor": place.floor}
    kept = ((key, value) for key, value in tags.items() if value is not None and key not in kind.points)
    return Series(kind.profile, tuple(sorted(kept)))
