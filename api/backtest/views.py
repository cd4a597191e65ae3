"""A backtest as JSON. Times are RFC 3339 with the offset of the site, durations seconds."""

from typing import Literal

from pydantic import BaseModel, Field

from api.http.device_views import TitleView
from api.http.quality_views import QualityView


class PeriodView(BaseModel):
    """A stretch of time; ``end`` is exclusive."""

    start: str
    end: str


class FaultView(BaseModel):
    """A line that could not be read."""

    file: str
    line: int
    field: str
    message: str


class ParameterView(BaseModel):
    """A parameter that the candidate has otherwise."""

    profile: str
    param: str
    was: str | None
    becomes: str | None
    devices: list[str]
    everywhere: bool = Field(description="these are all devices of the profile")


class CommandsView(BaseModel):
    """What became of operators' commands on alerts and orders, and of all others."""

    as_given: int
    met_another: int = Field(
        description="their record has another id in this run: they met that of the same device and rule"
    )
    dropped: int = Field(description="in this run there was no record they could be meant for")


class SideView(BaseModel):
    """One of the two sites."""

    digest: str
    messages: int = Field(description="judged, the warm-up included")
    commands: CommandsView


class EpisodeView(BaseModel):
    """An alert in one run, from when it came up until it let go."""

    raised_at: str
    until: str | None = Field(description="null while it stood at the end")
    level: str = Field(description="the worst it came to")
    announced_at: str | None = Field(description="null where it was kept quiet all the while")
    suppressed: str | None = Field(description="why it was kept quiet when it came up")
    alert: str = Field(description="the id of the record in this run")
    value: bool | int | float | str | None
    limit: bool | int | float | str | None


class ChangeView(BaseModel):
    """An alert that is not the same in both runs."""

    device: str
    profile: str | None
    rule: str
    kinds: list[Literal["added", "removed", "moved", "level_changed", "hushed", "voiced"]]
    shift_seconds: float | None = Field(
        description="how much later the candidate has it; null without a pair"
    )
    now: EpisodeView | None
    candidate: EpisodeView | None


class CountsView(BaseModel):
    """How many alerts. ``now`` and ``candidate`` began in the window by that run; the others by either."""

    now: int
    candidate: int
    now_announced: int
    candidate_announced: int
    same: int
    added: int
    removed: int
    moved: int = Field(description="a pair that began at different times; its level may differ too")
    level_changed: int = Field(description="a pair that came to different levels; it may have been moved too")
    hushed: int = Field(description="a pair that only the site now put before people")
    voiced: int = Field(description="a pair that only the candidate puts before people")
    moved_in: int = Field(description="of the moved: began before the window, or after it, by the site now")
    moved_out: int = Field(
        description="of the moved: begins before the window, or after it, by the candidate"
    )


class RuleView(CountsView):
    """The same for one rule of a profile."""

    profile: str | None = Field(description="null where neither site has the device any more")
    rule: str
    title: TitleView


class AlertsView(BaseModel):
    """What becomes of alerts."""

    total: CountsView
    rules: list[RuleView] = Field(description="those with a change first")
    changes: list[ChangeView] = Field(description="in order of time")


class OrderView(BaseModel):
    """Work orders of one template for one device."""

    template: str
    device: str | None
    now: list[str] = Field(description="when they were opened")
    candidate: list[str]


class OrdersView(BaseModel):
    """What becomes of work orders."""

    now: int
    candidate: int
    more: int = Field(description="opened in addition, counted by template and device")
    fewer: int = Field(description="not opened any more")
    changes: list[OrderView]


class CountView(BaseModel):
    """A number before and after, of what ``of`` says."""

    of: list[str]
    now: int
    candidate: int


class ShiftView(BaseModel):
    """Notices of one shift; null where nobody observed anything of it."""

    start: str
    end: str
    observed_seconds: float
    now: int | None
    candidate: int | None


class NoticesView(BaseModel):
    """Notices. One that goes to several targets is one notice, and counts for each of them."""

    now: int
    candidate: int
    shifts: list[ShiftView]
    targets: list[CountView]


class BothQualities(BaseModel):
    """The figures of alert quality."""

    now: QualityView
    candidate: QualityView


class BothSides(BaseModel):
    """The two sites."""

    now: SideView
    candidate: SideView


class BudgetView(BaseModel):
    """A budget and how it came out."""

    name: str
    found: float | None
    allowed: float
    kept: bool
    partial: bool = Field(description="broken because the result is partial")


class BacktestView(BaseModel):
    """All of it."""

    site: str
    timezone: str
    sides: BothSides
    window: PeriodView
    fed_from: str = Field(description="nothing is known of what was before this")
    begins_cold: bool = Field(description="no line was fed before the window")
    observed_seconds: float
    unobserved: list[PeriodView] = Field(description="unknown, and left out of rates")
    partial: bool
    fault_count: int
    faults: list[FaultView]
    passed_over: int = Field(description="other configurations in the recording")
    tuned: int = Field(description="parameters changed at run time in the recording: in force in both runs")
    parameters: list[ParameterView]
    alerts: AlertsView
    quality: BothQualities
    orders: OrdersView
    breaches: list[CountView] = Field(description="by template and clock")
    notices: NoticesView
    rounds: list[CountView] = Field(description="by route and result")
    taps: list[CountView] = Field(description="by grade, not_counted, or flag")
    rejections: list[CountView] = Field(description="by reason")
    budgets: list[BudgetView]
