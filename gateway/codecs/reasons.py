"""Why a payload, or a part of one, is refused: one short word to count by."""

from types import MappingProxyType

REASONS = MappingProxyType(
    {
        "bad_id": "an id that is no short printable text",
        "bad_time": "a time that is neither integer milliseconds nor RFC 3339 with an offset",
        "control_characters": "control characters in a text",
        "device_mismatch": "the payload names another device than the topic",
        "empty": "no payload",
        "integer_too_large": "an integer past 64 bits",
        "internal_error": "a fault of the gateway's own that this message brings to light; please report it",
        "malformed_packet": "an MQTT packet that cannot be read",
        "not_finite": "NaN or Infinity",
        "not_json": "not well-formed JSON",
        "not_utf8": "not UTF-8",
        "out_of_range": "a value outside the point's valid range",
        "time_in_future": "a time further ahead than the profile allows",
        "time_too_old": "a time further back than the profile accepts",
        "too_large": "a payload over the size limit",
        "too_deep": "JSON nested too deeply",
        "unknown_attribute": "an attribute the event does not declare",
        "unknown_device": "a device the site does not name",
        "unknown_event": "an event the profile does not declare",
        "unknown_point": "a point the profile does not declare",
        "unknown_topic": "a topic nobody claims",
        "unknown_word": "a word that is not in the point's list",
        "wrong_type": "a value of another type than declared",
    }
)
"""Every reason with what it means."""
