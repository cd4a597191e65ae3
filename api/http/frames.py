"""Server-sent events from what was committed. Each batch is written once, however many listen."""

from functools import cached_property
from typing import NamedTuple

import msgspec

from api.http.instants import written
from gateway.core.effects import Outcome
from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Scalar, Series
from gateway.feed import Published

GROUPS = ("alert", "work_order", "patrol", "device", "gateway", "rejected")
"""The names events go by; ``reading`` and ``reset`` beside them carry no id."""

PATROL = ("duty", "guard", "round", "tag", "tap")
"""What is told as ``patrol``."""

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


class Written:
    """A batch, written. What nobody asks for is not made."""

    def __init__(self, batch: Published, plan: SitePlan, devices: "DeviceOf") -> None:
        self.last = batch.last
        self._batch, self._plan, self._devices = batch, plan, devices

    @cached_property
    def outcomes(self) -> list[OutcomeFrame]:
        """What happened, in order."""
        first = self.last - len(self._batch.outcomes) + 1
        numbered = enumerate(self._batch.outcomes, first)
        return [outcome_frame(seq, outcome, self._plan.timezone) for seq, outcome in numbered]

    @cached_property
    def readings(self) -> list[Reading]:
        """Those of devices; transitions and events, which are telemetry too, are among the outcomes."""
        named = ((self._devices.of(series), ts, fields) for series, ts, fields in self._batch.rows)
        return [Reading(device, ts, fields) for device, ts, fields in named if device is not None]

    @cached_property
    def frames(self) -> list[bytes]:
        """The readings, one by one, as they are sent."""
        return [reading_frame(reading, self._plan.timezone) for reading in self.readings]


def group_of(kind: str) -> str:
    """The event name of an outcome: ``site.configured`` goes with the gateway's own."""
    group = kind.partition(".")[0]
    if group in PATROL:
        return "patrol"
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


class DeviceOf:
    """Finds the device a series of one plan belongs to."""

    def __init__(self, plan: SitePlan) -> None:
        self.plan = plan
        self._known: dict[Series, str | None] = {}

    def of(self, series: Series) -> str | None:
        """Its id; None for a series that holds transitions or events."""
        try:
            return self._known[series]
        except KeyError:
            device = self.plan.devices.get(dict(series.tags).get("device", ""))
            name = device.id if device is not None and device.series == series else None
            self._known[series] = name
            return name


class Writer:
    """Writes batches; the last one is kept for the other listeners, who get the very same."""

    def __init__(self) -> None:
        self._last: tuple[Published, Written] | None = None
        self._devices: DeviceOf | None = None

    def write(self, batch: Published, plan: SitePlan) -> Written:
        """A batch as frames."""
        if self._last is not None and self._last[0] is batch:
            return self._last[1]
        if self._devices is None or self._devices.plan is not plan:
            self._devices = DeviceOf(plan)
        done = Written(batch, plan, self._devices)
        self._last = (batch, done)
        return done
