"""One open work order and what is asked of it."""

from dataclasses import replace
from itertools import count
from typing import Any

from gateway.core.engine import Engine
from gateway.core.inputs import Command, LinkUp, Started
from gateway.core.order_state import WorkOrder
from gateway.core.state import Reply, State
from gateway.core.templates import Clocks, Template
from gateway.core.values import Millis, Title
from tests.core.stories import PLANS, START

DEVICES = {
    name: replace(device, kind=replace(device.kind, rules={})) for name, device in PLANS[0].devices.items()
}
_numbers = count()


def opened(
    template: Template | None = None, *, device: str = "", at: Millis = START, **plan: object
) -> tuple[Engine, WorkOrder]:
    """An engine with one order of this template, on a plan without rules and with these fields changed."""
    one = template or Template(name="job", title=Title("Job", "工单"), priority="normal", team="house")
    templates = {**PLANS[0].templates, one.name: one}
    fields: dict[str, Any] = {"devices": DEVICES, "templates": templates, **plan}
    engine = Engine(replace(PLANS[0], **fields), State())
    engine.step([Started(at, None), LinkUp(at)])
    reply = engine.step([_command("work_order.open", device, at, {"template": one.name})]).replies[0]
    return engine, engine.state.orders[reply.subject or ""]


def job(*, calendar: str | None = None, accept_within: Millis | None = None, **clocks: Millis) -> Template:
    """A template with these clocks."""
    return Template(
        name="job",
        title=Title("Job", "工单"),
        priority="normal",
        team="house",
        calendar=calendar,
        accept_within=accept_within,
        clocks=Clocks(**clocks),
    )


def ask(engine: Engine, verb: str, order: WorkOrder, *, at: Millis | None = None, **args: object) -> Reply:
    """Ask something of the order as anna, now or at a time."""
    when = engine.state.scalars.now if at is None else at
    return engine.step([_command(verb, order.id, when, args)]).replies[0]


def _command(verb: str, target: str, at: Millis, args: dict[str, object]) -> Command:
    return Command(at=at, id=f"ask-{next(_numbers)}", actor="anna", verb=verb, target=target, args=args)
