"""Thousands of acts in any order: after each, the engine's alerts are those of the table, and its history keeps its word.

The table is worked out a second time in :mod:`tests.core.alert_reference`. What is held against it after every act: the
state of each occurrence, why nobody is told of it, how often it came back, who acknowledged it, its level, whether its
order is open, and when it was put before people.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Event, Input, LinkLost, LinkUp, Started, Status, Telemetry, Tick
from gateway.core.state import State
from gateway.site import SiteBundle, build_plan
from tests.core.alert_history import History
from tests.core.alert_reference import Reference
from tests.core.alert_site import LIFE_SAFETY, PROFILE, RULES, SITE, START
from tests.core.stories import reborn
from tests.core.test_properties import check_indexes

PLAN = build_plan(SiteBundle("site.yaml", {"site.yaml": SITE, "thing.yaml": PROFILE}))
CI = settings(
    max_examples=160,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
SOAK = settings(CI, max_examples=5_000, stateful_step_count=80, derandomize=False)

DEVICES = st.sampled_from(["d1", "d2"])
PEOPLE = st.sampled_from(["anna", "ben", "carl"])
WHICH = st.sampled_from(RULES)
SHELF = st.sampled_from([None, 0, 1_000, 60_000, 1_800_000, 7_200_000, 7_200_001])
TIMES = st.sampled_from(
    [0, 1, 1_000, 10_000, 30_000, 59_999, 60_000, 61_000, 120_000, 600_000, 1_200_000, 1_800_000, 3_600_000]
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "temp": st.sampled_from([20.0, 74.0, 75.0, 76.0, 81.0, 95.0, 96.0, 101.0]),
        "flow": st.sampled_from([0.0, 5.0, 5.5, 6.0, 8.0, 10.5, 11.0, 20.0]),
        "load": st.sampled_from([0.0, 60.0, 91.0]),
        "leak": st.booleans(),
        "mode": st.sampled_from(["normal", "test"]),
    },
).filter(bool)


class Seen(NamedTuple):
    """A record as somebody saw it on a screen."""

    alert: str
    device: str
    rule: str
    version: int
    view: object


class Alerts(RuleBasedStateMachine):
    """The engine and the reference side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(PLAN, State())
        self.reference = Reference()
        self.history = History()
        self.seen: list[Seen] = []
        self.numbers = 0
        self.announced: list[tuple[int, str | None, str | None]] = []
        self._feed(Started(START, None), LinkUp(START))

    # --- acts ------------------------------------------------------------------------------------------------

    @rule(after=TIMES)
    def time_passes(self, after: int) -> None:
        self._pass(after)

    @rule(device=DEVICES, values=VALUES, after=TIMES)
    def values_come(self, device: str, values: dict[str, Any], after: int) -> None:
        now = self._pass(after)
        if self.reference.blind:
            self.the_broker_is_back()
        self._feed(Telemetry(now, device, now, values))
        self.reference.telemetry(device, values)

    @rule(device=DEVICES, temp=st.sampled_from([60.0, 75.0, 76.0, 90.0, 105.0]), after=TIMES)
    def it_grows_hot_or_cool(self, device: str, temp: float, after: int) -> None:
        self.values_come(device=device, values={"temp": temp}, after=after)

    @rule(
        device=DEVICES, flow=st.sampled_from([0.0, 6.0, 8.0, 20.0]), load=st.sampled_from([0.0, 60.0, 91.0])
    )
    def it_flows(self, device: str, flow: float, load: float) -> None:
        self.values_come(device=device, values={"flow": flow, "load": load}, after=10_000)

    @precondition(lambda self: not self.reference.blind)
    @rule(device=DEVICES, zone=st.sampled_from(["B1", "B2"]))
    def a_detector_answers(self, device: str, zone: str) -> None:
        now = self._pass(0)
        self.numbers += 1
        self._feed(Event(now, device, now, f"e{self.numbers}", "smoke", {"zone": zone}))
        self.reference.smoke(device)

    @precondition(lambda self: not self.reference.blind)
    @rule(device=DEVICES, online=st.booleans())
    def a_device_comes_or_goes(self, device: str, online: bool) -> None:
        now = self._pass(0)
        self._feed(Status(now, device, online))
        self.reference.status(device, online)

    @rule()
    def the_memory_is_written_and_read(self) -> None:
        self.engine = reborn(self.engine)

    @rule(after=TIMES, down=TIMES)
    def the_gateway_restarts(self, after: int, down: int) -> None:
        last = self.reference.now + after
        self.engine = reborn(self.engine)
        self.reference.pass_to(last)
        self.reference.lose()
        self.reference.pass_to(last + down)
        self._feed(Started(last + down, last), LinkUp(last + down))
        self.reference.regain()

    @precondition(lambda self: not self.reference.blind)
    @rule()
    def the_broker_goes(self) -> None:
        self._feed(LinkLost(self._pass(0), "gone"))
        self.reference.lose()

    @precondition(lambda self: self.reference.blind)
    @rule()
    def the_broker_is_back(self) -> None:
        self._feed(LinkUp(self._pass(0)))
        self.reference.regain()

    # --- people ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.engine.state.alerts)
    @rule(
        which=st.integers(0, 20),
        verb=st.sampled_from(["ack", "ack", "reset", "comment", "assign"]),
        actor=PEOPLE,
        data=st.data(),
    )
    def somebody_acts_on_an_alert(self, which: int, verb: str, actor: str, data: st.DataObject) -> None:
        seen = self._look(which)
        expect = seen.version if data.draw(st.booleans()) else None
        self._on_alert(seen, verb, actor, expect)

    def _on_alert(self, seen: Seen, verb: str, actor: str, expect: int | None) -> None:
        model, place = self.reference, (seen.device, seen.rule)
        acts: dict[str, Callable[[], bool]] = {
            "ack": lambda: model.ack(*place, actor),
            "reset": lambda: model.reset(*place),
            "comment": lambda: model.comment(*place),
            "assign": lambda: model.assign(*place, actor, seen=expect is not None),
        }
        args = {"comment": {"text": "a word"}, "assign": {"assignee": actor}}.get(verb, {})
        self._ask(f"alert.{verb}", seen.alert, actor, args, acts[verb], expect)

    @precondition(lambda self: self.engine.state.alerts)
    @rule(which=st.integers(0, 20))
    def somebody_looks(self, which: int) -> None:
        self.seen.append(self._look(which))

    @precondition(lambda self: self.seen)
    @rule(which=st.integers(0, 20), verb=st.sampled_from(["ack", "reset", "comment", "assign"]), actor=PEOPLE)
    def somebody_acts_on_what_they_saw(self, which: int, verb: str, actor: str) -> None:
        """A screen that may be old: nothing is done on a record that has moved on."""
        seen = self.seen.pop(which % len(self.seen))
        alert = self.engine.state.alerts.get(seen.alert)
        if alert is None:
            reply = self._command(f"alert.{verb}", seen.alert, actor, {"text": "a word"}, seen.version)
            assert reply == "not_found"
        elif alert.version == seen.version:
            assert self._view(seen.device)[seen.rule] == seen.view, "it changed and kept its version"
            self._on_alert(seen, verb, actor, seen.version)
        else:
            reply = self._command(f"alert.{verb}", seen.alert, actor, {"text": "a word"}, seen.version)
            assert reply == "conflict"

    @rule(device=DEVICES, which=WHICH, actor=PEOPLE, until=SHELF, one_shot=st.booleans())
    def somebody_shelves(
        self, device: str, which: str, actor: str, until: int | None, one_shot: bool
    ) -> None:
        live = sorted(self.reference.things[device].live)
        which = which if which in live or not live else live[0]
        end = None if until is None else self.reference.now + until
        args = {
            "rule": which,
            "why": "works",
            "one_shot": one_shot,
            **({} if end is None else {"until": end}),
        }
        alert = self.engine.state.devices[device].alerts.get(which) if self._knows(device) else None
        verb, target = ("device.shelve", device) if alert is None else ("alert.shelve", alert)
        self._ask(
            verb,
            target,
            actor,
            args,
            lambda: self.reference.shelve(device, which, end, one_shot=one_shot),
        )

    @rule(device=DEVICES, which=WHICH, actor=PEOPLE)
    def somebody_unshelves(self, device: str, which: str, actor: str) -> None:
        shelved = sorted(self.reference.things[device].shelves)
        name = which if which in shelved or not shelved else shelved[0]
        act = lambda: self.reference.unshelve(device, name, actor)  # noqa: E731
        self._ask("device.unshelve", device, actor, {"rule": name}, act)

    @rule(
        device=DEVICES,
        which=st.sampled_from(["", LIFE_SAFETY, LIFE_SAFETY, "hot", "wet", "scant"]),
        actor=PEOPLE,
        until=st.sampled_from([None, 600_000, 1_800_000]),
    )
    def somebody_takes_out_of_service(self, device: str, which: str, actor: str, until: int | None) -> None:
        end = None if until is None else self.reference.now + until
        args = {"why": "refit", "until": end, **({"rule": which} if which else {})}
        act = lambda: self.reference.take_out(device, which, actor, end)  # noqa: E731
        self._ask("device.out_of_service", device, actor, args, act)

    @rule(device=DEVICES, which=WHICH, actor=PEOPLE)
    def somebody_puts_back(self, device: str, which: str, actor: str) -> None:
        out = sorted(self.reference.things[device].outages)
        name = which if which in out or not out else out[0]
        args = {"rule": name} if name else {}
        self._ask("device.in_service", device, actor, args, lambda: self.reference.put_back(device, name))

    @rule(device=DEVICES, high=st.sampled_from([75.0, 80.0, 95.0]))
    def somebody_tunes(self, device: str, high: float) -> None:
        act = lambda: self.reference.tune(device, high)  # noqa: E731
        setting = None if high == 80.0 else high
        self._ask("device.tune", device, "anna", {"params": {"high": setting}}, act)

    @precondition(lambda self: self.engine.state.orders)
    @rule(which=st.integers(0, 20))
    def somebody_cancels_an_order(self, which: int) -> None:
        orders = sorted(self.engine.state.orders)
        order = self.engine.state.orders[orders[which % len(orders)]]
        assert order.device is not None
        assert order.rule is not None
        place = (order.device, order.rule)
        args = {"to": "cancelled", "reason": "not needed"}
        self._ask("work_order.move", order.id, "anna", args, lambda: self.reference.cancel(*place))

    # --- what must be so -------------------------------------------------------------------------------------

    @invariant()
    def the_engine_stands_where_the_table_says(self) -> None:
        self._pass(0)  # what is due at this very moment has happened on both sides
        for name, thing in self.reference.things.items():
            expected = {
                rule: (
                    one.number,
                    one.state,
                    one.count,
                    one.level,
                    one.gone,
                    one.how,
                    one.acked_by,
                    one.assignee,
                )
                for rule, one in thing.live.items()
            }
            assert self._view(name) == expected, name
            orders = {rule: order.live for rule, order in thing.orders.items()}
            assert self._orders(name) == orders, name
        assert sorted(self.announced) == sorted(self.reference.announced)
        check_indexes(self.engine.state)
        assert self.history.live == set(self.engine.state.alerts)

    # --- both sides at once ----------------------------------------------------------------------------------

    def _pass(self, after: int) -> int:
        now = self.reference.now + after
        self.reference.pass_to(now)
        self._feed(Tick(now))
        return now

    def _feed(self, *inputs: Input) -> Effects:
        effects = self.engine.step(inputs)
        self.history.take(effects)
        self.announced += [
            (one.at, one.device, one.rule) for one in effects.outcomes if one.detail.get("announced")
        ]
        return effects

    def _command(
        self, verb: str, target: str, actor: str, args: dict[str, Any], expect: int | None = None
    ) -> str:
        self.numbers += 1
        now = self._pass(0)
        one = Command(
            at=now, id=f"c{self.numbers}", actor=actor, verb=verb, target=target, args=args, expect=expect
        )
        return self._feed(one).replies[0].status

    def _ask(
        self,
        verb: str,
        target: str,
        actor: str,
        args: dict[str, Any],
        act: Callable[[], bool],
        expect: int | None = None,
    ) -> None:
        """A command, and what it does by the table; both must agree whether it is done."""
        status = self._command(verb, target, actor, args, expect)
        assert (status == "done") is act(), (verb, args, status)

    def _look(self, which: int) -> Seen:
        names = sorted(self.engine.state.alerts)
        alert = self.engine.state.alerts[names[which % len(names)]]
        view = self._view(alert.device)[alert.rule]
        return Seen(alert.id, alert.device, alert.rule, alert.version, view)

    def _knows(self, device: str) -> bool:
        return device in self.engine.state.devices

    def _view(self, device: str) -> dict[str, tuple[Any, ...]]:
        if not self._knows(device):
            return {}
        dev, alerts = self.engine.state.devices[device], self.engine.state.alerts
        found = {rule: alerts[name] for rule, name in dev.alerts.items()}
        return {
            rule: (
                dev.occurrences[rule],
                str(one.state),
                one.count,
                int(one.level),
                one.gone,
                None if one.suppressed is None else str(one.suppressed),
                one.acked_by,
                one.assignee,
            )
            for rule, one in found.items()
        }

    def _orders(self, device: str) -> dict[str, bool]:
        found = self.engine.state.devices[device].orders if self._knows(device) else {}
        return {rule: self.engine.state.orders[name].alert_live for rule, name in found.items()}


def test_alerts_follow_the_table_whatever_happens() -> None:
    run_state_machine_as_test(Alerts, settings=CI)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_alerts_follow_the_table_for_a_very_long_time() -> None:
    run_state_machine_as_test(Alerts, settings=SOAK)
