"""The device side of a scenario: what is published when. Steps say it, and what was said goes on being reported."""

import heapq
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from gateway.core.plan import Device, Kind, SitePlan, fits
from gateway.core.values import Json, Millis, PointType, Scalar
from gateway.rehearsal.moments import signed_duration
from gateway.rehearsal.raw import raw_bytes
from gateway.rehearsal.scenario import Scenario, Step
from gateway.rehearsal.tapping import Address, Tapping
from gateway.site.fields import duration

ENDLESS: Millis = 1 << 62
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Publication(NamedTuple):
    """One MQTT message of a device."""

    at: Millis
    """Since the beginning of the scenario."""
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Sent(NamedTuple):
    """One message as the stage takes it."""

    at: Millis
    topic: str
    payload: bytes
    retained: bool
    """Whether the broker hands it over as something it had kept."""
    live: bool
    """It is worth nothing later: lost while nobody listens."""
    step: Step
    """The step it comes of."""


class _Ramp(NamedTuple):
    since: Millis
    until: Millis
    start: float
    end: float

    def value(self, at: Millis) -> float:
        if at >= self.until:
            return self.end
        return self.start + (self.end - self.start) * (at - self.since) / (self.until - self.since)


_Due: TypeAlias = "Callable[[Millis], Iterator[Sent]]"


class _Voice:
    """One device as it speaks."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.last: dict[str, Scalar] = {}
        self.ramps: dict[str, _Ramp] = {}
        self.next_report: Millis | None = None
        self.quiet_until: Millis = 0
        self.reported: Millis = -1
        self.step: Step | None = None
        """The last one that made it speak."""
        self.tail: bytes | None = None
        """What follows the time in a report; None where it has to be made anew."""


class Devices:
    """All devices of a scenario.

    Args:
        plan: the site.
        start: when the scenario begins, in milliseconds UTC.
        reporting: whether a device goes on reporting what it last said.
        address: as of :class:`gateway.rehearsal.tapping.Tapping`.
    """

    def __init__(
        self, plan: SitePlan, start: Millis, *, reporting: bool = True, address: Address | None = None
    ) -> None:
        self._start, self._reporting = start, reporting
        self._root = f"{plan.topic_root}/{plan.site}"
        self._voices: dict[str, _Voice] = {}
        self._due: list[tuple[Millis, int, _Due]] = []
        self._count = 0
        self.tapping = Tapping(start, address)
        """How taps are put into words, those of phones too."""

    def until(self, at: Millis) -> Iterator[Sent]:
        """What is sent by itself up to a moment, that one included."""
        while self._due and self._due[0][0] <= at:
            due, _, work = heapq.heappop(self._due)
            yield from work(due)

    def perform(self, step: Step) -> Iterator[Sent]:
        """What a step sends; nothing where it is no matter of a device."""
        match step.action:
            case "configure":
                self._adopt(step.plan)
            case "values":
                yield from self._values(step)
            case "ramp":
                self._ramp(step)
            case "event":
                yield from self._event(step)
            case "silence":
                self._silence(step)
            case "status":
                yield self._status(step)
            case "tap" | "taps" if "phone" not in step.given:
                yield self._taps(step)
            case "raw":
                yield self._raw(step)

    def _adopt(self, plan: SitePlan) -> None:
        """Another site is in force: whoever it does not name is gone."""
        self._root = f"{plan.topic_root}/{plan.site}"
        for name, voice in self._voices.items():
            if name in plan.devices:
                voice.device, voice.tail = plan.devices[name], None
            else:
                voice.quiet_until, voice.next_report = ENDLESS, None

    def _voice(self, step: Step) -> _Voice:
        device = step.plan.devices[step.device or ""]
        voice = self._voices.setdefault(device.id, _Voice(device))
        voice.device = device
        return voice

    def _at(self, at: Millis, work: _Due) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, work))

    def _values(self, step: Step) -> Iterator[Sent]:
        voice, given = self._voice(step), step.given
        values = given["values"]
        if not isinstance(values, dict):
            return
        if not given.get("once"):
            for name, value in values.items():
                voice.ramps.pop(name, None)
                if (kept := value_of(voice.device.kind, name, value)) is not None:
                    voice.last[name] = kept
        self._speak(voice, step)
        ts = self._start + step.at - duration(given.get("ago", "0s"))
        payload = _encode(_report(voice.device.kind, ts, values)).encode()
        yield self._sent(step.at, voice, "telemetry", payload, step)

    def _ramp(self, step: Step) -> None:
        voice, given = self._voice(step), step.given
        until = step.at + duration(given["over"])
        every = duration(given["every"]) if "every" in given else voice.device.kind.report_every
        ends = given["ramp"]
        self._settle(voice, step.at)
        for name, end in ends.items() if isinstance(ends, dict) else ():
            start = voice.last[name]
            voice.ramps[name] = _Ramp(step.at, until, float(start), float(str(end)))
        self._speak(voice, step)
        for at in (*range(step.at + every, until, every), until):
            self._at(at, lambda due: self._report(voice, due))

    def _speak(self, voice: _Voice, step: Step) -> None:
        """The device has something to say from now on."""
        voice.quiet_until, voice.step, voice.tail = 0, step, None
        self._report_next(voice, step.at)

    def _report_next(self, voice: _Voice, at: Millis) -> None:
        if self._reporting:
            voice.next_report = due = at + voice.device.kind.report_every
            self._at(due, lambda now: self._report(voice, now) if voice.next_report == now else iter(()))

    def _report(self, voice: _Voice, at: Millis) -> Iterator[Sent]:
        """All that the device last said, as it stands now."""
        if voice.reported == at:
            return
        voice.reported = at
        if voice.ramps:
            self._settle(voice, at)
        if voice.quiet_until <= at and voice.last and voice.step is not None:
            if voice.tail is None:
                body = _encode(_report(voice.device.kind, 0, dict(voice.last)))
                voice.tail = body.removeprefix('{"ts":0').encode()
            payload = b'{"ts":%d%s' % (self._start + at, voice.tail)
            yield self._sent(at, voice, "telemetry", payload, voice.step, report=True)
        if voice.quiet_until < ENDLESS:
            self._report_next(voice, at)

    def _settle(self, voice: _Voice, at: Millis) -> None:
        """Bring what rises or falls to where it is now."""
        for name, ramp in [*voice.ramps.items()]:
            value = ramp.value(at)
            point = voice.device.kind.points.get(name)  # the site may have changed; the device does not know
            whole = point is not None and point.type is PointType.INT
            voice.last[name] = round(value) if whole else round(value, 9)
            voice.tail = None
            if at >= ramp.until:
                del voice.ramps[name]

    def _event(self, step: Step) -> Iterator[Sent]:
        voice, given = self._voice(step), step.given
        times, every = given.get("times", 1), duration(given.get("every", "0s"))
        ago, name = duration(given.get("ago", "0s")), given.get("id")
        attributes = given.get("with", {})

        def send(at: Millis, *, index: int) -> Iterator[Sent]:
            body: dict[str, Json] = {"ts": self._start + at - ago, "type": given["event"]}
            if name is not None:
                body["id"] = name if index == 0 else f"{name}-{index + 1}"
            body |= attributes if isinstance(attributes, dict) else {}
            yield self._sent(at, voice, "event", _encode(body).encode(), step)

        for index in range(1, times if isinstance(times, int) else 1):
            self._at(step.at + index * every, partial(send, index=index))
        yield from send(step.at, index=0)

    def _silence(self, step: Step) -> None:
        voice, word = self._voice(step), step.given["silence"]
        if word == "off":
            voice.quiet_until = 0
            self._at(step.at, lambda due: self._report(voice, due))
        elif word == "on":
            voice.quiet_until, voice.next_report = ENDLESS, None
        else:
            voice.quiet_until = until = step.at + duration(word)
            voice.next_report = None
            self._at(until, lambda due: self._again(voice, due, until))

    def _again(self, voice: _Voice, at: Millis, until: Millis) -> Iterator[Sent]:
        """A silence is over, if it is the one that was meant."""
        if voice.quiet_until == until:
            voice.quiet_until = 0
            yield from self._report(voice, at)

    def _status(self, step: Step) -> Sent:
        voice, word = self._voice(step), str(step.given["status"])
        if word == "offline":
            voice.quiet_until, voice.next_report = ENDLESS, None
        elif voice.quiet_until:
            voice.quiet_until = 0
            self._at(step.at, lambda due: self._report(voice, due))
        return self._sent(step.at, voice, "status", word.encode(), step)

    def _taps(self, step: Step) -> Sent:
        reader = str(step.given.get("reader", step.device))
        bodies = self.tapping.bodies(step)
        if "queued" in step.given:
            bodies[-1]["queued"] = step.given["queued"]
        if "skew" in step.given:
            bodies[-1]["sent"] = self._start + step.at + signed_duration(step.given["skew"])
        payload = _encode(bodies[0] if "tap" in step.given else bodies).encode()
        return Sent(step.at, f"{self._root}/{reader}/tap", payload, retained=False, live=False, step=step)

    def _raw(self, step: Step) -> Sent:
        channel = str(step.given.get("channel", "telemetry"))
        topic = str(step.given.get("topic", f"{self._root}/{step.device}/{channel}"))
        retained = bool(step.given.get("retained"))
        live = "topic" not in step.given and channel == "telemetry"
        return Sent(step.at, topic, raw_bytes(step.given["raw"]), retained, live, step)

    def _sent(
        self, at: Millis, voice: _Voice, channel: str, payload: bytes, step: Step, *, report: bool = False
    ) -> Sent:
        retained = not report and bool(step.given.get("retained"))
        topic = f"{self._root}/{voice.device.id}/{channel}"
        return Sent(at, topic, payload, retained, channel == "telemetry", step)


def publications(
    scenario: Scenario, plan: SitePlan, start: Millis, address: Address | None = None
) -> Iterator[Publication]:
    """Everything the devices of a scenario publish, in order of time.

    What people do, what phones upload over HTTP, and what happens to the gateway itself is passed over.

    Args:
        scenario: the scenario.
        plan: the site it is played on.
        start: the moment at which it begins, in milliseconds UTC; device times count from it.
        address: as of :class:`gateway.rehearsal.tapping.Tapping`.
    """
    devices = Devices(plan, start, reporting=scenario.reporting, address=address)
    for step in scenario.steps:
        for sent in (*devices.until(step.at), *devices.perform(step), *devices.until(step.at)):
            retain = sent.retained or sent.topic.endswith("/status")
            yield Publication(sent.at, sent.topic, sent.payload, 1, retain)


def value_of(kind: Kind, name: str, value: Json) -> Scalar | None:
    """A value as a device goes on reporting it; None where it is none of the point, and so is said only once."""
    point = kind.points.get(name)
    if point is None or not isinstance(value, bool | int | float | str) or not fits(point, value):
        return None
    if isinstance(value, str):
        return None if _CONTROL.search(value) else value
    sent = -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)
    return value if sent else None


def _report(kind: Kind, ts: Millis, values: Mapping[str, Json]) -> dict[str, Json]:
    return {"ts": ts, **values} if kind.codec == "flat-json" else {"ts": ts, "values": dict(values)}
