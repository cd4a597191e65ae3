"""Lines of cost: what a quantity and a price may be, and what they come to, to the cent."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.core import costs
from gateway.core.engine import Engine
from gateway.core.order_state import Cost, WorkOrder
from gateway.core.state import Reply
from tests.core.orders import ask, opened


def line(kind: str, quantity: str, price: str, voided_by: str | None = None) -> Cost:
    return Cost("c", kind, "words", quantity, price, "anna", 0, voided_by)


def add(engine: Engine, order: WorkOrder, **given: object) -> Reply:
    args: dict[str, Any] = {"kind": "part", "text": "seal", "quantity": "1", "price": "1", **given}
    return ask(engine, "work_order.add_cost", order, **args)


def test_lines_are_rounded_half_up_and_added_by_kind() -> None:
    _, order = opened()
    order.costs = [
        line("part", "3", "12.35"),
        line("part", "0.0005", "10"),
        line("part", "0.0004", "10"),
        line("labour", "1.25", "180.00"),
        line("labour", "8", "180.00", voided_by="ben"),
    ]
    assert costs.totals(order) == {
        "part": Decimal("37.06"),
        "labour": Decimal("225.00"),
        "other": Decimal("0.00"),
    }
    assert costs.total(order) == Decimal("262.06")


def test_the_largest_lines_that_are_taken_are_added_without_loss() -> None:
    _, order = opened()
    order.costs = [line("other", "999999999.9999", "999999999.99")] * costs.LINES_MOST
    assert costs.total(order) == Decimal("199999999997980000000.00")


@pytest.mark.parametrize(
    "quantity", ["-1", "1.23456", "1e3", "NaN", "Infinity", "1_000", "٣", "", "1000000000", 2, 0.1, None]
)
def test_a_quantity_that_is_no_plain_decimal_is_refused(quantity: object) -> None:
    engine, order = opened()
    reply = add(engine, order, quantity=quantity)
    assert (reply.status, reply.allowed, order.costs) == ("refused", ["quantity"], [])


@pytest.mark.parametrize("price", ["-0.01", "1.234", "1e3", "sNaN", "1000000000", 1, None])
def test_a_price_that_is_no_amount_of_money_is_refused(price: object) -> None:
    engine, order = opened()
    reply = add(engine, order, price=price)
    assert (reply.status, reply.allowed, order.costs) == ("refused", ["price"], [])


def test_nothing_and_the_finest_amounts_are_taken_as_they_were_written() -> None:
    engine, order = opened()
    assert add(engine, order, quantity="0", price="0").status == "done"
    assert add(engine, order, quantity=" 999999999.9999 ", price="0.01").status == "done"
    assert [(one.quantity, one.price) for one in order.costs] == [("0", "0"), ("999999999.9999", "0.01")]
    assert len({one.id for one in order.costs}) == 2


def test_a_line_is_voided_once_and_stays_to_be_seen() -> None:
    engine, order = opened()
    add(engine, order, price="12.50")
    name = order.costs[0].id
    assert ask(engine, "work_order.void_cost", order, cost=name).status == "done"
    again = ask(engine, "work_order.void_cost", order, cost=name)
    assert (again.status, again.detail) == ("conflict", "it was already taken back by anna")
    assert ([one.voided_by for one in order.costs], costs.total(order)) == (["anna"], Decimal("0.00"))


def test_there_is_a_most_of_lines() -> None:
    engine, order = opened()
    order.costs = [line("part", "1", "1")] * costs.LINES_MOST
    assert add(engine, order).status == "conflict"
