"""What an undisturbed run over a stream leads to: the same decoder and engine, nothing in between."""

from collections.abc import Sequence
from pathlib import Path

from gateway.bootstrap import read_site
from gateway.codecs.decoder import Decoder
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Input, LinkUp, Started
from gateway.core.order_state import WorkOrder
from gateway.core.state import Alert, State
from gateway.core.values import Message
from tests.e2e.kept import History, history
from tests.e2e.mill import Stream, now


def undisturbed(site: Path, stream: Stream) -> History:
    """Feed all messages to a fresh engine, as if they were received now, one after the other."""
    at = now()
    _, plan = read_site(site)
    engine, decode = Engine(plan, State()), Decoder(plan).decode
    outcomes: list[Outcome] = []
    alerts: dict[str, Alert] = {}
    orders: dict[str, WorkOrder] = {}
    begin: list[Input] = [Started(at, None), Configured(at, plan), LinkUp(at)]
    steps: list[Sequence[Input]] = [begin]
    steps += (decode(Message(one.topic, one.payload), at) for one in stream.messages)
    for inputs in steps:
        effects = engine.step(inputs)
        outcomes += effects.outcomes
        alerts |= effects.alerts
        orders |= effects.orders
    told = [one for one in outcomes if one.kind.startswith(("alert.", "work_order."))]
    return history(list(alerts.values()), list(orders.values()), told)
