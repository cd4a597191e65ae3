"""What a simulated device puts on the wire."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gateway.core.values import Millis, Scalar

TOPIC_MOST = 65_535
"""Bytes of a topic (MQTT)."""

_encode = msgspec.json.Encoder().encode


class Publication(NamedTuple):
    """One MQTT message of a device. ``at`` is the simulated moment at which the device sends it."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    at: Millis = 0


class Topics(NamedTuple):
    """The native topics of one device."""

    telemetry: str
    event: str
    status: str
    tap: str

    @classmethod
    def of(cls, root: str, site: str, device: str) -> "Topics":
        """``root/site/device/telemetry`` and its siblings."""
        stem = f"{root}/{site}/{device}"
        return cls(f"{stem}/telemetry", f"{stem}/event", f"{stem}/status", f"{stem}/tap")


def may_be_published(topic: str) -> bool:
    """Whether a broker takes a message on a topic: MQTT 5.0, section 4.7; what begins with ``$`` is the broker's own."""
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        return False
    odd = topic.startswith("$") or any(sign in topic for sign in "+#\0")
    return 0 < size <= TOPIC_MOST and not odd


def device_of(topic: str) -> str:
    """The device a native topic names: its third level; the topic itself where it is another one."""
    levels = topic.split("/", 3)
    return levels[2] if len(levels) > 2 else topic  # noqa: PLR2004  root, site, device


def telemetry_payload(ts: Millis, values: Mapping[str, Scalar]) -> bytes:
    """The native telemetry object; ``ts`` in milliseconds."""
    return _encode({"ts": ts, "values": values})


def event_payload(ts: Millis, event_id: str, event: str, attributes: Mapping[str, Scalar]) -> bytes:
    """The native event object; ``event_id`` makes it idempotent."""
    return _encode({"ts": ts, "id": event_id, "type": event, **attributes})


def taps_payload(taps: list[dict[str, Scalar]]) -> bytes:
    """One tap as an object; a reader's stored taps as a list."""
    return _encode(taps[0] if len(taps) == 1 else taps)
