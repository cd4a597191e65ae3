"""Work orders as they are shown: clocks, checklist, history and what may be done now."""

import enum

from pydantic import BaseModel, Field

from api.http.alert_views import HISTORY_MOST, HappeningView, PlaceView, happening_view, place_view
from api.http.context import Context
from api.http.device_views import TitleView, title_view
from api.http.order_parts import (
    AttachmentView,
    CheckView,
    CostsView,
    ProofView,
    SignatureView,
    StepView,
    attachment_view,
    check_view,
    costs_view,
    proof_view,
    signature_view,
    step_view,
)
from gateway.adapters.sql.records import Happening
from gateway.core.order_state import ENDED, SETTLED, Clock, OrderState, WorkOrder
from gateway.core.order_table import next_states
from gateway.core.templates import Team, Template
from gateway.core.values import Millis


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
    due_at: str | None = Field(description="of preventive work")
    preventive: str | None
    caused_by: str | None = Field(description="the order whose failed step led to it")
    stamps: dict[str, str] = Field(description="when each state was last entered")
    skipped: list[str]
    clocks: list[ClockView]
    done_by: str | None
    hold_reason: str | None
    resume_at: str | None
    hold_until: str | None = Field(description="when the hold ends by itself")
    closed_why: str | None
    duplicate_of: str | None
    reopened: int
    allowed: list[str] = Field(description="what may be done now")
    next_states: list[str] = Field(description="where it may be moved, guards aside")


class OrderDetail(OrderView):
    """One work order with its checklist and its history, oldest first."""

    checklist: list[CheckView]
    photos_needed: int
    signature_needed: bool
    signed: SignatureView | None
    attachments: list[AttachmentView]
    costs: CostsView
    proofs: dict[str, ProofView] = Field(description="by state")
    history: list[HappeningView]
    history_more: bool = Field(description="older entries are under `history`")


class TemplateView(BaseModel):
    """How a work order is opened."""

    name: str
    title: TitleView
    priority: str
    team: str | None
    clocks: dict[str, float] = Field(description="seconds from the report, by clock")
    calendar: str | None = Field(description="in whose open time the clocks run; null: round the clock")
    checklist: list[StepView]
    allow_skips: bool
    accept_within_seconds: float | None
    longest_hold_seconds: dict[str, float] = Field(description="by reason")
    photos: int
    signature: bool
    reopen_within_seconds: float


class TeamView(BaseModel):
    """Who gets work orders."""

    name: str
    title: TitleView
    contractor: bool
    rate: str | None = Field(description="of an hour's work, in the site's currency")


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
        due_at=asked.maybe(order.due_at),
        preventive=order.preventive,
        caused_by=order.caused_by,
        stamps={state: asked.written(at) for state, at in order.stamps.items()},
        skipped=order.skipped,
        clocks=[clock_view(asked, name, clock) for name, clock in order.clocks.items()],
        done_by=order.done_by,
        hold_reason=order.hold_reason,
        resume_at=asked.maybe(order.resume_at),
        hold_until=asked.maybe(order.hold_until),
        closed_why=order.closed_why,
        duplicate_of=order.duplicate_of,
        reopened=order.reopened,
        allowed=_allowed_verbs(asked, order),
        next_states=_moves(asked, order),
    )


def order_detail(asked: Context, order: WorkOrder, history: list[Happening]) -> OrderDetail:
    """One work order in full; of its history as much as is shown with it, and one entry more where there is more."""
    brief = order_view(asked, order)
    return OrderDetail(
        **{name: getattr(brief, name) for name in OrderView.model_fields},
        checklist=[check_view(asked, check) for check in order.checklist],
        photos_needed=order.photos,
        signature_needed=order.signature,
        signed=None if order.signed is None else signature_view(asked, order.signed),
        attachments=[attachment_view(asked, order.id, one) for one in order.attachments],
        costs=costs_view(asked, order),
        proofs={state: proof_view(asked, proof) for state, proof in order.proofs.items()},
        history=[happening_view(asked, one) for one in history[-HISTORY_MOST:]],
        history_more=len(history) > HISTORY_MOST,
    )


def template_view(template: Template) -> TemplateView:
    """A template."""
    promised = {name: getattr(template.clocks, name) for name in ("accept", "arrive", "resolve")}
    accept_within = template.accept_within
    return TemplateView(
        name=template.name,
        title=title_view(template.title),
        priority=template.priority,
        team=template.team,
        clocks={name: target / 1_000 for name, target in promised.items() if target is not None},
        calendar=template.calendar,
        checklist=[step_view(step, title_view(step.title)) for step in template.checklist],
        allow_skips=template.allow_skips,
        accept_within_seconds=None if accept_within is None else accept_within / 1_000,
        longest_hold_seconds={reason: most / 1_000 for reason, most in template.longest_hold.items()},
        photos=template.photos,
        signature=template.signature,
        reopen_within_seconds=template.reopen_within / 1_000,
    )


def team_view(team: Team) -> TeamView:
    """A team."""
    return TeamView(
        name=team.name,
        title=title_view(team.title),
        contractor=team.contractor,
        rate=None if team.rate is None else format(team.rate, "f"),
    )


def _moves(asked: Context, order: WorkOrder) -> list[str]:
    """An order that can no longer be reopened goes nowhere."""
    closed = order.stamps.get(OrderState.CLOSED)
    if order.state is OrderState.CLOSED and (closed is None or asked.now - closed > order.reopen_within):
        return []
    return next_states(order)


def _allowed_verbs(asked: Context, order: WorkOrder) -> list[str]:
    moves = _moves(asked, order)
    working = order.state not in SETTLED
    remembered = is_open(order) or bool(moves)
    verbs = {
        "add_cost": remembered,
        "assign": working,
        "attach": remembered,
        "check": working and bool(order.checklist),
        "comment": remembered,
        "move": bool(moves),
        "sign": is_open(order),
        "void_cost": remembered and any(cost.voided_by is None for cost in order.costs),
    }
    return [verb for verb, possible in verbs.items() if possible]
