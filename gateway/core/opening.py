"""A work order comes into being from its template, whoever or whatever asks for it."""

from collections.abc import Mapping

from gateway.core import clocks, notices
from gateway.core.desk import NOTHING, Desk
from gateway.core.order_state import Check, OrderState, WorkOrder
from gateway.core.templates import Step, Template
from gateway.core.values import Json, Millis


def draft(desk: Desk, template: Template, order_id: str, reported_at: Millis) -> WorkOrder:
    """An order as its template has it. What the template says later does not change it."""
    return WorkOrder(
        id=order_id,
        template=template.name,
        title={"en": template.title.en, "zh": template.title.zh},
        priority=template.priority,
        state=OrderState.NEW,
        reported_at=reported_at,
        opened_at=desk.moment.now,
        team=template.team,
        allow_skips=template.allow_skips,
        reopen_within=template.reopen_within,
        stamps={OrderState.NEW: desk.moment.now},
        checklist=[_check(step) for step in template.checklist],
        calendar=template.calendar,
        accept_within=template.accept_within,
        longest_hold=dict(template.longest_hold),
        photos=template.photos,
        signature=template.signature,
        version=0,
    )


def _check(step: Step) -> Check:
    return Check(
        name=step.name,
        title={"en": step.title.en, "zh": step.title.zh},
        required=step.required,
        kind=step.kind,
        unit=step.unit,
        low=step.low,
        high=step.high,
        corrective=step.corrective,
    )


def put_forth(
    desk: Desk,
    order: WorkOrder,
    template: Template,
    actor: str | None = None,
    detail: Mapping[str, Json] = NOTHING,
) -> None:
    """Open a drafted order: from here on it is known, its clocks run and its team is told.

    Args:
        desk: the desk.
        order: the draft.
        template: what it is opened from.
        actor: who opens it; None where nobody does.
        detail: what else the history says of it.
    """
    desk.state.orders[order.id] = order
    desk.touch_order(order)
    causes = {"caused_by": order.caused_by, "preventive": order.preventive, "due": order.due}
    desk.report(
        "work_order.opened",
        subject=order,
        actor=actor,
        cause={**{name: cause for name, cause in causes.items() if cause is not None}, **detail},
        template=template.name,
        priority=order.priority,
    )
    clocks.begin(desk, order, template.clocks)
    notices.tell_team(desk, order, "opened")
