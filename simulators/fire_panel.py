"""A fire alarm panel with the people at it: tests, works, duty checks, and circuits that fail now and then."""

from collections.abc import Iterable

from gateway.core.plan import Device
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, Scalar
from simulators.device import World
from simulators.faults import Fault
from simulators.panel import Panel


class FirePanel(Panel):
    """One panel in daily use."""

    def __init__(self, device: Device, world: World, faults: Iterable[Fault] = ()) -> None:
        super().__init__(device, world, faults)
        self.now_and_then("test", 6 * HOUR, self._start_test)
        self.now_and_then("works", 10 * HOUR, self._disable)
        self.now_and_then("duty check", 8 * HOUR, self._ask)
        self.now_and_then("link", 2 * DAY, self._lose_link)
        self.now_and_then("loop", 15 * DAY, self._break_loop)
        self.now_and_then("bell", 20 * DAY, self._break_bell)

    # --- test mode

    def _start_test(self, at: Millis) -> None:
        if self.testing or self.alarms or self.pre_alarms:
            return
        self.testing = self.rng.choice(self.zones)
        self.uplink.event(
            at, "test_started", {"zone": self.testing, "operator": self.operator(), "test": True}
        )
        self.report(at)
        for number in range(1, 4):
            self.agenda.at(f"test {number}", at + number * MINUTE, self._test_detector)
        self.agenda.at("test ends", at + 5 * MINUTE, self._end_test)

    def _test_detector(self, at: Millis) -> None:
        if self.testing:
            self.test_alarm = True
            self.detect(at, "fire_alarm", self.testing, "smoke", test=True)

    def _end_test(self, at: Millis) -> None:
        attributes: dict[str, Scalar] = {"operator": self.operator(), "test": True}
        if self.testing:
            attributes["zone"] = self.testing
        self.testing = None
        self.test_alarm = False
        self.uplink.event(at, "test_ended", attributes)
        self.report(at)

    # --- circuits, works, the link and the duty check

    def _disable(self, at: Millis) -> None:
        zone = self.rng.choice(self.zones)
        if zone in self.disabled:
            return
        self.disabled.add(zone)
        self.uplink.event(at, "disabled", {"zone": zone, "operator": self.operator()})
        self.report(at)
        self.agenda.at(
            f"works in {zone}", at + self.between(HOUR, 3 * HOUR), lambda then: self._enable(zone, then)
        )

    def _enable(self, zone: str, at: Millis) -> None:
        self.disabled.discard(zone)
        self.uplink.event(at, "enabled", {"zone": zone, "operator": self.operator()})
        self.report(at)

    def _ask(self, at: Millis) -> None:
        self.duty = "asked"
        self.uplink.event(at, "duty_check_asked", {})
        self.report(at)
        if self.chance(0.95):
            self.agenda.at("answer", at + self.between(10 * SECOND, 2 * MINUTE), self._answer)
        else:
            self.agenda.at("answer", at + 5 * MINUTE, self._leave_unanswered)

    def _answer(self, at: Millis) -> None:
        self.duty = "answered"
        self.uplink.event(at, "duty_check_answered", {"operator": self.operator()})
        self.report(at)

    def _leave_unanswered(self, at: Millis) -> None:
        self.duty = "unanswered"
        self.uplink.event(at, "duty_check_unanswered", {})
        self.report(at)

    def _lose_link(self, at: Millis) -> None:
        self.link_up = False
        self.report(at)
        self.agenda.at("link returns", at + self.between(20 * SECOND, 3 * MINUTE), self._regain_link)

    def _regain_link(self, at: Millis) -> None:
        self.link_up = True
        self.report(at)

    def _break_loop(self, at: Millis) -> None:
        self.loop_fault = True
        self.say_trouble(at, "loop", "E21")
        self.agenda.at("loop repaired", at + self.between(HOUR, 4 * HOUR), self._repair)

    def _break_bell(self, at: Millis) -> None:
        self.bell_fault = True
        self.say_trouble(at, "sounder", "E41")
        self.agenda.at("bell repaired", at + self.between(HOUR, 4 * HOUR), self._repair)

    def _repair(self, at: Millis) -> None:
        self.loop_fault = False
        self.bell_fault = False
        self.report(at)
