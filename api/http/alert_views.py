"""Alerts as they are shown, with what happened to them and what may be done now."""

from typing import Any

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import TitleView, title_view
from api.http.quiet_views import QuietView, quiet_view
from gateway.adapters.sql.records import Happening
from gateway.core.alert_acts import verbs
from gateway.core.plan import Rule
from gateway.core.state import Alert, AlertState, Cause, DeviceState
from gateway.core.values import Scalar

HISTORY_MOST = 500
"""Entries of a history that are shown with its record: the newest."""


class PlaceView(BaseModel):
    """The device a record is about; no kind or place once the site no longer has it."""

    id: str
    title: TitleView
    kind: str | None
    building: str | None
    floor: str | None
    place: str | None


class CauseView(BaseModel):
    """What was true at the moment of raising."""

    ts: str
    point: str | None
    title: TitleView | None
    value: Scalar | None
    limit: Scalar | None
    unit: str
    event: str | None
    attributes: dict[str, Scalar]


class HappeningView(BaseModel):
    """One entry of a history."""

    seq: int
    at: str
    kind: str
    level: str | None
    actor: str | None
    detail: dict[str, Any]


class AlertView(BaseModel):
    """One occurrence of a rule on a device."""

    id: str
    version: int
    device: PlaceView
    rule: str
    title: TitleView
    level: str
    worst: str
    state: AlertState
    live: bool
    condition_gone: bool = Field(description="a latched alert that may be reset")
    count: int = Field(description="how often the condition came back")
    raised_at: str
    acked_at: str | None
    acked_by: str | None
    cleared_at: str | None
    reset_by: str | None
    ended_at: str | None
    ended_why: str | None
    cause: CauseView
    suppressed: QuietView | None = Field(description="why nobody is told of it; null when people are")
    chattering: bool = Field(description="it comes and goes too often and is held up until it is calm")
    stale: bool = Field(description="active for longer than the site takes to be sound")
    assignee: str | None
    team: str | None
    re_alarm_at: str | None = Field(description="when it asks again although it was acknowledged")
    work_order: str | None
    allowed: list[str] = Field(description="what may be done now")


class AlertDetail(AlertView):
    """One alert with its history, oldest first."""

    runbook: TitleView | None
    history: list[HappeningView]
    history_more: bool = Field(description="older entries are under `history`")


def place_view(asked: Context, name: str) -> PlaceView:
    """The device a record is about."""
    device = asked.plan.devices.get(name)
    if device is None:
        unnamed = TitleView(en=name, zh=name)
        return PlaceView(id=name, title=unnamed, kind=None, building=None, floor=None, place=None)
    return PlaceView(
        id=name,
        title=title_view(device.title),
        kind=device.kind.profile,
        building=device.building,
        floor=device.floor,
        place=device.place,
    )


def happening_view(asked: Context, one: Happening) -> HappeningView:
    """One entry of a history."""
    outcome = one.outcome
    return HappeningView(
        seq=one.seq,
        at=asked.written(outcome.at),
        kind=outcome.kind,
        level=outcome.level,
        actor=outcome.actor,
        detail=outcome.detail,
    )


def rule_of(asked: Context, device: str, rule: str) -> Rule | None:
    """A rule of a device, while the site has both."""
    found = asked.plan.devices.get(device)
    return None if found is None else found.kind.rules.get(rule)


def alert_view(asked: Context, alert: Alert, dev: DeviceState | None) -> AlertView:
    """An alert in a list; the state of its device says what keeps it quiet."""
    rule = rule_of(asked, alert.device, alert.rule)
    return AlertView(
        id=alert.id,
        version=alert.version,
        device=place_view(asked, alert.device),
        rule=alert.rule,
        title=TitleView(en=alert.rule, zh=alert.rule) if rule is None else title_view(rule.title),
        level=alert.level.label,
        worst=alert.worst.label,
        state=alert.state,
        live=alert.ended_at is None,
        condition_gone=alert.gone,
        count=alert.count,
        raised_at=asked.written(alert.raised_at),
        acked_at=asked.maybe(alert.acked_at),
        acked_by=alert.acked_by,
        cleared_at=asked.maybe(alert.cleared_at),
        reset_by=alert.reset_by,
        ended_at=asked.maybe(alert.ended_at),
        ended_why=alert.ended_why,
        cause=_cause_view(asked, alert.device, alert.cause),
        suppressed=_quiet_view(asked, alert, dev),
        chattering=alert.chattering,
        stale=alert.stale,
        assignee=alert.assignee,
        team=alert.team,
        re_alarm_at=asked.maybe(alert.re_alarm_at),
        work_order=alert.order,
        allowed=verbs(alert, rule),
    )


def alert_detail(
    asked: Context, alert: Alert, dev: DeviceState | None, history: list[Happening]
) -> AlertDetail:
    """One alert in full; of its history as much as is shown with it, and one entry more where there is more."""
    brief = alert_view(asked, alert, dev)
    rule = rule_of(asked, alert.device, alert.rule)
    return AlertDetail(
        **{name: getattr(brief, name) for name in AlertView.model_fields},
        runbook=None if rule is None or rule.runbook is None else title_view(rule.runbook),
        history=[happening_view(asked, one) for one in history[-HISTORY_MOST:]],
        history_more=len(history) > HISTORY_MOST,
    )


def _quiet_view(asked: Context, alert: Alert, dev: DeviceState | None) -> QuietView | None:
    if alert.suppressed is None:
        return None
    known = (
        dev if alert.ended_at is None else None
    )  # what the device says now is not about an alert that is over
    return quiet_view(asked, alert.device, alert.rule, alert.suppressed, alert.suppressed_at, known)


def _cause_view(asked: Context, name: str, cause: Cause) -> CauseView:
    device = asked.plan.devices.get(name)
    point = None if device is None else device.kind.points.get(cause.point or "")
    return CauseView(
        ts=asked.written(cause.ts),
        point=cause.point,
        title=None if point is None else title_view(point.title),
        value=cause.value,
        limit=cause.limit,
        unit=cause.unit,
        event=cause.event,
        attributes=cause.attributes,
    )
