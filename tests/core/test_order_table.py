"""The work-order machine as a table: every state with every state it might be moved to, by the engine itself."""

from itertools import pairwise, product

import pytest

from gateway.core.engine import Engine
from gateway.core.inputs import Command, LinkUp, Started
from gateway.core.order_state import CHAIN, ENDED, SETTLED, OrderState, WorkOrder
from gateway.core.order_table import EDGES
from gateway.core.state import Reply, State
from tests.core.stories import PLANS, START

NEW, TRIAGED, ASSIGNED, ACCEPTED, EN_ROUTE, ON_SITE, IN_PROGRESS, DONE, VERIFIED, CLOSED = CHAIN
ON_HOLD, CANCELLED, DUPLICATE = OrderState.ON_HOLD, OrderState.CANCELLED, OrderState.DUPLICATE

BESIDE = {
    (ASSIGNED, TRIAGED),
    (IN_PROGRESS, ON_HOLD),
    (ON_HOLD, IN_PROGRESS),
    (DONE, IN_PROGRESS),
    (CLOSED, IN_PROGRESS),
    *product((*CHAIN[:7], ON_HOLD), (CANCELLED, DUPLICATE)),
}
"""What may happen beside the chain."""


def chain_moves(*, skips: bool) -> set[tuple[OrderState, OrderState]]:
    """Along the chain: to the next state; with skips anywhere ahead, but done, verified and closed one by one."""
    steps = set(pairwise(CHAIN))
    if skips:
        steps |= {
            (one, two)
            for i, one in enumerate(CHAIN)
            for two in CHAIN[i + 1 :]
            if two not in (VERIFIED, CLOSED)
        }
    return steps


def in_state(state: OrderState, *, skips: bool) -> tuple[Engine, WorkOrder]:
    """An engine with one order in that state, done by ben, and another open one."""
    engine = Engine(PLANS[0], State())
    engine.step([Started(START, None), LinkUp(START)])
    engine.step([_open("one"), _open("other")])
    order, other = engine.state.orders.values()
    order.state, order.allow_skips, order.done_by = state, skips, "ben"
    order.stamps[state] = START
    assert other.state is NEW
    return engine, order


def _open(name: str) -> Command:
    return Command(
        at=START, id=name, actor="anna", verb="work_order.open", target="", args={"template": "repair"}
    )


def moved(engine: Engine, order: WorkOrder, to: OrderState, **args: object) -> Reply:
    """Ask for a move with everything any guard may want."""
    other = next(name for name in engine.state.orders if name != order.id)
    given = {"to": str(to), "reason": "parts", "resume_at": START + 9_000, "duplicate_of": other, **args}
    command = Command(
        at=START + 1, id="move", actor="anna", verb="work_order.move", target=order.id, args=given
    )
    return engine.step([command]).replies[0]


@pytest.mark.parametrize("skips", [True, False], ids=["with skips", "without skips"])
@pytest.mark.parametrize(("state", "to"), list(product(OrderState, OrderState)))
def test_a_move_is_made_where_the_table_has_it_and_refused_elsewhere(
    state: OrderState, to: OrderState, *, skips: bool
) -> None:
    engine, order = in_state(state, skips=skips)
    allowed = chain_moves(skips=skips) | BESIDE
    before = order.version
    reply = moved(engine, order, to)
    if (state, to) in allowed:
        assert (reply.status, order.state, order.version) == ("done", to, before + 1)
    else:
        assert (reply.status, order.state, order.version) == ("conflict", state, before)
        assert {(state, OrderState(word)) for word in reply.allowed} == {
            (one, two) for one, two in allowed if one is state
        }


GUARDED = [
    (ASSIGNED, TRIAGED, {"reason": ""}, "give a reason"),
    (
        IN_PROGRESS,
        ON_HOLD,
        {"reason": "tired"},
        "give a reason, one of contractor, customer, parts, permit, weather",
    ),
    (
        IN_PROGRESS,
        ON_HOLD,
        {"resume_at": START},
        "give resume_at: when work is expected to go on, in the future",
    ),
    (
        IN_PROGRESS,
        ON_HOLD,
        {"resume_at": "soon"},
        "give resume_at: when work is expected to go on, in the future",
    ),
    (DONE, IN_PROGRESS, {"reason": None}, "give a reason"),
    (NEW, CANCELLED, {"reason": 7}, "give a reason"),
    (NEW, DUPLICATE, {"duplicate_of": "none"}, "give duplicate_of: the id of another open work order"),
]


@pytest.mark.parametrize(("state", "to", "args", "words"), GUARDED)
def test_a_move_that_lacks_something_says_what(
    state: OrderState, to: OrderState, args: dict[str, object], words: str
) -> None:
    engine, order = in_state(state, skips=True)
    reply = moved(engine, order, to, **args)
    assert (reply.status, reply.detail, order.state) == ("conflict", words, state)


def test_nothing_is_a_duplicate_of_itself_or_of_an_ended_order() -> None:
    engine, order = in_state(NEW, skips=True)
    assert moved(engine, order, DUPLICATE, duplicate_of=order.id).status == "conflict"
    next(one for one in engine.state.orders.values() if one is not order).state = CLOSED
    engine.state.scalars.replies.clear()
    assert moved(engine, order, DUPLICATE).status == "conflict"


def test_the_table_holds_nothing_else() -> None:
    assert set(EDGES) == BESIDE - {(ON_HOLD, IN_PROGRESS)}
    assert set(ENDED) == {CLOSED, CANCELLED, DUPLICATE}
    assert set(SETTLED) == {DONE, VERIFIED, *ENDED}
    assert {*CHAIN, ON_HOLD, CANCELLED, DUPLICATE} == set(OrderState)
