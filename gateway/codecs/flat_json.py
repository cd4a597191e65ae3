"""Flat JSON, as Zigbee2MQTT, Tasmota and Shelly bridges send it: ``{"temperature": 21.5, "battery": 90, …}``.

An optional ``ts`` is device time. Keys the profile does not name are passed over, since such bridges add many.
"""

from collections.abc import Sequence

from gateway.codecs.native_json import Origin, scan_values
from gateway.codecs.scan import Fault, parse_json, show
from gateway.core.inputs import Fact


def decode_telemetry(origin: Origin) -> Sequence[Fact]:
    """One reading of the points the profile names."""
    body = parse_json(origin.message.payload)
    if isinstance(body, Fault):
        return (origin.reject(body),)
    if not isinstance(body, dict):
        return (origin.reject(Fault("wrong_type", f"expected an object, found {show(body)}")),)
    ts = origin.time(body.get("ts"))
    if isinstance(ts, Fault):
        return (origin.reject(ts),)
    points = origin.device.kind.points
    known = {name: value for name, value in body.items() if name in points}
    if not known:
        return (
            origin.reject(Fault("unknown_point", f"none of {show(sorted(body))} is a point of the profile")),
        )
    return scan_values(origin, known, ts, stamped=origin.stamped(body))
