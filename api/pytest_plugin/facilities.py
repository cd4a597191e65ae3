"""Making facilities for tests, and leaving nothing of them behind."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from api.pytest_plugin.asynchronous import AsyncFacility
from api.pytest_plugin.child import FacilityFailed, GatewayChild
from api.pytest_plugin.facility import Facility
from api.pytest_plugin.stage import Stage
from gateway.errors import SiteError
from gateway.site.plan_builder import load_site
from simulators.broker import find_mosquitto
from simulators.errors import SimulationError
from simulators.faults import Fault


class Facilities:
    """Starts gateways, each with records, port and broker of its own. A context manager, for fixtures of any scope.

    Args:
        here: what relative paths of site files are relative to.
        folder: where records and logs go; an empty folder of its own.
    """

    def __init__(self, here: Path, folder: Path) -> None:
        self._here = here
        self._folder = folder
        self._made: list[Facility] = []

    def __call__(
        self,
        site: str | Path | Mapping[str, object],
        *,
        simulate: bool | Collection[str] = False,
        seed: int = 0,
        faults: Sequence[Fault | str] = (),
        broker: str = "auto",
        **settings: object,
    ) -> Facility:
        """Start a gateway; returns once it is ready for messages.

        Args:
            site: the site file, relative to the test's folder; or what would stand in it.
            simulate: True lets all devices of the site live, ids these; False none.
            seed: for simulated devices; the same seed gives the same behaviour.
            faults: what goes wrong with them, counted from their start: ``"motor_overheat:lift-1@5s+2m"``, or as values.
            broker: ``auto`` for mosquitto where it is installed and else amqtt, or one of the two; or the URL of one
                that runs.
            settings: further ``FGW_…`` variables without their prefix, in lower case: ``tag_key="…"``.

        Raises:
            FacilityFailed: the site file is wrong, there is no broker, or the gateway does not start; the text says why.
        """
        __tracebackhide__ = True
        facility = self._open(site, broker, settings)
        facility.start()
        if simulate is not False:
            facility.simulate(None if simulate is True else simulate, seed=seed, faults=faults)
        return facility

    async def asynchronous(
        self,
        site: str | Path | Mapping[str, object],
        *,
        simulate: bool | Collection[str] = False,
        seed: int = 0,
        faults: Sequence[Fault | str] = (),
        broker: str = "auto",
        **settings: object,
    ) -> AsyncFacility:
        """The same for a coroutine: what it returns has the same names, awaited."""
        __tracebackhide__ = True
        facility = await asyncio.to_thread(
            self, site, simulate=simulate, seed=seed, faults=faults, broker=broker, **settings
        )
        return AsyncFacility(facility)

    @property
    def logs(self) -> list[str]:
        """What each gateway has written."""
        return [one.log for one in self._made]

    def close(self) -> None:
        """End all of them. Raises :class:`FacilityFailed` where one had died, or dies of it."""
        __tracebackhide__ = True
        failed: list[str] = []
        for one in self._made:
            try:
                one.close()
            except FacilityFailed as error:
                failed.append(str(error))
        if failed:
            raise FacilityFailed("\n".join(failed))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            with contextlib.suppress(FacilityFailed):  # the error that is under way says more
                self.close()

    def _open(
        self, site: str | Path | Mapping[str, object], broker: str, settings: dict[str, object]
    ) -> Facility:
        """A facility whose gateway is not started yet."""
        __tracebackhide__ = True
        folder = self._folder / str(len(self._made) + 1)
        folder.mkdir()
        try:
            file = self._file(site, folder)
            plan = load_site(file)
            stage = Stage(plan, broker)
        except (SiteError, SimulationError) as error:
            raise FacilityFailed(str(error)) from None
        if broker == "amqtt" or (broker == "auto" and not find_mosquitto()):
            settings = {"mqtt_version": "3.1.1"} | settings  # all that amqtt speaks
        facility = Facility(plan, stage, self._here, GatewayChild(folder, stage, file, settings))
        self._made.append(facility)
        return facility

    def _file(self, site: str | Path | Mapping[str, object], folder: Path) -> Path:
        if isinstance(site, Mapping):
            file = folder / "site.yaml"
            file.write_text(yaml.safe_dump(dict(site), allow_unicode=True, sort_keys=False), encoding="utf-8")
            return file
        return (self._here / site).resolve()
