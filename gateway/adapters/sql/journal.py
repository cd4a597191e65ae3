"""Journal entries: inputs as bytes and back.

An entry is ``[at, tag, body]``. A message is kept as it came, so that other rules and other profiles can be tried on
it later. One that held nothing usable is kept as its refusal without the payload: a broken device must not push
everybody else's history out of a bounded journal. A message with the addresses of cryptographic tags in it is kept
with what they proved: the keys stay with the running gateway, and a replay has none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
import zstandard

from gateway.core.inputs import (
    Command,
    Configured,
    Fact,
    LinkLost,
    LinkUp,
    Rejection,
    Started,
    Tap,
    Tick,
)
from gateway.core.plan import SitePlan
from gateway.core.values import Message, Millis

Entry: TypeAlias = tuple[Millis, str, object]
Recorded: TypeAlias = Command | Configured | LinkLost | LinkUp | Rejection | Started | Tap | Tick
"""What is journalled beside messages."""
Kept: TypeAlias = Message | Command | LinkLost | LinkUp | Rejection | Started | Tap | Tick
"""What comes back from an entry; of a configuration it is the digest."""

LEVEL = 1
"""zstd's fastest standard level: the journal is written on the hot path."""

TOPIC_KEPT = 256
"""Characters of a refused message's topic: it may be 64 KiB long, and anybody may make one up."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, str, msgspec.Raw]]).decode
_BODIES: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "command": msgspec.msgpack.Decoder(Command),
    "configured": msgspec.msgpack.Decoder(str),
    "lost": msgspec.msgpack.Decoder(str),
    "message": msgspec.msgpack.Decoder(Message),
    "refused": msgspec.msgpack.Decoder(tuple[str | None, str, str, str]),
    "started": msgspec.msgpack.Decoder(int | None),
    "tap": msgspec.msgpack.Decoder(Tap),
    "tick": msgspec.msgpack.Decoder(None),
    "up": msgspec.msgpack.Decoder(None),
}


def entry(one: Recorded) -> Entry:
    """An input as a journal entry."""
    match one:
        case Command():
            return one.at, "command", one
        case Configured():
            return one.at, "configured", one.plan.digest
        case LinkLost():
            return one.at, "lost", one.reason
        case LinkUp():
            return one.at, "up", None
        case Rejection():
            return one.at, "refused", (one.device, one.topic[:TOPIC_KEPT], one.reason, one.detail)
        case Started():
            return one.at, "started", one.last
        case Tap():
            return one.at, "tap", one
        case Tick():
            return one.at, "tick", None


def message_entry(at: Millis, message: Message, facts: Sequence[Fact]) -> Entry:
    """A message as a journal entry, with what the addresses of the tags in it proved.

    Args:
        at: when it is handled.
        message: as it came.
        facts: what was made of it.
    """
    seals = {
        fact.url: fact.seal
        for fact in facts
        if type(fact) is Tap and fact.url is not None and fact.seal is not None
    }
    return at, "message", msgspec.structs.replace(message, seals=seals) if seals else message


def pack(entries: Iterable[Entry]) -> bytes:
    """Entries as one compressed block."""
    return zstandard.ZstdCompressor(LEVEL).compress(_encode(list(entries)))


def unpack(block: bytes, plan_of: Callable[[str], SitePlan]) -> Iterator[tuple[Millis, Message | Recorded]]:
    """The inputs of a block, in order, each with its time.

    Args:
        block: what :func:`pack` made.
        plan_of: finds the site plan with a digest.
    """
    for at, one in entries(block):
        yield at, Configured(at, plan_of(one)) if isinstance(one, str) else one


def entries(block: bytes) -> Iterator[tuple[Millis, Kept | str]]:
    """The same with the digest of a configuration in its place."""
    for at, tag, raw in _decode(zstandard.ZstdDecompressor().decompress(block)):
        body = _BODIES[tag].decode(raw)
        yield at, body if tag == "configured" else _input(at, tag, body)


def _input(at: Millis, tag: str, body: Any) -> Kept:  # noqa: ANN401 - as the tag says
    match tag:
        case "lost":
            return LinkLost(at, body)
        case "up":
            return LinkUp(at)
        case "refused":
            device, topic, reason, detail = body
            return Rejection(at, device, topic, reason, detail, b"")
        case "started":
            return Started(at, body)
        case "tick":
            return Tick(at)
        case _:
            found: Message | Command | Tap = body
            return found
