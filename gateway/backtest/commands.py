"""Operators' commands in a run that is not the one they were given in.

A command names a record by its id, and ids derive from what caused the record: where a rule sees another cause, the
alert of the same rule on the same device has another id. What the people did then is done to that one: it is the alert
they would have had before them.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

import msgspec

from gateway.backtest.source import Who
from gateway.core.effects import Outcome
from gateway.core.inputs import Command
from gateway.core.order_state import ENDED, WorkOrder
from gateway.core.patrol.duty import open_at
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, State

Fate = Literal["as_given", "met_another", "dropped"]
"""What became of a command: carried out as it was given, on the record in the place of its own, or not at all."""

OF_RECORDS: Final = ("alert.", "work_order.")
BY_HAND: Final = "work_order.open"
CONFIRM: Final = "duty.confirm"
STALE: Final = 0
"""A version that no record has any more."""


class Register:
    """What ids stand for, learned from outcomes of either run and looked up in the records.

    Args:
        look_up: what an id stood for in the gateway that was recorded.
    """

    def __init__(self, look_up: Callable[[str], Who | None]) -> None:
        self._look_up = look_up
        self._known: dict[str, Who | None] = {}

    def learn(self, outcome: Outcome) -> None:
        """An alert was raised or an order opened; others say nothing new."""
        if outcome.subject is None:
            return
        if outcome.kind == "alert.raised":
            self._known[outcome.subject] = Who(outcome.device, outcome.rule)
        elif outcome.kind == "work_order.opened":
            self._known[outcome.subject] = Who(outcome.device, outcome.rule, outcome.detail.get("template"))

    def who(self, record: str) -> Who | None:
        """What an id stands for; None where nobody knows."""
        if record not in self._known:
            self._known[record] = self._look_up(record)
        return self._known[record]


class Met(NamedTuple):
    """What one run makes of a command."""

    command: Command | None
    """None where it is dropped."""
    fate: Fate


class Meeting:
    """Lets commands meet the records of one run.

    Args:
        register: shared by both runs.
    """

    def __init__(self, register: Register) -> None:
        self._register = register
        self._own: set[str] = set()

    def learn(self, outcomes: Iterable[Outcome]) -> None:
        """What happened in this run."""
        for one in outcomes:
            if one.subject is not None and one.kind in ("alert.raised", "work_order.opened"):
                self._own.add(one.subject)
                self._register.learn(one)

    def meet(self, state: State, command: Command) -> Met:
        """The command as this run is to take it.

        A record that this run has had itself is met as it is, even if it has ended. Of another one met in its place
        the giver is taken to have seen the newest version.
        """
        if not command.verb.startswith(OF_RECORDS) or command.verb == BY_HAND or command.target in self._own:
            return Met(self._with_original(state, command), "as_given")
        found = self._in_place_of(state, command.target)
        if found is None:
            return Met(None, "dropped")
        expect = None if command.expect is None else found.version
        other = msgspec.structs.replace(command, target=found.id, expect=expect)
        return Met(self._with_original(state, other), "met_another")

    def _with_original(self, state: State, command: Command) -> Command:
        """The same with the order that it repeats, where that has another id here."""
        original = command.args.get("duplicate_of")
        if not isinstance(original, str) or original in self._own:
            return command
        found = self._in_place_of(state, original)
        if found is None:
            return command
        return msgspec.structs.replace(command, args={**command.args, "duplicate_of": found.id})

    def _in_place_of(self, state: State, record: str) -> Alert | WorkOrder | None:
        who = self._register.who(record)
        if who is None:
            return None
        if who.template is not None:
            orders = [one for one in state.orders.values() if _is(one, who)]
            return min(orders, key=lambda one: (one.state in ENDED, -one.opened_at, one.id), default=None)
        dev = state.devices.get(who.device or "")
        return None if dev is None else state.alerts.get(dev.alerts.get(who.rule or "", ""))


def _is(order: WorkOrder, who: Who) -> bool:
    return (order.template, order.device, order.rule) == (who.template, who.device, who.rule)


def as_seen(ours: Command, theirs: Command | None, before: State, here: State, plan: SitePlan) -> Command:
    """A command as its giver would have given it in the run of the candidate.

    Whoever saw the newest version of the record in the run of the site now sees the newest one here; who was too late
    there is too late here.

    Args:
        ours: as the candidate's run meets it.
        theirs: as the run of the site now meets it; None where it is dropped there.
        before: of that run, before the command.
        here: of the candidate's run.
        plan: of the candidate's run.
    """
    if ours.expect is not None and theirs is not None:
        in_time = _version(before, theirs.target) == theirs.expect
        version = _version(here, ours.target)
        ours = msgspec.structs.replace(ours, expect=version if in_time and version else STALE)
    post = plan.patrol.posts.get(ours.target) if ours.verb == CONFIRM else None
    if post is None:
        return ours
    args = dict(ours.args)
    for kind in ("alerts", "orders"):
        given = args.get(kind)
        if isinstance(given, list) and set(getattr(open_at(before, post), kind)) <= {
            str(one) for one in given
        }:
            args[kind] = [*getattr(open_at(here, post), kind)]  # they had seen all there was
    return msgspec.structs.replace(ours, args=args)


def _version(state: State, record: str) -> int | None:
    found: Alert | WorkOrder | None = state.alerts.get(record) or state.orders.get(record)
    return None if found is None else found.version
