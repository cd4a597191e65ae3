"""The engine's desk: the state, what is in force, the time and the effects of the step being worked on.

The machines beside it (levels, alerts, work orders, observing) are functions over a desk. Only they and the engine
change what lies on it.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from gateway.core import tags
from gateway.core.conditions import Moment
from gateway.core.effects import Effects, Outcome
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.routes import Coverage
from gateway.core.patrol.whereabouts import Whereabouts
from gateway.core.places import Checkpoint
from gateway.core.plan import Device, Kind, Maintenance, SitePlan
from gateway.core.program import Program
from gateway.core.state import Alert, DeviceState, State
from gateway.core.timers import Timer, Timers
from gateway.core.values import Json, Millis, Series, TelemetryRow

NOTHING: Mapping[str, Json] = MappingProxyType({})


class Desk:
    """State, plan, timers and the effects collected so far."""

    def __init__(self, plan: SitePlan, state: State) -> None:
        self.plan = plan
        self.state = state
        self.timers = Timers()
        self.effects = Effects()
        self.moment = Moment(self._arm, self._touch, state.scalars)
        self.owner = ""
        """The device under evaluation, for timers that conditions ask for."""
        self.looks: dict[tuple[str, str], Millis] = {}
        """When each silence of a device is looked at next; a timer with another due time is stale."""
        self.meant: dict[tuple[str, str], Millis] = {}
        """When the one timer of a purpose and owner is due; one with another due time is stale."""
        self.patrol = Whereabouts()
        """Where the live rounds are to be found."""
        self.waiting: dict[str, dict[str, None]] = {}
        """Devices that seem silent while it is open whether the one they are heard through lives, by that one."""
        self._programs: dict[int, tuple[Kind, Program]] = {}
        self._known: dict[str, tuple[Device, DeviceState, Program]] = {}
        self.moment.now = state.scalars.now
        self.adopt(plan)

    def _arm(self, due: Millis, key: str) -> None:
        self.timers.add(Timer(due, self.owner, "wake", key))

    def _touch(self) -> None:
        self.effects.devices.add(self.owner)

    def adopt(self, plan: SitePlan) -> None:
        """Put another plan in force; compiled programs of the old one are forgotten."""
        self.plan = plan
        self.moment.grace = plan.boot_grace
        self._programs.clear()
        self._known.clear()
        self.assets = tags.assets(plan)
        """The device that each tag is on."""
        self.tags, self.codes = tags.index(plan), tags.codes(plan)
        """The checkpoints of each tag, with their times, and that of each code on a label."""
        self.maintenance: dict[str, tuple[Maintenance, ...]] = {}
        """The windows that may cover a device."""
        for window in plan.maintenance:
            for name in window.devices:
                self.maintenance[name] = (*self.maintenance.get(name, ()), window)
        self.covering: dict[str, tuple[Coverage, ...]] = {}
        """The coverage rules of each checkpoint."""
        for rule in plan.patrol.coverage.values():
            for name in rule.checkpoints:
                self.covering[name] = (*self.covering.get(name, ()), rule)
        self.readers = frozenset(name for route in plan.routes.values() for name in route.readers)
        """The hand-held readers that rounds are walked with."""
        self.tap_series = {
            (name, word): _tap_series(plan, one, word)
            for name, one in plan.checkpoints.items()
            for word in ("judged", "rejudged")
        }
        """Where the taps at each checkpoint are written, by what happened to them."""
        self.behind: dict[str, list[str]] = {}
        """The devices that are heard through another one, by that one."""
        for name, device in plan.devices.items():
            if device.via is not None:
                self.behind.setdefault(device.via, []).append(name)

    def tune(self, *devices: Device) -> None:
        """Put devices with other parameters in force."""
        tuned = {device.id: device for device in devices}
        self.plan = replace(self.plan, devices={**self.plan.devices, **tuned})
        self._known.clear()

    def await_once(self, due: Millis | None, owner: str, purpose: str) -> None:
        """Ask for the one wake-up of this purpose and owner; an earlier one is not meant any more."""
        if due is None:
            self.meant.pop((purpose, owner), None)
            return
        self.meant[purpose, owner] = due
        self.timers.add(Timer(due, owner, purpose, ""))

    def is_meant(self, timer: Timer) -> bool:
        """Whether this is the timer last asked for by :meth:`await_once`."""
        return self.meant.get((timer.purpose, timer.owner)) == timer.due

    def distance(self, one: str, other: str) -> Millis:
        """The shortest time a person needs between two checkpoints."""
        patrol = self.plan.patrol
        if not patrol.distances:
            return patrol.least
        return max(patrol.least, patrol.distances.get(frozenset((one, other)), 0))

    def is_awaited(self, owner: str, purpose: str) -> bool:
        """Whether a wake-up of this purpose and owner is to come."""
        return (purpose, owner) in self.meant

    def front(self, name: str) -> DeviceState | None:
        """The state of a device that others are heard through, where a rule watches over its silence."""
        device = self.plan.devices.get(name)
        if device is None or not self.program(device.kind).watches_itself:
            return None
        return self.device(name)[1]

    def live_alert(self, dev: DeviceState, rule: str) -> Alert | None:
        """The alert of a rule on a device that has not ended."""
        return self.state.alerts.get(dev.alerts.get(rule, ""))

    def program(self, kind: Kind) -> Program:
        """The kind's program, compiled at its first use."""
        found = self._programs.get(id(kind))
        if found is None:
            found = (kind, Program(kind))  # the kind is kept so that its identity cannot be taken by another
            self._programs[id(kind)] = found
        return found[1]

    def device(self, name: str) -> tuple[Device, DeviceState]:
        """A device of the plan with its state, which begins to exist here."""
        state = self.state.devices.get(name)
        if state is None:
            state = self.state.devices[name] = DeviceState()
        return self.plan.devices[name], state

    def known(self, name: str) -> tuple[Device, DeviceState, Program]:
        """A device of the plan with its state and its program; looked up once, since every message asks for it."""
        found = self._known.get(name)
        if found is None:
            device, dev = self.device(name)
            found = self._known[name] = (device, dev, self.program(device.kind))
        return found

    def touch_alert(self, alert: Alert) -> None:
        """The alert changed: give it a new version and have it committed."""
        alert.version += 1
        self.effects.alerts[alert.id] = alert

    def touch_order(self, order: WorkOrder) -> None:
        """The work order changed: give it a new version and have it committed."""
        order.version += 1
        self.effects.orders[order.id] = order

    def touch_patrol(self, kind: str, key: str) -> None:
        """Something remembered of patrol changed: have it committed."""
        self.effects.patrol.add((kind, key))

    def touch_device(self, dev: DeviceState, name: str) -> None:
        """A person did something to the device itself: give it a new version and have it committed."""
        dev.version += 1
        self.effects.devices.add(name)

    def report(
        self,
        kind: str,
        *,
        subject: Alert | WorkOrder | None = None,
        device: str | None = None,
        rule: str | None = None,
        actor: str | None = None,
        about: str | None = None,
        cause: Mapping[str, Json] = NOTHING,
        **detail: Json,
    ) -> None:
        """Something happened: it goes into the history, the live feed and the telemetry store.

        ``about`` is the id of a record that is neither alert nor work order: a tap, a round.
        """
        now = self.moment.now
        level = None
        if subject is not None:
            device, rule = subject.device, subject.rule
            level = None if subject.level is None else subject.level.label
        name = about if subject is None else subject.id
        outcome = Outcome(now, kind, device, name, rule, level, actor, {**cause, **detail})
        self.effects.outcomes.append(outcome)
        if subject is not None:
            self._record(outcome, subject)

    def _record(self, outcome: Outcome, subject: Alert | WorkOrder) -> None:
        """Write the transition as telemetry, so that a dashboard needs nothing but the telemetry store."""
        measurement, transition = outcome.kind.split(".", 1)
        place = self.plan.devices.get(outcome.device or "")
        tags = dict(place.series.tags) if place is not None else {"site": self.plan.site}
        if outcome.rule is not None:
            tags["rule"] = outcome.rule
        tags["transition"] = transition
        series = Series(f"{measurement}_event", tuple(sorted(tags.items())))
        fields: dict[str, bool | int | float | str] = {"id": subject.id, "state": str(subject.state)}
        if outcome.level is not None:
            fields["level"] = outcome.level
        if isinstance(subject, Alert) and subject.suppressed is not None:
            fields["suppressed"] = subject.suppressed
        self.effects.rows.append(TelemetryRow(series, outcome.at, fields))


def _tap_series(plan: SitePlan, one: Checkpoint, transition: str) -> Series:
    tags = {
        "site": plan.site,
        "checkpoint": one.id,
        "building": one.building,
        "floor": one.floor,
        "transition": transition,
    }
    return Series("patrol_tap", tuple(sorted((name, value) for name, value in tags.items() if value)))
