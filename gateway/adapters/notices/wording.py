"""Notices in a person's words, in the language of whoever is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.adapters.sql.notices import Delivery, Subjects
from gateway.core.effects import Outcome
from gateway.core.order_state import WorkOrder
from gateway.core.plan import Device, Rule, SitePlan
from gateway.core.state import Alert, AlertState
from gateway.core.values import MINUTE, Level, Millis, Scalar, Title

NAMED: Final = 10
"""Alerts named one by one in a notice; the others are counted."""
SYMBOLS: Final[Mapping[str, str]] = {
    "Cel": "°C",
    "Ohm": "Ω",
    "m3": "m³",
    "m2": "m²",
    "m3/h": "m³/h",
    "deg": "°",
}
"""How units are written where UCUM's own code is not what people read."""

LEVELS: Final = {
    Level.INFO: Title("INFO", "提示"),
    Level.WARNING: Title("WARNING", "警告"),
    Level.CRITICAL: Title("CRITICAL", "紧急"),
}
PRIORITIES: Final = {
    "emergency": Title("EMERGENCY", "应急"),
    "high": Title("HIGH", "高"),
    "normal": Title("NORMAL", "普通"),
    "low": Title("LOW", "低"),
}
REASONS: Final = {
    "repeat": Title("Still not acknowledged", "仍未确认"),
    "escalation": Title("Nobody has acknowledged this yet", "尚无人确认"),
    "risen": Title("It has become worse", "级别升高"),
    "opened": Title("New work order", "新工单"),
    "breached": Title("A promised time has passed", "已超过承诺时限"),
    "not_accepted": Title("Not accepted in time, to be assigned again", "未及时接单，需重新派单"),
}
DEVICES: Final = Title("{} devices", "{} 台设备")
MORE: Final = Title("and {} more", "另有 {} 条")
VALUE: Final = Title("{}: {}, limit {}", "{}：{}，限值 {}")
PLAIN_VALUE: Final = Title("{}: {}", "{}：{}")
SINCE: Final = Title("Since {}", "开始于 {}")
HAPPENED: Final = Title("It happened at {}; word of it came late", "发生于 {}，消息迟到")
SEEN: Final = Title("Acknowledged by {} in the meantime", "其间已由 {} 确认")
OVER: Final = Title("Over since {}", "已于 {} 恢复")
CHATTERS: Final = Title(
    "It comes and goes; it is not told again until it is calm", "反复波动，平稳前不再通知"
)
HEADING: Final = Title("{}: {}", "{}：{}")
TEAM: Final = Title("Team: {}", "班组：{}")
LATE: Final = Title("{} notices could not be delivered before", "{} 条通知此前未能送达")
LATE_TIMES: Final = Title("From {} to {}", "自 {} 至 {}")
LATE_OPEN: Final = Title("Still open:", "目前仍未结束：")
LATE_NOTHING: Final = Title("Nothing of it is open any more.", "相关报警和工单均已结束。")


class Message(NamedTuple):
    """What one target reads."""

    title: str
    body: str
    level: Level


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one reader.

    Args:
        plan: the site in force.
        language: ``en`` or ``zh``.
        public_url: where the gateway is reached from outside; None for messages without links.
    """

    plan: SitePlan
    language: str
    public_url: str | None = None

    def notice(self, delivery: Delivery, subjects: Subjects) -> Message:
        """One notice."""
        one = delivery.notice
        if "order" in one.detail:
            return self._order(one, subjects.orders.get(one.detail["order"]))
        names: list[str] = one.detail["alerts"]
        alerts = [subjects.alerts[name] for name in names if name in subjects.alerts]
        return self._alerts(one, alerts)

    def late(self, deliveries: Sequence[Delivery], subjects: Subjects) -> Message:
        """Many notices that come late: how many, from when to when, and what of it still matters."""
        times = [delivery.at for delivery in deliveries]
        alerts = [alert for alert in subjects.alerts.values() if alert.state is not AlertState.NORMAL]
        orders = [order for order in subjects.orders.values() if order.closed_why is None]
        open_ones = [
            self._heading(alert) for alert in sorted(alerts, key=lambda alert: (-alert.level, alert.id))
        ]
        open_ones += [self._order_heading(order) for order in orders]
        lines = [self._say(LATE_TIMES, self._time(min(times)), self._time(max(times)))]
        lines += self._listed(LATE_OPEN, open_ones) if open_ones else [self._say(LATE_NOTHING)]
        worst = max((alert.level for alert in alerts), default=Level.INFO)
        title = self._say(LATE, len(deliveries))
        return Message(f"{self._of(self.plan.title)} · {title}", "\n".join(lines), worst)

    # --- alerts ------------------------------------------------------------------------------------------------

    def _alerts(self, one: Outcome, alerts: Sequence[Alert]) -> Message:
        level = max((alert.level for alert in alerts), default=Level.WARNING)
        lines = [self._of(REASONS[one.detail["why"]])] if one.detail["why"] in REASONS else []
        if len(alerts) == 1:
            title = self._heading(alerts[0])
            lines += self._about(alerts[0])
        else:
            rule = next((rule for alert in alerts if (rule := self._rule(alert)) is not None), None)
            named = self._of(rule.title) if rule is not None else str(one.rule or "")
            count = self._say(DEVICES, len({alert.device for alert in alerts}))
            title = f"[{self._of(LEVELS[level])}] {self._say(HEADING, named, count)}"
            lines += self._listed(None, [self._in_short(alert) for alert in alerts])
            lines += self._runbook(rule)
        return Message(title, "\n".join(lines), level)

    def _heading(self, alert: Alert) -> str:
        rule, device = self._rule(alert), self.plan.devices.get(alert.device)
        named = self._of(rule.title) if rule is not None else alert.rule
        where = self._device(alert.device, device)
        return f"[{self._of(LEVELS[alert.level])}] {self._say(HEADING, named, where)}"

    def _about(self, alert: Alert) -> list[str]:
        lines = [*self._measured(alert), self._say(SINCE, self._time(alert.raised_at))]
        if alert.cause.event is not None and alert.cause.ts < alert.raised_at - MINUTE:
            lines.append(self._say(HAPPENED, self._time(alert.cause.ts)))
        lines += self._standing(alert)
        lines += self._runbook(self._rule(alert))
        if self.public_url:
            lines.append(f"{self.public_url.rstrip('/')}/api/v1/alerts/{alert.id}")
        return lines

    def _in_short(self, alert: Alert) -> str:
        where = self._device(alert.device, self.plan.devices.get(alert.device))
        return " · ".join(
            [where, *self._measured(alert), self._time(alert.raised_at), *self._standing(alert)]
        )

    def _standing(self, alert: Alert) -> list[str]:
        """What has changed since it was to be told."""
        lines = [self._of(CHATTERS)] if alert.chattering else []
        if alert.state is not AlertState.UNACKNOWLEDGED and alert.acked_by is not None:
            lines.append(self._say(SEEN, alert.acked_by))
        if alert.cleared_at is not None:
            lines.append(self._say(OVER, self._time(alert.cleared_at)))
        return lines

    def _measured(self, alert: Alert) -> list[str]:
        """What was true when it was raised; never personal data."""
        cause, device = alert.cause, self.plan.devices.get(alert.device)
        if cause.point is not None and cause.value is not None:
            point = device.kind.points.get(cause.point) if device is not None else None
            named = self._of(point.title) if point is not None else cause.point
            value = self._value(cause.value, cause.unit)
            if cause.limit is None:
                return [self._say(PLAIN_VALUE, named, value)]
            return [self._say(VALUE, named, value, self._value(cause.limit, cause.unit))]
        event = device.kind.events.get(cause.event or "") if device is not None else None
        if event is None:
            return []
        public = [
            f"{name} {value}"
            for name, value in cause.attributes.items()
            if name in event.attributes and not event.attributes[name].personal
        ]
        return [" · ".join([self._of(event.title), *public])]

    def _runbook(self, rule: Rule | None) -> list[str]:
        if rule is None or rule.runbook is None:
            return []
        return self._of(rule.runbook).strip().splitlines()[:1]

    def _rule(self, alert: Alert) -> Rule | None:
        device = self.plan.devices.get(alert.device)
        return None if device is None else device.kind.rules.get(alert.rule)

    # --- work orders -------------------------------------------------------------------------------------------

    def _order(self, one: Outcome, order: WorkOrder | None) -> Message:
        reason = (
            self._of(REASONS[one.detail["why"]]) if one.detail["why"] in REASONS else str(one.detail["why"])
        )
        if order is None:
            return Message(reason, str(one.detail["order"]), Level.WARNING)
        lines = [reason, self._say(SINCE, self._time(order.reported_at))]
        team = self.plan.teams.get(order.team or "")
        lines += [self._say(TEAM, self._of(team.title))] if team is not None else []
        if self.public_url:
            lines.append(f"{self.public_url.rstrip('/')}/api/v1/work-orders/{order.id}")
        grave = order.priority == "emergency" or one.detail["why"] == "breached"
        return Message(
            self._order_heading(order), "\n".join(lines), Level.CRITICAL if grave else Level.WARNING
        )

    def _order_heading(self, order: WorkOrder) -> str:
        named = order.title.get(self.language) or order.title.get("en") or order.template
        if order.device is not None:
            named = self._say(HEADING, named, self._device(order.device, self.plan.devices.get(order.device)))
        priority = PRIORITIES.get(order.priority)
        return f"[{order.priority if priority is None else self._of(priority)}] {named}"

    # --- words -------------------------------------------------------------------------------------------------

    def _device(self, name: str, device: Device | None) -> str:
        """Its title and where it is."""
        if device is None:
            return name
        places: list[str] = []
        building = self.plan.buildings.get(device.building or "")
        if building is not None:
            places.append(self._of(building.title))
            floor = building.floors.get(device.floor or "")
            places += [self._of(floor.title)] if floor is not None else []
        places += [device.place] if device.place else []
        where = f" ({', '.join(places)})" if places else ""
        return self._of(device.title) + where

    def _listed(self, heading: Title | None, items: Sequence[str]) -> list[str]:
        lines = [self._of(heading)] if heading is not None else []
        lines += [f"- {item}" for item in items[:NAMED]]
        return lines + ([self._say(MORE, len(items) - NAMED)] if len(items) > NAMED else [])

    def _value(self, value: Scalar, unit: str) -> str:
        shown = (
            f"{value:.6g}"
            if isinstance(value, float)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        symbol = SYMBOLS.get(unit, "" if unit.startswith("{") else unit)
        return f"{shown} {symbol}".rstrip()

    def _time(self, at: Millis) -> str:
        """In the site's own time."""
        return datetime.fromtimestamp(at / 1000, ZoneInfo(self.plan.timezone)).strftime("%Y-%m-%d %H:%M")

    def _say(self, words: Title, *values: object) -> str:
        return self._of(words).format(*values)

    def _of(self, title: Title) -> str:
        return title.zh if self.language == "zh" else title.en
