"""Files and signatures on a work order. Only what is known of a file is kept here; its bytes lie beside the database."""

import re

from gateway.core import answers
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.order_state import ENDED, Attachment, Signature, WorkOrder
from gateway.core.order_table import text
from gateway.core.state import Reply
from gateway.core.values import Json

KINDS = ("photo", "signature", "document")
ATTACHMENTS_MOST = 100
"""Files on one order."""
NAME_MOST = 255
"""Characters of a file's or a person's name."""
DIGEST = re.compile(r"[0-9a-f]{64}")


def attach(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Put a stored file on the order; also after it was closed, while it is remembered."""
    fault = _fault(order, command)
    if fault is not None:
        return answers.refused(command, order, *fault)
    if any(one.id == text(command, "id") for one in order.attachments):
        return answers.conflict(command, order, "this file is already attached")
    if len(order.attachments) >= ATTACHMENTS_MOST:
        return answers.conflict(command, order, f"a work order takes {ATTACHMENTS_MOST} files at most")
    one = Attachment(
        id=text(command, "id"),
        name=text(command, "name"),
        media_type=text(command, "media_type"),
        size=command.args["size"],
        digest=text(command, "digest"),
        by=command.actor,
        at=desk.moment.now,
        kind=command.args.get("kind", "photo"),
        step=command.args.get("step"),
    )
    order.attachments.append(one)
    desk.touch_order(order)
    told: dict[str, Json] = {"name": one.name, "kind": one.kind, "step": one.step, "digest": one.digest}
    desk.report("work_order.attached", subject=order, actor=command.actor, cause=told)
    return answers.done(command, order)


def _fault(order: WorkOrder, command: Command) -> tuple[str, tuple[str, ...]] | None:
    """What is wrong with a file's description, and what would be right."""
    given = command.args
    for name in ("id", "name", "media_type"):
        if not 0 < len(text(command, name)) <= NAME_MOST:
            return f"give {name}: a text of at most {NAME_MOST} characters", (name,)
    if not DIGEST.fullmatch(text(command, "digest")):
        return "give digest: the SHA-256 of the file as 64 hexadecimal digits", ("digest",)
    size = given.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        return "give size: the bytes of the file", ("size",)
    if given.get("kind", "photo") not in KINDS:
        return f"give kind: one of {', '.join(KINDS)}", KINDS
    steps = tuple(step.name for step in order.checklist)
    if given.get("step") is not None and given["step"] not in steps:
        return f"no step {given['step']}", steps
    return None


def sign(desk: Desk, order: WorkOrder, command: Command) -> Reply:
    """Somebody signs for the work as it stands; a later signature takes the place of an earlier one."""
    name, attachment = text(command, "name"), command.args.get("attachment")
    if not 0 < len(name) <= NAME_MOST:
        return answers.refused(command, order, "give name: who signs", ["name"])
    drawn = [one.id for one in order.attachments if one.kind == "signature"]
    if attachment is not None and attachment not in drawn:
        return answers.refused(command, order, "no signature of this id is attached", drawn)
    if order.state in ENDED:
        return answers.conflict(command, order, f"the work order is {order.state}")
    order.signed = Signature(name=name, at=desk.moment.now, by=command.actor, attachment=attachment)
    desk.touch_order(order)
    desk.report("work_order.signed", subject=order, actor=command.actor, name=name)
    return answers.done(command, order)
