"""One line of a traffic file, as text and as the input it stands for.

A message is ``{"at": ms, "topic": "…", "payload": "text" | {"base64": "…"}, "qos": 1, "retain": false}``. What else a
gateway is told has ``input`` with one of :data:`KINDS` in place of the topic, and a ``body``.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct

from gateway.core.inputs import Command, LinkLost, LinkUp, Rejection, Started, Tap, Tick
from gateway.core.values import Message, Millis, Seal

LATEST: Millis = 253_402_300_799_999
"""The last millisecond of the year 9999."""
TOPIC_MOST = 65_535
"""Bytes of a topic (MQTT)."""


class Setup(Struct, frozen=True):
    """A site plan comes into force: the texts behind it, where the file carries them."""

    at: Millis
    digest: str
    """Of the bundle, see :class:`gateway.site.bundle.SiteBundle`."""
    bundle: bytes | None = None
    """The encoded bundle; None where only its digest is known."""


TrafficInput: TypeAlias = Message | Command | LinkLost | LinkUp | Rejection | Setup | Started | Tap | Tick
"""What a line stands for."""


class Line(NamedTuple):
    """One line that could be read."""

    number: int
    """In the file, counted from 1; 0 where it comes from elsewhere."""
    at: Millis
    input: TrafficInput
    qos: int = 1


class _Bytes(Struct, forbid_unknown_fields=True, gc=False):
    base64: str


class _Refused(Struct, forbid_unknown_fields=True):
    device: str | None
    topic: str
    reason: str
    detail: str


class _Configured(Struct, forbid_unknown_fields=True, omit_defaults=True):
    digest: str
    bundle: str | None = None


class Wire(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A line as it is written."""

    at: Annotated[int, Meta(ge=0, le=LATEST)]
    topic: Annotated[str, Meta(max_length=TOPIC_MOST)] | None = None
    payload: str | _Bytes | None = None
    qos: Annotated[int, Meta(ge=0, le=2)] = 1
    retain: bool = False
    received: Annotated[int, Meta(ge=0, le=LATEST)] | None = None
    """Of a message taken out of quarantine: when it first came."""
    seals: dict[str, Seal] | None = None
    """What the addresses of cryptographic tags in it proved: the keys stay with the gateway."""
    input: str | None = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Sent(Struct, gc=False):
    """A message as it is written: with all that other programs look for."""

    at: int
    topic: str
    payload: str | _Bytes
    qos: int
    retain: bool


_BODIES: dict[str, msgspec.json.Decoder[Any]] = {
    "command": msgspec.json.Decoder(Command),
    "configured": msgspec.json.Decoder(_Configured),
    "lost": msgspec.json.Decoder(str),
    "refused": msgspec.json.Decoder(_Refused),
    "started": msgspec.json.Decoder(int | None),
    "tap": msgspec.json.Decoder(Tap),
}
KINDS = (*sorted(_BODIES), "tick", "up")
"""What stands in ``input``: a person's command, a site plan, the broker lost, a refused payload, …"""

_decoder = msgspec.json.Decoder(Wire)
_encode = msgspec.json.Encoder().encode


def parse(text: bytes) -> Wire:
    """One line. Raises :class:`ValueError` with what was found and what was expected."""
    try:
        return _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte 0x{error.object[error.start]:02x}") from error
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_many(block: bytes) -> Sequence[Wire]:
    """Whole lines at once. Raises :class:`ValueError` when one of them cannot be read."""
    try:
        return _decoder.decode_lines(block)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def meaning(wire: Wire) -> TrafficInput:
    """The input a line stands for. Raises :class:`ValueError` with what was found and what was expected."""
    topic, payload = wire.topic, wire.payload
    if wire.input is None:
        if topic is None or payload is None:
            raise ValueError('expected "topic" and "payload", or "input"')
        body = payload.encode() if type(payload) is str else _unbase64(payload)
        return Message(topic, body, wire.retain, wire.received, wire.seals)
    if topic is not None or payload is not None:
        raise ValueError('"input" stands beside "topic" or "payload"; a line is one input')
    return _other(wire.at, wire.input, wire.body)


def _unbase64(payload: object) -> bytes:
    try:
        return b64decode(payload.base64 if isinstance(payload, _Bytes) else "", validate=True)
    except (Base64Error, ValueError) as error:
        raise ValueError(f"the payload is not base64: {error}") from error


def _other(at: Millis, kind: str, raw: msgspec.Raw | msgspec.UnsetType) -> TrafficInput:
    match kind:
        case "tick":
            return Tick(at)
        case "up":
            return LinkUp(at)
    decoder = _BODIES.get(kind)
    if decoder is None:
        raise ValueError(f"unknown input {kind[:64]!r} (allowed: {', '.join(KINDS)})")
    if isinstance(raw, msgspec.UnsetType):
        raise ValueError(f'{kind!r} needs a "body"')  # noqa: TRY004 - wrong in the file, not in a call
    try:
        body = decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the body of {kind!r}: {error}") from error
    match kind:
        case "lost":
            return LinkLost(at, body)
        case "started":
            if body is not None and not 0 <= body <= at:
                raise ValueError(
                    f"the body of 'started' says {body}; a moment up to {at} is expected, or null"
                )
            return Started(at, body)
        case "refused":
            return Rejection(at, body.device, body.topic, body.reason, body.detail, b"")
        case "configured":
            return Setup(at, body.digest, None if body.bundle is None else body.bundle.encode())
    if body.at != at:
        raise ValueError(f"the body of {kind!r} says at {body.at}, the line {at}")
    found: Command | Tap = body
    return found


def text_of(at: Millis, one: TrafficInput, qos: int = 1) -> bytes:
    """An input as a line, with its end."""
    if isinstance(one, Message):
        if one.received is None and one.seals is None:
            return _encode(_Sent(at, one.topic, _text(one.payload), qos, one.retained)) + b"\n"
        again = Wire(at, one.topic, _text(one.payload), qos, one.retained, one.received, one.seals)
        return _encode(again) + b"\n"
    kind, body = _written(one)
    if kind in ("tick", "up"):
        return _encode(Wire(at, input=kind)) + b"\n"
    return _encode(Wire(at, input=kind, body=msgspec.Raw(_encode(body)))) + b"\n"


def _text(payload: bytes) -> str | _Bytes:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return _Bytes(b64encode(payload).decode())


def _written(one: object) -> tuple[str, object]:
    match one:
        case Command():
            return "command", one
        case LinkLost():
            return "lost", one.reason
        case LinkUp():
            return "up", None
        case Rejection():
            return "refused", _Refused(one.device, one.topic, one.reason, one.detail)
        case Setup():
            return "configured", _Configured(one.digest, one.bundle.decode() if one.bundle else None)
        case Started():
            return "started", one.last
        case Tap():
            return "tap", one
        case Tick():
            return "tick", None
    raise TypeError(f"{type(one).__name__} is no input of a traffic file")
