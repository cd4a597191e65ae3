"""Work orders as they are shown: clocks, checklist, history and what may be done now."""

import enum
from typing import Any

from pydantic import BaseModel, Field

from api.http.alert_views import HappeningView, PlaceView, happening_view, place_view
from api.http.context import Context
from api.http.device_views import TitleView, title_view
from gateway.adapters.sql.records import Happening
from gateway.core.order_state import Check, Clock, OrderState, WorkOrder
from gateway.core.templates import Team, Template
from gateway.core.values import Millis
from gateway.core.work_orders import ENDED, next_states


class ClockState(enum.StrEnum):
    """Whether a clock runs."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class ClockView(BaseModel):
    """One promise of a work order."""

    name: str
    state: ClockState
    target_seconds: float
    started: str
    due: str
    stopped: str | None
    remaining_seconds: float = Field(description="negative: overdue, or stopped too late")
    breached: bool
    breached_at: str | None


class CheckView(BaseModel):
    """One line of the checklist."""

    name: str
    title: TitleView
    required: bool
    done_at: str | None
    done_by: str | None
    result: Any


class OrderView(BaseModel):
    """A work order in a list."""

    id: str
    version: int
    template: str
    title: TitleView
    priority: str
    state: OrderState
    open: bool
    device: PlaceView | None
    rule: str | None
    level: str | None
    alerts: list[str]
    alert_live: bool
    team: str | None
    assignee: str | None
    reported_at: str
    opened_at: str
    stamps: dict[str, str] = Field(description="when each state was last entered")
    skipped: list[str]
    clocks: list[ClockView]
    done_by: str | None
    hold_reason: str | None
    resume_at: str | None
    closed_why: str | None
    duplicate_of: str | None
    reopened: int
    allowed: list[str] = Field(description="what may be done now")
    next_states: list[str] = Field(description="where it may be moved, guards aside")


class OrderDetail(OrderView):
    """One work order with its checklist and its history, oldest first."""

    checklist: list[CheckView]
    history: list[HappeningView]


class TemplateView(BaseModel):
    """How a work order is opened."""

    name: str
    title: TitleView
    priority: str
    team: str | None
    clocks: dict[str, float] = Field(description="seconds from the report, by clock")
    checklist: list[CheckView]
    allow_skips: bool
    reopen_within_seconds: float


class TeamView(BaseModel):
    """Who gets work orders."""

    name: str
    title: TitleView
    contractor: bool


def is_open(order: WorkOrder) -> bool:
    """Whether there is still something to do."""
    return order.state not in ENDED


def clock_view(asked: Context, name: str, clock: Clock) -> ClockView:
    """A clock as it stands now."""
    state, until = _standing(clock, asked.now)
    return ClockView(
        name=name,
        state=state,
        target_seconds=clock.target / 1_000,
        started=asked.written(clock.started),
        due=asked.written(clock.due),
        stopped=asked.maybe(clock.stopped),
        remaining_seconds=(clock.due - until) / 1_000,
        breached=clock.breached_at is not None,
        breached_at=asked.maybe(clock.breached_at),
    )


def _standing(clock: Clock, now: Millis) -> tuple[ClockState, Millis]:
    if clock.stopped is not None:
        return ClockState.STOPPED, clock.stopped
    if clock.paused is not None:
        return ClockState.PAUSED, clock.paused
    return ClockState.RUNNING, now


def order_view(asked: Context, order: WorkOrder) -> OrderView:
    """A work order in a list."""
    return OrderView(
        id=order.id,
        version=order.version,
        template=order.template,
        title=TitleView(**order.title),
        priority=order.priority,
        state=order.state,
        open=is_open(order),
        device=None if order.device is None else place_view(asked, order.device),
        rule=order.rule,
        level=None if order.level is None else order.level.label,
        alerts=order.alerts,
        alert_live=order.alert_live,
        team=order.team,
        assignee=order.assignee,
        reported_at=asked.written(order.reported_at),
        opened_at=asked.written(order.opened_at),
        stamps={state: asked.written(at) for state, at in order.stamps.items()},
        skipped=order.skipped,
        clocks=[clock_view(asked, name, clock) for name, clock in order.clocks.items()],
        done_by=order.done_by,
        hold_reason=order.hold_reason,
        resume_at=asked.maybe(order.resume_at),
        closed_why=order.closed_why,
        duplicate_of=order.duplicate_of,
        reopened=order.reopened,
        allowed=_allowed_verbs(asked, order),
        next_states=_moves(asked, order),
    )


def order_detail(asked: Context, order: WorkOrder, history: list[Happening]) -> OrderDetail:
    """One work order in full."""
    brief = order_view(asked, order)
    return OrderDetail(
        **{name: getattr(brief, name) for name in OrderView.model_fields},
        checklist=[_check_view(asked, check) for check in order.checklist],
        history=[happening_view(asked, one) for one in history],
    )


def template_view(template: Template) -> TemplateView:
    """A template."""
    promised = {name: getattr(template.clocks, name) for name in ("accept", "arrive", "resolve")}
    return TemplateView(
        name=template.name,
        title=title_view(template.title),
        priority=template.priority,
        team=template.team,
        clocks={name: target / 1_000 for name, target in promised.items() if target is not None},
        checklist=[
            CheckView(
                name=step.name,
                title=title_view(step.title),
                required=step.required,
                done_at=None,
                done_by=None,
                result=None,
            )
            for step in template.checklist
        ],
        allow_skips=template.allow_skips,
        reopen_within_seconds=template.reopen_within / 1_000,
    )


def team_view(team: Team) -> TeamView:
    """A team."""
    return TeamView(name=team.name, title=title_view(team.title), contractor=team.contractor)


def _check_view(asked: Context, check: Check) -> CheckView:
    return CheckView(
        name=check.name,
        title=TitleView(**check.title),
        required=check.required,
        done_at=asked.maybe(check.done_at),
        done_by=check.done_by,
        result=check.result,
    )


def _moves(asked: Context, order: WorkOrder) -> list[str]:
    """An order that can no longer be reopened goes nowhere."""
    closed = order.stamps.get(OrderState.CLOSED)
    if order.state is OrderState.CLOSED and (closed is None or asked.now - closed > order.reopen_within):
        return []
    return next_states(order)


def _allowed_verbs(asked: Context, order: WorkOrder) -> list[str]:
    moves = _moves(asked, order)
    working = is_open(order) and order.state not in (OrderState.DONE, OrderState.VERIFIED)
    verbs = {
        "assign": working,
        "check": working and bool(order.checklist),
        "comment": is_open(order) or bool(moves),
        "move": bool(moves),
    }
    return [verb for verb, possible in verbs.items() if possible]
