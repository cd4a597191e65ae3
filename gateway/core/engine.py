"""The engine: state and inputs in, effects out.

It never reads a clock. Before an input is handled, every timer due at or before it fires in order at its own due
time, so how often ticks come changes nothing but when effects become visible.
"""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from gateway.core import (
    alert_timers,
    alerts,
    clocks,
    commands,
    escalation,
    levels,
    notices,
    observing,
    outages,
    preventive,
    schedules,
    shelving,
    transitions,
    tuning,
)
from gateway.core.desk import Desk
from gateway.core.effects import Effects
from gateway.core.inputs import (
    Command,
    Configured,
    Event,
    Input,
    LinkLost,
    LinkUp,
    Rejection,
    Started,
    Status,
    Tap,
    Telemetry,
    Tick,
)
from gateway.core.order_state import WorkOrder
from gateway.core.patrol import contact, places, rounds, sources, taps
from gateway.core.plan import Device, Rule, SitePlan
from gateway.core.program import LevelProgram
from gateway.core.readings import take_event, take_telemetry
from gateway.core.state import DeviceState, State
from gateway.core.timers import Timer
from gateway.core.values import Millis

OnTimer: TypeAlias = Callable[[Desk, Timer], None]


class Engine:
    """Judges inputs in order. The only writer of its state.

    Args:
        plan: the site in force.
        state: what was remembered; an empty one for a new site.
    """

    def __init__(self, plan: SitePlan, state: State) -> None:
        self._desk = Desk(plan, state)
        self._recall()

    @property
    def plan(self) -> SitePlan:
        """The site in force."""
        return self._desk.plan

    @property
    def state(self) -> State:
        """What is remembered; read it between steps only, never change it."""
        return self._desk.state

    def next_due(self) -> Millis | None:
        """When a tick would do something at the earliest; None when no timer runs."""
        return self._desk.timers.next_due()

    def step(self, inputs: Sequence[Input]) -> Effects:
        """Handle a batch of inputs in order.

        Cutting the same inputs into other batches leads to the same effects, one after the other.
        """
        desk = self._desk
        desk.effects = effects = Effects()
        scalars, moment, next_due = desk.state.scalars, desk.moment, desk.timers.next_due
        for one in inputs:
            at = one.at
            if type(one) is Started and one.last is not None:
                self._rest(one.last)
            if (due := next_due()) is not None and due <= at:
                self._advance(at)
            scalars.now = moment.now = max(scalars.now, at)
            if type(one) is Telemetry:
                take_telemetry(desk, one)
                if desk.readers or desk.patrol.awaited:
                    hear(desk, one.device)
            else:
                HANDLERS[type(one)](desk, one)
        return effects

    def _rest(self, last: Millis) -> None:
        """The gateway was down since then: nothing could be seen."""
        desk, scalars = self._desk, self._desk.state.scalars
        self._advance(last)
        scalars.now = desk.moment.now = max(scalars.now, last)
        observing.lose(desk, last, "the gateway was down")
        preventive.rest(desk)
        rounds.rest(desk)

    def _advance(self, now: Millis) -> None:
        desk = self._desk
        scalars, pop_due, stretch = desk.state.scalars, desk.timers.pop_due, desk.timers.stretch
        while True:
            while (looks := stretch(now)) is not None:
                observing.look_over(desk, looks)
            timer = pop_due(now)
            if timer is None:
                return
            scalars.now = desk.moment.now = max(timer.due, scalars.now)
            TIMERS[timer.purpose](desk, timer)  # its owner decides whether it still means anything

    def _recall(self) -> None:
        """Ask again for every wake-up the state implies."""
        desk = self._desk
        tuning.lay_over(desk)
        for name, dev in desk.state.devices.items():
            levels.arm(desk, name, dev)
            if dev.alerts or dev.flutters or dev.shelves or dev.outages:
                _arm_alerts(desk, name, dev)
        if desk.state.scalars.observing:
            for device in desk.plan.devices.values():
                observing.watch(desk, device, desk.program(device.kind))
        for order in desk.state.orders.values():
            transitions.arm(desk, order)
        notices.arm(desk)
        if (
            desk.state.scalars.now
        ):  # else nothing has been yet, and the calendars of the past are nobody's business
            schedules.watch(desk)
        preventive.watch(desk)
        rounds.watch(desk)


def _arm_alerts(desk: Desk, name: str, dev: DeviceState) -> None:
    shelving.arm(desk, name, dev)
    outages.arm(desk, name, dev)
    if name in desk.plan.devices:
        alert_timers.arm(desk, desk.plan.devices[name], dev)


def _of_level(work: Callable[[Desk, Device, DeviceState, LevelProgram, Timer], None]) -> OnTimer:
    """A timer whose key belongs to one level of one device, while the site has both."""

    def on_timer(desk: Desk, timer: Timer) -> None:
        if timer.owner not in desk.plan.devices:
            return
        device, dev = desk.device(timer.owner)
        level = desk.program(device.kind).by_key.get(observing.level_key(timer.key))
        if level is not None:
            work(desk, device, dev, level, timer)

    return on_timer


def _of_rule(work: Callable[[Desk, Device, DeviceState, Rule, Timer], None]) -> OnTimer:
    """A timer whose key is a rule of a device, while the site has both."""

    def on_timer(desk: Desk, timer: Timer) -> None:
        device = desk.plan.devices.get(timer.owner)
        rule = None if device is None else device.kind.rules.get(timer.key)
        if device is not None and rule is not None:
            work(desk, device, desk.device(device.id)[1], rule, timer)

    return on_timer


def _outage_due(desk: Desk, timer: Timer) -> None:
    if timer.owner in desk.plan.devices:
        device, dev = desk.device(timer.owner)
        outages.come_due(desk, device, dev, timer.key, timer.due)


def _of_order(work: Callable[[Desk, WorkOrder, Timer], None]) -> OnTimer:
    """A timer of a work order, while it is remembered."""

    def on_timer(desk: Desk, timer: Timer) -> None:
        order = desk.state.orders.get(timer.owner)
        if order is not None:
            work(desk, order, timer)

    return on_timer


def _level_due(desk: Desk, device: Device, dev: DeviceState, level: LevelProgram, timer: Timer) -> None:
    levels.come_due(desk, device, dev, level, timer.due)


def _silence_due(desk: Desk, timer: Timer) -> None:
    """The most frequent timer: every device is looked at again and again, and has nearly always spoken."""
    if desk.looks.get((timer.owner, timer.key)) == timer.due and timer.owner in desk.plan.devices:
        observing.come_due(desk, timer)


def _wake(desk: Desk, device: Device, dev: DeviceState, level: LevelProgram, _timer: Timer) -> None:
    levels.evaluate(desk, device, dev, (level,))


TIMERS: MappingProxyType[str, OnTimer] = MappingProxyType(
    {
        "level": _of_level(_level_due),
        "silence": _silence_due,
        "wake": _of_level(_wake),
        "shelf": _of_rule(
            lambda desk, device, dev, rule, timer: shelving.come_due(desk, device, dev, rule, timer.due)
        ),
        "outage": _outage_due,
        "re_alarm": _of_rule(
            lambda desk, _device, dev, rule, timer: alert_timers.ask_again(desk, dev, rule, timer.due)
        ),
        "stale": _of_rule(
            lambda desk, _device, dev, rule, timer: alert_timers.grow_stale(desk, dev, rule, timer.due)
        ),
        "calm": _of_rule(lambda desk, device, dev, rule, _timer: alert_timers.calm(desk, device, dev, rule)),
        "calendar": schedules.turn,
        "window": schedules.turn_window,
        "clock": _of_order(lambda desk, order, timer: clocks.come_due(desk, order, timer.key)),
        "forget": _of_order(lambda desk, order, _timer: transitions.forget(desk, order)),
        "accept": _of_order(lambda desk, order, _timer: transitions.not_accepted(desk, order)),
        "hold": _of_order(lambda desk, order, _timer: transitions.end_hold(desk, order)),
        "preventive": preventive.come_due,
        "round": rounds.come_due,
        "judge": rounds.judge_due,
        "close": rounds.close_due,
        "contact": contact.come_due,
        "gap": places.come_due,
        "notice": notices.come_due,
        "escalate": escalation.come_due,
    }
)
"""Who looks at a timer that has come up, by its purpose."""


def _started(desk: Desk, one: Started) -> None:
    desk.report("gateway.started", last=one.last)
    desk.state.scalars.started_at = desk.moment.now
    desk.effects.scalars = True
    schedules.watch(desk)
    preventive.take_up(desk)
    rounds.take_up(desk)


def _link_lost(desk: Desk, one: LinkLost) -> None:
    observing.lose(desk, desk.moment.now, one.reason)


def _link_up(desk: Desk, _one: LinkUp) -> None:
    observing.regain(desk)
    rounds.look_again(desk)


def _tick(_desk: Desk, _one: Tick) -> None:
    """Time has passed; the timers have already fired."""


def _rejection(desk: Desk, one: Rejection) -> None:
    """Count it; the history gets a word at the first, tenth, hundredth … so that one broken device cannot fill it."""
    desk.effects.rejections.append(one)
    if one.device is not None and one.device in desk.plan.devices:
        counts = desk.device(one.device)[1].rejected
        desk.effects.devices.add(one.device)
    else:
        counts = desk.state.scalars.rejected
        desk.effects.scalars = True
    count = counts[one.reason] = counts.get(one.reason, 0) + 1
    if str(count).rstrip("0") == "1":
        desk.report("rejected", device=one.device, reason=one.reason, words=one.detail, count=count)


def hear(desk: Desk, name: str) -> None:
    """A device was heard. Where it is a hand-held reader, rounds and gaps may have waited for its word."""
    if name in desk.readers:
        sources.hear_reader(desk, name)
    if desk.patrol.awaited:
        rounds.heard(desk, name)


def _event(desk: Desk, one: Event) -> None:
    take_event(desk, one)
    hear(desk, one.device)


def _status(desk: Desk, one: Status) -> None:
    device, dev = desk.device(one.device)
    desk.effects.devices.add(device.id)
    changed = dev.online is not one.online and (dev.online is not None or not one.online)
    dev.online = one.online
    if not one.retained:
        dev.heard = one.at if one.online else dev.heard
    if changed:
        desk.report("device.online" if one.online else "device.offline", device=device.id)
    program = desk.program(device.kind)
    judged = program.affected(program.link_mask)
    if not one.online:
        observing.lost_touch(desk, device, dev)
        observing.wake_after_grace(desk, device)
    elif one.retained and observing.is_silent(desk, device, dev):
        pass  # what it once said does not make it heard
    elif observing.back_in_touch(desk, device, dev):
        judged = program.levels
    levels.evaluate(desk, device, dev, judged)
    if one.online and not one.retained:
        observing.answer_for(desk, device.id)
    hear(desk, device.id)


def _configured(desk: Desk, one: Configured) -> None:
    stale_after = desk.plan.stale_after
    desk.adopt(one.plan)
    tuning.lay_over(desk)
    desk.effects.scalars = True
    desk.report("site.configured", digest=one.plan.digest)
    for _, alert in sorted(desk.state.alerts.items()):
        device = desk.plan.devices.get(alert.device)
        if device is None:
            alerts.close_orphan(desk, desk.state.devices[alert.device], alert, "device removed")
        elif alert.rule not in device.kind.rules:
            alerts.close_orphan(desk, desk.state.devices[alert.device], alert, "rule removed")
    for name in sorted(desk.state.devices.keys() - one.plan.devices.keys()):
        observing.drop_device(desk, name)
    for name, device in desk.plan.devices.items():
        program = desk.program(device.kind)
        dev = desk.state.devices.get(name)
        if dev is not None:
            observing.drop_unknown(desk, device, dev)
            if dev.shelves:
                shelving.take_down_forbidden(desk, device, dev)
            levels.evaluate(desk, device, dev, program.levels)
            for rule in list(dev.alerts):
                alerts.follow(desk, device, dev, device.kind.rules[rule], moved=False)
            alert_timers.adopt(desk, device, dev)
            if dev.alerts and desk.plan.stale_after != stale_after:
                alert_timers.arm(desk, device, dev)
        if desk.state.scalars.observing:
            observing.watch(desk, device, program)
    schedules.watch(desk)
    schedules.review_windows(desk)
    preventive.adopt(desk)
    rounds.adopt(desk)
    transitions.adopt(desk)
    notices.adopt(desk)


HANDLERS: MappingProxyType[type, Callable[[Desk, Any], None]] = MappingProxyType(
    {
        Event: _event,
        Status: _status,
        Tap: taps.take,
        Rejection: _rejection,
        Command: commands.take,
        Tick: _tick,
        Started: _started,
        LinkLost: _link_lost,
        LinkUp: _link_up,
        Configured: _configured,
    }
)
"""Who handles what, besides telemetry."""
