"""The gateway speaks for what cannot speak: checkpoints, routes and guards, each a virtual device with rules of its own.

So what goes wrong on patrol is an alert like any other: raised, risen, acknowledged, shelved, escalated, with an order.
"""

from collections.abc import Mapping

from gateway.core.desk import Desk
from gateway.core.inputs import Event, Telemetry
from gateway.core.readings import take_event, take_telemetry
from gateway.core.values import Millis, Scalar, Series, TelemetryRow


def state(desk: Desk, name: str, point: str, word: str) -> None:
    """A point of it changed."""
    device = desk.plan.devices.get(name)
    if device is None or point not in device.kind.points:
        return
    desk.device(name)[1].frozen = False
    now = desk.moment.now
    take_telemetry(desk, Telemetry(now, name, now, {point: word}))


def event(desk: Desk, name: str, kind: str, key: str, ts: Millis, attributes: Mapping[str, Scalar]) -> None:
    """Something happened to it; the same key again is the same event."""
    device = desk.plan.devices.get(name)
    if device is None or kind not in device.kind.events:
        return
    take_event(desk, Event(desk.moment.now, name, ts, key, kind, dict(attributes)))


def row(
    desk: Desk, measurement: str, tags: Mapping[str, str | None], ts: Millis, fields: dict[str, Scalar]
) -> None:
    """Patrol as telemetry, so that a dashboard needs nothing but the telemetry store. Nothing in it names a person."""
    kept = tuple(sorted((name, value) for name, value in tags.items() if value))
    desk.effects.rows.append(TelemetryRow(Series(measurement, kept), ts, fields))
