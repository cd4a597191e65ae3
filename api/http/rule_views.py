"""The rules of one device as they stand on it: limits in force, where each level is, and what keeps it quiet."""

import enum

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import LimitView, TitleView, title_view
from api.http.quiet_views import (
    OutageView,
    QuietView,
    ShelfView,
    active_suppressions,
    open_windows,
    outage_of,
    outage_view,
    quiet_view,
    shelf_view,
)
from gateway.core.conditions import leaves
from gateway.core.plan import Compare, Device, LevelRule, Rule
from gateway.core.quiet import EVERY_RULE, How
from gateway.core.state import DeviceState, Phase


class Standing(enum.StrEnum):
    """Where a level stands on a device."""

    IDLE = "idle"
    PENDING = "pending"
    """Its condition is true, its ``for`` is running."""
    ACTIVE = "active"
    CLEARING = "clearing"
    """Its condition is gone, the clear delay is running."""


_PHASES = {Phase.PENDING: Standing.PENDING, Phase.ACTIVE: Standing.ACTIVE, Phase.CLEARING: Standing.CLEARING}


class BoundView(LimitView):
    """A limit of a level, with the point it is about."""

    point: str
    unit: str


class RuleLevelView(BaseModel):
    """One level of a rule on a device."""

    level: str
    state: Standing
    for_seconds: float
    work_order: str | None = Field(description="the template an order is opened from")
    limits: list[BoundView] = Field(description="in force now, after all overrides")


class ChatterView(BaseModel):
    """A rule whose alert comes and goes too often."""

    since: str
    hidden: int = Field(description="transitions that were not told since then")


class RuleStateView(BaseModel):
    """A rule of a device as it stands."""

    name: str
    title: TitleView
    latched: bool
    shelvable: bool = Field(description="false: about life safety; two people take it out of service")
    shelve_max_seconds: float
    runbook: TitleView | None
    levels: list[RuleLevelView]
    alert: str | None = Field(description="its live alert")
    suppressed: QuietView | None = Field(description="why nobody is told; null when people are")
    shelf: ShelfView | None
    outage: OutageView | None = Field(description="in force, or waiting for a second person")
    chattering: ChatterView | None
    allowed: list[str] = Field(description="what may be done now")


class RulesView(BaseModel):
    """The rules of a device. ``version`` counts what people did to the device; it is the ETag."""

    device: str
    version: int
    outage: OutageView | None = Field(description="of the whole device")
    allowed: list[str] = Field(description="what may be done to the device now")
    rules: list[RuleStateView]


class RuleChanged(RuleStateView):
    """A rule after an act on it."""

    device: str
    version: int


def rules_view(asked: Context, device: Device, dev: DeviceState | None) -> RulesView:
    """All rules of a device."""
    whole = None if dev is None else dev.outages.get(EVERY_RULE)
    in_service = whole is None
    allowed = ["out-of-service"] if in_service else ["in-service"]
    if whole is not None and whole.confirmed_at is None:
        allowed = ["in-service", "out-of-service"]
    return RulesView(
        device=device.id,
        version=0 if dev is None else dev.version,
        outage=None if whole is None else outage_view(asked, EVERY_RULE, whole),
        allowed=allowed,
        rules=[rule_state_view(asked, device, rule, dev) for rule in device.kind.rules.values()],
    )


def rule_state_view(asked: Context, device: Device, rule: Rule, dev: DeviceState | None) -> RuleStateView:
    """One rule of a device."""
    outage = outage_of(dev, rule.name)
    shelf = None if dev is None else dev.shelves.get(rule.name)
    return RuleStateView(
        name=rule.name,
        title=title_view(rule.title),
        latched=rule.latched,
        shelvable=rule.shelvable,
        shelve_max_seconds=rule.shelve_max / 1_000,
        runbook=None if rule.runbook is None else title_view(rule.runbook),
        levels=[_level_view(device, rule, level, dev) for level in rule.levels],
        alert=None if dev is None else dev.alerts.get(rule.name),
        suppressed=_quiet(asked, device, rule, dev),
        shelf=None if shelf is None else shelf_view(asked, shelf),
        outage=None if outage is None else outage_view(asked, *outage),
        chattering=_chatter(asked, rule, dev),
        allowed=_allowed(rule, dev),
    )


def _level_view(device: Device, rule: Rule, level: LevelRule, dev: DeviceState | None) -> RuleLevelView:
    key = f"{rule.name}/{level.level.label}"
    state = None if dev is None else dev.levels.get(key)
    return RuleLevelView(
        level=level.level.label,
        state=Standing.IDLE if state is None else _PHASES[state.phase],
        for_seconds=level.hold / 1_000,
        work_order=rule.work_order.get(level.level),
        limits=[
            BoundView(
                rule=rule.name,
                level=level.level.label,
                low=leaf.low,
                high=leaf.high,
                point=leaf.point,
                unit=device.kind.points[leaf.point].unit,
            )
            for leaf, _ in leaves(level.when, "")
            if isinstance(leaf, Compare)
        ],
    )


def _quiet(asked: Context, device: Device, rule: Rule, dev: DeviceState | None) -> QuietView | None:
    """What would keep an alert of this rule quiet now, the strongest reason first."""
    if dev is None:
        return None
    outage = outage_of(dev, rule.name)
    if outage is not None and outage[1].confirmed_at is not None:
        how = How.OUT_OF_SERVICE
    elif rule.name in dev.shelves:
        how = How.SHELVED
    elif next(active_suppressions(device, dev, rule.name), None) is not None:
        how = How.BY_DESIGN
    elif rule.shelvable and next(open_windows(asked, device.id, rule.name), None) is not None:
        how = How.MAINTENANCE
    else:
        return None
    return quiet_view(asked, device.id, rule.name, how, None, dev)


def _chatter(asked: Context, rule: Rule, dev: DeviceState | None) -> ChatterView | None:
    flutter = None if dev is None else dev.flutters.get(rule.name)
    if flutter is None or flutter.since is None:
        return None
    return ChatterView(since=asked.written(flutter.since), hidden=flutter.hidden)


def _allowed(rule: Rule, dev: DeviceState | None) -> list[str]:
    shelved = dev is not None and rule.name in dev.shelves
    outage = None if dev is None else dev.outages.get(rule.name)
    able = {
        "in-service": outage is not None,
        "out-of-service": outage is None or outage.confirmed_at is None,
        "shelve": rule.shelvable and not shelved,
        "unshelve": shelved,
    }
    return [verb for verb, possible in able.items() if possible]
