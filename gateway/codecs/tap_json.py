"""Taps as readers and phones send them.

``{"ts": …, "id": "uuid", "tag": "04A2…", "guard": "g-07"}`` or with ``url`` (a cryptographic tag's address) or ``code`` (from a
label) in the place of ``tag``; one, or a list: what was stored where there was no signal. ``sent`` is what the device's
clock shows at the upload, ``queued`` how many taps it still holds after it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from gateway.codecs.native_json import ID_LIMIT, Origin
from gateway.codecs.scan import INT_MAX, Fault, check_owner, check_text, parse_json, parse_time, show, whole
from gateway.core.inputs import Fact, Tap
from gateway.core.values import Message, Millis, Seal

HOW = ("nfc", "qr", "typed")
ANY_TIME: Millis = INT_MAX >> 1
"""A time is judged by the engine: here it only has to be one."""
GUARD_LIMIT = 64
_FIELDS = frozenset(
    {
        "ts",
        "id",
        "tag",
        "url",
        "code",
        "guard",
        "how",
        "sent",
        "queued",
        "type",
        "device",
        "device_id",
        "site",
    }
)
_WAYS = ("url", "tag", "code")


class Upload(NamedTuple):
    """What all taps of one upload have in common."""

    at: Millis
    source: str
    seal_of: Callable[[str], Seal]
    """What the address of a tag proves."""
    sent: Millis | None = None
    queued: int | None = None
    by: str | None = None
    """The guard whose token it came with."""
    retained: bool = False
    received: Millis | None = None
    """Stands in for a missing time on a retry."""


def decode_tap(origin: Origin) -> Sequence[Fact]:
    """Each tap of a message, and a rejection for what is none."""
    body = _items(origin.message.payload)
    if isinstance(body, Fault):
        return (origin.reject(body),)
    message = origin.message
    upload = Upload(
        origin.at,
        origin.device.id,
        lambda url: _seal(message, url, origin.seal_of),
        retained=message.retained,
        received=message.received,
    )
    facts: list[Fact] = []
    before: Millis | None = None
    for item in body:
        found, faults = (item, []) if isinstance(item, Fault) else read_tap(item, upload, before)
        if isinstance(item, dict) and (fault := check_owner(item, origin.device.id, origin.site)):
            found, faults = fault, []
        if isinstance(found, Tap):
            before = found.ts
            facts.append(found)
            facts.extend(origin.reject(fault) for fault in faults)
        else:
            facts.append(origin.reject(found))
    return facts or (origin.reject(Fault("empty", "an empty list")),)


def _items(payload: bytes) -> list[object] | Fault:
    """What a message holds. A value or half a character that makes one tap unreadable must not cost the others."""
    body = parse_json(payload)
    if not isinstance(body, Fault):
        return body if isinstance(body, list) else [body]
    try:
        raws = msgspec.json.decode(whole(payload), type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return [parse_json(bytes(raw)) for raw in raws]


def _seal(message: Message, url: str, seal_of: Callable[[str], Seal]) -> Seal:
    """What was found out when it came, where that is on record: a replay has no keys."""
    known = None if message.seals is None else message.seals.get(url)
    return known if known is not None else seal_of(url)


def read_tap(
    item: object, upload: Upload, before: Millis | None = None, ask: str = ""
) -> tuple[Tap | Fault, list[Fault]]:
    """One tap, or why it is none; beside a tap, what of it could not be taken.

    Args:
        item: as it was parsed from JSON.
        upload: what it came with.
        before: the time of the tap before it in the same upload.
        ask: under which name somebody waits for its judgement.
    """
    if not isinstance(item, dict):
        return Fault("wrong_type", f"expected a tap object, found {show(item)}"), []
    proof = _proof(item)
    if isinstance(proof, Fault):
        return proof, []
    key, ts, (way, read) = _key(item.get("id")), _time(item.get("ts"), upload), proof
    if isinstance(key, Fault):
        return key, []
    if isinstance(ts, Fault):
        return ts, []
    faults: list[Fault] = [
        Fault("unknown_attribute", f"a tap has no {show(name)}") for name in item if name not in _FIELDS
    ]
    tap = Tap(
        at=upload.at,
        id=key,
        source=upload.source,
        ts=ts,
        tag=read if way == "tag" else None,
        url=read if way == "url" else None,
        seal=upload.seal_of(read) if way == "url" else None,
        code=read if way == "code" else None,
        how=_how(item, way, faults),
        guard=_guard(item, faults),
        sent=_sent(item, upload, faults),
        before=before,
        queued=_queued(item, upload, faults),
        by=upload.by,
        retained=upload.retained,
        ask=ask,
    )
    return tap, faults


def _proof(item: Mapping[str, object]) -> tuple[str, str] | Fault:
    """What was read, and by which field it came."""
    way = next((name for name in _WAYS if item.get(name) is not None), None)
    if way is None:
        return Fault("wrong_type", "a tap needs a tag, the tag's url, or the code of a label")
    value = item[way]
    read = check_text(way, value) if isinstance(value, str) else _no_text(way, value)
    return read if isinstance(read, Fault) else (way, read)


def _no_text(name: str, value: object) -> Fault:
    return Fault("wrong_type", f"{name}: {show(value)} is no text")


def _key(value: object) -> str | Fault:
    if not isinstance(value, str):
        return Fault("bad_id", "a tap needs its own id, so that it can be sent again")
    if not 0 < len(value) <= ID_LIMIT or isinstance(check_text("id", value), Fault):
        return Fault("bad_id", f"id {show(value)} is no printable text of 1 to {ID_LIMIT} characters")
    return value


def _time(value: object, upload: Upload) -> Millis | Fault:
    if value is None:
        return upload.at if upload.received is None else upload.received
    return parse_time(value, 0, ANY_TIME, ANY_TIME)


def _how(item: Mapping[str, object], way: str, faults: list[Fault]) -> str:
    """How it was read; by default a tag by NFC, a code from its label."""
    usual = "qr" if way == "code" else "nfc"
    how = item.get("how", usual)
    if how in HOW:
        return str(how)
    faults.append(Fault("unknown_word", f"how: {show(how)} is not one of {', '.join(HOW)}"))
    return "typed"


def _guard(item: Mapping[str, object], faults: list[Fault]) -> str | None:
    guard = item.get("guard")
    if guard is None:
        return None
    checked = check_text("guard", guard) if isinstance(guard, str) else _no_text("guard", guard)
    if isinstance(checked, str) and 0 < len(checked) <= GUARD_LIMIT:
        return checked
    faults.append(
        checked
        if isinstance(checked, Fault)
        else Fault("bad_id", f"guard: 1 to {GUARD_LIMIT} characters are allowed")
    )
    return None


def _sent(item: Mapping[str, object], upload: Upload, faults: list[Fault]) -> Millis | None:
    value = item.get("sent")
    if value is None:
        return upload.sent
    sent = parse_time(value, 0, ANY_TIME, ANY_TIME)
    if isinstance(sent, Fault):
        faults.append(Fault(sent.reason, sent.detail.replace("ts ", "sent ", 1)))
        return upload.sent
    return sent


def _queued(item: Mapping[str, object], upload: Upload, faults: list[Fault]) -> int | None:
    value = item.get("queued", upload.queued)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9:
        return value
    faults.append(Fault("wrong_type", f"queued: {show(value)} is no number of taps"))
    return None
