"""The demo's screen: what the gateway is doing right now, drawn with rich."""

import datetime as dt
from collections import Counter, deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.cli.patrol_board import PatrolBoard
from api.cli.words import WORDS, Language, word
from gateway.core.effects import Outcome
from gateway.core.patrol.flags import FLAGS
from gateway.core.values import Millis, Title
from gateway.feed import Published
from gateway.gateway import Gateway
from gateway.site.zones import zone

STYLES = {"critical": "bold white on red", "warning": "black on yellow", "info": "cyan"}
LEVELS = tuple(STYLES)
UNITS = {"Cel": "°C"}
"""As people write them, where UCUM does otherwise."""
LATEST = 12
"""Lines of history on the screen."""
NOW = 10
"""Alerts on the screen."""
CHANGED = "round.changed"


class Board:
    """Follows the feed and draws."""

    def __init__(self, gateway: Gateway, address: str, language: Language) -> None:
        self._gateway, self._address, self._language = gateway, address, language
        self._zone = zone(gateway.plan.timezone)
        self._latest: deque[Outcome] = deque(maxlen=LATEST)
        self._live: dict[str, Outcome] = {}
        self.patrol = PatrolBoard(gateway.plan, language)
        self.kinds: Counter[str] = Counter()
        """Alerts by device kind."""
        self.alerts = 0
        self.orders = 0

    def follow(self, batch: Published) -> list[str]:
        """Take in what was committed; returns a line for each thing worth telling."""
        lines: list[str] = []
        last = {one.subject: one for one in batch.outcomes if one.kind == CHANGED}
        for outcome in batch.outcomes:
            self._count(outcome)
            self.patrol.follow(outcome)
            if outcome.kind == CHANGED and last[outcome.subject] is not outcome:
                continue  # an upload of many taps changes a round with each
            if outcome.kind in WORDS and self.patrol.is_worth_a_line(outcome) and not self._is_over(outcome):
                self._latest.append(outcome)
                lines.append("  ".join(self._cells(outcome)).rstrip())
        return lines

    def _count(self, outcome: Outcome) -> None:
        if outcome.kind == "alert.raised":
            self.alerts += 1
            self.kinds[self._profile(outcome.device)] += 1
        if outcome.kind == "work_order.opened":
            self.orders += 1
        if outcome.subject and outcome.kind.startswith("alert."):
            if outcome.kind == "alert.ended" or (
                outcome.kind == "alert.cleared" and not self._is_over(outcome)
            ):
                self._live.pop(outcome.subject, None)
            elif outcome.kind in ("alert.raised", "alert.raised_again", "alert.risen"):
                self._live[outcome.subject] = outcome

    def _is_over(self, outcome: Outcome) -> bool:
        """Whether an alert goes in the moment it came, as what only happens does; it waits for a person all the same."""
        raised = self._live.get(outcome.subject or "")
        return outcome.kind == "alert.cleared" and raised is not None and raised.at == outcome.at

    def draw(self) -> RenderableType:
        """The whole screen."""
        return Group(self._head(), self._figures(), self.patrol.draw(), self._now(), self._history())

    def counts(self) -> list[tuple[str, int]]:
        """The figures of the summary, with their words."""
        meters = self._gateway.meters()
        figures = {
            "received": int(meters["messages_received"]),
            "stored": int(meters["readings_stored"]),
            "alerts": self.alerts,
            "orders": self.orders,
            "refused": int(meters["rejected"]),
        }
        return [(self._word(key), number) for key, number in figures.items()]

    def summary(self) -> str:
        """What happened, in a few lines."""
        kinds = ", ".join(f"{self._kind_title(kind)} {count}" for kind, count in sorted(self.kinds.items()))
        lines = [f"{self._word('summary')}: {self._title(self._gateway.plan.title)}"]
        lines += [f"  {name:<20} {number:>8,}" for name, number in self.counts()]
        lines.append(f"  {self._word('by_kind')}: {kinds or self._word('none')}")
        lines += [f"  {line}" for line in self.patrol.summary()]
        return "\n".join(lines)

    def _head(self) -> RenderableType:
        plan = self._gateway.plan
        text = Text()
        text.append(self._title(plan.title), "bold")
        text.append(f"   {dt.datetime.now(self._zone):%Y-%m-%d %H:%M:%S} {plan.timezone}")
        text.append(f"\n{self._address}/api/v1/alerts", "underline")
        text.append(f"   {self._word('open')}   {self._word('stop')}", "dim")
        for name, health in self._gateway.health().items():
            text.append("\n✔ " if health.ok else "\n✘ ", "green" if health.ok else "bold red")
            text.append(f"{name}: {health.words}")
        return Panel(text, title="facility-gateway", title_align="left")

    def _figures(self) -> RenderableType:
        table = Table.grid(expand=True)
        for _ in self.counts():
            table.add_column(justify="center")
        table.add_row(*(Text(f"{number:,}", "bold") for _, number in self.counts()))
        table.add_row(*(Text(name, "dim") for name, _ in self.counts()))
        return table

    def _now(self) -> RenderableType:
        table = Table(title=self._word("now"), title_justify="left", expand=True)
        for key in ("since", "level", "device", "what", "value"):
            table.add_column(self._word(key), justify="right" if key == "value" else "left")
        worst = sorted(self._live.values(), key=lambda one: (LEVELS.index(one.level or "info"), -one.at))
        for outcome in worst[:NOW]:
            level = outcome.level or "info"
            table.add_row(
                self._clock(outcome.at),
                Text(f" {self._word(level)} ", STYLES[level]),
                self._device_title(outcome.device),
                self._rule_title(outcome),
                self._value(outcome),
            )
        if not self._live:
            table.add_row("", "", self._word("none"), "", "")
        return table

    def _history(self) -> RenderableType:
        table = Table(
            title=self._word("latest"), title_justify="left", expand=True, show_header=False, box=None
        )
        for outcome in reversed(self._latest):
            table.add_row(*self._cells(outcome))
        return table

    def _cells(self, outcome: Outcome) -> tuple[str, str, str, str]:
        what = self._rule_title(outcome) if outcome.rule else self._words(outcome)
        key = f"value.{outcome.detail.get('value')}"
        if outcome.rule and key in WORDS:
            what += f" ({self._word(key)})"
        return self._clock(outcome.at), self._word(outcome.kind), self._device_title(outcome.device), what

    def _words(self, outcome: Outcome) -> str:
        if outcome.kind.startswith(("round.", "tap.", "guard.", "tag.")):
            return self.patrol.words(outcome)
        return str(outcome.detail.get("words", ""))

    def _clock(self, at: Millis) -> str:
        return f"{dt.datetime.fromtimestamp(at / 1000, self._zone):%H:%M:%S}"

    def _word(self, key: str) -> str:
        return word(key, self._language)

    def _title(self, title: Title) -> str:
        return title.zh if self._language == "zh" else title.en

    def _profile(self, device: str | None) -> str:
        found = self._gateway.plan.devices.get(device or "")
        return "" if found is None else found.kind.profile

    def _kind_title(self, profile: str) -> str:
        kinds = (device.kind for device in self._gateway.plan.devices.values())
        return next((self._title(kind.title) for kind in kinds if kind.profile == profile), profile)

    def _device_title(self, device: str | None) -> str:
        found = self._gateway.plan.devices.get(device or "")
        return device or "" if found is None else self._title(found.title)

    def _rule_title(self, outcome: Outcome) -> str:
        found = self._gateway.plan.devices.get(outcome.device or "")
        rule = None if found is None else found.kind.rules.get(outcome.rule or "")
        return outcome.rule or "" if rule is None else self._title(rule.title)

    def _value(self, outcome: Outcome) -> str:
        """What raised it: the value with its unit and the limit it passed, or the event with its place."""
        detail = outcome.detail
        value, limit = detail.get("value"), detail.get("limit")
        if value is None:
            return str(detail.get("zone") or self._event_title(outcome))
        if isinstance(value, bool):
            return ""  # the rule's title says what is the case
        if f"value.{value}" in WORDS:
            return self._word(f"value.{value}")
        unit = str(detail.get("unit", ""))
        shown = f"{value} {UNITS.get(unit, unit)}".strip()
        if isinstance(value, int | float) and isinstance(limit, int | float):
            shown += f" ({'<' if value < limit else '>'} {limit:g})"
        return shown

    def _event_title(self, outcome: Outcome) -> str:
        flag = FLAGS.get(str(outcome.detail.get("reason")))
        if flag is not None:
            return self._title(flag.title)
        found = self._gateway.plan.devices.get(outcome.device or "")
        event = None if found is None else found.kind.events.get(str(outcome.detail.get("event")))
        return "" if event is None else self._title(event.title)
