"""The way from a device to the broker, with everything that can go wrong on it."""

from collections.abc import Mapping

from gateway.core.values import HOUR, Millis, Scalar
from simulators.agenda import Callback
from simulators.faults import FaultKind
from simulators.malformed import BrokenPress
from simulators.publication import Publication, Topics, event_payload, taps_payload, telemetry_payload

CLOCK_SKEW: Millis = -HOUR
"""What a skewed clock is off by."""


class Uplink:
    """Turns what a device has to say into publications, as the faults in force let it through.

    Args:
        topics: where it publishes.
        device: its id.
        hold: called when a message begins to wait for one that overtakes it; answered by :meth:`let_go` soon.
        seed: the same seed gives the same broken payloads.
    """

    def __init__(self, topics: Topics, device: str, hold: Callback, seed: str = "") -> None:
        self._topics = topics
        self._device = device
        self._hold = hold
        self.skew: Millis = 0
        """How far the device's clock is ahead; negative when it is slow."""
        self._faults: set[FaultKind] = set()
        self._events = 0
        self._stuck: dict[str, Scalar] = {}
        self._out: list[Publication] = []
        self._held: Publication | None = None
        self._last: Publication | None = None
        self._cut = False
        self._online: bool | None = None
        self._press = BrokenPress(device, seed)

    def begin(self, kind: FaultKind, at: Millis) -> None:
        """A wire fault comes into force."""
        if kind is FaultKind.OFFLINE:
            self.status(at, online=False)
        if kind is FaultKind.CLOCK_SKEW:
            self.skew += CLOCK_SKEW
        self._faults.add(kind)

    def end(self, kind: FaultKind, at: Millis) -> None:
        """A wire fault is over."""
        self._faults.discard(kind)
        if kind is FaultKind.REORDER:
            self.let_go(at)
        if kind is FaultKind.STUCK:
            self._stuck.clear()
        if kind is FaultKind.CLOCK_SKEW:
            self.skew -= CLOCK_SKEW
        if kind is FaultKind.OFFLINE or self._online is False:
            self.status(at, online=True)

    def take(self) -> list[Publication]:
        """Everything sent since the last call, in order."""
        out, self._out = self._out, []
        return out

    @property
    def quiet(self) -> bool:
        """Whether nothing gets through now."""
        faults = self._faults
        return self._cut or bool(faults and (FaultKind.SILENT in faults or FaultKind.OFFLINE in faults))

    def telemetry(self, at: Millis, values: Mapping[str, Scalar]) -> None:
        """Report values measured at ``at``."""
        faults = self._faults
        if faults and FaultKind.STUCK in faults:
            values = {name: self._stuck.setdefault(name, value) for name, value in values.items()}
        if faults and FaultKind.MALFORMED in faults:
            payload = self._press.telemetry(self.clock(at), values)
        else:
            payload = telemetry_payload(self.clock(at), values)
        self._send(self._topics.telemetry, payload, at)

    def event(self, at: Millis, event: str, attributes: Mapping[str, Scalar]) -> None:
        """Report that something happened; the id counts the device's events, so it is the same in every run."""
        self._events += 1
        event_id = f"{self._device}-{at}-{self._events}"
        self._send(self._topics.event, event_payload(self.clock(at), event_id, event, attributes), at)

    def taps(self, at: Millis, taps: list[dict[str, Scalar]]) -> None:
        """Send taps, each with its own ``ts``."""
        self._send(self._topics.tap, taps_payload(taps), at)

    def status(self, at: Millis, *, online: bool) -> None:
        """Say ``online`` at birth, and ``offline`` in the broker's place when the connection breaks."""
        if not self.quiet:
            self._online = online
        self._send(self._topics.status, b"online" if online else b"offline", at, retain=True)

    def cut(self, at: Millis) -> None:
        """The connection breaks; the broker says ``offline``."""
        self.status(at, online=False)
        self._cut = True

    def rejoin(self, at: Millis) -> None:
        """The connection is back: a birth, and what may not have arrived comes once more."""
        if not self._cut:
            return
        self._cut = False
        self.status(at, online=True)
        if self._last is not None:
            self._send(self._last.topic, self._last.payload, at)

    def clock(self, at: Millis) -> Millis:
        """What the device's own clock shows at ``at``."""
        return at + self.skew

    def _send(self, topic: str, payload: bytes, at: Millis, *, retain: bool = False) -> None:
        if self.quiet:
            return
        publication = Publication(topic, payload, 1, retain, at)
        if not retain:
            self._last = publication
        if not self._faults:
            self._out.append(publication)
            return
        if FaultKind.REORDER in self._faults and self._held is None and not retain:
            self._held = publication
            self._hold(at)
            return
        self._out.append(publication)
        if FaultKind.DUPLICATE in self._faults:
            self._out.append(publication)
        self.let_go(at)

    def let_go(self, at: Millis) -> None:
        """Send what was overtaken."""
        if self._held is not None:
            self._out.append(self._held._replace(at=at))
            self._held = None
