"""Alert quality as it is shown: every figure beside its target and a verdict, in both languages."""

from typing import NamedTuple

from pydantic import BaseModel, Field

from api.http.device_views import TitleView, title_view
from gateway.core.quality_figures import Verdict
from gateway.core.values import Level, Title


class FigureView(BaseModel):
    """One figure. ``value`` is null where nothing can be said."""

    name: str
    title: TitleView
    value: float | None
    unit: str = Field(description="alerts, share (0 to 1), seconds")
    count: int | None = Field(description="how many it is a mean or sum of")
    target: TitleView | None = Field(description="null where the standards set none")
    verdict: Verdict | None = Field(description="null where there is no target")
    verdict_title: TitleView | None


class FloodView(BaseModel):
    """Windows of ten minutes in a row with more than ten alerts each."""

    start: str
    end: str
    announced: int
    peak: int = Field(description="the most in one window")


class TopView(BaseModel):
    """One of the ten most frequent: a rule, or a rule on one device."""

    kind: str | None = Field(description="null once the site has no such device any more")
    rule: str
    title: TitleView
    device: str | None
    device_title: TitleView | None
    announced: int
    share: float


class MixView(BaseModel):
    """What was announced at one level."""

    level: str
    announced: int
    share: float | None
    target: float


class SpellView(BaseModel):
    """Something that lasts, or lasted: a chatter, a stale alert, a shelf, an outage."""

    device: str
    device_title: TitleView
    rule: str | None = Field(description="null for every rule of the device")
    title: TitleView
    began: str
    ended: str | None


class DayView(BaseModel):
    """One day of the site, as far as it lies in the period."""

    day: str
    announced: int
    observed_seconds: float
    rate: float | None = Field(description="announced in ten minutes; null where nothing was observed")
    stale: int = Field(
        description="alerts that stood for longer than the site's limit at some time of the day"
    )


class GroupView(BaseModel):
    """The same counts for one rule, operator, level, device or building."""

    id: str
    title: TitleView
    announced: int | None = Field(description="null for an operator: people announce nothing")
    share: float | None
    quiet: int = Field(description="raised while suppressed: nobody was told")
    acknowledged: int
    acknowledge_seconds: float | None = Field(description="mean")
    cleared: int
    clear_seconds: float | None = Field(description="mean")
    chattering: int
    hidden: int = Field(description="transitions nobody was told of while it chattered")
    stale: int
    shelved: int
    shelved_seconds: float | None = Field(description="null where shelves do not belong to the group")
    assigned: int
    reset: int
    out_of_service: int


class QualityView(BaseModel):
    """The figures of a period."""

    start: str = Field(description="what was asked for, widened to whole windows of ten minutes")
    end: str
    observed_seconds: float = Field(description="the time that rates and shares are taken of")
    unobserved_seconds: float = Field(description="nobody saw the devices; left out, not counted as quiet")
    figures: list[FigureView]
    floods: list[FloodView] = Field(description="the newest first")
    floods_left_out: int
    top_rules: list[TopView]
    top_sources: list[TopView] = Field(description="a rule on one device: what EEMUA 191 calls an alarm")
    mix: list[MixView]
    chattering: list[SpellView] = Field(description="in the period, the newest first")
    stale: list[SpellView] = Field(description="at the end of the period, which is now unless it ended")
    shelved: list[SpellView] = Field(description="the same")
    out_of_service: list[SpellView] = Field(description="the same")
    days: list[DayView]
    by: str | None
    groups: list[GroupView]
    groups_left_out: int


class _Words(NamedTuple):
    """What a figure is called, its unit and its target."""

    title: Title
    unit: str
    target: Title | None = None


WORDS = {
    "rate_mean": _Words(
        Title("Alerts in ten minutes, mean", "每十分钟报警数(平均)"),
        "alerts",
        Title("at most 1; manageable up to 2", "不超过 1;2 以内可应付"),
    ),
    "rate_peak": _Words(
        Title("Alerts in ten minutes, most", "每十分钟报警数(峰值)"),
        "alerts",
        Title("at most 10; more is a flood", "不超过 10;超过即为报警泛滥"),
    ),
    "flood_share": _Words(
        Title("Time in flood", "报警泛滥时间占比"), "share", Title("less than 1 %", "低于 1 %")
    ),
    "top_rules_share": _Words(
        Title("Share of the ten most frequent rules", "最频繁的十条规则占比"),
        "share",
        Title("less than 5 %", "低于 5 %"),
    ),
    "top_sources_share": _Words(
        Title("Share of the ten most frequent alerts, by device and rule", "最频繁的十个报警点占比"),
        "share",
        Title("less than 5 %", "低于 5 %"),
    ),
    "chattering": _Words(Title("Chattering alerts", "抖动报警"), "alerts", Title("none", "无")),
    "stale_now": _Words(
        Title("Stale alerts at the end of the period", "期末长期未消除的报警"),
        "alerts",
        Title("fewer than 5", "少于 5"),
    ),
    "stale_worst_day": _Words(
        Title("Stale alerts on the worst day", "长期未消除报警最多的一天"),
        "alerts",
        Title("fewer than 5", "少于 5"),
    ),
    "priority_mix": _Words(
        Title("Share of critical alerts", "紧急报警占比"),
        "share",
        Title(
            "critical at most 5 %, critical and warning at most 20 %",
            "紧急不超过 5 %,紧急与警告合计不超过 20 %",
        ),
    ),
    "acknowledge_time": _Words(Title("Mean time to acknowledge", "平均确认时间"), "seconds"),
    "clear_time": _Words(Title("Mean time to clear", "平均恢复时间"), "seconds"),
    "shelved_time": _Words(Title("Time shelved", "搁置总时间"), "seconds"),
    "out_of_service_time": _Words(Title("Time out of service", "停用总时间"), "seconds"),
}
"""Every figure by name, in the order it is shown."""

VERDICTS = {
    Verdict.GOOD: Title("good", "良好"),
    Verdict.MANAGEABLE: Title("manageable", "可应付"),
    Verdict.OVER: Title("over", "超标"),
    Verdict.NO_DATA: Title("no data", "无数据"),
}

LEVELS = {
    Level.CRITICAL: Title("critical", "紧急"),
    Level.WARNING: Title("warning", "警告"),
    Level.INFO: Title("information", "提示"),
}
MIX = {Level.CRITICAL: 0.05, Level.WARNING: 0.15, Level.INFO: 0.80}
"""About what share of the alerts each level should have (EEMUA 191)."""


def figure(
    name: str, value: float | None, verdict: Verdict | None = None, count: int | None = None
) -> FigureView:
    """A figure with its words."""
    words = WORDS[name]
    return FigureView(
        name=name,
        title=title_view(words.title),
        value=value,
        unit=words.unit,
        count=count,
        target=None if words.target is None else title_view(words.target),
        verdict=verdict,
        verdict_title=None if verdict is None else title_view(VERDICTS[verdict]),
    )
