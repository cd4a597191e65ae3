"""Parameters laid over those of the files while the gateway runs, with the validation of the files."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.plan import Device, Setting
from gateway.site.document import Path
from gateway.site.fields import Span, param_value
from gateway.site.library import Library, LoadedProfile, Override, Params, fitting
from gateway.site.problems import dotted, unknown


class FileTuner:
    """The :data:`~gateway.core.plan.Tuner` of a plan built from files.

    It answers the same for the same plan and parameters, keeps the kinds it makes so that equal parameters share
    one, and looks at nothing but the one device and its profile. Two of the same text are equal.
    """

    def __init__(self, digest: str, devices: Mapping[str, Device], library: Library) -> None:
        """Take what is in force.

        Args:
            digest: of the text behind the plan.
            devices: those of the plan, with the parameters of the files.
            library: the profiles of the plan.
        """
        self._digest = digest
        self._devices = devices
        self._library = library

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileTuner) and other._digest == self._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __call__(self, name: str, settings: Mapping[str, Setting]) -> Device | list[str]:
        """The device with these parameters, or what is wrong with them."""
        device = self._devices.get(name)
        if device is None:
            return [unknown("device", name, self._devices)]
        wrong: list[str] = []

        def report(path: Path, message: str) -> None:
            wrong.append(f"{dotted(path)}: {message}" if path else message)

        given: dict[str, float | Span] = {}
        for key, value in settings.items():
            try:
                given[key] = param_value(value)
            except ValueError as exc:
                report((key,), str(exc))
        loaded = self._library.profiles[device.kind.profile]
        params = _of_files(loaded, device) | dict(fitting(loaded, Override(given, ()), report))
        if wrong:
            return wrong
        kind = self._library.kind_with(loaded, params, (), report)
        return wrong or (device if kind is device.kind else replace(device, kind=kind))

    def overridden(self, name: str) -> frozenset[str]:
        """The parameters in which the site file gives a device other values than its profile."""
        device = self._devices[name]
        usual = self._library.profiles[device.kind.profile].kind.params
        return frozenset(param for param, value in device.kind.params.items() if usual.get(param) != value)


def _of_files(loaded: LoadedProfile, device: Device) -> dict[str, float | Span]:
    """The parameters the files give the device, as they were read."""
    kinds: Params = loaded.file.params
    return {
        name: Span(int(value)) if isinstance(kinds[name], Span) else value
        for name, value in device.kind.params.items()
    }
