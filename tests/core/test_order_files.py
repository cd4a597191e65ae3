"""Files on a work order: what is known of one, and what is refused."""

from typing import Any

import pytest

from gateway.core import attachments
from gateway.core.engine import Engine
from gateway.core.order_state import Attachment, OrderState, WorkOrder
from gateway.core.state import Reply
from gateway.core.templates import Step, Template
from gateway.core.values import Title
from tests.core.orders import ask, opened

PICTURE = {"id": "f1", "name": "a.jpg", "media_type": "image/jpeg", "size": 9, "digest": "0a" * 32}


def attach(engine: Engine, order: WorkOrder, **given: object) -> Reply:
    args: dict[str, Any] = {**PICTURE, **given}
    return ask(engine, "work_order.attach", order, **args)


def inspection() -> tuple[Engine, WorkOrder]:
    steps = (Step(name="look", title=Title("Look", "看")), Step(name="note", title=Title("Note", "记")))
    return opened(Template(name="job", title=Title("Job", "工单"), priority="low", checklist=steps))


def test_a_file_is_kept_with_who_and_when_and_told() -> None:
    engine, order = inspection()
    assert attach(engine, order, kind="document", step="note").status == "done"
    now = engine.state.scalars.now
    assert order.attachments == [
        Attachment("f1", "a.jpg", "image/jpeg", 9, "0a" * 32, "anna", now, "document", "note")
    ]


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"id": ""}, ["id"]),
        ({"name": "x" * 256}, ["name"]),
        ({"media_type": 7}, ["media_type"]),
        ({"digest": "0A" * 32}, ["digest"]),
        ({"digest": "0a" * 31}, ["digest"]),
        ({"size": -1}, ["size"]),
        ({"size": True}, ["size"]),
        ({"kind": "film"}, ["photo", "signature", "document"]),
        ({"kind": ["photo"]}, ["photo", "signature", "document"]),
        ({"step": "none"}, ["look", "note"]),
        ({"step": ["look"]}, ["look", "note"]),
    ],
)
def test_a_file_that_is_not_described_is_refused(given: dict[str, Any], allowed: list[str]) -> None:
    engine, order = inspection()
    reply = attach(engine, order, **given)
    assert (reply.status, reply.allowed, order.attachments) == ("refused", allowed, [])


def test_there_is_a_most_of_files() -> None:
    engine, order = inspection()
    for number in range(attachments.ATTACHMENTS_MOST):
        assert attach(engine, order, id=f"f{number}").status == "done"
    assert attach(engine, order, id="one more").status == "conflict"


def test_an_invoice_comes_after_the_order_was_closed_but_nobody_signs_then() -> None:
    engine, order = inspection()
    order.state = OrderState.CLOSED
    assert attach(engine, order, kind="document").status == "done"
    cost: dict[str, Any] = {"kind": "other", "text": "invoice 17", "quantity": "1", "price": "90"}
    assert ask(engine, "work_order.add_cost", order, **cost).status == "done"
    reply = ask(engine, "work_order.sign", order, name="Mrs Li")
    assert (reply.status, reply.detail) == ("conflict", "the work order is closed")


def test_a_signature_may_be_a_drawing() -> None:
    engine, order = inspection()
    attach(engine, order, kind="signature")
    assert ask(engine, "work_order.sign", order, name="Mrs Li", attachment="f1").status == "done"
    assert order.signed is not None
    assert (order.signed.name, order.signed.by, order.signed.attachment) == ("Mrs Li", "anna", "f1")


@pytest.mark.parametrize("drawing", [["f1"], 7, "f2"])
def test_a_drawing_that_is_not_there_is_refused(drawing: object) -> None:
    engine, order = inspection()
    attach(engine, order, kind="signature")
    reply = ask(engine, "work_order.sign", order, name="Mrs Li", attachment=drawing)
    assert (reply.status, reply.allowed, order.signed) == ("refused", ["f1"], None)
