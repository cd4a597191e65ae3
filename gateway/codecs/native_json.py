"""The native JSON of ``facility/{site}/{device}/…``.

Telemetry takes a fast path first: a decoder compiled from the profile checks types, ranges and words while it
parses. It would skip a point it does not know, so its answer counts only when the payload has exactly as many colons
as the keys it found (a colon inside a text only adds to them). Anything else goes the thorough way, value by value,
where one bad value costs nothing that was valid beside it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec

from gateway.codecs.scan import (
    Fault,
    check_attribute,
    check_owner,
    check_text,
    check_value,
    parse_json,
    parse_time,
    show,
)
from gateway.core.inputs import Event, Fact, Rejection, Status, Telemetry
from gateway.core.plan import Device, EventType, Kind, Point
from gateway.core.values import Message, Millis, PointType, Scalar, Seal

SURE = 2.0**53
"""Numbers up to here are the same as integers and as floats; larger ones take the thorough way."""
ID_LIMIT = 128
"""Characters in an event id."""


class Origin(NamedTuple):
    """A message and where it belongs, as every codec gets it."""

    site: str
    device: Device
    message: Message
    at: Millis
    seal_of: Callable[[str], Seal]
    """What the address of a cryptographic tag proves."""

    def reject(self, fault: Fault) -> Rejection:
        """The message, or a part of it, is not taken."""
        return Rejection(
            self.at, self.device.id, self.message.topic, fault.reason, fault.detail, self.message.payload
        )

    def stamped(self, item: Mapping[str, object]) -> bool:
        """Whether a time is given: by the device, or by an earlier receipt that a retry stands on."""
        return item.get("ts") is not None or self.message.received is not None

    def time(self, claimed: object) -> Millis | Fault:
        """Device time, or the time of receipt where the device gave none."""
        received = self.at if self.message.received is None else self.message.received
        if claimed is None:
            return received
        kind = self.device.kind
        return parse_time(claimed, received, kind.late_accept, kind.max_future)


class TelemetryCodec:
    """Telemetry of one kind, compiled once."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(_envelope(kind)).decode
        self._texts = frozenset(name for name, point in kind.points.items() if point.type is PointType.TEXT)

    def decode(self, origin: Origin) -> Sequence[Fact]:
        """One fact for each object of the payload, and a rejection for whatever could not be taken."""
        return self._scan(origin)

    def quick(self, device: str, message: Message, at: Millis, most: int) -> Telemetry | None:
        """The one fact of a payload in which everything is as it should be; None where :meth:`decode` is to look.

        Args:
            device: whose it is.
            message: as it came.
            at: when it is handled.
            most: bytes a payload may have.
        """
        payload, kind = message.payload, self._kind
        if len(payload) > most:
            return None
        try:
            found = self._decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        ts, values = found.ts, found.values
        if type(ts) is int:
            keys, stamped = 2, True
        elif ts is None and message.received is None:
            keys, ts, stamped = 1, at, False
        else:
            return None
        if (
            payload.count(b":") != len(values) + keys
            or not at - kind.late_accept <= ts <= at + kind.max_future
            or not values
            or (self._texts and not self._texts.isdisjoint(values))
        ):
            return None
        return Telemetry(at, device, ts, values, message.retained, stamped)

    def _scan(self, origin: Origin) -> Sequence[Fact]:
        body = parse_json(origin.message.payload)
        if isinstance(body, Fault):
            return (origin.reject(body),)
        facts: list[Fact] = []
        for item in body if isinstance(body, list) else [body]:
            facts.extend(self._scan_one(origin, item))
        if isinstance(body, list) and not body:
            return (origin.reject(Fault("empty", "an empty list")),)
        return facts

    def _scan_one(self, origin: Origin, item: object) -> list[Fact]:
        if not isinstance(item, dict):
            return [origin.reject(Fault("wrong_type", f"expected an object with values, found {show(item)}"))]
        fault = check_owner(item, origin.device.id, origin.site)
        values = item.get("values")
        if fault is None and not isinstance(values, dict):
            fault = Fault("wrong_type", f"values must be an object of points, found {show(values)}")
        ts = origin.time(item.get("ts"))
        if fault is None and isinstance(ts, Fault):
            fault = ts
        if fault is not None or not isinstance(values, dict) or isinstance(ts, Fault):
            return [origin.reject(fault)] if fault else []
        return scan_values(origin, values, ts, stamped=origin.stamped(item))


def scan_values(origin: Origin, values: dict[str, object], ts: Millis, *, stamped: bool) -> list[Fact]:
    """Check values one by one: the good ones as one reading, each bad one as a rejection."""
    points = origin.device.kind.points
    good: dict[str, Scalar] = {}
    facts: list[Fact] = []
    for name, value in values.items():
        point = points.get(name)
        checked: Scalar | Fault
        if point is None:
            checked = Fault("unknown_point", f"{origin.device.kind.profile} has no point {show(name)}")
        else:
            checked = check_value(point, value)
        if isinstance(checked, Fault):
            facts.append(origin.reject(checked))
        else:
            good[name] = checked
    if good:
        retained = origin.message.retained
        facts.insert(0, Telemetry(origin.at, origin.device.id, ts, good, retained, stamped))
    elif not facts:
        facts.append(origin.reject(Fault("empty", "no values")))
    return facts


def decode_event(origin: Origin) -> Sequence[Fact]:
    """One event, or a list of them."""
    body = parse_json(origin.message.payload)
    if isinstance(body, Fault):
        return (origin.reject(body),)
    items = body if isinstance(body, list) else [body]
    return decode_event_items(origin, items) or (origin.reject(Fault("empty", "an empty list")),)


def decode_event_items(origin: Origin, items: Sequence[object]) -> list[Fact]:
    """Events that are already parsed."""
    return [fact for item in items for fact in _event(origin, item)]


def _event(origin: Origin, item: object) -> list[Fact]:
    if not isinstance(item, dict):
        return [origin.reject(Fault("wrong_type", f"expected an object with a type, found {show(item)}"))]
    name = item.get("type")
    kind = origin.device.kind
    declared = kind.events.get(name) if isinstance(name, str) else None
    if declared is None:
        return [origin.reject(Fault("unknown_event", f"{kind.profile} has no event {show(name)}"))]
    fault = check_owner(item, origin.device.id, origin.site)
    ts = origin.time(item.get("ts"))
    attributes, faults = _attributes(declared, item)
    key = _event_key(item.get("id"), declared.name, ts, attributes)
    for problem in (fault, ts, key):
        if isinstance(problem, Fault):
            return [origin.reject(problem)]
    if not isinstance(ts, int) or not isinstance(key, str):
        return []
    event = Event(origin.at, origin.device.id, ts, key, declared.name, attributes, origin.message.retained)
    return [event, *(origin.reject(problem) for problem in faults)]


def _event_key(claimed: object, name: str, ts: Millis | Fault, attributes: dict[str, Scalar]) -> str | Fault:
    """The event's own id; else its type, time and attributes: two zones may alarm in the same second."""
    if claimed is None:
        told = msgspec.json.encode(attributes, order="sorted")
        return f"{name}@{ts}" + (f"/{blake2b(told, digest_size=6).hexdigest()}" if attributes else "")
    text = str(claimed) if isinstance(claimed, int) and not isinstance(claimed, bool) else claimed
    if (
        not isinstance(text, str)
        or not 0 < len(text) <= ID_LIMIT
        or isinstance(check_text("id", text), Fault)
    ):
        return Fault("bad_id", f"id {show(claimed)} is no printable text of 1 to {ID_LIMIT} characters")
    return text


def _attributes(declared: EventType, item: dict[str, object]) -> tuple[dict[str, Scalar], list[Fault]]:
    """The attributes that can be taken, with defaults; an event is worth more than its attributes."""
    taken = {
        name: attribute.default
        for name, attribute in declared.attributes.items()
        if attribute.default is not None
    }
    faults: list[Fault] = []
    for name, value in item.items():
        if name in ("ts", "id", "type", "device", "device_id", "site"):
            continue
        attribute = declared.attributes.get(name)
        if attribute is None:
            faults.append(Fault("unknown_attribute", f"{declared.name} has no attribute {show(name)}"))
            continue
        checked = check_attribute(attribute, value)
        if isinstance(checked, Fault):
            faults.append(checked)
        else:
            taken[name] = checked
    return taken, faults


def decode_status(origin: Origin) -> Sequence[Fact]:
    """``online`` or ``offline``."""
    word = origin.message.payload
    if word in (b"online", b"offline"):
        return (Status(origin.at, origin.device.id, word == b"online", origin.message.retained),)
    return (origin.reject(Fault("unknown_word", f"status {show(word)} is neither online nor offline")),)


def _envelope(kind: Kind) -> Any:  # noqa: ANN401 - a class made at run time has no static type
    """The shape of one telemetry object of this kind, as msgspec checks it while parsing."""
    fields = {name: _field_type(point) for name, point in kind.points.items()}
    values = TypedDict("values", fields, total=False)  # type: ignore[misc]  # built from the profile
    return msgspec.defstruct(
        "Envelope",
        [("values", values), ("ts", int | str | None, None)],
        gc=False,
    )


def _field_type(point: Point) -> Any:  # noqa: ANN401 - a type made at run time has no static type
    low, high = point.valid or (-SURE, SURE)
    match point.type:
        case PointType.FLOAT:
            return Annotated[float, msgspec.Meta(ge=max(low, -SURE), le=min(high, SURE))]
        case PointType.INT:
            lowest, highest = math.ceil(max(low, -SURE)), math.floor(min(high, SURE))
            return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
        case PointType.BOOL:
            return bool
        case PointType.ENUM:
            return Literal[point.values]
        case _:
            return str
