"""What a work order cost: lines are added and taken back, never changed."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.http.context import Change, Wished
from api.http.order_changes import OrderId, submit_order
from api.http.order_views import OrderDetail
from api.http.texts import Id, Line
from gateway.core.values import Json

router = APIRouter(prefix="/work-orders", tags=["work orders"])

Quantity = Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=4)]
Price = Annotated[Decimal, Field(ge=0, max_digits=11, decimal_places=2)]


class CostGiven(Change):
    """One line. Money is a decimal text in the site's currency."""

    kind: Literal["part", "labour", "other"]
    text: Line = Field(examples=["contactor"])
    quantity: Quantity = Field(description="pieces of a part; hours of labour", examples=["2"])
    price: Price | None = Field(
        None, description="of one; of labour the team's rate when left out", examples=["180.00"]
    )


@router.post("/{order}/costs", status_code=201)
async def add_cost(wish: Wished, order: OrderId, body: CostGiven, response: Response) -> OrderDetail:
    """Add a line of cost. Labour without a price is paid by the team's rate."""
    args: dict[str, Json] = {
        "kind": body.kind,
        "text": body.text,
        "quantity": format(body.quantity, "f"),
    }
    if body.price is not None:
        args["price"] = format(body.price, "f")
    return await submit_order(wish, "work_order.add_cost", order, args, wish.expected(body), response)


@router.post("/{order}/costs/{cost}/void")
async def void_cost(
    wish: Wished,
    order: OrderId,
    cost: Annotated[Id, Path(description="the id of a line")],
    response: Response,
    body: Change | None = None,
) -> OrderDetail:
    """Take a line back; it stays to be seen and counts no more."""
    args: dict[str, Json] = {"cost": cost}
    return await submit_order(wish, "work_order.void_cost", order, args, wish.expected(body), response)
