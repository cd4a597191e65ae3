"""Moving recorded messages in time: what the devices' clocks say is moved along, so that it fits the new receipt."""

import datetime as dt
from typing import Final

from msgspec.structs import replace

from gateway.core.values import Message, Millis
from gateway.traffic.payloads import parsed, written

STAMPS: Final = {"telemetry": ("ts",), "event": ("ts",), "tap": ("ts", "sent")}
"""By the last level of a native topic: which fields hold device time."""
LEVELS_LEAST: Final = 4
"""Of a native topic: root, site, device, channel."""


def shift_message(message: Message, by: Millis) -> Message:
    """The message with its device times moved; see :func:`shift_payload`."""
    payload = shift_payload(message.topic, message.payload, by)
    received = None if message.received is None else message.received + by
    if payload is message.payload and received == message.received:
        return message
    return replace(message, payload=payload, received=received)


def shift_payload(topic: str, payload: bytes, by: Millis) -> bytes:
    """The payload with ``ts``, in taps also ``sent``, moved by ``by`` milliseconds, forwards or back.

    Objects and lists of objects on native topics are moved, times in milliseconds and in RFC 3339 alike; every other
    value stays what it is. Any other payload is given back as it came.
    """
    fields = STAMPS.get(topic.rpartition("/")[2], ())
    if not fields or topic.count("/") < LEVELS_LEAST - 1:
        return payload
    try:
        body = parsed(payload).value
        items = body if isinstance(body, list) else [body]
        moved = [_moved(item, fields, by) for item in items]
        if all(now is before for now, before in zip(moved, items, strict=True)):
            return payload
        return written(moved if isinstance(body, list) else moved[0])
    except ValueError:
        return payload


def _moved(item: object, fields: tuple[str, ...], by: Millis) -> object:
    if not isinstance(item, dict):
        return item
    found = {name: later for name in fields if name in item and (later := _later(item[name], by)) is not None}
    return item | found if found else item


def _later(stamp: object, by: Millis) -> int | str | None:
    """The moment moved; None where it is none."""
    if isinstance(stamp, int) and not isinstance(stamp, bool):
        return stamp + by
    if not isinstance(stamp, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(stamp)
        if moment.tzinfo is None:
            return None
        text = (moment + dt.timedelta(milliseconds=by)).isoformat()
    except (ValueError, OverflowError):
        return None
    return text.removesuffix("+00:00") + "Z" if stamp[-1] in "Zz" else text
