"""From a message to facts: the topic finds the device and the wire format, the format does the rest."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from gateway.codecs.flat_json import decode_telemetry as decode_flat
from gateway.codecs.native_json import Origin, TelemetryCodec, decode_event, decode_status
from gateway.codecs.scan import Fault, show
from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import TagReader
from gateway.codecs.tap_json import decode_tap
from gateway.core.inputs import Fact, Rejection, Telemetry
from gateway.core.plan import Device, Kind, SitePlan
from gateway.core.values import Message, Millis

MALFORMED = "$malformed"
"""The topic under which a source hands over a packet it could not read."""

ROUTES_PER_DEVICE = 8

REJECTIONS_MOST = 20
"""Rejections one message may lead to; the last of them says how many more there were."""

CodecCall: TypeAlias = Callable[[Origin], Sequence[Fact]]


class Route(NamedTuple):
    """Where the messages of a topic go."""

    device: Device
    call: CodecCall
    quick: Callable[[str, Message, Millis, int], Telemetry | None] | None = None
    """Reads nearly every message of this kind at once, and leaves the others to ``call``."""


class Decoder:
    """Decodes the messages of one site plan.

    Args:
        plan: the site in force.
        keys: what cryptographic tags are verified with; None where there are none.
    """

    def __init__(self, plan: SitePlan, keys: TagKeys | None = None) -> None:
        self._plan, self._keys = plan, keys
        self.seal_of = TagReader(plan.site, keys).read
        """What the address of a cryptographic tag proves."""
        self._most = plan.max_payload
        self._prefix = f"{plan.topic_root}/{plan.site}/"
        self._routes: dict[str, Route] = {}
        """The way of topics that named a device; a bounded number, since a claim may match any number of topics."""
        self._room = ROUTES_PER_DEVICE * len(plan.devices)
        self._telemetry: dict[int, CodecCall] = {}
        self._claims = [(compile_claim(pattern), kind) for kind in _kinds(plan) for pattern in kind.topics]

    def anew(self, plan: SitePlan) -> "Decoder":
        """The decoder of another plan, with the same keys."""
        return Decoder(plan, self._keys)

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters to subscribe to."""
        native = tuple(f"{self._prefix}+/{channel}" for channel in ("telemetry", "event", "status", "tap"))
        claims = {
            re.sub(r"\{[^}]*\}", "+", pattern) for kind in _kinds(self._plan) for pattern in kind.topics
        }
        return (*native, *sorted(claims))

    def decode(self, message: Message, at: Millis) -> Sequence[Fact]:
        """The facts of a message, never an exception."""
        route = self._routes.get(message.topic)
        if route is None:
            found = self._find(message.topic)
            if isinstance(found, Fault):
                return (Rejection(at, None, message.topic, found.reason, found.detail, message.payload),)
            route = found
            if len(self._routes) < self._room:
                self._routes[message.topic] = found
        device, call, quick = route
        if quick is not None and (fact := quick(device.id, message, at, self._most)) is not None:
            return (fact,)
        origin = Origin(self._plan.site, device, message, at, self.seal_of)
        size = len(message.payload)
        if not 0 < size <= self._plan.max_payload:
            if size == 0:
                return (origin.reject(Fault("empty", "an empty payload")),)
            words = f"{size} bytes, at most {self._plan.max_payload} are allowed"
            return (origin.reject(Fault("too_large", words)),)
        facts = call(origin)
        return facts if len(facts) <= REJECTIONS_MOST else _bounded(facts)

    def _find(self, topic: str) -> Route | Fault:
        if topic == MALFORMED:
            return Fault("malformed_packet", "an MQTT packet that cannot be read")
        if topic.startswith(self._prefix):
            name, _, channel = topic[len(self._prefix) :].partition("/")
            device = self._plan.devices.get(name)
            if device is None or device.virtual:
                return Fault("unknown_device", f"the site {self._plan.site} has no device {show(name)}")
            call = self._channel(device.kind, channel)
            return (
                self._route(device, call) if call else Fault("unknown_topic", f"nobody claims {show(topic)}")
            )
        claimed = ""
        for pattern, kind in self._claims:
            match = pattern.fullmatch(topic)
            if match is None:
                continue
            claimed = match["device"]
            device = self._plan.devices.get(claimed)
            if device is not None and device.kind.profile == kind.profile:
                return self._route(device, self._telemetry_call(device.kind))
        if claimed:
            return Fault("unknown_device", f"no device that claims this topic is called {show(claimed)}")
        return Fault("unknown_topic", f"nobody claims {show(topic)}")

    def _route(self, device: Device, call: CodecCall) -> Route:
        codec = getattr(call, "__self__", None)
        return Route(device, call, codec.quick if isinstance(codec, TelemetryCodec) else None)

    def _channel(self, kind: Kind, channel: str) -> CodecCall | None:
        match channel:
            case "telemetry":
                return self._telemetry_call(kind)
            case "event":
                return decode_event
            case "status":
                return decode_status
            case "tap":
                return decode_tap if "tap" in kind.events else None
            case _:
                return None

    def _telemetry_call(self, kind: Kind) -> CodecCall:
        call = self._telemetry.get(id(kind))
        if call is None:
            call = decode_flat if kind.codec == "flat-json" else TelemetryCodec(kind).decode
            self._telemetry[id(kind)] = call
        return call


def compile_claim(pattern: str) -> re.Pattern[str]:
    """A topic pattern such as ``zigbee2mqtt/{device}`` as a regular expression with named groups."""
    parts = re.split(r"\{([a-z]+)\}", pattern)
    text = "".join(
        f"(?P<{part}>[A-Za-z0-9_-]{{1,64}})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.compile(text)


def _kinds(plan: SitePlan) -> list[Kind]:
    kinds = {id(device.kind): device.kind for device in plan.devices.values() if not device.virtual}
    unique = {kind.profile: kind for kind in kinds.values()}
    return [unique[name] for name in sorted(unique)]


def _bounded(facts: Sequence[Fact]) -> Sequence[Fact]:
    """All that could be taken, and no more rejections than a broken batch is worth."""
    refused = [fact for fact in facts if isinstance(fact, Rejection)]
    if len(refused) <= REJECTIONS_MOST:
        return facts
    *first, last = refused[:REJECTIONS_MOST]
    more = f"{last.detail}, and {len(refused) - REJECTIONS_MOST} more faults in this message"
    taken = [fact for fact in facts if not isinstance(fact, Rejection)]
    return [*taken, *first, msgspec.structs.replace(last, detail=more)]
