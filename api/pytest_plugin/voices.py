"""What the devices of a test's facility say: message by message, or simulated."""

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from api.pytest_plugin.child import FacilityFailed
from api.pytest_plugin.stage import Stage
from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Scalar
from gateway.errors import SiteError
from gateway.site.fields import duration
from gateway.site.problems import unknown
from simulators.errors import SimulationError
from simulators.faults import Fault, FaultKind
from simulators.publication import (
    Publication,
    Topics,
    event_payload,
    may_be_published,
    telemetry_payload,
)

QOS = (0, 1, 2)


class Voices:
    """The devices' side of a facility. Each method returns once the broker has what it sends."""

    def __init__(self, plan: SitePlan, stage: Stage, here: Path) -> None:
        self._plan = plan
        self._stage = stage
        self._here = here

    @property
    def mqtt_url(self) -> str:
        """The broker, ``mqtt://127.0.0.1:PORT``."""
        return self._stage.url

    def publish(self, topic: str, payload: object, *, qos: int = 1, retain: bool = False) -> None:
        """Publish a message: bytes and text as they are, anything else as JSON.

        Raises:
            FacilityFailed: nothing can be published so, or the broker does not take it.
        """
        __tracebackhide__ = True
        if not may_be_published(topic):
            words = "a topic has 1 to 65,535 bytes, no +, # or NUL, and no $ at its beginning"
            raise FacilityFailed(f"nothing can be published on {topic[:100]!r}: {words}")
        if qos not in QOS:
            raise FacilityFailed(f"a QoS of {qos!r} is not possible; give 0, 1 or 2")
        match payload:
            case bytes() | bytearray():
                body = bytes(payload)
            case str():
                body = payload.encode()
            case _:
                body = msgspec.json.encode(payload)
        _do(lambda: self._stage.publish(Publication(topic, body, qos, retain)))

    def telemetry(self, device: str, values: Mapping[str, Scalar] | None = None, **points: Scalar) -> None:
        """Let a device report values of its points, measured now: ``telemetry("lift-1", motor_temp=96.0)``."""
        __tracebackhide__ = True
        self.publish(self._topics(device).telemetry, telemetry_payload(_now(), {**(values or {}), **points}))

    def event(self, device: str, type_: str, /, **attributes: Scalar) -> None:
        """Let a device report that something happens now: ``event("gate-1", "denied", credential="c-1")``."""
        __tracebackhide__ = True
        self.publish(self._topics(device).event, event_payload(_now(), uuid.uuid4().hex, type_, attributes))

    def status(self, device: str, status: str) -> None:
        """Let a device say ``online``, or its last will ``offline``; retained, as such words are."""
        __tracebackhide__ = True
        self.publish(self._topics(device).status, status, retain=True)

    def simulate(
        self, devices: Collection[str] | None = None, *, seed: int = 0, faults: Sequence[Fault | str] = ()
    ) -> None:
        """Let simulated devices live from now on, in real time; all of the site's where none are named.

        Args:
            devices: their ids.
            seed: the same seed gives the same behaviour.
            faults: what goes wrong, counted from now: ``"motor_overheat:lift-1@5s+2m"``, or as values.

        Raises:
            FacilityFailed: a device or a fault is not there.
        """
        __tracebackhide__ = True
        _do(lambda: self._stage.simulate(devices, seed, faults))

    def play(self, file: str | Path, title: str = "") -> None:
        """Let devices send what a ``*.scenario.yaml`` says, from now on, in real time. People's part is yours.

        Args:
            file: relative to the test's folder.
            title: only scenarios with this in their title; they follow each other.

        Raises:
            FacilityFailed: the file is wrong, no title has that in it, or the site has not its devices.
        """
        __tracebackhide__ = True
        _do(lambda: self._stage.play(self._here / file, title))

    def inject(self, device: str, fault: str, lasting: str = "5m") -> None:
        """Let something go wrong with a simulated device from now on: ``inject("lift-1", "motor_overheat", "2m")``.

        Raises:
            FacilityFailed: there is no such fault, the device does not take it, or it is not simulated.
        """
        __tracebackhide__ = True
        if fault not in set(FaultKind):
            raise FacilityFailed(unknown("fault", fault, FaultKind))
        try:
            millis = duration(lasting)
        except ValueError as error:
            raise FacilityFailed(str(error)) from None
        _do(lambda: self._stage.inject(device, FaultKind(fault), millis))

    def _topics(self, device: str) -> Topics:
        __tracebackhide__ = True
        if device not in self._plan.equipment:
            raise FacilityFailed(unknown("device", device, self._plan.equipment))
        return Topics.of(self._plan.topic_root, self._plan.site, device)


def _do(act: Callable[[], None]) -> None:
    __tracebackhide__ = True
    try:
        act()
    except (SimulationError, SiteError) as error:
        raise FacilityFailed(str(error)) from None
    except TimeoutError:
        raise FacilityFailed("the broker does not acknowledge what is published") from None


def _now() -> Millis:
    return time.time_ns() // 1_000_000
