"""Backtests as they are asked for and shown."""

from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.backtest.views import BacktestView, BudgetView
from api.http.backtest_shelf import Entry
from api.http.context import Context
from api.http.instants import Span
from api.http.texts import INTEGER_MOST, Id, Line, Name
from gateway.backtest import WARM_UP, Budgets
from gateway.core.values import show_duration

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MOST, strict=True)]
Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]


def _writable(text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("found half of a surrogate pair; a file is UTF-8")
    return text


Text = Annotated[str, AfterValidator(_writable)]


class BudgetsBody(BaseModel):
    """What is allowed at most; what is left out sets no limit."""

    model_config = ConfigDict(extra="forbid")

    max_added: Count | None = Field(None, description="alerts added")
    max_removed: Count | None = Field(None, description="alerts removed")
    max_moved: Count | None = Field(None, description="alerts moved")
    max_level_changed: Count | None = Field(None, description="levels changed")
    max_per_hour: Rate | None = Field(None, description="announced by the candidate in an observed hour")
    max_notices_per_shift: Count | None = Field(None, description="notices in the busiest shift")
    max_flood_share: Share | None = Field(None, description="percent of the observed time in flood")
    max_work_orders: Count | None = Field(None, description="work orders opened in addition")

    def given(self) -> dict[str, int | float]:
        """Those that set a limit, by their names in :class:`gateway.backtest.Budgets`."""
        found = {name: getattr(self, f"max_{name}") for name in Budgets._fields}
        return {name: value for name, value in found.items() if value is not None}


EXAMPLE: Final[dict[str, Any]] = {
    "days": 30,
    "warm_up": "2d",
    "set": {"elevator": {"motor_temp_high": 85}, "t1-lift-1": {"door_open_warning": "90s"}},
    "budgets": {"max_added": 5, "max_per_hour": 6},
}

SHOWN: Final[dict[str, Any]] = {
    "id": "bt-0d9b51c2ff6a3e7840aa",
    "state": "running",
    "progress": 0.42,
    "reached": "2026-11-12T04:10:00.000+08:00",
    "ahead": None,
    "by": "li",
    "asked_at": "2026-11-24T08:30:00.000+08:00",
    "began_at": "2026-11-24T08:30:02.118+08:00",
    "ended_at": None,
    **EXAMPLE,
    "files": [],
    "now": "be176df7c8089ccc929b183ede6b82a0cbd27b17d67d6855eca0b43cee519588",
    "candidate": "2065368b58bbe68ab618ee47a0a18021e428434997e0e4c37fca15c14f9a85a9",
    "error": None,
    "broken": None,
}


class BacktestBody(BaseModel):
    """What to try: files, parameters on top of them, or both."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    days: Annotated[int, Field(ge=1, le=400, strict=True)] | None = Field(
        None, description="judge the last days of the journal only; all of it when left out"
    )
    warm_up: Span = Field(
        default_factory=lambda: WARM_UP,
        description="feed so much of what was before them; 2d when left out",
        examples=["2d"],
    )
    settings: dict[Id, dict[Id, Number | Name]] = Field(
        {},
        alias="set",
        max_length=1_000,
        description="parameters by device, or by profile for all of its devices; one for a device counts more",
        examples=[EXAMPLE["set"]],
    )
    files: dict[Line, Text] = Field(
        {},
        max_length=1_000,
        description="texts by name in place of those in force: the site file, and profiles by their path in it",
        examples=[{"profiles/chiller.yaml": "profile: chiller\n…"}],
    )
    budgets: BudgetsBody = Field(default_factory=BudgetsBody)

    @model_validator(mode="after")
    def _something(self) -> "BacktestBody":
        if not (self.files or any(self.settings.values())):
            raise ValueError("give files, set, or both: without them nothing would differ")
        return self

    def wanted(self) -> list[str]:
        """The parameters, each as ``TARGET.PARAM=VALUE``."""
        return [
            f"{target}.{name}={value!r}" if isinstance(value, float) else f"{target}.{name}={value}"
            for target, params in self.settings.items()
            for name, value in params.items()
        ]


class BacktestEntry(BaseModel):
    """A backtest without its result."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHOWN]})

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(description="0 to 1")
    reached: str | None = Field(description="the moment of the recording it has come to")
    ahead: int | None = Field(description="how many come before it; null once its turn has come")
    by: str = Field(description="who asked")
    asked_at: str
    began_at: str | None
    ended_at: str | None
    days: int | None
    warm_up: str
    settings: dict[str, dict[str, float | str]] = Field(serialization_alias="set")
    files: list[str] = Field(description="names of the files that were given")
    budgets: dict[str, int | float]
    now: str = Field(description="the digest of the site that was in force when it was asked for")
    candidate: str = Field(description="the digest of the candidate")
    error: str | None = Field(description="why it failed")
    broken: list[BudgetView] | None = Field(description="budgets that are broken; null until it is done")


class BacktestDetail(BacktestEntry):
    """A backtest with its result."""

    result: BacktestView | None = Field(
        description="as `fgw backtest --json` shows it; null until it is done"
    )


def entry_view(asked: Context, one: Entry, ahead: int | None) -> BacktestEntry:
    """A backtest as it is shown."""
    return BacktestEntry(
        id=one.id,
        state=one.state,
        progress=one.share,
        reached=asked.maybe(one.reached),
        ahead=ahead,
        by=one.by,
        asked_at=asked.written(one.asked_at),
        began_at=asked.maybe(one.began_at),
        ended_at=asked.maybe(one.ended_at),
        days=one.days,
        warm_up=show_duration(one.warm_up),
        settings=one.settings,
        files=one.files,
        budgets={f"max_{name}": value for name, value in one.budgets.items()},
        now=one.now,
        candidate=one.candidate,
        error=one.error,
        broken=None
        if one.broken is None
        else [BudgetView(**msgspec.structs.asdict(budget)) for budget in one.broken],
    )
