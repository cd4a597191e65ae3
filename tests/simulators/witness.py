"""Somebody who hears what the gateway hears and judges its alerts by a plain reading of the rules.

It keeps the last value of each point and since when a condition has been true, and nothing of the engine's machinery. Only
which conditions to look at, and whether a device can be seen at all, it takes from the engine. What the gateway says of
checkpoints, routes and guards nobody hears on the wire: of that the witness says nothing.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Event, Fact, Status, Tap, Telemetry
from gateway.core.plan import (
    AllOf,
    AnyOf,
    Changed,
    Compare,
    Condition,
    Count,
    Device,
    During,
    Happened,
    Negation,
    Offline,
    OneOf,
    Rate,
    Rule,
    Silent,
    SitePlan,
)
from gateway.core.state import Alert, AlertState
from gateway.core.values import Millis, Scalar

RAISES = ("alert.raised", "alert.raised_again", "alert.risen")
ACTIVE = (AlertState.UNACKNOWLEDGED, AlertState.ACKNOWLEDGED)


class Heard:
    """What was heard of one device."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[Millis, Scalar]] = {}
        self.at: Millis = 0
        """When it last spoke."""
        self.online: bool | None = None
        self.lost_at: Millis = 0
        """When it was last said to be offline."""
        self.events: deque[Event] = deque(maxlen=128)
        self.event: Event | None = None
        """The one that is coming in."""
        self.since: dict[str, Millis] = {}
        """Since when a condition that must hold for a while has been true, by level or by part of one."""


class Witness:
    """Collects what is wrong in ``faults``, one sentence each."""

    def __init__(self, plan: SitePlan) -> None:
        self._plan = plan
        self._heard: defaultdict[str, Heard] = defaultdict(Heard)
        self._gone: dict[str, Millis] = {}
        self._known: set[str] = set()
        self._parts = {
            id(device.kind): dict(part for rule in device.kind.rules.values() for part in held_parts(rule))
            for device in plan.devices.values()
        }
        self.faults: list[str] = []
        self.judged: Counter[str] = Counter()
        """How many raises of each rule were found to have their cause."""
        self.let_go = 0
        """How often an alert was seen to lose its condition."""

    # --- what is heard

    def blink(self) -> None:
        """Nobody could see anything: a clear delay stood still, so each begins anew here, which is never too early."""
        self._gone.clear()

    def take(self, fact: Fact, engine: Engine) -> None:
        """A fact comes in; the engine has not seen it."""
        name = speaker(fact)
        if name is None:
            return
        heard, dev = self._heard[name], engine.state.devices.get(name)
        if dev is not None and dev.frozen:
            for alert in dev.alerts.values():
                self._gone.pop(alert, None)  # its clear delay stood still
        if isinstance(fact, Telemetry):
            for point, value in fact.values.items():
                if point not in heard.last or fact.ts >= heard.last[point][0]:
                    heard.last[point] = (fact.ts, value)
            if not fact.retained:
                heard.at, heard.online = fact.at, True if heard.online is False else heard.online
        elif isinstance(fact, Event):
            heard.at, heard.online = fact.at, True if heard.online is False else heard.online
            if all(one.key != fact.key for one in heard.events):
                heard.event = fact
                heard.events.append(fact)
        elif isinstance(fact, Tap):
            heard.at, heard.online = fact.at, True if heard.online is False else heard.online
        elif isinstance(fact, Status):
            if not fact.online and heard.online is not False:
                heard.lost_at = fact.at
            heard.online = fact.online
            heard.at = fact.at if fact.online and not fact.retained else heard.at
        self._note(name, fact.at, engine)

    def after(self, fact: Fact, engine: Engine) -> None:
        """The engine has judged the fact; an event is over."""
        speaks = speaker(fact)
        if speaks is None:
            return
        self._heard[speaks].event = None
        self._note(speaks, fact.at, engine)
        dev = engine.state.devices.get(speaks)
        for name in () if dev is None else dev.alerts.values():
            self._follow(engine.state.alerts[name], fact.at, engine)

    def sweep(self, engine: Engine) -> None:
        """Look at every live alert."""
        for alert in engine.state.alerts.values():
            self._follow(alert, engine.state.scalars.now, engine)

    def _note(self, name: str, now: Millis, engine: Engine) -> None:
        """Remember since when what the engine is waiting for has been true."""
        dev, heard, device = engine.state.devices.get(name), self._heard[name], self._plan.devices[name]
        if dev is None or not (dev.levels or dev.holds or heard.since):
            return
        for key in {**dict.fromkeys(dev.holds), **dict.fromkeys(dev.levels)}:
            condition = self._parts[id(device.kind)].get(key)
            if condition is None:
                continue
            if self._bare(condition, key, heard, now, deadband=0.0):
                heard.since.setdefault(key, now)
            else:
                heard.since.pop(key, None)
        for key in [key for key in heard.since if key not in dev.holds and key not in dev.levels]:
            del heard.since[key]

    # --- judgement

    def judge(self, outcome: Outcome, engine: Engine) -> None:
        """Something came of it: was there a reason?"""
        if outcome.kind in RAISES:
            self._known.add(outcome.subject or "")
            if not self._plan.devices[outcome.device or ""].virtual:
                self._judge_raise(outcome)
        elif outcome.kind == "alert.ended":
            self._gone.pop(outcome.subject or "", None)
        elif outcome.kind == "notice.sent":
            for name in outcome.detail["alerts"]:
                self._expect(name in self._known, outcome, f"tells of {name}, which was never raised")
            order = outcome.detail.get("order")
            self._expect(order is None or order in self._known, outcome, f"tells of {order}, never opened")
        elif outcome.kind == "work_order.opened":
            self._known.add(outcome.subject or "")
            order = engine.state.orders[outcome.subject or ""]
            reason = order.preventive or order.caused_by or (order.alerts and order.alerts[0] in self._known)
            self._expect(bool(reason), outcome, "was opened for nothing")

    def _judge_raise(self, outcome: Outcome) -> None:
        device, heard = self._plan.devices[outcome.device or ""], self._heard[outcome.device or ""]
        rule = device.kind.rules[outcome.rule or ""]
        level = next(one for one in rule.levels if one.level.label == outcome.level)
        key, now = f"{rule.name}/{outcome.level}", outcome.at
        true = self._bare(
            level.when,
            key,
            heard,
            now,
            deadband=rule.clear.deadband if outcome.kind == "alert.risen" else 0.0,
        )
        self._expect(true, outcome, "its condition is not true")
        # What goes offline within the grace after a start is judged from the end of the grace on, without a new word.
        since = heard.since.get(key, heard.lost_at if isinstance(level.when, Offline) else now)
        self._expect(
            now - since >= level.hold, outcome, f"it is true for {now - since} of {level.hold} ms only"
        )
        self._judge_evidence(outcome, heard)
        self.judged[rule.name] += 1

    def _judge_evidence(self, outcome: Outcome, heard: Heard) -> None:
        """The value or the event that an alert names was received, and before it."""
        detail = outcome.detail
        if "event" in detail:
            found = any(
                (one.type, one.ts) == (detail["event"], detail["ts"]) and one.at <= outcome.at
                for one in heard.events
            )
            self._expect(found, outcome, "its event was never received")
        elif "point" in detail and detail["point"] is not None:
            value = heard.last.get(detail["point"], (0, None))[1]
            self._expect(value == detail["value"], outcome, f"{detail['point']} was {value}")

    def _follow(self, alert: Alert, now: Millis, engine: Engine) -> None:
        """An alert whose condition has gone for its clear delay must not stand."""
        device = self._plan.devices[alert.device]
        if device.virtual:
            return
        rule, dev = device.kind.rules[alert.rule], engine.state.devices[alert.device]
        seen = engine.state.scalars.observing and not dev.frozen
        excused = rule.latched or alert.chattering or alert.state not in ACTIVE or not seen
        if excused or self._may_hold(rule, device, now):
            self._gone.pop(alert.id, None)
            return
        if alert.id not in self._gone:
            self._gone[alert.id] = now
            self.let_go += 1
        passed = now - self._gone[alert.id]
        if passed > rule.clear.hold:
            self.faults.append(f"{alert.rule} of {alert.device} stands {passed} ms after its condition")

    def _may_hold(self, rule: Rule, device: Device, now: Millis) -> bool:
        heard, deadband = self._heard[device.id], rule.clear.deadband
        return any(
            self._bare(level.when, f"{rule.name}/{level.level.label}", heard, now, deadband=deadband)
            for level in rule.levels
        )

    def _expect(self, fine: bool, outcome: Outcome, words: str) -> None:
        if not fine:
            self.faults.append(
                f"{outcome.kind} of {outcome.rule} on {outcome.device} at {outcome.at}: {words}; {outcome.detail}"
            )

    # --- the rules, read plainly

    def _held(self, condition: Condition, key: str, heard: Heard, now: Millis, *, deadband: float) -> bool:
        """Whether a part is true and has been for as long as it must."""
        if not self._bare(condition, key, heard, now, deadband=deadband):
            return False
        return not condition.hold or now - heard.since.get(key, now) >= condition.hold

    def _bare(self, condition: Condition, key: str, heard: Heard, now: Millis, *, deadband: float) -> bool:
        """Whether a condition is true at this moment, its own ``for`` left out."""
        match condition:
            case Compare(point=point, low=low, high=high):
                value = heard.last.get(point, (0, None))[1]
                if not isinstance(value, int | float):
                    return False
                above = high is not None and value > high - deadband
                return above or (low is not None and value < low + deadband)
            case OneOf(point=point, values=values):
                return heard.last.get(point, (0, None))[1] in values
            case AllOf(parts=parts) | AnyOf(parts=parts):
                found = [
                    self._held(part, f"{key}/{number}", heard, now, deadband=deadband)
                    for number, part in enumerate(parts)
                ]
                return all(found) if isinstance(condition, AllOf) else any(found)
            case Negation(part=part):
                return not self._held(part, f"{key}/not", heard, now, deadband=-deadband)
            case Happened():
                return heard.event is not None and _fits(heard.event, condition)
            case Count():
                return _counted(condition, heard, now)
            case Silent(after=after):
                return now - heard.at >= after
            case Offline():
                return heard.online is False
            case During(schedule=schedule):
                return schedule.is_open(now)
            case Rate() | Changed():
                return True  # not judged here
        raise AssertionError(condition)


def speaker(fact: Fact) -> str | None:
    """The device that says it."""
    return fact.source if isinstance(fact, Tap) else fact.device


def _fits(event: Event, wanted: Happened | Count) -> bool:
    return event.type == wanted.event and all(
        event.attributes.get(name) in values for name, values in wanted.where.items()
    )


def _counted(condition: Count, heard: Heard, now: Millis) -> bool:
    """So many within the window, and the last of them no longer ago than that."""
    last = sorted((one for one in heard.events if _fits(one, condition)), key=lambda one: one.ts)[
        -condition.at_least :
    ]
    if len(last) < condition.at_least or last[-1].ts - last[0].ts > condition.within:
        return False
    return now - max(one.at for one in last) <= condition.within


def held_parts(rule: Rule) -> Iterator[tuple[str, Condition]]:
    """What must hold for a while, by key: levels, and parts of their conditions."""
    for level in rule.levels:
        key = f"{rule.name}/{level.level.label}"
        yield key, level.when
        yield from _inner(level.when, key)


def _inner(condition: Condition, key: str) -> Iterator[tuple[str, Condition]]:
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            named = [(f"{key}/{number}", part) for number, part in enumerate(parts)]
        case Negation(part=part):
            named = [(f"{key}/not", part)]
        case _:
            named = []
    for name, part in named:
        if part.hold:
            yield name, part
        yield from _inner(part, name)
