"""The people of a site: operators who look at alerts, technicians who work orders off, each after a human while."""

import heapq
import itertools
import random
from collections import Counter
from typing import NamedTuple

from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Command
from gateway.core.order_state import CHAIN, OrderState, WorkOrder
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, AlertState, Reply
from gateway.core.templates import StepKind
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Json, Millis

OPERATORS = ("an", "bo", "chen")
TECHNICIANS = ("dan", "eva", "fang", "guo")
INSPECTORS = ("hana", "ivo")
"""Who verify what technicians have done."""
ACK_AFTER = {"critical": MINUTE, "warning": 6 * MINUTE, "info": 25 * MINUTE}
"""After how long on average an operator looks at an alert."""
NEXT = {
    OrderState.ACCEPTED: 4 * MINUTE,
    OrderState.EN_ROUTE: 6 * MINUTE,
    OrderState.ON_SITE: 12 * MINUTE,
    OrderState.IN_PROGRESS: 3 * MINUTE,
    OrderState.DONE: 50 * MINUTE,
    OrderState.VERIFIED: 2 * HOUR,
    OrderState.CLOSED: HOUR,
}
"""After how long on average an order enters the next state."""
NEXT_OF = dict(itertools.pairwise(CHAIN))


class Task(NamedTuple):
    """Somebody means to look at a record."""

    at: Millis
    number: int
    actor: str
    verb: str
    target: str


class Crew:
    """What people will do next. They forget nothing, but look at the record as it is when they get there."""

    def __init__(self, plan: SitePlan, seed: int) -> None:
        self._plan = plan
        self._rng = random.Random(f"{seed}:crew")
        self._tasks: list[Task] = []
        self._pending: list[Command] = []
        self._numbers = itertools.count()
        self.answers: Counter[tuple[str, str]] = Counter()
        """How often each verb was answered in which way."""
        self.refusals: Counter[str] = Counter()

    def see(self, outcome: Outcome) -> None:
        """Something happened: somebody will look after it."""
        kind, subject = outcome.kind, outcome.subject
        if subject is None:
            return
        if outcome.detail.get("announced"):
            self._mean(outcome.at, ACK_AFTER[outcome.level or "info"], OPERATORS, "look", subject)
        elif kind == "alert.condition_gone":
            self._mean(outcome.at, 15 * MINUTE, OPERATORS, "reset", subject)
        elif kind in ("work_order.opened", "work_order.not_accepted", "work_order.hold_ended"):
            self._mean(outcome.at, 3 * MINUTE, TECHNICIANS, "work", subject)

    def _mean(self, at: Millis, mean: Millis, who: tuple[str, ...], verb: str, target: str) -> None:
        after = 5 * SECOND + int(self._rng.expovariate(1 / mean))
        task = Task(at + after, next(self._numbers), self._rng.choice(who), verb, target)
        heapq.heappush(self._tasks, task)

    def next(self, until: Millis, engine: Engine) -> Command | None:
        """The next command that comes at or before a moment; None when there is none."""
        while not self._pending and self._tasks and self._tasks[0].at <= until:
            task = heapq.heappop(self._tasks)
            task = task._replace(at=max(task.at, engine.state.scalars.now))
            self._pending = list(self._commands(task, engine))
        return self._pending.pop(0) if self._pending else None

    def answered(self, command: Command, reply: Reply) -> None:
        """What became of a command."""
        self.answers[command.verb, reply.status] += 1
        if reply.status != "done":
            self.refusals[f"{command.verb} {command.args.get('to', '')}: {reply.detail}"] += 1
            self._pending.clear()
        if command.verb == "work_order.move":
            order = OrderState(command.args["to"])
            mean = NEXT.get(order, HOUR) if reply.status == "done" else 3 * HOUR
            who = INSPECTORS if OrderState.VERIFIED in (order, NEXT_OF.get(order)) else TECHNICIANS
            self._mean(command.at, mean, who, "work", command.target)

    def _commands(self, task: Task, engine: Engine) -> list[Command]:
        alert = engine.state.alerts.get(task.target)
        order = engine.state.orders.get(task.target)
        if task.verb == "look" and alert is not None:
            return self._look(task, alert)
        if task.verb == "reset" and alert is not None and alert.gone:
            return [*self._acknowledged(task, alert), self._ask(task, "alert.reset")]
        return self._work(task, order) if task.verb == "work" and order is not None else []

    def _acknowledged(self, task: Task, alert: Alert) -> list[Command]:
        return [] if alert.state is AlertState.ACKNOWLEDGED else [self._ask(task, "alert.ack")]

    def _look(self, task: Task, alert: Alert) -> list[Command]:
        """Acknowledge; now and then say something, give it to somebody, or set a nuisance aside."""
        if alert.state not in (AlertState.UNACKNOWLEDGED, AlertState.RETURNED) or alert.suppressed:
            return []
        rule = self._plan.devices[alert.device].kind.rules[alert.rule]
        asks = [self._ask(task, "alert.ack")]
        if alert.state is AlertState.UNACKNOWLEDGED and self._rng.random() < 0.1:
            asks.append(self._ask(task, "alert.assign", assignee=self._rng.choice(TECHNICIANS)))
        if rule.shelvable and alert.state is AlertState.UNACKNOWLEDGED and self._rng.random() < 0.05:
            length = min(rule.shelve_max, self._rng.randint(HOUR, 8 * HOUR))
            asks.append(self._ask(task, "alert.shelve", why="known", until=task.at + length))
        return asks if alert.assignee is None else asks[:1]

    def _work(self, task: Task, order: WorkOrder) -> list[Command]:
        """Take the order one state on, or give it to its team once more."""
        if order.state in (OrderState.NEW, OrderState.TRIAGED):
            steps = (
                []
                if order.allow_skips or order.state is OrderState.TRIAGED
                else [self._move(task, OrderState.TRIAGED)]
            )
            if steps:
                return steps
            return [
                self._ask(task, "work_order.assign", assignee=task.actor),
                self._move(task, OrderState.ACCEPTED),
            ]
        if order.state is OrderState.ON_HOLD:
            return [self._move(task, OrderState.IN_PROGRESS)] if (order.resume_at or 0) <= task.at else []
        if order.state not in CHAIN[:-1]:
            return []
        if order.state is OrderState.IN_PROGRESS:
            if self._rng.random() < 0.05:
                resume = task.at + self._rng.randint(2 * HOUR, DAY)
                self._mean(resume, MINUTE, TECHNICIANS, "work", order.id)
                return [self._ask(task, "work_order.move", to="on_hold", reason="parts", resume_at=resume)]
            return [*self._proofs(task, order), self._move(task, OrderState.DONE)]
        return [self._move(task, CHAIN[CHAIN.index(order.state) + 1])]

    def _proofs(self, task: Task, order: WorkOrder) -> list[Command]:
        """Pictures, the checklist with every step passed, and the signature."""
        asks: list[Command] = []
        own = [step.name for step in order.checklist if step.kind is StepKind.PHOTO]
        for place in [*own, *[None] * max(0, order.photos - len(own))]:
            number = next(self._numbers)
            picture: dict[str, Json] = {
                "id": f"f{number}",
                "name": "a.jpg",
                "media_type": "image/jpeg",
                "size": 1,
            }
            asks.append(self._ask(task, "work_order.attach", **picture, digest="0" * 64, step=place))
        for step in order.checklist:
            middle = ((step.low or 0.0) + (step.high or step.low or 0.0)) / 2
            results: dict[StepKind, Json] = {StepKind.READING: middle, StepKind.TEXT: "seen"}
            asks.append(
                self._ask(task, "work_order.check", step=step.name, result=results.get(step.kind, True))
            )
        return [*asks, self._ask(task, "work_order.sign", name=task.actor)] if order.signature else asks

    def _move(self, task: Task, to: OrderState) -> Command:
        return self._ask(task, "work_order.move", to=str(to))

    def _ask(self, task: Task, verb: str, **args: Json) -> Command:
        name = f"c{next(self._numbers)}"
        return Command(at=task.at, id=name, actor=task.actor, verb=verb, target=task.target, args=args)
