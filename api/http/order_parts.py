"""What is done, proved and spent on a work order, as it is shown: checklist, files, signature, costs."""

from typing import Any

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import TitleView
from gateway.core import costs
from gateway.core.order_state import Attachment, Check, Cost, Proof, Signature, WorkOrder
from gateway.core.templates import Step, StepKind


class StepView(BaseModel):
    """What a line of a checklist asks for."""

    name: str
    title: TitleView
    required: bool
    kind: StepKind
    unit: str = Field(description="UCUM, of a reading")
    low: float | None = Field(description="a reading below it has failed")
    high: float | None
    corrective: str | None = Field(description="the template of the order that a failure opens")


class CheckView(StepView):
    """One line of the checklist as it was done."""

    done_at: str | None
    done_by: str | None
    result: Any
    failed: bool
    order: str | None = Field(description="the order its failure led to")


class ProofView(BaseModel):
    """How it is known when a state was entered."""

    how: str = Field(description="`tap` on the asset's own tag, or somebody's `word`")
    at: str
    by: str | None
    tag: str | None


class AttachmentView(BaseModel):
    """A file that belongs to the order; `href` gives its bytes."""

    id: str
    name: str
    media_type: str
    size: int
    digest: str = Field(description="SHA-256")
    kind: str
    step: str | None
    by: str
    at: str
    href: str


class SignatureView(BaseModel):
    """Who signed for the work."""

    name: str
    at: str
    by: str
    attachment: str | None


class CostView(BaseModel):
    """One line of what the work cost; amounts are decimal texts."""

    id: str
    kind: str
    text: str
    quantity: str
    price: str
    amount: str
    by: str
    at: str
    voided_by: str | None


class CostsView(BaseModel):
    """What the work cost."""

    currency: str = Field(description="ISO 4217")
    lines: list[CostView]
    totals: dict[str, str] = Field(description="by kind, without what was taken back")
    total: str


def attachment_view(asked: Context, order: str, one: Attachment) -> AttachmentView:
    """A file of a work order."""
    return AttachmentView(
        id=one.id,
        name=one.name,
        media_type=one.media_type,
        size=one.size,
        digest=one.digest,
        kind=one.kind,
        step=one.step,
        by=one.by,
        at=asked.written(one.at),
        href=f"/api/v1/work-orders/{order}/attachments/{one.id}",
    )


def step_view(step: Step | Check, title: TitleView) -> StepView:
    """What a line of a checklist asks for."""
    return StepView(
        name=step.name,
        title=title,
        required=step.required,
        kind=step.kind,
        unit=step.unit,
        low=step.low,
        high=step.high,
        corrective=step.corrective,
    )


def check_view(asked: Context, check: Check) -> CheckView:
    """A line of a checklist as it was done."""
    return CheckView(
        **step_view(check, TitleView(**check.title)).model_dump(),
        done_at=asked.maybe(check.done_at),
        done_by=check.done_by,
        result=check.result,
        failed=check.failed,
        order=check.order,
    )


def proof_view(asked: Context, proof: Proof) -> ProofView:
    """How a stamp is known."""
    return ProofView(how=proof.how, at=asked.written(proof.at), by=proof.by, tag=proof.tag)


def signature_view(asked: Context, signed: Signature) -> SignatureView:
    """Who signed."""
    return SignatureView(
        name=signed.name, at=asked.written(signed.at), by=signed.by, attachment=signed.attachment
    )


def costs_view(asked: Context, order: WorkOrder) -> CostsView:
    """What the work cost, line by line and in sum."""
    return CostsView(
        currency=asked.plan.currency,
        lines=[_cost_view(asked, cost) for cost in order.costs],
        totals={kind: format(amount, "f") for kind, amount in costs.totals(order).items()},
        total=format(costs.total(order), "f"),
    )


def _cost_view(asked: Context, cost: Cost) -> CostView:
    return CostView(
        id=cost.id,
        kind=cost.kind,
        text=cost.text,
        quantity=cost.quantity,
        price=cost.price,
        amount=format(costs.amount(cost), "f"),
        by=cost.by,
        at=asked.written(cost.at),
        voided_by=cost.voided_by,
    )
