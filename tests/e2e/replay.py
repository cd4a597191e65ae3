"""Feeding the journal of a data directory to a fresh engine, as a replay or a backtest does."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.adapters.sql import journal as journals
from gateway.bootstrap import plan_of
from gateway.codecs.decoder import Decoder
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Configured
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import Message
from tests.e2e.kept import Kept


def journal(data: Path, plan_of_digest: Callable[[str], SitePlan]) -> Iterator[Message | journals.Recorded]:
    """Every input that was committed, in order."""
    for _at, one in _timed(data, plan_of_digest):
        yield one


def _timed(
    data: Path, plan_of_digest: Callable[[str], SitePlan]
) -> Iterator[tuple[int, Message | journals.Recorded]]:
    for (body,) in Kept(data).rows("SELECT body FROM journal ORDER BY seq"):
        yield from journals.unpack(body, plan_of_digest)


def replay(data: Path) -> tuple[list[Outcome], State]:
    """What the journal leads to, with the configurations the directory kept, and the state at the end."""
    kept = Kept(data).rows("SELECT digest, bundle FROM config")
    plans = {digest: plan_of(digest, body) for digest, body in kept}
    inputs = list(_timed(data, plans.__getitem__))
    first = next(one.plan for _, one in inputs if isinstance(one, Configured))
    engine, decoder = Engine(first, State()), Decoder(first)
    outcomes: list[Outcome] = []
    for at, one in inputs:
        if isinstance(one, Configured):
            decoder = Decoder(one.plan)
        facts = decoder.decode(one, at) if isinstance(one, Message) else [one]
        outcomes += engine.step(facts).outcomes
    return outcomes, engine.state
