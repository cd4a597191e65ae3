"""Checklists: what each kind of step takes for an answer, and what a failed one leads to.

A step may be answered again while the work is open: the record has the last answer, the history has all of them. A
failed step is answered: the finding stands, and the corrective order it opened goes its own way. Where no such order
was opened, a required step that has failed keeps the work from being done until it passes or somebody gives a reason.
"""

import math
from typing import NamedTuple

from gateway.core import answers, opening
from gateway.core.desk import Desk
from gateway.core.ids import derive_id
from gateway.core.inputs import Command
from gateway.core.order_state import ENDED, SETTLED, Check, WorkOrder
from gateway.core.state import Reply
from gateway.core.templates import StepKind
from gateway.core.values import Json


class Finding(NamedTuple):
    """An answer as it is kept, and whether the step has failed with it."""

    result: Json
    failed: bool = False


def check(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Answer one step of the checklist."""
    name = command.args.get("step")
    step = next((step for step in order.checklist if step.name == name), None)
    if step is None:
        return answers.conflict(command, order, f"no step {name}", [step.name for step in order.checklist])
    if order.state in SETTLED:
        return answers.conflict(command, order, f"the work order is {order.state}")
    found = _judged(order, step, command.args.get("result"))
    if isinstance(found, str):
        return answers.refused(command, order, f"step {step.name}: {found}", ["result"])
    step.done_at, step.done_by = desk.moment.now, command.actor
    step.result, step.failed = found
    desk.touch_order(order)
    desk.report(
        "work_order.step_done", subject=order, actor=command.actor, step=step.name, result=found.result
    )
    if found.failed:
        _correct(desk, order, step, command.actor)
    return answers.done(command, order)


def _judged(order: WorkOrder, step: Check, answer: object) -> Finding | str:
    """What the answer means for a step of this kind; words where it is none."""
    match step.kind:
        case StepKind.CHECK:
            return _tick(answer)
        case StepKind.READING:
            return _reading(step, answer)
        case StepKind.TEXT:
            if not isinstance(answer, str) or not 0 < len(answer.strip()) <= answers.TEXT_MOST:
                return f"give words, at most {answers.TEXT_MOST} characters"
            return Finding(answer.strip())
        case StepKind.PHOTO:
            pictures: list[Json] = [
                one.id for one in order.attachments if (one.kind, one.step) == ("photo", step.name)
            ]
            return Finding(pictures) if pictures else "attach a picture to this step first"


def _tick(answer: object) -> Finding | str:
    """A bare tick means that it passed."""
    if answer is None:
        return Finding(result=True)
    if not isinstance(answer, bool):
        return "give true where it passed or false where it failed"
    return Finding(answer, failed=not answer)


def _reading(step: Check, answer: object) -> Finding | str:
    """A limit itself still passes, as with rules."""
    number = _finite(answer)
    if number is None:
        return f"give a number in {step.unit}" if step.unit else "give a number"
    below = step.low is not None and number < step.low
    above = step.high is not None and number > step.high
    return Finding(number, failed=below or above)


def _finite(answer: object) -> float | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return None
    try:
        number = float(answer)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _correct(desk: Desk, order: WorkOrder, step: Check, actor: str) -> None:
    """Open the corrective order, unless the one of an earlier failure is still open."""
    earlier = desk.state.orders.get(step.order or "")
    standing = earlier is not None and earlier.state not in ENDED
    template = None if standing else desk.plan.templates.get(step.corrective or "")
    if template is not None:
        step.order = derive_id("wo", order.id, step.name, order.version)
    elif not standing:
        step.order = None
    found = {"order": step.order} if step.order is not None else {}
    desk.report(
        "work_order.step_failed", subject=order, actor=actor, cause=found, step=step.name, result=step.result
    )
    if template is not None and step.order is not None:
        corrective = opening.draft(desk, template, step.order, desk.moment.now)
        corrective.device, corrective.caused_by = order.device, order.id
        opening.put_forth(desk, corrective, template, actor)
