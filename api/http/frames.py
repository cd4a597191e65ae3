"""Server-sent events from what was committed. Each batch is written once, however many listen."""

from typing import NamedTuple

import msgspec

from api.http.instants import written
from gateway.core.effects import Outcome
from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Scalar, Series
from gateway.feed import Published

GROUPS = ("alert", "work_order", "device", "gateway", "rejected")
"""The names events go by; ``reading`` and ``reset`` beside them carry no id."""

_encode = msgspec.json.Encoder().encode


class OutcomeFrame(NamedTuple):
    """One outcome, ready to be sent."""

    seq: int
    group: str
    device: str | None
    data: bytes


class Reading(NamedTuple):
    """Values of one device at one moment."""

    device: str
    ts: Millis
    values: dict[str, Scalar]


class Written(NamedTuple):
    """A batch, written."""

    last: int
    outcomes: list[OutcomeFrame]
    readings: list[Reading]
    """Those of devices; transitions and events, which are telemetry too, are among the outcomes."""
    frames: list[bytes]
    """The readings, one by one, as they are sent."""


def group_of(kind: str) -> str:
    """The event name of an outcome: ``site.configured`` goes with the gateway's own."""
    group = kind.partition(".")[0]
    return group if group in GROUPS else "gateway"


def outcome_frame(seq: int, outcome: Outcome, timezone: str) -> OutcomeFrame:
    """An outcome as an event whose id is its number."""
    group = group_of(outcome.kind)
    body = _encode(
        {
            "seq": seq,
            "at": written(outcome.at, timezone),
            "kind": outcome.kind,
            "device": outcome.device,
            "subject": outcome.subject,
            "rule": outcome.rule,
            "level": outcome.level,
            "actor": outcome.actor,
            "detail": outcome.detail,
        }
    )
    return OutcomeFrame(
        seq, group, outcome.device, b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, group.encode(), body)
    )


def reading_frame(reading: Reading, timezone: str) -> bytes:
    """Values of a device as an event without an id: it cannot be asked for again."""
    body = {"device": reading.device, "ts": written(reading.ts, timezone), "values": reading.values}
    return b"event: reading\ndata: %b\n\n" % _encode(body)


class Writer:
    """Writes batches; the last one is kept for the other listeners, who get the very same."""

    def __init__(self) -> None:
        self._last: tuple[Published, Written] | None = None
        self._digest = ""
        self._devices: dict[Series, str | None] = {}

    def write(self, batch: Published, plan: SitePlan) -> Written:
        """A batch as frames."""
        if self._last is not None and self._last[0] is batch:
            return self._last[1]
        if plan.digest != self._digest:
            self._digest, self._devices = plan.digest, {}
        first = batch.last - len(batch.outcomes) + 1
        outcomes = [
            outcome_frame(seq, outcome, plan.timezone) for seq, outcome in enumerate(batch.outcomes, first)
        ]
        readings = []
        for series, ts, fields in batch.rows:
            device = self._device(series, plan)
            if device is not None:
                readings.append(Reading(device, ts, fields))
        frames = [reading_frame(reading, plan.timezone) for reading in readings]
        done = Written(batch.last, outcomes, readings, frames)
        self._last = (batch, done)
        return done

    def _device(self, series: Series, plan: SitePlan) -> str | None:
        """The device a series belongs to; None for one that holds transitions or events."""
        try:
            return self._devices[series]
        except KeyError:
            device = plan.devices.get(dict(series.tags).get("device", ""))
            name = device.id if device is not None and device.series == series else None
            self._devices[series] = name
            return name
