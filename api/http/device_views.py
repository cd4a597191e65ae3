"""Devices as they are shown: what they said last, how good that still is, and what is wrong with them."""

import enum
from collections.abc import Iterable

from pydantic import BaseModel, Field

from api.http.context import Context
from gateway.adapters.sql.records import LiveCount, Watching
from gateway.core.conditions import leaves
from gateway.core.plan import Compare, Device, Kind, Point, Rule
from gateway.core.state import DeviceState
from gateway.core.values import Millis, PointType, Scalar, Title

QUIET_AFTER = 3
"""Report intervals without a word after which what a device said counts as stale."""


class Quality(enum.StrEnum):
    """How far a value may be trusted."""

    GOOD = "good"
    STALE = "stale"
    """The device is offline or silent, or has missed three reports."""
    UNOBSERVED = "unobserved"
    """The gateway cannot see its devices just now."""


class Connection(enum.StrEnum):
    """How a device stands."""

    ONLINE = "online"
    OFFLINE = "offline"
    """It, or the broker in its name, said that it is gone."""
    SILENT = "silent"
    """It said nothing for longer than its silence rule allows."""
    UNKNOWN = "unknown"
    """It never spoke."""


class TitleView(BaseModel):
    """A text in both languages."""

    en: str
    zh: str


class ValueView(BaseModel):
    """What a point said last."""

    value: Scalar
    unit: str
    ts: str = Field(description="the device's time")
    age_seconds: float
    quality: Quality


class AlertsView(BaseModel):
    """The live alerts of a device."""

    live: int
    worst: str | None = None


class DeviceView(BaseModel):
    """A device in a list."""

    id: str
    title: TitleView
    kind: str
    building: str | None
    floor: str | None
    place: str | None
    state: Connection
    online: bool | None = Field(description="null: it never said")
    heard: str | None = Field(description="when the gateway last received something from it")
    values: dict[str, ValueView]
    alerts: AlertsView


class LimitView(BaseModel):
    """One limit of a point: wrong below ``low`` or above ``high``."""

    rule: str
    level: str
    low: float | None
    high: float | None


class PointView(BaseModel):
    """A signal of a device."""

    name: str
    title: TitleView
    type: PointType
    unit: str
    valid: tuple[float, float] | None
    values: list[str]
    counter: bool
    limits: list[LimitView]
    last: ValueView | None


class LevelView(BaseModel):
    """One level of a rule."""

    level: str
    for_seconds: float
    work_order: str | None = Field(description="the template an order is opened from")


class RuleView(BaseModel):
    """What is wrong when."""

    name: str
    title: TitleView
    levels: list[LevelView]
    latched: bool
    shelvable: bool
    runbook: TitleView | None
    alert: str | None = Field(description="its live alert on this device")


class DeviceDetail(DeviceView):
    """One device with its points, parameters and rules."""

    points: list[PointView]
    params: dict[str, float]
    rules: list[RuleView]
    report_every_seconds: float
    rejected: dict[str, int] = Field(description="how often something from it was refused, by reason")


def title_view(title: Title) -> TitleView:
    """A title."""
    return TitleView(en=title.en, zh=title.zh)


def connection_of(state: DeviceState | None) -> Connection:
    """How a device stands."""
    if state is None or (state.online is None and state.heard is None):
        return Connection.UNKNOWN
    if state.online is False:
        return Connection.OFFLINE
    return Connection.SILENT if state.frozen else Connection.ONLINE


def quality_of(kind: Kind, state: DeviceState, watching: Watching, now: Millis) -> Quality:
    """How far its values may be trusted."""
    if not watching.observing:
        return Quality.UNOBSERVED
    quiet = state.heard is None or now - state.heard > QUIET_AFTER * kind.report_every
    return Quality.STALE if state.frozen or state.online is False or quiet else Quality.GOOD


def device_view(
    asked: Context, device: Device, state: DeviceState | None, watching: Watching, live: LiveCount | None
) -> DeviceView:
    """A device in a list."""
    return DeviceView(
        id=device.id,
        title=title_view(device.title),
        kind=device.kind.profile,
        building=device.building,
        floor=device.floor,
        place=device.place,
        state=connection_of(state),
        online=None if state is None else state.online,
        heard=None if state is None else asked.maybe(state.heard),
        values=_values(asked, device.kind, state, watching),
        alerts=AlertsView(live=0) if live is None else AlertsView(live=live.alerts, worst=live.worst.label),
    )


def device_detail(
    asked: Context, device: Device, state: DeviceState | None, watching: Watching, live: LiveCount | None
) -> DeviceDetail:
    """One device with all there is to say."""
    kind, brief = device.kind, device_view(asked, device, state, watching, live)
    limits = dict(_limits(kind))
    return DeviceDetail(
        **{name: getattr(brief, name) for name in DeviceView.model_fields},
        points=[
            _point_view(point, limits.get(point.name, []), brief.values.get(point.name))
            for point in kind.points.values()
        ],
        params=dict(kind.params),
        rules=[_rule_view(rule, state) for rule in kind.rules.values()],
        report_every_seconds=kind.report_every / 1_000,
        rejected={} if state is None else state.rejected,
    )


def _values(
    asked: Context, kind: Kind, state: DeviceState | None, watching: Watching
) -> dict[str, ValueView]:
    if state is None:
        return {}
    quality = quality_of(kind, state, watching, asked.now)
    return {
        name: ValueView(
            value=value,
            unit=kind.points[name].unit,
            ts=asked.written(ts),
            age_seconds=max(0, asked.now - ts) / 1_000,
            quality=quality,
        )
        for name, (ts, value) in state.last.items()
        if name in kind.points
    }


def _point_view(point: Point, limits: list[LimitView], last: ValueView | None) -> PointView:
    return PointView(
        name=point.name,
        title=title_view(point.title),
        type=point.type,
        unit=point.unit,
        valid=point.valid,
        values=list(point.values),
        counter=point.counter,
        limits=limits,
        last=last,
    )


def _rule_view(rule: Rule, state: DeviceState | None) -> RuleView:
    return RuleView(
        name=rule.name,
        title=title_view(rule.title),
        levels=[
            LevelView(
                level=level.level.label,
                for_seconds=level.hold / 1_000,
                work_order=rule.work_order.get(level.level),
            )
            for level in rule.levels
        ],
        latched=rule.latched,
        shelvable=rule.shelvable,
        runbook=None if rule.runbook is None else title_view(rule.runbook),
        alert=None if state is None else state.alerts.get(rule.name),
    )


def _limits(kind: Kind) -> Iterable[tuple[str, list[LimitView]]]:
    """The limits of each point, from every comparison in a rule's levels."""
    found: dict[str, list[LimitView]] = {}
    for rule in kind.rules.values():
        for level in rule.levels:
            for leaf, _ in leaves(level.when, ""):
                if isinstance(leaf, Compare):
                    limit = LimitView(rule=rule.name, level=level.level.label, low=leaf.low, high=leaf.high)
                    found.setdefault(leaf.point, []).append(limit)
    return found.items()
