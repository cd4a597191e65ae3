"""A facility's story told in YAML: inputs at times, and what must come of each, word for word.

A file holds a ``profile`` (as in ``device_profiles/``, without name), optionally a ``site``, and ``stories``. Each step
of a story has ``at`` (since the start), at most one input, and what is expected then:

- ``telemetry: {temp: 81}`` / ``event: {type: trip, …}`` / ``status: online``, with ``ago: 10s`` for an older device time,
  ``retained: true``, and ``device`` where it is not ``d1``
- ``started: 2m`` (the gateway was last alive 2 min before), ``link: lost`` / ``link: up``
- ``do: alert.ack``, ``of: hot`` (the rule whose newest alert or order is meant) or ``id`` (``first`` … for the orders of a
  story; in ``alerts:`` for its alerts), ``by: anna``, ``with: {…}``, ``seen: 1`` for the version the person saw
- ``rejected: out_of_range`` with ``times``
- ``telemetry`` with ``every: 10s``, ``until: 5m`` and ``rise: {starts: 4}``: a run of reports, the points rising each time
- ``tap: {tag: 04…, guard: g-07, id: t1}`` by the reader in ``device`` or a ``phone: p1``; see :mod:`tests.scenarios.taps`
- ``configure: {profile: {…}, site: {…}}``: laid over what was in force; null removes
- ``then``: every outcome since the step before, as ``kind rule/level key=value … @time``; the time only where it differs
  from the step's; null passes over them; ``alert`` / ``order``: fields of the newest record of the rule in ``of``;
  ``state``: fields of what is remembered of the device; ``reply``: fields of the answer
- ``rounds``: every round of patrol in a line; ``judged``: taps by their id; ``places``: what is wrong at checkpoints

A story that has a ``begin``, a local time, may give ``at`` as local times too; others pass over how taps were judged.
Stories of patrol name the ``rule`` they tell, by its number or word in :mod:`tests.scenarios.test_patrol_rules`.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import yaml

from gateway.core.effects import Outcome
from gateway.core.engine import Engine
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
    Telemetry,
    Tick,
)
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.plan import SitePlan
from gateway.core.state import Alert, Reply, State
from gateway.core.values import Millis, show_duration
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles
from gateway.site.fields import duration
from tests.scenarios import taps
from tests.scenarios.clock import Clock

START: Millis = 1_790_000_000_000
PROFILE = {"profile": "thing", "report_every": "10s"}
SITE = {
    "site": "mill",
    "timezone": "Europe/Berlin",
    "profiles": ["thing.yaml"],
    "settings": {"boot_grace": "2m"},
    "devices": [{"id": "d1", "profile": "thing"}],
}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
"""What a story calls alerts and orders, by their beginning."""
TOLD = (
    "count",
    "was",
    "alert",
    "clock",
    "share",
    "step",
    "reason",
    "why",
    "point",
    "value",
    "limit",
    "event",
    "how",
    "name",
    "suppressed",
    "transitions",
    "hidden",
    "late",
    "counted",
    "targets",
    "alerts",
    "preventive",
    "item",
    "due",
    "predecessor",
    "more",
)
"""Details of an outcome that a story repeats, in this order."""
OF_PATROL = (
    "result",
    "on_time",
    "early",
    "late",
    "late_upload",
    "made_up",
    "skipped",
    "missed",
    "unknown",
    "extra",
    "why",
    "to",
    "was",
    "guard",
    "tag",
    "epoch",
    "decision",
)
"""The same of rounds, tags, guards and posts."""


def laid_over(base: Any, change: Any) -> Any:  # noqa: ANN401 - YAML is untyped
    """A mapping with another laid over it; null removes."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return copy.deepcopy(change)
    merged = {**base, **{key: laid_over(base.get(key), value) for key, value in change.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def plan_from(profile: dict[str, Any], site: dict[str, Any]) -> SitePlan:
    """The plan these mean when they are written as files."""
    texts = {"site.yaml": laid_over(SITE, site), "thing.yaml": laid_over(PROFILE, profile)}
    written = {name: yaml.safe_dump(text) for name, text in texts.items()}
    return build_plan(SiteBundle("site.yaml", {**internal_profiles(), **written}))


class Telling:
    """One way through a story.

    Args:
        tell: what the engine goes through before each step, up to the last moment it is alive, to show that it
            changes nothing: further ticks, say.
    """

    def __init__(
        self,
        profile: dict[str, Any],
        site: dict[str, Any],
        tell: Callable[["Telling", Millis], None],
        begin: str | None = None,
    ) -> None:
        self._profile, self._site, self._tell = profile, site, tell
        self.engine = Engine(plan_from(profile, site), State())
        self.clock = Clock(self.engine.plan.timezone, begin, START)
        self.now = self.clock.start
        self.taps: dict[str, TapRecord] = {}
        """By the id the client gave."""
        self.rounds: dict[str, Round] = {}
        self.outcomes: list[Outcome] = []
        self.replies: list[Reply] = []
        self._alerts: dict[str, Alert] = {}
        self._orders: dict[str, WorkOrder] = {}
        self._names: dict[Any, str] = {}
        self._kinds: dict[str, str] = {}
        self.feed(Started(self.now, None))
        self.feed(LinkUp(self.now))
        self.outcomes.clear()

    def feed(self, *inputs: Input) -> None:
        """Let the engine handle a batch."""
        effects = self.engine.step(inputs)
        self.outcomes.extend(effects.outcomes)
        self.replies.extend(effects.replies)
        self.taps |= {record.key: record for record in effects.taps.values()}
        self.rounds |= effects.rounds
        self._alerts |= {alert.rule: alert for alert in effects.alerts.values()}
        self._orders |= {order.rule or "by hand": order for order in effects.orders.values()}
        for kind, known in (("alert", effects.alerts), ("order", effects.orders)):
            for name in [one for one in known if one not in self._names]:
                self._names[name] = ORDINALS[[*self._kinds.values()].count(kind)]
                self._kinds[name] = kind

    def play(self, steps: Sequence[dict[str, Any]]) -> Iterator[tuple[str, object, object]]:
        """Each expectation of the story: where it stands, what is expected, what was found."""
        for number, given in enumerate(steps, 1):
            step = dict(given)
            at = self.clock.read(str(step.pop("at")), self.now)
            where = f"step {number}, at {self.clock.show(at)}"
            self._tell(self, at - duration(step.get("started", "0s")))
            self.now = at
            expected: dict[str, Any] = {
                key: step.pop(key)
                for key in ("then", "alert", "order", "state", "reply", *taps.EXPECTED)
                if key in step
            }
            rule, device = step.get("of"), step.get("device", "d1")
            self.feed(*self._inputs(step, at))
            yield from self._compare(where, expected, rule, device)

    def _compare(
        self, where: str, expected: dict[str, Any], rule: str | None, device: str
    ) -> Iterator[tuple[str, object, object]]:
        if "then" in expected:
            if expected["then"] is not None:
                told = [one for one in self.outcomes if self.clock.local or one.kind != "tap.judged"]
                yield f"{where}, outcomes", expected["then"], [self._words(one) for one in told]
            self.outcomes.clear()
        for name, kept in (("alert", self._alerts), ("order", self._orders)):
            if name in expected:
                record = kept[rule or next(iter(kept))]
                yield f"{where}, {name}", expected[name], self._part(_plain(record), expected[name])
        if "state" in expected:
            remembered = self.engine.state.devices[device]
            yield f"{where}, state", expected["state"], self._part(_plain(remembered), expected["state"])
        if "reply" in expected:
            found = _plain(self.replies[-1])
            yield f"{where}, reply", expected["reply"], self._part(found, expected["reply"])
        for name in taps.EXPECTED:
            if name in expected:
                yield f"{where}, {name}", expected[name], taps.found(self, name, expected[name])

    def _part(self, record: Any, wanted: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - as read from a record
        """The wanted fields of a record; times as the story writes them."""
        return {key: self._value(record.get(key), value) for key, value in wanted.items()}

    def _value(self, found: Any, wanted: Any) -> Any:  # noqa: ANN401
        if isinstance(wanted, dict) and isinstance(found, dict):
            return self._part(found, wanted)
        if isinstance(wanted, str) and isinstance(found, int) and not isinstance(found, bool):
            return self.clock.show(found) if found >= START - 10**11 else show_duration(found)
        return found

    def _words(self, one: Outcome) -> str:
        level = f"{one.rule}/{one.level}" if one.rule and one.level else ""
        named = one.device if one.device != "d1" else ""
        names = OF_PATROL if one.kind.partition(".")[0] in ("round", "tag", "guard", "duty", "tap") else TOLD
        detail = [
            f"{key}={self._named(value)}" for key in names if (value := one.detail.get(key)) not in (None, [])
        ]
        by = f"by={one.actor}" if one.actor else ""
        time = "" if one.at == self.now else f"@{self.clock.show(one.at)}"
        if one.kind.startswith("tap.") and one.kind != "tap.reviewed":
            return " ".join(word for word in (taps.words(self, one), time) if word)
        return " ".join(word for word in (one.kind, named, level, *detail, by, time) if word)

    def _named(self, value: Any) -> str:  # noqa: ANN401 - any detail of an outcome
        """A detail as a story shows it: records by their ordinals, lists with commas."""
        if isinstance(value, list):
            return ",".join(self._named(one) for one in value)
        return self._names.get(str(value)) or _shown(value)

    def _inputs(self, step: dict[str, Any], at: Millis) -> list[Input]:
        device = step.pop("device", "d1")
        if "every" in step:
            return self._run(step, at, device)
        if "tap" in step or "taps" in step:
            return [*taps.inputs(step, at, device, len(self.replies), self.engine.plan.site)]
        ts = at - (duration(step.pop("ago")) if "ago" in step else 0)
        retained = step.pop("retained", False)
        match step:
            case {"telemetry": dict(values)}:
                return [Telemetry(at, device, ts, values, retained)]
            case {"event": dict(body)}:
                body = dict(body)
                name, key = body.pop("type"), body.pop("id", None)
                keys = [f"e{index}" for index in range(step["times"])] if "times" in step else [key]
                return [Event(at, device, ts, one or f"{name}@{ts}", name, body, retained) for one in keys]
            case {"status": word}:
                return [Status(at, device, {"online": True, "offline": False}[word], retained)]
            case {"started": ago}:
                return [Started(at, at - duration(ago))]
            case {"link": "lost"}:
                return [LinkLost(at, "the broker is gone")]
            case {"link": "up"}:
                return [LinkUp(at)]
            case {"rejected": reason}:
                one = Rejection(at, device or None, "a/topic", reason, "what was found", b"raw")
                return [one] * step.get("times", 1)
            case {"configure": change}:
                self._profile = laid_over(self._profile, change.get("profile", {}))
                self._site = laid_over(self._site, change.get("site", {}))
                return [Configured(at, plan_from(self._profile, self._site))]
            case {"do": verb}:
                self.feed(Tick(at))  # so that the record is there which comes of time alone
                return [self._command(verb, step, at, device)]
            case _ if not set(step) - {"of"}:
                return [Tick(at)]
            case _:
                raise ValueError(f"no such step: {step}")

    def _called(self, word: Any, kind: str = "order") -> Any:  # noqa: ANN401 - any argument may pass through
        """The id of the first, second or third order or alert; anything else as it is."""
        if isinstance(word, list):
            return [self._called(one, kind) for one in word]
        if word not in ORDINALS:
            return word
        return next(name for name, given in self._names.items() if (given, self._kinds[name]) == (word, kind))

    def _run(self, step: dict[str, Any], at: Millis, device: str) -> list[Input]:
        last = self.now = self.clock.read(str(step["until"]), at)
        times = range(at, last + 1, duration(step["every"]))
        rises = step.get("rise", {})
        return [
            Telemetry(
                when,
                device,
                when,
                {name: value + rises.get(name, 0) * index for name, value in step["telemetry"].items()},
            )
            for index, when in enumerate(times)
        ]

    def _command(self, verb: str, step: dict[str, Any], at: Millis, device: str) -> Command:
        kept: dict[str, Any] = {**(self._alerts if verb.startswith("alert.") else self._orders)}
        if "id" in step:
            target = self._called(step["id"])
        elif verb.startswith("device."):
            target = device
        elif verb.partition(".")[0] in ("tap", "round", "guard", "duty", "tag", "source"):
            target = taps.target(self, str(step.get("of", "")))
        else:
            target = kept[step["of"]].id if "of" in step else ""
        args = {
            key: at + duration(value[4:])
            if isinstance(value, str) and value.startswith("now+")
            else at - duration(value[4:])
            if isinstance(value, str) and value.startswith("now-")
            else self._called(value, "alert" if key == "alerts" else "order")
            for key, value in step.get("with", {}).items()
        }
        name = step.get("command", f"c{len(self.replies)}")
        return Command(
            at=at,
            id=name,
            actor=step.get("by", "anna"),
            verb=verb,
            target=target,
            args=args,
            expect=step.get("seen"),
        )


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A record as plain values, defaults included."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return msgspec.to_builtins([_plain(one) for one in value] if isinstance(value, list) else value)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- further ways to tell the same story -----------------------------------------------------------------------


def plainly(_telling: Telling, _at: Millis) -> None:
    """Nothing but the steps."""


def with_ticks(telling: Telling, at: Millis) -> None:
    """The clock ticks seven times between one step and the next."""
    gap = at - telling.now
    for part in range(1, 8):
        telling.feed(Tick(telling.now + gap * part // 8))


def from_memory(telling: Telling, _at: Millis) -> None:
    """Before each step the state goes to bytes and back into a new engine."""
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(telling.engine.state), type=State)
    telling.engine = Engine(telling.engine.plan, state)
