"""What counts belong to, by the plan in force, and what that is called.

Figures are kept by device and rule. What kind a device is and where it stands is looked up when they are shown, so a device
that moves takes its history along, and one the site no longer has keeps its id.
"""

from collections.abc import Callable, Iterable

from api.http.device_views import TitleView, title_view
from api.http.quality_views import LEVELS
from gateway.core.plan import SitePlan
from gateway.core.quality_figures import Sums
from gateway.core.values import Level, Title


class Names:
    """Names and titles of rules, devices and groups."""

    def __init__(self, plan: SitePlan, sums: Iterable[Sums]) -> None:
        self.plan = plan
        self._of_rule = {self.kind_and_rule(one): one.device for one in sums}

    def kind_and_rule(self, one: Sums) -> tuple[str, str]:
        """The rule of a profile: rules of two profiles may share a name."""
        device = self.plan.devices.get(one.device)
        return ("" if device is None else device.kind.profile, one.rule)

    def rule(self, device: str, rule: str) -> TitleView:
        """The title of a device's rule."""
        found = self.plan.devices.get(device)
        known = None if found is None else found.kind.rules.get(rule)
        return title_view(Title(rule, rule) if known is None else known.title)

    def device(self, name: str) -> TitleView:
        """The title of a device."""
        found = self.plan.devices.get(name)
        return title_view(Title(name, name) if found is None else found.title)

    def grouping(self, by: str) -> tuple[Callable[[Sums], str | None], Callable[[str], TitleView]]:
        """To which group counts belong, None for no group, and what a group is called."""
        match by:
            case "rule":
                return self._rule_id, self._rule_title
            case "device":
                return lambda one: one.device or None, self.device
            case "building":
                return self._building, self._building_title
            case "level":
                return lambda one: one.level or None, _level_title
            case _:
                return lambda one: one.actor or None, lambda name: title_view(Title(name, name))

    def _rule_id(self, one: Sums) -> str | None:
        return "/".join(self.kind_and_rule(one)) if one.rule else None

    def _rule_title(self, name: str) -> TitleView:
        kind, _, rule = name.partition("/")
        return self.rule(self._of_rule.get((kind, rule), ""), rule)

    def _building(self, one: Sums) -> str:
        device = self.plan.devices.get(one.device)
        return "" if device is None else device.building or ""

    def _building_title(self, name: str) -> TitleView:
        building = self.plan.buildings.get(name)
        return title_view(Title("in no building", "不属于任何楼宇") if building is None else building.title)


def _level_title(name: str) -> TitleView:
    return title_view(LEVELS[Level[name.upper()]])
