"""Looking up every name a step uses, before anything is played."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core.plan import SitePlan
from gateway.core.values import Json, PointType, show_duration
from gateway.rehearsal.actions import CHANNELS
from gateway.rehearsal.look import text_of, whole_of
from gateway.rehearsal.moments import signed_duration
from gateway.rehearsal.raw import raw_bytes
from gateway.rehearsal.scenario import Step
from gateway.rehearsal.spans import LONGEST
from gateway.rehearsal.tap_names import TapLook
from gateway.rehearsal.verbs import VERBS
from gateway.site.fields import duration, number, positive_duration, shown
from gateway.site.problems import Report

NUMERIC = (PointType.FLOAT, PointType.INT)
MOST_TIMES = 1_000
"""Events in a row that one step may stand for."""


def check_step(step: Step, report: Report, *, registering: bool) -> None:
    """Look up the names of a step's action.

    Args:
        step: the step.
        report: takes what is wrong.
        registering: tags may have been registered by the scenario, so that not all stand in the site file.
    """
    if step.action is not None:
        _StepLook(step, report, registering=registering).action(step.action)


class _StepLook(TapLook):
    """Looks at one step of any kind."""

    def action(self, name: str) -> None:
        ACTS[name](self)
        for field, read in DURATIONS.items():
            if field in self.given:
                self.take((field,), self.given[field], read)
        for field in ("retained", "once"):
            if not isinstance(self.given.get(field, False), bool):
                self.say((field,), f"found {shown(self.given[field])}; true or false is needed")

    # --- one for each action ---------------------------------------------------------------------------------

    def values(self) -> None:
        device, values = self.sender(), self.mapping("values")
        for name in values if device and not self.step.refused else ():
            self.word(("values", name), "point", name, device.kind.points if device else ())

    def ramp(self) -> None:
        device, values = self.sender(), self.mapping("ramp")
        if "over" not in self.given:
            self.say(("ramp",), "a ramp says how long it takes, with 'over'")
        for name, value in values.items():
            self.take(("ramp", name), value, number)
            if device is None:
                continue
            self.word(("ramp", name), "point", name, device.kind.points)
            point = device.kind.points.get(name)
            if point is not None and point.type not in NUMERIC:
                self.say(("ramp", name), f"only a number rises or falls, and {name} is of type {point.type}")

    def event(self) -> None:
        device, attributes = self.sender(), self.mapping("with", some=False)
        times = self.given.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
            self.say(("times",), f"found {shown(times)}; a whole number from 1 to {MOST_TIMES} is needed")
        if "times" in self.given and "every" not in self.given:
            self.say(("times",), "a row of events says how far apart they are, with 'every'")
        if device is None or self.step.refused:
            return
        name = self.given["event"]
        self.word(("event",), "event", name, device.kind.events)
        declared = device.kind.events.get(name) if isinstance(name, str) else None
        for attribute in attributes if declared else ():
            self.word(("with", attribute), "attribute", attribute, declared.attributes if declared else ())

    def silence(self) -> None:
        self.sender()
        value = self.given["silence"]
        if value not in ("on", "off"):
            try:
                positive_duration(value)
            except ValueError:
                self.say(("silence",), f"found {shown(value)}; on, off or a duration such as 5m is needed")

    def status(self) -> None:
        self.sender()
        self.word(("status",), "status", self.given["status"], ("online", "offline"))

    def act(self) -> None:
        given, plan = self.given, self.step.plan
        verb = given["act"]
        self.word(("act",), "verb", verb, VERBS)
        self.mapping("with", some=False)
        device = plan.devices.get(self.step.device or "")
        if "rule" in given and device is None:
            self.say(("rule",), "say on which device, with 'device'")
        elif "rule" in given and device is not None:
            self.word(("rule",), "rule", given["rule"], device.kind.rules)
        if "order" in given:
            self.word(("order",), "work order", given["order"], order_names(plan))
        if "round" in given:
            self.word(("round",), "route", given["round"], plan.routes)
        for field in ("by", "tap", "target"):
            if field in given:
                self.take((field,), given[field], text_of)
        if "seen" in given:
            self.take(("seen",), given["seen"], whole_of)
        if isinstance(verb, str) and verb in VERBS and not self.pointed(verb):
            self.say(("act",), f"say which record is meant, with {_pointers(verb)}")

    def pointed(self, verb: str) -> bool:
        """Whether the step says, or leaves no doubt, what the act is about."""
        family = verb.partition(".")[0]
        if "target" in self.given or verb == "work_order.open":
            return True
        if family == "device":
            return self.step.device is not None
        return any(name in self.given for name in POINTERS.get(family, ()))

    def clock(self) -> None:
        self.take(("clock",), self.given["clock"], _clock_shift)

    def restart(self) -> None:
        self.take(("restart",), self.given["restart"], positive_duration)

    def link(self) -> None:
        self.word(("link",), "state of the link", self.given["link"], ("lost", "up"))

    def configure(self) -> None:
        """Its names are looked up when the site is built."""

    def raw(self) -> None:
        self.take(("raw",), self.given["raw"], raw_bytes)
        if "topic" in self.given:
            self.take(("topic",), self.given["topic"], text_of)
        else:
            self.sender()
        if "channel" in self.given:
            self.word(("channel",), "channel", self.given["channel"], CHANNELS)


ACTS: Mapping[str, Callable[[_StepLook], None]] = MappingProxyType(
    {
        "values": _StepLook.values,
        "ramp": _StepLook.ramp,
        "event": _StepLook.event,
        "silence": _StepLook.silence,
        "status": _StepLook.status,
        "tap": _StepLook.taps,
        "taps": _StepLook.taps,
        "act": _StepLook.act,
        "clock": _StepLook.clock,
        "restart": _StepLook.restart,
        "link": _StepLook.link,
        "configure": _StepLook.configure,
        "raw": _StepLook.raw,
    }
)
"""Who looks at which action."""
DURATIONS: Mapping[str, Callable[[Json], object]] = MappingProxyType(
    {"ago": duration, "over": positive_duration, "every": positive_duration, "skew": signed_duration}
)
POINTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"alert": ("rule",), "work_order": ("order", "rule"), "round": ("round",), "tap": ("tap",)}
)
"""How the record of an act is named, by the first part of its verb."""


def _pointers(verb: str) -> str:
    family = verb.partition(".")[0]
    return " or ".join((*(f"'{name}'" for name in POINTERS.get(family, ())), "'target'"))


def _clock_shift(value: Json) -> None:
    if abs(signed_duration(value)) > LONGEST:
        raise ValueError(f"found {shown(value)}; a clock is set by at most {show_duration(LONGEST)}")


def order_names(plan: SitePlan) -> list[str]:
    """What a work order can be called: its template, or the rule it came of."""
    rules = {rule.name for device in plan.devices.values() for rule in device.kind.rules.values()}
    return [*plan.templates, *sorted(rules - plan.templates.keys())]
