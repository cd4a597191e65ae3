"""The alert table of ISA-18.2 / IEC 62682 once more, as plainly as it can be said, to hold the engine against.

Nothing of the engine is used here. Instead of a heap of timers there is a list of all that is due, made anew each time;
instead of records with histories, one small occurrence for each rule of each device.
"""

from collections.abc import Iterator

from tests.core.alert_site import (
    BY_DESIGN,
    GRACE,
    LATCHED,
    LIFE_SAFETY,
    LIMITS,
    LONGEST_SHELF,
    ORDER_FROM,
    RAISED,
    RE_ALARM,
    RULES,
    START,
    Limit,
    Occurrence,
    Order,
    Outage,
    Phase,
    Thing,
    in_window,
    window_turns,
)


class Reference:
    """What must be true of alerts, worked out by hand."""

    def __init__(self) -> None:
        self.now = START
        self.things = {"d1": Thing(), "d2": Thing()}
        self.blind = False
        self.grace_until = START + GRACE
        self.orders = 0
        self._turned = START
        self.announced: list[tuple[int, str, str]] = []
        """When an alert was put before people: time, device, rule."""

    # --- time ------------------------------------------------------------------------------------------------

    def pass_to(self, at: int) -> None:
        """Let time pass: whatever comes due happens at its own time, one after the other."""
        while due := min(self._dues(at), default=None):
            self.now = max(self.now, due[0])
            self._happen(*due)
        self.now = at

    def _dues(self, at: int) -> Iterator[tuple[int, str, str, str]]:
        """All that is due by then, as (time, owner, purpose, key): equal times in the order of these words."""
        for turn in window_turns(self._turned, at):
            yield turn, "service", "window", ""
        for name, thing in self.things.items():
            found: list[tuple[int | None, str, str]] = [
                *((phase.due, "level", key) for key, phase in thing.phases.items()),
                *((until, "shelf", rule) for rule, (until, _) in thing.shelves.items()),
                *((outage.due, "outage", key) for key, outage in thing.outages.items()),
                *((one.re_alarm, "re_alarm", rule) for rule, one in thing.live.items()),
            ]
            if thing.in_grace and not self.blind:
                found.append((self.grace_until, "wake", ""))
            yield from (
                (due, name, purpose, key) for due, purpose, key in found if due is not None and due <= at
            )

    def _happen(self, due: int, owner: str, purpose: str, key: str) -> None:
        if purpose == "window":
            self._turned = due
            for rule in RULES:
                self._review("d2", rule)
            return
        thing = self.things[owner]
        match purpose:
            case "level":
                self._phase_ends(owner, key)
            case "shelf":
                del thing.shelves[key]
                self._review(owner, key)
            case "outage":
                self._put_back(owner, key)
            case "re_alarm":
                one = thing.live[key]
                one.state = "unacknowledged"
                self._announce(owner, key, one)
            case "wake":
                thing.in_grace = False
                self._judge(owner)

    # --- conditions ------------------------------------------------------------------------------------------

    def _judge(self, name: str) -> None:
        thing = self.things[name]
        moved = []
        for limit in LIMITS:
            if thing.frozen and limit.rule != "gone":
                continue
            if self._step(thing, limit):
                moved.append(limit.rule)
        for rule in dict.fromkeys(moved):
            self._follow_any(name, rule)

    def _truth(self, thing: Thing, limit: Limit, active: bool) -> bool | None:
        value = thing.values.get(limit.point)
        if limit.rule != "gone" or value is None:
            return limit.judge(value, thing.high, active=active)
        if self.blind:
            return None
        return False if value else (True if self.now >= self.grace_until else None)

    def _step(self, thing: Thing, limit: Limit) -> bool:
        """Move one limit; True when it became active or idle."""
        phase = thing.phases.get(limit.key)
        truth = self._truth(thing, limit, phase is not None and phase.name != "pending")
        if phase is None:
            if truth:
                thing.phases[limit.key] = self._timed("pending", limit.hold)
                return not limit.hold
            return False
        if phase.name == "active":
            if truth is False:
                if limit.clear:
                    thing.phases[limit.key] = self._timed("clearing", limit.clear)
                else:
                    del thing.phases[limit.key]
                    return True
            return False
        if truth is None:
            self._pause(phase)
        elif truth is (phase.name == "pending"):
            if phase.left is not None and not self.blind:
                phase.due, phase.left = self.now + phase.left, None
        elif phase.name == "pending":
            del thing.phases[limit.key]
        else:
            thing.phases[limit.key] = Phase("active")
        return False

    def _timed(self, name: str, length: int) -> Phase:
        if not length:
            return Phase("active")
        return Phase(name, left=length) if self.blind else Phase(name, due=self.now + length)

    def _pause(self, phase: Phase) -> None:
        if phase.due is not None:
            phase.left, phase.due = phase.due - self.now, None

    def _phase_ends(self, name: str, key: str) -> None:
        phases = self.things[name].phases
        if phases[key].name == "pending":
            phases[key] = Phase("active")
        else:
            del phases[key]
        self._follow_any(name, key.partition("/")[0])

    def _follow_any(self, name: str, rule: str) -> None:
        if rule.startswith("~"):
            for quiet in BY_DESIGN:
                self._review(name, quiet)
        else:
            self._follow(name, rule)

    # --- the life of an occurrence ---------------------------------------------------------------------------

    def _follow(self, name: str, rule: str, *, instant: bool = False) -> None:
        thing = self.things[name]
        top = 3 if instant else 0
        for limit in LIMITS:
            phase = thing.phases.get(limit.key)
            if limit.rule == rule and phase is not None and phase.name != "pending":
                top = limit.level
        one = thing.live.get(rule)
        if one is None:
            if top:
                self._raise(name, rule, top)
        elif not top:
            if one.state in RAISED and not one.gone and rule in LATCHED:
                one.gone = True
            elif one.state in RAISED and not one.gone:
                self._clear(name, rule, one)
        elif one.state == "returned" or one.gone:
            one.level = max(one.level, top) if rule in LATCHED else top
            one.state, one.gone, one.count = "unacknowledged", False, one.count + 1
            self._announce(name, rule, one)
        elif top > one.level:
            one.level, one.state = top, "unacknowledged"
            self._announce(name, rule, one)
        elif rule not in LATCHED:
            one.level = top

    def _raise(self, name: str, rule: str, top: int) -> None:
        thing = self.things[name]
        thing.numbers[rule] = thing.numbers.get(rule, 0) + 1
        one = thing.live[rule] = Occurrence(thing.numbers[rule], top, how=self.how(name, rule))
        self._announce(name, rule, one)

    def _clear(self, name: str, rule: str, one: Occurrence) -> None:
        thing = self.things[name]
        quiet = rule == "low" or one.how is not None or one.state == "acknowledged"
        one.state, one.gone, one.re_alarm = "returned", False, None
        order = thing.orders.get(rule)
        if order is not None and order.number == one.order:
            order.live = False
        if thing.shelves.get(rule, (0, False))[1]:
            del thing.shelves[rule]
        if quiet:
            self._end(name, rule, "cleared")

    def _end(self, name: str, rule: str, why: str) -> None:
        del self.things[name].live[rule]
        self.things[name].ended[rule] = why

    def _announce(self, name: str, rule: str, one: Occurrence) -> None:
        """It stands before people, unless it is kept quiet."""
        one.re_alarm = None
        if one.how is not None:
            return
        if one.state == "unacknowledged":
            self.announced.append((self.now, name, rule))
        orders = self.things[name].orders
        if rule in orders:
            orders[rule].live, one.order = True, orders[rule].number
        elif one.level >= ORDER_FROM.get(rule, 9):
            self.orders += 1
            one.order = self.orders
            orders[rule] = Order(self.orders)

    def _await_re_alarm(self, rule: str, one: Occurrence) -> None:
        if one.state == "acknowledged" and one.how is None and rule in RE_ALARM:
            one.re_alarm = self.now + RE_ALARM[rule]

    # --- being kept quiet ------------------------------------------------------------------------------------

    def how(self, name: str, rule: str) -> str | None:
        """Why nobody is told, the strongest reason first."""
        thing = self.things[name]
        if any(one.confirmed for key, one in thing.outages.items() if key in ("", rule)):
            return "out_of_service"
        if rule in thing.shelves:
            return "shelved"
        if rule in BY_DESIGN and "~in_test/info" in thing.phases:
            return "by_design"
        if name == "d2" and rule != LIFE_SAFETY and in_window(self.now):
            return "maintenance"
        return None

    def _review(self, name: str, rule: str, *, by_hand: str | None = None) -> None:
        one = self.things[name].live.get(rule)
        if one is None:
            return
        before, one.how = one.how, self.how(name, rule)
        if before == one.how:
            return
        if one.how is not None:
            one.re_alarm = None
        elif one.state == "returned":
            self._end(name, rule, "cleared")
        else:
            if by_hand is None:
                one.state = "unacknowledged"
            elif one.state == "unacknowledged":
                one.state, one.acked_by = "acknowledged", by_hand
            self._announce(name, rule, one)
            self._await_re_alarm(rule, one)

    # --- what devices and the gateway do ---------------------------------------------------------------------

    def telemetry(self, name: str, values: dict[str, object]) -> None:
        thing = self.things[name]
        thing.values.update(values)
        self._heard(thing)
        self._judge(name)

    def smoke(self, name: str) -> None:
        """A detector answers: an instant, over as soon as it is there."""
        self._heard(self.things[name])
        self._judge(name)
        self._follow(name, LIFE_SAFETY, instant=True)
        self._follow(name, LIFE_SAFETY)

    def _heard(self, thing: Thing) -> None:
        if thing.frozen:
            thing.frozen, thing.values["online"] = False, True

    def status(self, name: str, online: bool) -> None:
        thing = self.things[name]
        thing.values["online"] = online
        if online:
            thing.frozen = False
        elif not thing.frozen:
            thing.frozen = True
            for key, phase in thing.phases.items():
                if not key.startswith("gone/"):
                    self._pause(phase)
        thing.in_grace = not online and self.now < self.grace_until
        self._judge(name)

    def lose(self) -> None:
        """The gateway sees nothing from now on: every time that runs stands still."""
        self.blind = True
        for thing in self.things.values():
            for phase in thing.phases.values():
                self._pause(phase)

    def regain(self) -> None:
        """It sees again; nothing is called offline before the grace is over."""
        self.blind, self.grace_until = False, self.now + GRACE
        for name, thing in self.things.items():
            thing.in_grace = thing.values.get("online") is False
            self._judge(name)

    # --- what people do; each answers whether it is done ------------------------------------------------------

    def ack(self, name: str, rule: str, actor: str) -> bool:
        one = self.things[name].live[rule]
        if one.state == "acknowledged":
            return False
        one.acked_by = actor
        if one.state == "returned":
            self._end(name, rule, "acknowledged")
        else:
            one.state = "acknowledged"
            self._await_re_alarm(rule, one)
        return True

    def reset(self, name: str, rule: str) -> bool:
        one = self.things[name].live[rule]
        if not one.gone:
            return False
        self._clear(name, rule, one)
        return True

    def comment(self, name: str, rule: str) -> bool:
        self.things[name].live[rule].comments += 1
        return True

    def assign(self, name: str, rule: str, assignee: str, *, seen: bool) -> bool:
        one = self.things[name].live[rule]
        if one.assignee == assignee or (one.assignee is not None and not seen):
            return False
        one.assignee = assignee
        return True

    def shelve(self, name: str, rule: str, until: int | None, *, one_shot: bool) -> bool:
        thing = self.things[name]
        if until is None and one_shot:
            until = self.now + LONGEST_SHELF
        allowed = until is not None and self.now < until <= self.now + LONGEST_SHELF
        if rule == LIFE_SAFETY or rule in thing.shelves or until is None or not allowed:
            return False
        thing.shelves[rule] = (until, one_shot)
        self._review(name, rule)
        return True

    def unshelve(self, name: str, rule: str, actor: str) -> bool:
        if rule not in self.things[name].shelves:
            return False
        del self.things[name].shelves[rule]
        self._review(name, rule, by_hand=actor)
        return True

    def take_out(self, name: str, rule: str, actor: str, until: int | None) -> bool:
        thing, covered = self.things[name], RULES if rule == "" else (rule,)
        standing = thing.outages.get(rule)
        if standing is None:
            alone = LIFE_SAFETY not in covered
            thing.outages[rule] = Outage(actor, self.now, until, confirmed=alone)
        elif standing.confirmed or standing.by == actor:
            return False
        elif until is not None and (standing.until is None or standing.until > until):
            return False  # more than this person would have asked for
        else:
            standing.confirmed = True
        for one in covered:
            self._review(name, one)
        return True

    def put_back(self, name: str, rule: str) -> bool:
        if rule not in self.things[name].outages:
            return False
        self._put_back(name, rule)
        return True

    def _put_back(self, name: str, key: str) -> None:
        del self.things[name].outages[key]
        for rule in RULES if key == "" else (key,):
            self._review(name, rule)

    def tune(self, name: str, high: float) -> bool:
        thing = self.things[name]
        if thing.high == high:
            return False
        thing.high = high
        self._judge(name)
        return True

    def cancel(self, name: str, rule: str) -> bool:
        return self.things[name].orders.pop(rule, None) is not None
